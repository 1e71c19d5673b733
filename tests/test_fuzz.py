"""Input from anywhere, at random: it is taken, or refused in one line that names it.

Nothing here may raise anything else, or hang. The cases are the same each time.
"""

import dataclasses
import json
import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from benchmark import recipes, record
from benchmark.datasets.check.image_integrity import broken_among
from benchmark.datasets.mars import mars
from benchmark.pixels import ImageError, read_image
from benchmark.variants import expand, parse
from reports.analysis.convergence import with_verdicts
from reports.analysis.groups import groups
from reports.read.results import collect
from tests.zoo.shelf import shelve
from zoo import registry
from zoo.checkpoints.table import read_table
from zoo.experiment.paper_recipes import recipe
from zoo.experiment.sweep import parse_sweep


def fuzz(cases):
    """That many cases, the same each time; none is kept, none is timed."""
    return settings(
        max_examples=cases,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


REFUSED = (ValueError, LookupError, OSError)


def outcome(code, *arguments):
    """What it gives; None if it is refused in one line."""
    try:
        return code(*arguments)
    except REFUSED as error:
        text = str(error)
        assert text.strip() and len(text) < 5000
        return None


def lines(text):
    return len(text.splitlines())


# ---- names and settings --------------------------------------------------------------------------

PIECES = st.sampled_from(
    [
        *("sta", "nvan", "[", "]", "=", ",", "+", "|", "-", ".", "blocks", "8", "1e999", "-0.0"),
        *("none", "true", "lr", "epochs", "layers", "9" * 30, "backbone", "hf-hub:", "é", " "),
        *("nan", "\0"),
    ]
)
TEXTS = st.one_of(st.text(max_size=30), st.lists(PIECES, max_size=12).map("".join))


@fuzz(500)
@given(TEXTS)
def test_any_text_is_a_variant_a_grid_a_sweep_or_refused(text):
    if found := outcome(parse, text):
        assert parse(str(found)) == found or "nan" in text.lower()
    for variant in outcome(expand, text) or ():
        outcome(registry.find, variant)
    outcome(parse_sweep, text)


KEYS = st.sampled_from([f.name for f in dataclasses.fields(recipes.QUICK)] + ["x", "", "lr ", "é"])


@fuzz(400)
@given(KEYS, TEXTS)
def test_any_setting_of_a_recipe_is_taken_or_refused(key, value):
    changes = outcome(recipes.parse_changes, [f"{key}={value}"])
    if changes is not None:
        outcome(recipe, "quick", changes)


# ---- records -------------------------------------------------------------------------------------

JSON = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**70), 2**70),
        st.floats(),
        st.text(st.characters(codec=None), max_size=8),
        st.sampled_from(["..", "/dev/zero", "pipe.csv", "a.csv", "open@1/cos-bn/all4", 10**400]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)
FIELDS = [f.name for f in dataclasses.fields(record.Record)]
COSTS = ["gmacs", "latency_ms", "frames", "left_out", "uncounted", "parts", "best_batch", "device"]
GOOD = {
    "run": "abc",
    "method": "sta",
    "recipe": "quick",
    "dataset": "synthetic",
    "fingerprint": "f",
    "label": "open@1/cos-bn/chunk-first4",
    "gallery": 10,
    "queries": 5,
    "dropped": 1,
    "metrics": {"R1": 0.5, "mAP": 0.25},
    "cost": {"gmacs": 1.5, "frames": 4, "height": 64, "width": 32, "left_out": {"add": 3}},
    "schema": 1,
}
CHANGES = st.tuples(st.sampled_from([*FIELDS, *COSTS, "foreign"]), JSON)


def changed(changes):
    """A record with fields, or parts of its cost, replaced."""
    data = {**GOOD, "cost": dict(GOOD["cost"])}
    for name, value in changes:
        home = data["cost"] if name in COSTS and isinstance(data["cost"], dict) else data
        home[name] = value
    return data


@pytest.fixture
def odd_folder(tmp_path):
    """A run's folder with a pipe in it."""
    records = tmp_path / "results" / "runs" / "sta-abc" / "records"
    records.mkdir(parents=True)
    os.mkfifo(records / "pipe.csv")
    return records


@fuzz(500)
@given(changes=st.lists(CHANGES, max_size=2), cut=st.integers(0, 40))
def test_any_record_is_read_or_refused_by_its_name(odd_folder, changes, cut):
    path = odd_folder / "r.json"
    text = json.dumps(changed(changes))
    path.write_text(text[: len(text) - max(cut - 30, 0)], errors="surrogatepass")
    try:
        record.load(path)
    except (ValueError, OSError) as error:
        assert lines(str(error)) == 1 and str(path) in str(error)


