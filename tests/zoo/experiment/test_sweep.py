"""`zoo bench --sweep`: trained once, scored on test sets that differ in one knob."""

import dataclasses
import json
import shutil

import pytest

from benchmark import record
from benchmark.progress import SILENT
from benchmark.recipe import Evaluation
from benchmark.recipes import QUICK, RECIPES, replace
from reports.analysis.groups import collect, groups
from reports.analysis.trends import all_trends
from reports.build import build
from tests.zoo.conftest import ask
from zoo.experiment.bench import carry_out
from zoo.experiment.data import open_dataset
from zoo.experiment.folder import RunFolder
from zoo.experiment.options import ExecutionOptions, Scoring
from zoo.experiment.rescore import Rules, open_run_folder, rescore
from zoo.experiment.sweep import open_sweep, parse_sweep, score_sweep, swept

SET = "synthetic[cameras=2,frames=2,identities=3,size=64]"
SWEEP = "occlusion=0:0.6:0.3"


def bench(out, sweep=None):
    """One epoch of the tiny network, and a sweep."""
    asked = ask(None, out, dataset=SET, sweep=sweep)
    assert not carry_out(asked, SILENT).failures


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A bench with a sweep over three values, one of them that of the training set."""
    out = tmp_path_factory.mktemp("sweep") / "o"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ZOO_CACHE", str(out.parent / "cache"))
        bench(out, SWEEP)
    return out


@pytest.fixture(autouse=True)
def rendered(done, monkeypatch):
    """Test sets are rendered once for all tests."""
    monkeypatch.setenv("ZOO_CACHE", str(done.parent / "cache"))


def runs(out):
    return sorted((out / "runs").iterdir())


def records(run):
    return [record.load(path) for path in sorted(run.glob("records/*.json"))]


def test_each_run_is_trained_once_and_scored_on_every_point(done):
    assert len(runs(done)) == 1
    for run in runs(done):
        assert len(list(run.glob("weights.safetensors"))) == 1
        found = records(run)
        assert len({one.dataset for one in found}) == len({r.fingerprint for r in found}) == 3
        assert len({one.checkpoint for one in found}) == 1


def test_a_point_s_record_names_the_set_it_was_scored_on_and_the_run_it_was_trained_in(done):
    for run in runs(done):
        spec = json.loads((run / "spec.json").read_text())
        for one in records(run):
            assert one.run == RunFolder(run).spec().id and one.run in run.name
            same = one.fingerprint == spec["fingerprint"]
            assert (one.dataset == spec["dataset"]) == same
            told = [note for note in one.notes if "scored on" in note]
            assert len(told) == (0 if same else 1)
            assert same or f"({spec['fingerprint']}), scored on {one.dataset}" in told[0]
            rows = (run / "records" / one.per_query).read_text().splitlines()
            assert len(rows) == 1 + one.queries


def test_the_points_are_listed_with_the_training_set_s_own_among_them(done):
    for run in runs(done):
        told = json.loads((run / "sweeps" / "occlusion.json").read_text())
        assert [point["value"] for point in told["points"]] == [0.0, 0.3, 0.6]
        assert told["points"][1]["fingerprint"] == told["trained_on"]["fingerprint"]


def test_a_sweep_does_not_change_the_run_it_is_of(done, tmp_path):
    bench(tmp_path)
    plain = {run.name: records(run) for run in runs(tmp_path)}
    assert set(plain) == {run.name for run in runs(done)}
    for run in runs(done):
        (own,) = [one for one in records(run) if one.dataset == plain[run.name][0].dataset]
        assert own.metrics == plain[run.name][0].metrics


def test_the_report_draws_the_sweep_and_ranks_the_trained_set_alone(done, tmp_path):
    results = collect([done])
    assert not results.problems
    assert [group.key.dataset for group in groups(results.frame, 100)] == [SET]
    (trend,) = all_trends(results)
    assert list(trend.rows["x"]) == [0.0, 0.3, 0.6]
    assert trend.rows["mAP_low"].notna().all()
    made = build([done], tmp_path, ("md",))
    assert "## What varies" in made.path.read_text()


def test_the_same_sweep_again_embeds_nothing_and_another_one_adds_its_points(done, tmp_path):
    own = shutil.copytree(done, tmp_path / "own")  # the others see the first sweep alone
    (run,) = runs(own)
    before = {path: path.stat().st_mtime_ns for path in run.glob("embeddings-*")}
    assert len(before) == 3
    bench(own, "occlusion=0.6:0.9:0.3")
    assert {path: path.stat().st_mtime_ns for path in before} == before
    told = json.loads((run / "sweeps" / "occlusion.json").read_text())
    assert [point["value"] for point in told["points"]] == [0.0, 0.3, 0.6, 0.9]


@pytest.mark.parametrize(
    ("text", "knob", "values"),
    [
        ("occlusion=0:0.8:0.2", "occlusion", [0.0, 0.2, 0.4, 0.6, 0.8]),
        ("noise=0.1:0.35:0.1", "noise", [0.1, 0.2, 0.3]),
        ("frames=2:8:2", "frames", [2, 4, 6, 8]),
        ("misalignment=-0.5:0.5:0.5", "misalignment", [-0.5, 0.0, 0.5]),
    ],
)
def test_a_sweep_reaches_its_last_value_without_rounding_errors(text, knob, values):
    found = parse_sweep(text)
    assert found == (knob, values)
    assert [type(value) for value in found[1]] == [type(value) for value in values]


@pytest.mark.parametrize(
    "text",
    ["occlusion", "=0:1:0.5", "occlusion=0:1", "occlusion=0:1:0", "occlusion=1:0:0.1",
     "occlusion=a:b:c", "occlusion=0:1:0.001", "occlusion=true:1:1", "a b=0:1:1",
     "occlusion=0:1:1e-320", "occlusion=0:1e999:1", "frames=0:" + "9" * 400 + ":1"],
)  # fmt: skip
def test_what_is_no_sweep_is_refused_with_an_example(text):
    with pytest.raises(ValueError, match=r"occlusion=0:0\.8:0\.2"):
        parse_sweep(text)


def test_of_a_point_the_test_part_alone_is_rendered_and_named_so(done):
    whole = [p for p in (done.parent / "cache" / "data").iterdir() if (p / "bbox_train").is_dir()]
    assert len(whole) == 1
    for run in runs(done):
        points = json.loads((run / "sweeps" / "occlusion.json").read_text())["points"]
        assert [one["dataset"].partition("]")[2] for one in points] == [":test", "", ":test"]
        opened = open_dataset(points[0]["dataset"])
        assert (opened.fingerprint, opened.train) == (points[0]["fingerprint"], ())


def record_at(run, knob):
    (path,) = [p for p in run.glob("records/*.json") if knob in record.load(p).dataset]
    return path


@pytest.fixture
def earlier(done, tmp_path):
    """A sweep as it was once: its last point was scored on the whole set."""
    own = shutil.copytree(done, tmp_path / "earlier")
    (run,) = runs(own)
    path = record_at(run, "occlusion=0.6")
    one = record.load(path)
    whole = open_dataset(one.dataset.removesuffix(":test"))
    record.save(dataclasses.replace(one, dataset=whole.name, fingerprint=whole.fingerprint), path)
    told = json.loads((run / "sweeps" / "occlusion.json").read_text())
    told["points"][2] |= {"dataset": whole.name, "fingerprint": whole.fingerprint}
    (run / "sweeps" / "occlusion.json").write_text(json.dumps(told))
    return own


def test_a_point_that_was_scored_on_the_whole_set_stays_as_it_is(earlier):
    (run,) = runs(earlier)
    before = (run / "sweeps" / "occlusion.json").read_text()
    bench(earlier, SWEEP)
    assert json.loads((run / "sweeps" / "occlusion.json").read_text()) == json.loads(before)
    assert len(records(run)) == 3


def test_a_point_of_another_renderer_is_scored_again(earlier):
    (run,) = runs(earlier)
    path = record_at(run, "occlusion=0.6")
    one = record.load(path)
    record.save(dataclasses.replace(one, notes=["rendered people (renderer 1)"]), path)
    bench(earlier, SWEEP)
    told = json.loads((run / "sweeps" / "occlusion.json").read_text())
    assert told["points"][2]["dataset"].endswith(":test")


def test_a_knob_is_turned_and_the_others_stay():
    assert swept("synthetic[identities=3,occlusion=0.1]", "occlusion", 0.5) == (
        "synthetic[identities=3,occlusion=0.5]"
    )


def test_a_knob_that_the_data_set_does_not_have_is_an_error_before_anything_is_trained(tmp_path):
    with pytest.raises(LookupError, match="did you mean occlusion"):
        bench(tmp_path / "o", "oclusion=0:0.6:0.3")
    assert not (tmp_path / "o").exists()


def test_a_swept_run_keeps_to_its_stored_settings_whatever_the_recipe_says_today(
    done, tmp_path, monkeypatch
):
    (run,) = runs(done)
    copy = shutil.copytree(run, tmp_path / "run")
    changed = {"height": 32, "frames": 2, "test_frames": "all", "distance": "l2sq-raw"}
    monkeypatch.setitem(RECIPES, "quick", replace(QUICK, changed))
    before = {one.dataset: one.metrics for one in records(copy)}
    opened = open_run_folder(copy, options=ExecutionOptions(workers=0))
    scoring = Scoring(evaluation=Evaluation(), protocols=(opened.dataset.protocol,))
    sweep = open_sweep(SWEEP, opened.dataset, SET, open_dataset)
    made = score_sweep(opened, scoring, sweep)
    assert len(made) == 2 and all(one.metrics == before[one.dataset] for one in made)
    assert {one.label.partition("/")[2] for one in made} == {"cos-bn/chunk-first4"}


def test_scoring_a_swept_run_again_keeps_its_test_sets_apart(done, tmp_path):
    (run,) = runs(done)
    folder = RunFolder(shutil.copytree(run, tmp_path / "run"))
    before = {one.dataset: one.metrics for one in folder.read_records()}
    made, _ = rescore(folder.path, Rules(), options=ExecutionOptions(workers=0))
    assert len(made) >= 3 and {one.dataset: one.metrics for one in made} == before
    assert len(folder.read_records()) == len(before)
