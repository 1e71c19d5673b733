import inspect
import json
import os
import subprocess
import sys
import threading
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import scipy.io
from PIL import Image

from benchmark.datasets.catalogue import open_dataset
from benchmark.datasets.synthetic import dataset as module
from benchmark.datasets.synthetic.clothes import people
from benchmark.datasets.synthetic.dataset import (
    Knobs,
    contact_sheet,
    plan,
    queries,
    render,
    synthetic,
)
from benchmark.datasets.synthetic.scene import Conditions, film, obstacles
from benchmark.datasets.synthetic.tracks import TRAINING
from tests.benchmark.colour_histogram import colour_histogram, rank_1_and_map

DEFAULTS = {
    name: p.default
    for name, p in inspect.signature(synthetic).parameters.items()
    if name not in ("root", "on_progress")
}
SMALL = {**DEFAULTS, "identities": 6, "cameras": 3, "tracklets": 3, "frames": 4, "size": 32}


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def small(cache):
    return synthetic(cache, **SMALL)


def home(dataset):
    return Path(dataset.test[0].folder).parents[1]


def contents(folder):
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in files}


def takes(**knobs):
    return plan(Knobs(**{**SMALL, **knobs}))


# ------------------------------------------------------------------------------ grammar


def test_the_files_follow_the_grammar_of_mars(small):
    info = home(small) / "info"
    for part, variable in (("train", "track_train_info"), ("test", "track_test_info")):
        listed = (info / f"{part}_name.txt").read_bytes()
        names = listed.decode().split("\r\n")
        assert names.pop() == ""
        assert b"\n" not in listed.replace(b"\r\n", b"")
        on_disk = sorted(p.name for p in (home(small) / f"bbox_{part}").glob("*/*.jpg"))
        assert names == on_disk
        table = scipy.io.loadmat(info / f"tracks_{part}_info.mat")[variable]
        assert table.dtype == np.int32
        assert table[0, 0] == 1
        assert (table[1:, 0] == table[:-1, 1] + 1).all()  # contiguous and inclusive
        assert table[-1, 1] == len(names)
    query = scipy.io.loadmat(info / "query_IDX.mat")["query_IDX"]
    assert query.dtype == np.uint16
    assert query.shape == (1, len(small.query))
    assert (query[0] == np.array(small.query) + 1).all()


def test_the_test_table_starts_with_junk_then_distractors_then_persons(small):
    pids = [t.pid for t in small.test]
    assert pids == sorted(pids)
    assert set(pids[:2]) == {-1}
    assert {-1, 0} < set(pids)
    assert (home(small) / "bbox_test" / "00-1").is_dir()
    assert (home(small) / "bbox_test" / "0000").is_dir()


def test_images_have_the_size_asked_for(small):
    with Image.open(small.test[-1].path(0)) as image:
        assert image.size == (16, 32)
        assert image.mode == "RGB"


def test_train_and_test_persons_are_disjoint(small):
    assert len(small.train_pids) == TRAINING * SMALL["identities"]
    assert not set(small.train_pids) & {t.pid for t in small.test}


def test_every_query_has_a_match_in_another_camera(small):
    for row in small.query:
        query = small.test[row]
        assert any(t.pid == query.pid and t.camid != query.camid for t in small.test)


def test_a_person_is_queried_once_a_camera(small):
    seen = Counter((small.test[row].pid, small.test[row].camid) for row in small.query)
    assert set(seen.values()) == {1}


def test_somebody_is_seen_by_one_camera_only_and_not_queried(small):
    cameras = {}
    for t in small.test:
        cameras.setdefault(t.pid, set()).add(t.camid)
    alone = [pid for pid, seen in cameras.items() if pid > 0 and len(seen) == 1]
    assert alone
    assert not set(alone) & {small.test[row].pid for row in small.query}


def test_some_tracklets_are_short_and_one_has_two_frames():
    lengths = [take.length for take in plan(Knobs(**DEFAULTS))["test"]]
    assert min(lengths) == 2
    assert 100 <= sum(length < 8 for length in lengths) <= 0.9 * len(lengths)
    assert max(lengths) > 8
    assert 5 <= np.mean(lengths) <= 8


# ------------------------------------------------------------------------------ people


@pytest.mark.parametrize("count", [3, 7, 12, 120, 301])
@pytest.mark.parametrize("part", ["train", "test"])
def test_every_pair_of_colours_is_worn_by_three(part, count):
    worn = Counter(person.colours for person in people(5, part, count))
    assert min(worn.values()) >= 3


def test_people_in_the_same_colours_differ_in_what_they_wear():
    wardrobe = [
        (p.colours, p.pattern, p.bag, p.cut, p.hat, p.hairstyle) for p in people(0, "test", 120)
    ]
    assert len(set(wardrobe)) == 120


