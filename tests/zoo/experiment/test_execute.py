"""Carrying out a plan: nothing is done twice, one failure is no other's, and nothing is lost."""

import contextlib
import shutil
import subprocess
import sys
import threading

import pytest
from filelock import FileLock

from benchmark import record
from benchmark.pixels import ImageError
from benchmark.progress import SILENT
from tests.conftest import TINY_SET
from tests.zoo.conftest import ask
from zoo.experiment import execute as executing
from zoo.experiment.execute import execute, lock
from zoo.experiment.folder import RunFolder
from zoo.experiment.plan import plan

ARGUMENTS = ["bench", "--methods", "stenvan,sta", "--dataset", "folder", "--recipe", "quick"]
ARGUMENTS += TINY_SET


def metrics(out):
    return {
        (r.method, r.seed, r.label): (r.metrics, r.cmc, r.checkpoint)
        for r in map(record.load, sorted(out.glob("runs/*/records/*.json")))
    }


class Heard:
    """Remembers what was told."""

    def __init__(self):
        self.stages, self.lines = [], []

    def begin(self, title):
        self.lines.append(title)

    def advance(self, what, done, total):
        self.stages.append(what)

    def note(self, line):
        self.lines.append(line)


def test_the_same_request_again_trains_and_embeds_nothing(people, tmp_path):
    request = ask(people, tmp_path)
    assert execute(plan(request)) == []
    made = [*tmp_path.glob("runs/*/*.safetensors"), *tmp_path.glob("runs/*/cost-*")]
    before = {path: path.stat().st_mtime_ns for path in made}
    first, heard = metrics(tmp_path), Heard()
    assert execute(plan(request), heard) == []
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert metrics(tmp_path) == first and set(heard.stages) == {"score"}


def test_a_run_that_was_only_trained_is_scored_from_there(people, tmp_path):
    execute(plan(ask(people, tmp_path, train_only=True)))
    (weights,) = tmp_path.glob("runs/*/weights.safetensors")
    assert not list(tmp_path.glob("runs/*/records"))
    written = weights.stat().st_mtime_ns
    execute(plan(ask(people, tmp_path)))
    assert len(metrics(tmp_path)) == 1 and weights.stat().st_mtime_ns == written


def test_one_failed_method_does_not_lose_the_others(people, tmp_path, monkeypatch):
    from methods.sta import STA

    def broken(self, clips):
        raise RuntimeError("broken on purpose\nand more")

    planned = plan(ask(people, tmp_path, methods="sta,resnet50_avg"))
    with monkeypatch.context() as patch:
        patch.setattr(STA, "forward", broken)
        (failure,) = execute(planned)
    assert (failure.method, failure.reason) == ("sta", "broken on purpose and more")
    folders = [RunFolder.of(run.spec, tmp_path) for run in planned.runs]
    assert folders[0].failure.is_file() and not folders[0].read_records()
    assert len(folders[1].read_records()) == 1
    assert execute(planned) == [] and not folders[0].failure.exists()


# ---- images --------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", ["train", "gallery"])
def test_a_truncated_image_is_named_before_anything_is_trained(people, tmp_path, part):
    data = shutil.copytree(people, tmp_path / "data")
    victim = sorted((data / part).rglob("*.jpg"))[3]
    whole = victim.read_bytes()
    victim.write_bytes(whole[:200])
    with pytest.raises(ImageError) as error:
        execute(plan(ask(data, tmp_path / "o")))
    assert str(error.value).startswith(f"{victim} cannot be decoded")
    assert not (tmp_path / "o" / "runs").exists()
    victim.write_bytes(whole)
    execute(plan(ask(data, tmp_path / "o", train_only=True)))


def test_images_are_looked_at_once_a_folder(people, tmp_path):
    heard = Heard()
    for _ in range(2):
        execute(plan(ask(people, tmp_path, train_only=True)), heard)
    looked = [i for i, what in enumerate(heard.stages) if what not in ("train", "score")]
    assert looked and max(looked) < heard.stages.index("train")


def test_training_alone_opens_no_test_image(people, tmp_path):
    data = shutil.copytree(people, tmp_path / "data")
    for image in [*(data / "query").rglob("*.jpg"), *(data / "gallery").rglob("*.jpg")]:
        image.write_bytes(b"poison")
    assert execute(plan(ask(data, tmp_path / "o", train_only=True))) == []
    assert len(list(tmp_path.glob("o/runs/*/weights.safetensors"))) == 1
    with pytest.raises(ImageError, match="cannot be decoded"):
        execute(plan(ask(data, tmp_path / "o")))


