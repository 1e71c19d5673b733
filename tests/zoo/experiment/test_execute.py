"""Carrying out a plan: nothing is done twice, one failure is no other's, and nothing is lost."""

import contextlib
import errno
import json
import shutil
import subprocess
import sys
import threading

import pytest
from filelock import FileLock

from benchmark import record, training_state
from benchmark.pixels import ImageError
from benchmark.progress import SILENT
from tests.conftest import TINY_SET
from tests.zoo.conftest import ask
from zoo import plugins
from zoo.experiment import execute as executing
from zoo.experiment.execute import check_images, execute, lock
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
    raised = f"{__file__}:{broken.__code__.co_firstlineno + 1}"
    told = f"RuntimeError: broken on purpose and more ({raised})"
    assert (failure.method, failure.reason) == ("sta", told)
    folders = [RunFolder.of(run.spec, tmp_path) for run in planned.runs]
    assert folders[0].failure.is_file() and not folders[0].read_records()
    assert len(folders[1].read_records()) == 1
    assert execute(planned) == [] and not folders[0].failure.exists()


WRONG = """
from torch import nn
from methods.head import Head

class Mine(nn.Module):
    distance = "cosine"
    def __init__(self, num_classes):
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 3, stride=4)
        self.head = Head(6, num_classes)
    @property
    def neck(self):
        return self.head.neck
    def forward(self, clips):
        maps = self.conv(clips.flatten(0, 1)).relu()
        return self.wrong(self.head(maps.unflatten(0, clips.shape[:2]).mean((1, 3, 4))))

def raising(kind):
    def wrong(out):
        raise kind("on purpose")
    return wrong

def method(name, wrong):
    def build(num_classes=0):
        made = Mine(num_classes)
        made.wrong = wrong
        return made
    build.__name__ = name
    return build

METHODS = (
    method("w_type", raising(TypeError)),
    method("w_attribute", raising(AttributeError)),
    method("w_assertion", raising(AssertionError)),
    method("w_zero", raising(ZeroDivisionError)),
    method("w_stop", raising(StopIteration)),
    method("w_memory", raising(MemoryError)),
    method("w_key", raising(KeyError)),
    method("w_file", raising(FileNotFoundError)),
    method("w_exit", raising(SystemExit)),
    method("w_none", lambda out: None),
    method("w_tuple", tuple),
    method("w_dict", lambda out: out._asdict()),
    method("w_logits", lambda out: out._replace(logits=None)),
    method("w_penalty", lambda out: out._replace(penalties={"p": 1.0})),
    method("w_nan", lambda out: out._replace(metric=out.metric * float("nan"))),
    method("w_late", lambda out: out if out.logits is None else raising(TypeError)(out)),
)
"""
SAYS = {
    "w_type": "TypeError: on purpose",
    "w_attribute": "AttributeError: on purpose",
    "w_assertion": "AssertionError: on purpose",
    "w_zero": "ZeroDivisionError: on purpose",
    "w_stop": "StopIteration: on purpose",
    "w_memory": "MemoryError: on purpose",
    "w_key": "KeyError: on purpose",
    "w_file": "FileNotFoundError: on purpose",
    "w_exit": "SystemExit: on purpose",
    "w_none": "forward gives None, expected methods.output.ClipOutput",
    "w_tuple": "forward gives a tuple, expected methods.output.ClipOutput",
    "w_dict": "forward gives a dict, expected methods.output.ClipOutput",
    "w_logits": "logits is None, expected a tensor [4, 4]",
    "w_penalty": "penalty 'p' is a float, expected a tensor of one float, shape []",
    "w_nan": "metric holds NaN or infinity",
    "w_late": "TypeError: on purpose",
}