@fuzz(60)
@given(
    several=st.lists(st.lists(CHANGES, max_size=1), min_size=1, max_size=4),
    summary=st.one_of(JSON, st.fixed_dictionaries({"spec": JSON, "cost": JSON, "training": JSON})),
    log=st.lists(st.dictionaries(st.sampled_from(["epoch", "accuracy", "triplet"]), JSON)),
    points=JSON,
)
def test_any_records_summaries_logs_and_sweeps_make_tables_or_are_named(
    odd_folder, several, summary, log, points
):
    run = odd_folder.parent
    for number, changes in enumerate(several):
        text = json.dumps({**changed(changes), "seed": number})
        (odd_folder / f"{number}.json").write_text(text, errors="surrogatepass")
    (run / "run.json").write_text(json.dumps(summary))
    (run / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in log))
    (run / "sweeps").mkdir(exist_ok=True)
    (run / "sweeps" / "x.json").write_text(json.dumps({"knob": "x", "points": points}))
    results = collect([odd_folder.parents[2]])
    assert all(lines(problem) == 1 for problem in results.problems)
    groups(with_verdicts(results).frame)


# ---- tables of checkpoints -----------------------------------------------------------------------

VALUES = st.sampled_from(
    [
        *("1", "-1", "true", '""', '"x"', '"../x"', '"/etc/passwd"', '"file:///etc/passwd"', "[]"),
        *('["x"]', '["http://a/b"]', "[1]", "{}", "{a = 1}", "1e999", "nan", "9" * 30, "[[[]]]"),
        *('"https://a/b"', '"hf-hub:x"', "1979-05-27", "[0.1, 0.2, 0.3]", '"\\u0000"', "[" * 3000),
    ]
)


@fuzz(300)
@given(data=st.data())
def test_any_table_of_checkpoints_is_read_or_refused_by_its_name(tmp_path, data):
    home = tmp_path / "home"
    if not home.exists():
        shelve(home)
    whole = (home / "checkpoints.toml").read_text().splitlines()
    row = data.draw(st.integers(0, len(whole) - 1))
    key = whole[row].partition("=")[0]
    whole[row] = f"{key}= {data.draw(VALUES)}"
    path = home / "odd.toml"
    path.write_text("\n".join(whole))
    found = outcome(read_table, path)
    for checkpoint in (found or {}).values():
        outcome(lambda one: one.places, checkpoint)
        outcome(checkpoint.scores)
        outcome(checkpoint.trained)


# ---- tables of MARS ------------------------------------------------------------------------------


@fuzz(250)
@given(
    name=st.sampled_from(
        [
            *("train_name.txt", "test_name.txt", "query_IDX.mat"),
            *("tracks_train_info.mat", "tracks_test_info.mat"),
        ]
    ),
    place=st.integers(0, 3000),
    new=st.binary(max_size=12),
    cut=st.integers(0, 400),
)
def test_any_table_of_mars_is_read_or_refused(mars_copy, name, place, new, cut):
    path = mars_copy / "info" / name
    whole = path.read_bytes()
    spoilt = bytearray(whole)
    spoilt[place % len(whole) : place % len(whole) + len(new)] = new
    path.write_bytes(spoilt[: max(1, len(spoilt) - max(cut - 300, 0))])
    try:
        found = outcome(mars, mars_copy)
        assert found is None or len(found.query) <= len(found.test)
    finally:
        path.write_bytes(whole)


@pytest.fixture(scope="module")
def mars_copy(tmp_path_factory):
    """A small set in MARS's layout, rendered once."""
    from benchmark.datasets.synthetic.render import render
    from benchmark.datasets.synthetic.tracks import Knobs

    folder = tmp_path_factory.mktemp("mars")
    knobs = {"identities": 3, "cameras": 2, "tracklets": 2, "frames": 2, "size": 32, "seed": 0}
    render(folder, Knobs(**knobs, occlusion=0.0, misalignment=0.0, noise=0.0), workers=1)
    return folder


# ---- images --------------------------------------------------------------------------------------


@fuzz(300)
@given(
    kind=st.sampled_from(["JPEG", "PNG", "GIF", "none"]),
    place=st.integers(0, 2000),
    new=st.binary(max_size=8),
    cut=st.integers(0, 2000),
)
def test_any_image_is_read_or_refused_by_its_name(tmp_path, kind, place, new, cut):
    path = tmp_path / "image.jpg"
    if kind == "none":
        path.write_bytes(new)
    else:
        Image.linear_gradient("L").resize((16, 32)).save(path, kind)
    data = bytearray(path.read_bytes())
    if data:
        data[place % len(data) : place % len(data) + len(new)] = new
    path.write_bytes(data[: max(0, len(data) - max(cut - 1000, 0))])
    try:
        image = read_image(str(path))
        assert image.ndim == 3 and image.shape[0] == 3
        readable = True
    except ImageError as error:
        assert str(error).startswith(f"{path} cannot be read as an image: ")
        assert lines(str(error)) == 1
        readable = False
    found = broken_among([str(path)], deep=True)
    assert readable or found
    assert all(lines(reason) == 1 for _, reason in found)


def test_these_are_two_thousand_cases():
    tests = [one for name, one in globals().items() if name.startswith("test_any")]
    cases = [one._hypothesis_internal_use_settings.max_examples for one in tests]
    assert len(cases) == 7 and sum(cases) >= 2000
