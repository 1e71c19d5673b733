import json
import shutil
import threading
from collections import Counter
from pathlib import Path

import pytest
from PIL import Image

from benchmark.datasets.catalogue import open_dataset
from benchmark.datasets.synthetic import dataset as module
from benchmark.datasets.synthetic.dataset import synthetic
from benchmark.datasets.synthetic.render import render
from benchmark.datasets.synthetic.tracks import TRAINING
from tests.benchmark.colour_histogram import colour_histogram, rank_1_and_map
from tests.benchmark.datasets.conftest import Recorder
from tests.benchmark.datasets.synthetic.small import SMALL, home

# ------------------------------------------------------------------------------ what it holds


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


# ------------------------------------------------------------------------------ the cache


def test_its_folder_is_named_by_the_knobs_and_the_renderer(small):
    assert home(small).name == "synthetic-8a1fbf0000e3"  # another name: everybody renders again


def test_the_cache_is_used_again(cache, small, monkeypatch):
    monkeypatch.setattr(module.rendering, "render", lambda *_, **__: pytest.fail("rendered again"))
    again = synthetic(cache, **SMALL)
    assert again == small
    assert [p.name for p in cache.iterdir() if not p.name.startswith(".")] == [home(small).name]


def test_an_integer_will_do_for_a_severity(cache, monkeypatch):
    first = synthetic(cache, **{**SMALL, "occlusion": 0})
    monkeypatch.setattr(module.rendering, "render", lambda *_, **__: pytest.fail("rendered again"))
    assert synthetic(cache, **{**SMALL, "occlusion": 0.0}) == first


def test_the_cache_folder_can_be_set_by_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path))
    assert home(synthetic(**SMALL)).parent == tmp_path / "data"


def test_rendering_shows_its_progress(tmp_path, recorder):
    found = synthetic(tmp_path, **SMALL, progress=recorder)
    total = len(found.train) + len(found.test)
    assert ("rendering pedestrians", total, total) in recorder.steps


def test_an_interrupted_rendering_leaves_nothing_that_looks_complete(tmp_path):
    def interrupt(what, done, total):
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        synthetic(tmp_path, **SMALL, progress=Recorder(then=interrupt))
    assert [p.name[0] for p in tmp_path.iterdir()] == [".", "."]  # a lock, and what goes on
    assert synthetic(tmp_path, **SMALL).query
    assert not list(tmp_path.glob(f"*{module.UNFINISHED}"))


# ------------------------------------------------------------------------------ the test part


def test_the_test_part_alone_renders_nothing_to_train_on(tmp_path, small, recorder):
    found = synthetic(tmp_path, **SMALL, test_only=True, progress=recorder)
    assert found.train == ()
    assert [t.frames for t in found.test] == [t.frames for t in small.test]
    assert found.query == small.query
    assert recorder.steps[-1] == ("rendering pedestrians", len(small.test), len(small.test))
    assert not (home(found) / "bbox_train").exists()


def test_the_whole_set_is_completed_from_its_test_part_with_the_same_bits(tmp_path, small):
    part = synthetic(tmp_path, **SMALL, test_only=True)
    before = {path: path.stat().st_mtime_ns for path in home(part).glob("bbox_test/*/*.jpg")}
    whole = synthetic(tmp_path, **SMALL)
    assert whole.fingerprint == small.fingerprint
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert synthetic(tmp_path, **SMALL, test_only=True) == part


def test_a_test_part_has_the_same_fingerprint_whether_the_rest_is_there_or_not(tmp_path, small):
    alone = synthetic(tmp_path, **SMALL, test_only=True)
    of_whole = synthetic(home(small).parent, **SMALL, test_only=True)
    assert alone.fingerprint == of_whole.fingerprint != small.fingerprint


def test_a_set_rendered_by_an_earlier_version_gives_its_test_part(tmp_path, small):
    copy = shutil.copytree(home(small), tmp_path / home(small).name)
    manifest = json.loads((copy / module.MANIFEST).read_text())
    alone = synthetic(tmp_path, **SMALL, test_only=True)
    del manifest["test_fingerprint"]
    (copy / module.MANIFEST).write_text(json.dumps(manifest))
    assert synthetic(tmp_path, **SMALL, test_only=True) == alone
    next(copy.glob("bbox_train/*/*.jpg")).write_bytes(b"")
    with pytest.raises(FileNotFoundError, match="damaged"):
        synthetic(tmp_path, **SMALL, test_only=True)


def test_a_completion_that_was_killed_before_it_was_written_down_goes_on(tmp_path, small):
    part = synthetic(tmp_path, **SMALL, test_only=True)
    shutil.copytree(home(small) / "bbox_train", home(part) / "bbox_train")
    assert synthetic(tmp_path, **SMALL).fingerprint == small.fingerprint


def test_the_test_part_goes_by_a_name_of_its_own(tmp_path):
    knobs = "cameras=2,frames=2,identities=3,size=32"
    found = open_dataset(f"synthetic[{knobs}]:test", tmp_path)
    assert (found.name, found.train) == (f"synthetic[{knobs}]:test", ())
    limited = open_dataset(f"synthetic[{knobs}]:test:2persons", tmp_path)
    assert limited.name.endswith(":test:2persons") and len(limited.test) < len(found.test)


def test_two_at_a_time_render_once(tmp_path, monkeypatch):
    renderings = []

    def counted(*arguments, **settings):
        renderings.append(arguments)
        render(*arguments, **settings)

    monkeypatch.setattr(module.rendering, "render", counted)
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