@pytest.mark.parametrize("workers", [0, 2])
def test_an_image_that_is_broken_within_is_named_when_it_is_met(people, tmp_path, workers):
    data = shutil.copytree(people, tmp_path / "data")
    victim = sorted((data / "train").rglob("*.jpg"))[0]
    for image in victim.parent.glob("*.jpg"):
        image.write_bytes(b"\xff\xd8\xff" + bytes(200) + b"\xff\xd9")
    (failure,) = execute(plan(ask(data, tmp_path / "o", workers=workers)))
    assert str(victim.parent) in failure.reason and "cannot be read as an image" in failure.reason


# ---- the result folder ---------------------------------------------------------------------------


def test_a_result_folder_that_cannot_be_made_is_named(people, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OSError, match="cannot be written"):
        execute(plan(ask(people, tmp_path / "file" / "o")))


def test_a_result_folder_is_free_again_after_a_bench_and_after_a_failed_one(
    people, tmp_path, monkeypatch
):
    held = []

    class Kept(FileLock):
        """A lock that no garbage collector releases."""

        def __init__(self, path):
            super().__init__(path)
            held.append(self)

    monkeypatch.setattr(executing, "FileLock", Kept)
    monkeypatch.setattr(executing, "LOCK_TIMEOUT_S", 0.5)

    def free():
        """Whether another thread can have the folder at once, as another process could."""
        seen = []

        def take():
            with contextlib.suppress(OSError), lock(tmp_path):
                seen.append(True)

        other = threading.Thread(target=take)
        other.start()
        other.join(timeout=5)
        return seen == [True]

    request = ask(people, tmp_path, train_only=True)
    execute(plan(request))
    assert free()
    execute(plan(request))
    with pytest.raises(ZeroDivisionError), lock(tmp_path):
        raise ZeroDivisionError
    assert free()


def test_a_second_process_on_one_folder_says_so_and_stops(people, tmp_path):
    places = ["--data-root", str(people), "--out", str(tmp_path), "--workers", "0"]
    code = f"import sys; sys.argv = {['zoo', *ARGUMENTS, *places]!r}\n"
    code += "from zoo.experiment import execute; execute.LOCK_TIMEOUT_S = 0.5\n"
    code += "from zoo.cli.app import main; main()"
    with lock(tmp_path):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 1 and "being written by another process" in done.stderr
    assert not (tmp_path / "runs").exists()


# ---- kills ---------------------------------------------------------------------------------------


KILLED_AT = """
import os, pathlib, sys, torch
from benchmark import training_state
from zoo.cli import app as cli
torch.set_num_threads(1)
training_state.SAVE_EVERY = 0.0
sys.argv = ["zoo"] + {arguments!r}
seen, replace = 0, pathlib.Path.replace
def replaced(self, target):  # checkpoints, records, report: all that is written whole
    global seen
    seen += 1
    if seen == {moment}:
        os.kill(os.getpid(), 9)
    return replace(self, target)
pathlib.Path.replace = replaced
cli.main()
"""


@pytest.mark.slow
@pytest.mark.parametrize("workers", [0, 2])
def test_kill_nine_at_any_moment_changes_no_figure(call, people, tmp_path, workers):
    """A process is killed at five moments, then the same command is run to its end."""
    more = ["--set", "epochs=12", "--data-root", str(people)]
    assert call(*ARGUMENTS, *more, "--workers", 0, "--out", tmp_path / "whole")[0] == 0

    def run(moment):
        arguments = [*ARGUMENTS, *more, "--workers", str(workers), "--out", str(tmp_path / "cut")]
        code = KILLED_AT.format(arguments=arguments, moment=moment)
        return subprocess.run([sys.executable, "-c", code], capture_output=True)

    assert [run(moment).returncode for moment in (3, 6, 9, 12, 7)] == [-9] * 5
    done = run(0)
    assert done.returncode == 0, done.stderr
    assert metrics(tmp_path / "cut") == metrics(tmp_path / "whole")
    assert not list((tmp_path / "cut").rglob("*.part*"))


def test_progress_is_silent_unless_somebody_listens(people, tmp_path, capsys):
    execute(plan(ask(people, tmp_path, train_only=True)), SILENT)
    assert capsys.readouterr() == ("", "")
