"""``zoo bench``, from the command line to the report."""

import csv
import json
import re

import pytest

from benchmark import files, record
from reports.build import build
from tests.conftest import TINY_SET
from zoo.experiment.folder import RunFolder

PLUGIN = """
from methods.sta import STA


class Broken(STA):
    def forward(self, clips):
        if self.training:
            raise RuntimeError("broken on purpose")
        return super().forward(clips)


def broken(backbone="resnet50", num_classes=0):
    return Broken(backbone, num_classes)


METHODS = (broken,)
"""


@pytest.fixture
def bench(call, people):
    """`zoo bench` of the tiny network for one epoch."""

    def run(out, *more, methods="sta"):
        words = ["--methods", methods, "--dataset", "folder", "--recipe", "quick", *TINY_SET]
        places = ["--data-root", people, "--out", out, "--workers", "0", "--set", "epochs=1"]
        return call("bench", *words, *places, *more)

    return run


def records(out):
    return [record.load(path) for path in sorted(out.glob("runs/*/records/*.json"))]


def test_a_bench_ends_with_a_report_on_every_method(bench, tmp_path):
    status, out, err = bench(tmp_path / "o", "--seeds", "2", methods="stenvan,sta")
    header, *rows = out.splitlines()
    assert status == 0 and header.startswith("dataset\ttraining\tlabel\tname\t") and len(rows) == 2
    report = (tmp_path / "o" / "report.md").read_text()
    assert "`stenvan`" in report and "`sta`" in report and "open@1/cos-bn/chunk-first4" in report
    assert len(records(tmp_path / "o")) == 4 and "[4/4] sta, seed 1" in err
    assert f"report: {tmp_path / 'o' / 'report.html'}" in err
    assert f"next: zoo compare {tmp_path / 'o'}" in err and " --worst 5\n" in err
    for png in tmp_path.glob("o/*.png"):
        assert png.read_bytes().startswith(b"\x89PNG")


def test_every_run_ends_with_a_line_and_a_reused_one_says_so(bench, tmp_path):
    _, _, err = bench(tmp_path, methods="sta[blocks=2]")
    assert re.search(r"^sta\[blocks=2\] seed 0: mAP [\d.]+ R1 [\d.]+, \d+ s$", err, re.M)
    _, _, err = bench(tmp_path, methods="sta[blocks=2]")
    assert re.search(r"^sta\[blocks=2\] seed 0: mAP [\d.]+ R1 [\d.]+, reused$", err, re.M)


def test_the_leaderboard_is_that_of_the_report(bench, tmp_path):
    _, out, _ = bench(tmp_path, methods="sta,stenvan")
    header, *rows = (line.split("\t") for line in out.splitlines())
    with build([tmp_path], tmp_path, ("csv",)).path.open() as file:
        told = {row["name"]: row for row in csv.DictReader(file)}
    for row in (dict(zip(header, row, strict=True)) for row in rows):
        for field in ("mAP", "mAP_low", "R1_high"):
            known = told[row["name"]][field]
            expected = "" if known == "" else pytest.approx(100 * float(known), rel=1e-3)
            assert (row[field] and float(row[field])) == expected


def test_a_record_says_which_bits_which_rules_and_what_to_type(bench, tmp_path):
    bench(tmp_path, methods="sta[blocks=2]")
    (path,) = tmp_path.glob("runs/*/records/*.json")
    r = record.load(path)
    folder = RunFolder(path.parents[1])
    assert r.method == "sta[blocks=2]" and r.recipe.startswith("quick[") and r.seed == 0
    assert r.checkpoint == files.sha256(folder.weights) and folder.spec().id == r.run
    assert r.command.startswith("zoo bench") and r.selection == "last epoch"
    assert r.environment["device"] == "cpu" and r.cost["gmacs"] > 0
    rows = (path.parent / r.per_query).read_text().splitlines()
    assert len(rows) == 1 + r.queries and rows[0].startswith("query,")


def test_protocols_and_re_rankings_are_scored_from_one_training(bench, tmp_path):
    more = ["--protocol", "open,mars-ap3d", "--rerank", "kr(4,2,0.3)"]
    assert bench(tmp_path, *more)[0] == 0
    plain = {f"{name}@1/cos-bn/chunk-first4" for name in ("open", "mars-ap3d")}
    assert {r.label for r in records(tmp_path)} == plain | {f"{one}/kr(4,2,0.3)" for one in plain}
    assert "kr(4,2,0.3)" in (tmp_path / "report.md").read_text()
    assert len(list(tmp_path.glob("runs/*/weights.safetensors"))) == 1


def test_a_second_data_set_is_scored_too(bench, crowd, tmp_path):
    assert bench(tmp_path, "--also-test", f"folder={crowd}")[0] == 0
    assert sorted(r.queries for r in records(tmp_path)) == [2, 3]


def test_validation_is_told_in_the_record(call, crowd, tmp_path):
    words = ["bench", "--methods", "sta", "--dataset", "folder", "--recipe", "quick", *TINY_SET]
    words += ["--data-root", crowd, "--out", tmp_path, "--workers", "0", "--set", "epochs=1"]
    assert call(*words, "--validate", "1", "--select", "best-validation")[0] == 0
    (entry,) = records(tmp_path)
    assert entry.selection == "epoch 1, the best on held-out training persons"


