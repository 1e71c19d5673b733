import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import scipy.io

from benchmark.datasets.synthetic import render as module
from benchmark.datasets.synthetic.render import render, unfinished
from benchmark.datasets.synthetic.tracks import Knobs
from tests.benchmark.datasets.conftest import Recorder
from tests.benchmark.datasets.synthetic.small import SMALL, home


def contents(folder):
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in files}


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


def test_bytes_depend_on_the_seed_and_not_on_the_number_of_workers(tmp_path):
    knobs = Knobs(**{**SMALL, "identities": 8})
    for workers in (1, 3):
        render(tmp_path / str(workers), knobs, workers=workers)
    one = contents(tmp_path / "1")
    assert one == contents(tmp_path / "3")
    render(tmp_path / "other", replace(knobs, seed=1), workers=1)
    assert one != contents(tmp_path / "other")


def test_a_script_needs_no_guard_for_its_workers(tmp_path):
    knobs = {**SMALL, "identities": 8}
    script = tmp_path / "script.py"
    script.write_text(
        "from pathlib import Path\n"
        "from benchmark.datasets.synthetic.render import Knobs, render\n"
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
        for person in unfinished(tmp_path / "out", "test").glob("0*"):
            for image in person.iterdir():
                image.unlink()
            person.rmdir()

    knobs = Knobs(**{**SMALL, "identities": 12})
    with pytest.raises(OSError, match="a worker ended with 1"):
        render(tmp_path / "out", knobs, workers=2, progress=Recorder(then=remove))


@pytest.mark.parametrize("workers", [1, 2])
def test_progress_advances_with_every_tracklet(tmp_path, recorder, workers):
    render(
        tmp_path / "out", Knobs(**{**SMALL, "identities": 3}), workers=workers, progress=recorder
    )
    total = len(recorder.steps)
    assert total > 40
    assert recorder.steps == [("rendering pedestrians", n, total) for n in range(1, total + 1)]


def kill_midway(folder, knobs, tracklets):
    """Render in a process that is killed, workers and all, once so many tracklets are there."""
    script = (
        "from pathlib import Path\n"
        "from benchmark.datasets.synthetic.render import Knobs, render\n"
        "from benchmark.progress import Progress\n"
        "class Told(Progress):\n"
        "    def advance(self, what, done, total):\n"
        "        print(done, flush=True)\n"
        f"render(Path({str(folder)!r}), Knobs(**{knobs}), workers=2, progress=Told())\n"
    )
    path = os.pathsep.join([str(Path(module.__file__).parents[3]), *sys.path])
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        text=True,
    )
    for _ in range(tracklets):
        process.stdout.readline()
    process.kill()
    process.wait()
    process.stdout.close()


def test_a_killed_rendering_goes_on_and_films_no_tracklet_twice_but_those_in_flight(tmp_path):
    knobs = {**SMALL, "identities": 12}
    render(tmp_path / "whole", Knobs(**knobs), workers=1)
    kill_midway(tmp_path / "killed", knobs, 60)
    before = {
        path.name: path.stat().st_mtime_ns for path in (tmp_path / "killed").rglob("[0-9]*.jpg")
    }
    assert len({name[:11] for name in before}) >= 60
    render(tmp_path / "killed", Knobs(**knobs), workers=2)
    images = [*(tmp_path / "killed").rglob("*.jpg")]
    again = {p.name[:11] for p in images if before.get(p.name, 0) not in (0, p.stat().st_mtime_ns)}
    assert len(again) <= 2
    assert contents(tmp_path / "killed") == contents(tmp_path / "whole")


def test_an_image_that_was_cut_short_is_made_again(tmp_path):
    knobs = Knobs(**{**SMALL, "identities": 3})
    render(tmp_path / "whole", knobs, workers=1)
    shutil.copytree(tmp_path / "whole", tmp_path / "cut")
    (tmp_path / "cut" / "bbox_test").rename(unfinished(tmp_path / "cut", "test"))
    image = next(unfinished(tmp_path / "cut", "test").glob("*/*.jpg"))
    image.write_bytes(image.read_bytes()[:100])
    render(tmp_path / "cut", knobs, workers=1)
    assert contents(tmp_path / "cut") == contents(tmp_path / "whole")


def test_a_part_can_be_rendered_alone(tmp_path, recorder):
    knobs = Knobs(**{**SMALL, "identities": 3})
    render(tmp_path, knobs, workers=1, parts=("test",), progress=recorder)
    assert {path.name for path in tmp_path.iterdir()} == {"info", "bbox_test"}
    tests = len(recorder.steps)
    render(tmp_path, knobs, workers=1, progress=recorder)
    assert (tmp_path / "bbox_train").is_dir()
    assert recorder.steps[tests][1] == 1  # the test part is not rendered, nor counted, again
