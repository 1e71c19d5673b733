"""`zoo bench` from the command line to the report, on a folder of small pictures."""

import json
import shutil
import subprocess
import sys

import pytest

from benchmark import files, record
from tests.conftest import TINY_SET

ARGUMENTS = [
    "bench",
    "--methods",
    "stenvan,sta",
    "--dataset",
    "folder",
    "--recipe",
    "quick",
    *TINY_SET,
]


def bench(call, people, out, *more, methods="stenvan,sta"):
    places = ["--data-root", people, "--out", out, "--workers", "0"]
    return call(*ARGUMENTS, "--methods", methods, *places, *more)


def bench_apart(people, out, *more):
    """The same in a process of its own."""
    places = ["--data-root", str(people), "--out", str(out), "--workers", "0"]
    code = f"import sys; sys.path.insert(0, {str(out.parent)!r}); "
    code += f"sys.argv = {['zoo', *ARGUMENTS, *places, *more]!r}; "
    code += "from zoo.cli.app import main; main()"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)


def metrics(out):
    return {
        (r.method, r.seed, r.label): (r.metrics, r.cmc, r.checkpoint)
        for r in map(record.load, sorted(out.glob("runs/*/records/*.json")))
    }


def test_a_bench_ends_with_a_report_on_every_method(call, people, tmp_path):
    status, out, _ = bench(call, people, tmp_path / "o", "--seeds", "2")
    assert status == 0 and out.strip() == str(tmp_path / "o" / "report.md")
    report = (tmp_path / "o" / "report.md").read_text()
    assert "stenvan" in report and "sta" in report and "open@1/cos-bn/chunk-first4" in report
    assert len(metrics(tmp_path / "o")) == 4
    for png in tmp_path.glob("o/*.png"):
        assert png.read_bytes().startswith(b"\x89PNG")


def test_the_same_command_again_trains_nothing(call, people, tmp_path):
    bench(call, people, tmp_path)
    before = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("weights.safetensors")}
    first = metrics(tmp_path)
    status, _, err = bench(call, people, tmp_path)
    assert status == 0 and "train" not in err
    assert {p: p.stat().st_mtime_ns for p in tmp_path.rglob("weights.safetensors")} == before
    assert metrics(tmp_path) == first


def test_a_bench_goes_on_from_what_was_only_trained(call, people, tmp_path):
    more = ["--data-root", people, "--out", tmp_path, "--workers", "0", "--methods", "sta"]
    status, out, _ = call("train", *ARGUMENTS[1:], *more)
    (weights,) = tmp_path.glob("runs/*/weights.safetensors")
    assert status == 0 and out.strip() == str(weights)
    assert not list(tmp_path.glob("runs/*/records"))
    written = weights.stat().st_mtime_ns
    status, _, err = bench(call, people, tmp_path, methods="sta")
    assert status == 0 and "train" not in err and len(metrics(tmp_path)) == 1
    assert weights.stat().st_mtime_ns == written


def test_several_protocols_are_scored_from_one_training(call, people, tmp_path):
    status, *_ = bench(call, people, tmp_path, "--protocol", "open,mars-ap3d", methods="sta")
    assert status == 0
    assert {label.split("@")[0] for _, _, label in metrics(tmp_path)} == {"open", "mars-ap3d"}


def test_a_re_ranked_score_stands_beside_the_plain_one(call, people, tmp_path):
    status, *_ = bench(call, people, tmp_path, "--rerank", "kr(4,2,0.3)", methods="sta")
    plain = "open@1/cos-bn/chunk-first4"
    assert status == 0
    assert {label for _, _, label in metrics(tmp_path)} == {plain, f"{plain}/kr(4,2,0.3)"}
    assert "kr(4,2,0.3)" in (tmp_path / "report.md").read_text()
    (run,) = (tmp_path / "runs").iterdir()
    status, out, _ = call("eval", run, "--protocol", "open", "--rerank", "kr(4,2,0.3)", "--json")
    assert [row["label"] for row in json.loads(out)] == [f"{plain}/kr(4,2,0.3)"]
    status, _, err = bench(call, people, tmp_path / "o", "--rerank", "best", methods="sta")
    assert status == 2 and "'best' is no re-ranking" in err and not (tmp_path / "o").exists()