# ------------------------------------------------------------------------------ the same again


def test_bytes_depend_on_the_seed_and_not_on_the_number_of_workers(tmp_path):
    knobs = Knobs(**{**SMALL, "identities": 8})
    for workers in (1, 3):
        render(tmp_path / str(workers), knobs, workers=workers)
    one = contents(tmp_path / "1")
    assert one == contents(tmp_path / "3")
    render(tmp_path / "other", replace(knobs, seed=1), workers=1)
    assert one != contents(tmp_path / "other")


@pytest.mark.parametrize("knob", ["occlusion", "misalignment", "noise"])
def test_a_nuisance_changes_neither_people_nor_walks_nor_queries(knob):
    mild, severe = takes(**{knob: 0.0}), takes(**{knob: 1.0})
    assert mild == severe
    assert queries(mild["test"], 0) == queries(severe["test"], 0)


def test_frames_that_nothing_hides_are_the_same_at_every_occlusion():
    passers = people(0, "passers", 5)
    hidden = 0
    for take in takes()["test"][-6:]:
        clear, hard = (
            [np.asarray(image) for image in film(take, conditions(occlusion=o), passers)]
            for o in (0.0, 1.0)
        )
        for frame, (a, b) in enumerate(zip(clear, hard, strict=True)):
            busy = any(x.place(frame, take.length, 1.0) is not None for x in obstacles(take, 0))
            hidden += busy
            assert busy or (a == b).all()
    assert hidden


def conditions(**changed):
    mild = {"size": 32, "occlusion": 0.0, "misalignment": 0.0, "noise": 0.0, "seed": 0}
    return Conditions(**{**mild, **changed})


def test_what_is_hidden_at_a_low_occlusion_is_hidden_at_a_higher_one():
    def hidden(take, occlusion):
        return {
            (number, frame)
            for number, obstacle in enumerate(obstacles(take, 0))
            for frame in range(take.length)
            if obstacle.place(frame, take.length, occlusion) is not None
        }

    amounts = []
    for take in takes(frames=12)["test"]:
        levels = [hidden(take, occlusion) for occlusion in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)]
        assert all(low <= high for low, high in pairwise(levels))
        amounts.append([len(level) for level in levels])
    total = np.sum(amounts, axis=0)
    assert total[0] == 0
    assert (np.diff(total) > 0).all()


@pytest.mark.parametrize("knob", ["misalignment", "noise"])
def test_pictures_move_away_from_the_clean_ones_as_a_nuisance_grows(knob):
    passers = people(0, "passers", 5)

    def filmed(severity):
        frames = [
            np.asarray(image, float)
            for take in takes()["test"][-6:]
            for image in film(take, conditions(**{knob: severity}), passers)
        ]
        return np.stack(frames)

    clean = filmed(0.0)
    distance = [abs(filmed(severity) - clean).mean() for severity in (0.2, 0.5, 1.0)]
    assert 0 < distance[0] < distance[1] < distance[2]


# ------------------------------------------------------------------------------ the cache


def test_the_cache_is_used_again(cache, small, monkeypatch):
    monkeypatch.setattr(module, "render", lambda *_, **__: pytest.fail("rendered again"))
    again = synthetic(cache, **SMALL)
    assert again == small
    assert [p.name for p in cache.iterdir() if not p.name.startswith(".")] == [home(small).name]


def test_an_integer_will_do_for_a_severity(cache, monkeypatch):
    first = synthetic(cache, **{**SMALL, "occlusion": 0})
    monkeypatch.setattr(module, "render", lambda *_, **__: pytest.fail("rendered again"))
    assert synthetic(cache, **{**SMALL, "occlusion": 0.0}) == first


def test_the_cache_folder_can_be_set_by_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path))
    assert home(synthetic(**SMALL)).parent == tmp_path / "data"


def test_progress_is_told_after_every_tracklet(tmp_path):
    told = []
    found = synthetic(tmp_path, **SMALL, on_progress=lambda *step: told.append(step))
    total = len(found.train) + len(found.test)
    assert told == [("rendering pedestrians", done, total) for done in range(1, total + 1)]


def test_an_interrupted_rendering_leaves_nothing_that_looks_complete(tmp_path):
    def interrupt(what, done, total):
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        synthetic(tmp_path, **SMALL, on_progress=interrupt)
    assert not [p for p in tmp_path.iterdir() if p.is_dir()]
    assert synthetic(tmp_path, **SMALL).query