def test_one_failed_method_is_told_and_the_others_are_reported_on(bench, tmp_path):
    plugin = tmp_path / "broken_method.py"
    plugin.write_text(PLUGIN)
    status, out, err = bench(tmp_path / "o", "--plugin", plugin, methods="broken,sta")
    assert status == 1 and "broken, seed 0, failed: RuntimeError: broken on purpose" in err
    assert "broken seed 0: failed at start after " in err and "\tsta\t" in out
    assert "Traceback" not in err
    report = (tmp_path / "o" / "report.md").read_text()
    assert "broken on purpose" in report and "| `sta`" in report


def test_a_dry_run_prints_the_plan_and_writes_nothing(bench, tmp_path):
    status, out, err = bench(tmp_path / "o", "--seeds", "2", "--dry-run", methods="stenvan,sta")
    assert status == 0 and not (tmp_path / "o").exists()
    header, *rows = out.strip().splitlines()
    assert header.split("\t")[:3] == ["method", "split", "seed"] and len(rows) == 4
    assert "4 runs, about" in err


def test_a_dry_run_renders_nothing_and_says_so(call, tmp_path):
    words = ["bench", "--dataset", "synthetic[identities=3]", "--recipe", "quick", *TINY_SET]
    sweep = ["--sweep", "occlusion=0:0.4:0.2", "--out", tmp_path / "o"]
    status, out, err = call(*words, *sweep, "--dry-run")
    header, *rows = (line.split("\t") for line in out.splitlines())
    assert status == 0 and [dict(zip(header, row, strict=True))["run"] for row in rows] == ["", ""]
    assert "synthetic[identities=3] is rendered first" in err
    assert not list(tmp_path.rglob("*.jpg")) and not (tmp_path / "o").exists()


def test_a_limit_is_told_and_makes_another_data_set(bench, tmp_path):
    assert bench(tmp_path, "--limit", "2")[0] == 0
    (limited,) = records(tmp_path)
    assert limited.dataset == "folder:2persons" and limited.queries == 2
    assert any("limited" in note for note in limited.notes)


@pytest.mark.parametrize(
    ("change", "status", "says"),
    [
        (["--methods", "stanvan"], 2, "did you mean stenvan"),
        (["--methods", "sta[blocks=3]"], 2, "K = 3 blocks do not divide"),
        (["--methods", "stenvan", "--set", "frames=6"], 2, "T = 6 frames do not fit"),
        (
            ["--methods", "stenvan", "--set", "frames=8", "--set", "test_frames=all8"],
            2,
            "frames do not fit",
        ),
        (["--dataset", "fodler"], 2, "did you mean folder"),
        (["--dataset", "folder[camera=false]"], 2, "did you mean cameras"),
        (["--data-root", "/no/such/folder"], 1, "/no/such/folder is no folder"),
        (["--protocol", "mars"], 2, "unknown protocol"),
        (["--rerank", "best"], 2, "'best' is no re-ranking"),
        (["--recipe", "fast"], 2, "unknown recipe"),
        (["--set", "epoch=1"], 2, "did you mean epochs"),
        (["--set", "epochs"], 2, "is not key=value"),
        (["--set", "lr=fast"], 2, "expected float"),
        (["--device", "tpu"], 2, "device 'tpu' is not here"),
        (["--precision", "fp8"], 2, "precision 'fp8'"),
        (["--seeds", "0"], 2, "seeds"),
        (["--select", "best"], 2, "select is 'best'"),
        (["--validate", "1"], 2, "4 training persons are too few"),
        (["--no-such-flag"], 2, "no-such-flag"),
        (["--plugin", "nothing_here"], 2, "cannot be imported"),
    ],
)
def test_wrong_use_is_one_line_and_leaves_nothing(bench, tmp_path, change, status, says):
    found, out, err = bench(tmp_path / "o", *change)
    lines = [line for line in err.splitlines() if line.startswith("zoo: ")]
    assert (found, out) == (status, "")
    assert len(lines) == 1 and says in lines[0], err
    assert "Traceback" not in err and not (tmp_path / "o").exists()


def test_an_empty_data_folder_is_named(bench, tmp_path):
    (tmp_path / "empty").mkdir()
    status, _, err = bench(tmp_path / "o", "--data-root", tmp_path / "empty")
    assert status == 1 and "holds no tracklets: expected" in err


def test_a_result_folder_that_cannot_be_made_is_named(bench, tmp_path):
    (tmp_path / "file").write_text("in the way")
    status, _, err = bench(tmp_path / "file" / "o")
    assert status == 1 and "cannot be written" in err and "Traceback" not in err


def test_what_the_command_stores_is_json_without_nan(bench, tmp_path):
    bench(tmp_path, "--set", "epochs=0")
    found = list(tmp_path.rglob("*.json"))
    assert found
    for path in found:
        json.loads(path.read_text(), parse_constant=pytest.fail)