def test_one_failed_method_does_not_lose_the_others(call, people, tmp_path):
    plugin = tmp_path / "breaking_plugin.py"
    plugin.write_text(
        "from methods.sta import STA\n"
        "class Broken(STA):\n"
        "    def forward(self, clips):\n"
        "        if self.training: raise RuntimeError('broken on purpose')\n"
        "        return super().forward(clips)\n"
        "def broken(backbone='resnet50', num_classes=0):\n"
        "    return Broken(backbone, num_classes)\n"
        "METHODS = (broken,)\n"
    )
    more = ["--methods", "broken,sta", "--plugin", "breaking_plugin"]
    done = bench_apart(people, tmp_path / "o", *more)
    assert done.returncode == 1
    report = (tmp_path / "o" / "report.md").read_text()
    assert "broken on purpose" in report and "| sta" in report
    assert "Traceback" not in done.stderr


def test_a_dry_run_prints_the_plan_and_writes_nothing(call, people, tmp_path):
    status, out, err = bench(call, people, tmp_path / "o", "--seeds", "2", "--dry-run")
    assert status == 0 and not (tmp_path / "o").exists()
    header, *rows = out.strip().splitlines()
    assert header.split("\t")[:3] == ["method", "split", "seed"] and len(rows) == 4
    assert "4 runs, about" in err


def test_a_limit_is_told_and_makes_another_data_set(call, people, tmp_path):
    status, *_ = bench(call, people, tmp_path, "--limit", "2", methods="sta")
    assert status == 0
    (path,) = tmp_path.glob("runs/*/records/*.json")
    limited = record.load(path)
    assert limited.dataset == "folder:2persons" and limited.queries == 2
    assert any("limited" in note for note in limited.notes)


def test_a_record_says_which_bits_which_rules_and_what_to_type(call, people, tmp_path):
    bench(call, people, tmp_path, methods="sta[blocks=2]")
    (path,) = tmp_path.glob("runs/*/records/*.json")
    r = record.load(path)
    assert r.method == "sta[blocks=2]" and r.recipe.startswith("quick[") and r.seed == 0
    assert r.checkpoint == files.sha256(path.parents[1] / "weights.safetensors")
    assert r.command.startswith("zoo bench") and r.selection == "last epoch"
    assert r.environment["device"] == "cpu" and r.cost["gmacs"] > 0
    spec = json.loads((path.parents[1] / "spec.json").read_text())
    assert files.hash_of(spec) == r.run
    rows = (path.parent / r.per_query).read_text().splitlines()
    assert len(rows) == 1 + r.queries and rows[0].startswith("query,")


# ---- bad inputs ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "status", "says"),
    [
        (["--methods", "stanvan"], 2, "did you mean stenvan"),
        (["--methods", "sta[blocks=3]"], 2, "K = 3 blocks do not divide"),
        (["--methods", "stenvan", "--set", "frames=6"], 2, "T = 6 frames do not fit"),
        (["--methods", "stenvan[stripes=3]"], 2, "S = 3 stripes do not divide"),
        (["--dataset", "fodler"], 2, "did you mean folder"),
        (["--dataset", "folder[camera=false]"], 2, "did you mean cameras"),
        (["--data-root", "/no/such/folder"], 1, "/no/such/folder is no folder"),
        (["--protocol", "mars"], 2, "unknown protocol"),
        (["--recipe", "fast"], 2, "unknown recipe"),
        (["--set", "epoch=1"], 2, "did you mean epochs"),
        (["--set", "lr=fast"], 2, "expected float"),
        (["--device", "tpu"], 2, "device 'tpu' is not here"),
        (["--precision", "fp8"], 2, "precision 'fp8'"),
        (["--seeds", "0"], 2, "seeds"),
        (["--no-such-flag"], 2, "no-such-flag"),
        (["--plugin", "nothing_here"], 2, "cannot be imported"),
    ],
)  # fmt: skip
def test_wrong_use_is_one_line_and_leaves_nothing(call, people, tmp_path, change, status, says):
    found, out, err = bench(call, people, tmp_path / "o", *change)
    lines = [line for line in err.splitlines() if line.startswith("zoo: ")]
    assert (found, out) == (status, "")
    assert len(lines) == 1 and says in lines[0], err
    assert "Traceback" not in err and not (tmp_path / "o").exists()