def test_whatever_a_method_raises_or_gives_is_its_own_failure_and_the_next_one_runs(
    people, tmp_path, monkeypatch, call
):
    monkeypatch.setattr(plugins, "_ADDED", {"METHODS": {}, "DATASETS": {}})
    (tmp_path / "wrong.py").write_text(WRONG)
    methods = ",".join([*SAYS, "resnet50_avg"])
    words = ["--methods", methods, "--dataset", "folder", "--data-root", people]
    words += ["--recipe", "quick", *TINY_SET, "--set", "neck=own", "--workers", 0]
    words += ["--out", tmp_path / "o", "--plugin", tmp_path / "wrong.py"]
    status, _, told = call("bench", *words)
    failed = [json.loads(path.read_text()) for path in tmp_path.glob("o/runs/*/failure.json")]
    reasons = {one["method"]: one["reason"] for one in failed}
    assert status == 1 and set(reasons) == set(SAYS)
    for method, says in SAYS.items():
        assert reasons[method].startswith(says), reasons[method]
        assert f"({tmp_path / 'wrong.py'}:" in reasons[method]
        assert f"{method}, seed 0, failed: {reasons[method]}" in told.splitlines()
    assert "Traceback" not in told and len(list(tmp_path.glob("o/runs/*/records/*.json"))) == 1
    assert "w_none" in (tmp_path / "o" / "report.md").read_text()


TIED = """
class Tied(Mine):
    def __init__(self, num_classes):
        super().__init__(num_classes)
        self.again = self.conv
        self.inner = nn.Parameter(torch.eye(6))
        self.twin = self.inner
        self.wrong = lambda out: out
    def forward(self, clips):
        maps = self.conv(clips.flatten(0, 1)).clone().relu().unflatten(0, clips.shape[:2])
        feature = (maps.mean((1, 3, 4)) @ self.inner).contiguous()
        return self.head(feature + torch.linalg.inv(self.inner + 9).sum())

def tied(num_classes=0):
    return Tied(num_classes)

METHODS = (tied,)
"""


def test_a_method_with_tied_weights_and_an_operator_nobody_counts_is_trained_and_recorded(
    people, tmp_path, monkeypatch, call
):
    monkeypatch.setattr(plugins, "_ADDED", {"METHODS": {}, "DATASETS": {}})
    plugin = tmp_path / "tied.py"
    plugin.write_text("import torch\n" + WRONG.partition("METHODS = (")[0] + TIED)
    words = ["--methods", "tied", "--dataset", "folder", "--data-root", people, "--recipe", "quick"]
    words += [*TINY_SET, "--set", "neck=own", "--workers", 0, "--out", tmp_path / "o"]
    status, _, told = call("bench", *words, "--plugin", plugin)
    assert status == 0, told
    (path,) = tmp_path.glob("o/runs/*/records/*.json")
    cost = record.load(path).cost
    assert cost["gmacs"] is None and cost["uncounted"] == ["linalg_inv"]
    assert cost["left_out"]["clone"] == 1
    report = (tmp_path / "o" / "report.md").read_text().replace("\\", "")
    assert "GMACs blank: linalg_inv cannot be counted" in report
    status, printed, _ = call("check", "tied", "--plugin", plugin)
    assert status == 1 and "linalg_inv is neither counted nor listed" in printed


@pytest.mark.parametrize("code", ["ENOSPC", "EROFS", "EIO"])
def test_a_full_or_lost_disk_stops_the_plan(people, tmp_path, monkeypatch, code):
    def lost(*_, **__):
        raise OSError(getattr(errno, code), "no disk")

    monkeypatch.setattr(training_state, "write_whole", lost)
    with pytest.raises(OSError, match="no disk"):
        execute(plan(ask(people, tmp_path, methods="sta,resnet50_avg")))
    assert not list(tmp_path.glob("runs/resnet50_avg*"))


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


def test_images_that_are_damaged_within_are_counted_and_used(people, tmp_path):
    data = shutil.copytree(people, tmp_path / "data")
    victim, heard = sorted((data / "train").rglob("*.jpg"))[0], Heard()
    whole = victim.read_bytes()
    middle = len(whole) * 3 // 4
    victim.write_bytes(whole[:middle] + bytes(30) + whole[middle + 30 :])
    assert execute(plan(ask(data, tmp_path / "o", train_only=True)), heard) == []
    (line,) = [line for line in heard.lines if "damaged within" in line]
    assert line.startswith("  1 of ") and f"{victim} first" in line


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
    planned = plan(ask(data, tmp_path / "o", workers=workers))
    with lock(planned.out):
        check_images(planned, SILENT)  # since then, it was damaged
    for image in victim.parent.glob("*.jpg"):
        image.write_bytes(b"\xff\xd8\xff" + bytes(200) + b"\xff\xd9")
    (failure,) = execute(planned)
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