def test_what_a_killed_rendering_left_is_removed(tmp_path, small):
    stale = tmp_path / f".{home(small).name}.part-killed"
    (stale / "bbox_train").mkdir(parents=True)
    synthetic(tmp_path, **SMALL)
    assert not stale.exists()


def test_two_at_a_time_render_once(tmp_path, monkeypatch):
    renderings = []

    def counted(*arguments, **settings):
        renderings.append(arguments)
        render(*arguments, **settings)

    monkeypatch.setattr(module, "render", counted)
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(synthetic(tmp_path, **SMALL)))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(renderings) == 1
    assert found[0] == found[1]


def test_a_damaged_cache_is_named_with_the_remedy(tmp_path):
    found = synthetic(tmp_path, **SMALL)
    victim = Path(found.test[3].path(0))
    whole = victim.read_bytes()
    victim.write_bytes(whole[:100])
    with pytest.raises(FileNotFoundError, match=r"damaged .*delete the folder"):
        synthetic(tmp_path, **SMALL)
    victim.unlink()
    with pytest.raises(FileNotFoundError, match=rf"{victim.name}.*delete the folder") as caught:
        synthetic(tmp_path, **SMALL)
    assert "\n" not in str(caught.value)
    victim.write_bytes(whole)
    (home(found) / module.MANIFEST).unlink()
    with pytest.raises(FileNotFoundError, match=rf"{home(found).name} is damaged"):
        synthetic(tmp_path, **SMALL)


def test_a_script_needs_no_guard_for_its_workers(tmp_path):
    knobs = {**SMALL, "identities": 8}
    script = tmp_path / "script.py"
    script.write_text(
        "from pathlib import Path\n"
        "from benchmark.datasets.synthetic.dataset import Knobs, render\n"
        f"render(Path({str(tmp_path / 'out')!r}), Knobs(**{knobs}), workers=2)\n"
        "print('once')\n"
    )
    path = os.pathsep.join([str(Path(module.__file__).parents[3]), *sys.path])
    done = subprocess.run(
        [sys.executable, script],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout == "once\n"


def test_a_worker_that_fails_ends_the_rendering(tmp_path):
    def remove(what, done, total):
        for person in (tmp_path / "out" / "bbox_test").glob("0*"):
            for image in person.iterdir():
                image.unlink()
            person.rmdir()

    with pytest.raises(OSError, match="a worker ended with 1"):
        render(
            tmp_path / "out", Knobs(**{**SMALL, "identities": 12}), workers=2, on_progress=remove
        )


# ------------------------------------------------------------------------------ knobs


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("synthetic[occlusion=1.2]", r"occlusion is 1\.2, expected 0\.\.1"),
        ("synthetic[noise=-0.1]", r"noise is -0\.1, expected 0\.\.1"),
        ("synthetic[cameras=10]", r"cameras is 10, expected 2\.\.9"),
        ("synthetic[identities=2]", r"identities is 2, expected 3\.\.1666"),
        ("synthetic[size=129]", r"size is 129, expected an even number"),
        ("synthetic[frames=2.5]", r"frames is '2\.5', expected int"),
        ("synthetic[occlusion=nan]", "occlusion is 'nan', expected float"),
    ],
)
def test_a_bad_knob_is_refused_in_one_line(tmp_path, text, says):
    with pytest.raises(ValueError, match=says) as caught:
        open_dataset(text, tmp_path)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_an_unknown_knob_gets_a_hint(tmp_path):
    with pytest.raises(LookupError, match="did you mean occlusion"):
        open_dataset("synthetic[oclusion=0.5]", tmp_path)


# ------------------------------------------------------------------------------ pictures


def test_the_contact_sheet_is_a_picture(small, tmp_path):
    contact_sheet(small, tmp_path / "sheet.png")
    with Image.open(tmp_path / "sheet.png") as image:
        assert image.width > 200
        assert image.height > 10 * SMALL["size"]


def test_the_manifest_tells_the_knobs(small):
    manifest = json.loads((home(small) / module.MANIFEST).read_text())
    assert manifest["knobs"] == SMALL
    assert manifest["images"] == sum(len(t) for t in (*small.train, *small.test))


@pytest.fixture(scope="session")
def default(tmp_path_factory):
    """The default set, rendered once: half a minute and more."""
    return synthetic(tmp_path_factory.mktemp("default"))


@pytest.mark.slow
def test_the_default_set_is_large_enough(default):
    assert len({default.test[row].pid for row in default.query}) >= 100
    assert len(default.query) >= 300
    assert len(default.train_pids) >= 100


@pytest.mark.slow
def test_colours_alone_are_neither_useless_nor_enough(default):
    rank_1, _ = rank_1_and_map(default, colour_histogram(default))
    assert 0.15 <= rank_1 <= 0.55