def test_an_empty_data_folder_is_named(call, tmp_path):
    (tmp_path / "empty").mkdir()
    status, _, err = bench(call, tmp_path / "empty", tmp_path / "o")
    assert status == 1 and "holds no tracklets: expected" in err


@pytest.mark.parametrize("part", ["train", "gallery"])
def test_a_truncated_image_is_named_before_anything_is_trained(call, people, tmp_path, part):
    shutil.copytree(people, tmp_path / "data")
    victim = sorted((tmp_path / "data" / part).rglob("*.jpg"))[3]
    victim.write_bytes(victim.read_bytes()[:200])
    status, out, err = bench(call, tmp_path / "data", tmp_path / "o")
    (line,) = [line for line in err.splitlines() if line.startswith("zoo: ")]
    assert (status, out) == (1, "") and line.startswith(f"zoo: {victim} cannot be decoded")
    assert not (tmp_path / "o" / "runs").exists()
    shutil.copyfile(next((people / part).rglob(victim.name)), victim)
    assert bench(call, tmp_path / "data", tmp_path / "o", methods="sta")[0] == 0


@pytest.mark.parametrize("workers", ["0", "2"])
def test_an_image_that_is_broken_within_is_named_when_it_is_met(call, people, tmp_path, workers):
    shutil.copytree(people, tmp_path / "data")
    victim = sorted((tmp_path / "data" / "train").rglob("*.jpg"))[0]
    for image in victim.parent.glob("*.jpg"):
        image.write_bytes(b"\xff\xd8\xff" + bytes(200) + b"\xff\xd9")
    status, _, err = bench(
        call,
        tmp_path / "data",
        tmp_path / "o",
        "--set",
        "epochs=6",
        "--workers",
        workers,
        methods="sta",
    )
    assert status == 1
    assert f"{victim.parent}" in err and "cannot be read as an image" in err
    assert "Traceback" not in err
    assert "cannot be read as an image" in (tmp_path / "o" / "report.md").read_text()


def test_a_result_folder_that_cannot_be_made_is_named(call, people, tmp_path):
    (tmp_path / "file").write_text("in the way")
    status, _, err = bench(call, people, tmp_path / "file" / "o")
    assert status == 1 and "cannot be written" in err and "Traceback" not in err


def test_a_second_process_on_one_folder_says_so_and_stops(call, people, tmp_path):
    from zoo.experiment.plan import lock

    with lock(tmp_path):
        done = bench_apart(people, tmp_path)
    assert done.returncode == 1 and "being written by another process" in done.stderr
    assert not (tmp_path / "runs").exists()


# ---- kills ---------------------------------------------------------------------------------------


KILLED_AT = """
import os, pathlib, sys, torch
from benchmark import train
from zoo.cli import app as cli
torch.set_num_threads(1)
train.SAVE_EVERY = 0.0
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
    more = ["--set", "epochs=12", "--workers", str(workers)]
    bench(call, people, tmp_path / "whole", *more[:2])

    def run(moment):
        arguments = [*ARGUMENTS, "--data-root", str(people), "--out", str(tmp_path / "cut"), *more]
        code = KILLED_AT.format(arguments=arguments, moment=moment)
        return subprocess.run([sys.executable, "-c", code], capture_output=True)

    assert [run(moment).returncode for moment in (3, 6, 9, 12, 7)] == [-9] * 5
    done = run(0)
    assert done.returncode == 0, done.stderr
    assert metrics(tmp_path / "cut") == metrics(tmp_path / "whole")
    assert not list((tmp_path / "cut").rglob("*.part*"))
