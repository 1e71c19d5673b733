"""``zoo bench --pretrained``: runs whose weights come from checkpoints."""

import dataclasses
import json

import pytest

from benchmark import record
from benchmark.datasets.catalogue import open_dataset
from benchmark.recipes import QUICK, RECIPES, replace
from tests.zoo.conftest import PUBLISHED as NAME
from tests.zoo.conftest import published_entry
from zoo.checkpoints.table import write_table
from zoo.experiment.folder import RunFolder
from zoo.experiment.options import ExecutionOptions
from zoo.experiment.pretrained import evaluation_of, specification
from zoo.experiment.run import Run


def bench(call, people, out, *more):
    command = ["bench", "--pretrained", "--dataset", "folder", "--data-root", people]
    return call(*command, "--out", out, "--workers", "0", *more)


def test_checkpoints_are_reported_on_without_training(table, call, people, tmp_path):
    status, out, err = bench(call, people, tmp_path / "o")
    assert status == 0 and len(out.splitlines()) == 2 and "\tsta\t" in out
    assert "without a checkpoint on folder: " in err and "nvan, " in err and "train " not in err
    (run,) = (tmp_path / "o" / "runs").iterdir()
    row = published_entry(table)
    (entry,) = (record.load(p) for p in (run / "records").glob("*.json"))
    (expected,) = row.scores().values()
    assert entry.checkpoint == row.sha256 and entry.metrics == expected.metrics
    assert entry.run == expected.run  # the run that published it is this very run
    spec = json.loads((run / "spec.json").read_text())
    assert spec["checkpoint"] == f"{NAME}@{row.sha256}" and RunFolder(run).spec().id == entry.run
    assert entry.run != row.trained()["id"]
    assert any(f"weights of checkpoint {NAME}" in note for note in entry.notes)
    assert "| `sta` |" in (tmp_path / "o" / "report.md").read_text()


def test_a_run_without_a_checkpoint_is_named_as_before(results):
    spec = json.loads((results / "spec.json").read_text())
    assert "checkpoint" not in spec and results.name.endswith(RunFolder(results).spec().id)


def test_a_run_takes_only_the_weights_that_it_is_specified_with(table, people, tmp_path):
    checkpoint, dataset = published_entry(table), open_dataset("folder", people)
    folder, options = RunFolder(tmp_path / "run"), ExecutionOptions(workers=0)
    for wrong, file in (("0" * 64, checkpoint.packaged), (checkpoint.sha256, None)):
        spec = specification(checkpoint, wrong, dataset)
        run = Run(spec, dataset, options, folder, fetch=lambda file=file: file)
        with pytest.raises(ValueError, match="is not the run's checkpoint"):
            run.train()
    assert not folder.weights.exists()


def test_a_checkpoint_is_scored_with_the_settings_that_its_run_stored(table, people, monkeypatch):
    row, dataset = published_entry(table), open_dataset("folder", people)
    before = specification(row, row.sha256, dataset)
    changed = {"height": 32, "frames": 2, "distance": "l2sq-raw", "epochs": 1}
    monkeypatch.setitem(RECIPES, "quick", replace(QUICK, changed))
    after = specification(row, row.sha256, dataset)
    assert after == before and after.settings["height"] == 64
    assert str(after.trained_by(evaluation_of(row)).rule) == "chunk-first4"


def test_the_same_command_again_embeds_nothing(table, call, people, tmp_path):
    bench(call, people, tmp_path)
    before = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("embeddings-*")}
    status, _, err = bench(call, people, tmp_path)
    assert status == 0 and before and "embed " not in err
    assert {p: p.stat().st_mtime_ns for p in tmp_path.rglob("embeddings-*")} == before


def test_one_checkpoint_serves_a_method_and_the_others_are_told(table, call, people, tmp_path):
    row = published_entry(table)
    tagged = dataclasses.replace(row, name=f"{NAME}-b")
    stale = dataclasses.replace(row, name=f"{NAME}-a", fingerprint="0" * 16)
    rows = {r.name: r for r in (row, tagged, stale)}
    write_table(table / "checkpoints.toml", rows)
    status, out, err = bench(call, people, tmp_path / "o", "--methods", "sta", "--dry-run")
    assert status == 0 and len(out.splitlines()) == 2
    assert f"not taken: {NAME}-b: {NAME} is" in err
    assert f"not taken: {NAME}-a: trained on data with fingerprint {'0' * 16}" in err
    header, values = (line.split("\t") for line in out.splitlines())
    assert dict(zip(header, values, strict=True))["steps"] == "0"


def test_a_checkpoint_can_be_tried_on_some_persons(table, call, people, tmp_path):
    assert bench(call, people, tmp_path, "--limit", "2", "--methods", "sta")[0] == 0
    (path,) = tmp_path.glob("runs/*/records/*.json")
    assert record.load(path).dataset == "folder:2persons"


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--methods", "stenvan"], "no checkpoint of stenvan on folder"),
        (["--methods", "stanvan"], "did you mean stenvan"),
        (["--recipe", "quick"], "--pretrained trains nothing"),
        (["--set", "epochs=3"], "--pretrained trains nothing"),
        (["--seeds", "2"], "--pretrained trains nothing"),
    ],
)
def test_what_does_not_go_with_checkpoints_is_told(table, call, people, tmp_path, more, says):
    status, _, err = bench(call, people, tmp_path / "o", *more)
    assert status == 2 and says in err and not (tmp_path / "o").exists()


def test_a_checkpoint_that_cannot_be_had_is_a_failed_run(table, call, people, tmp_path):
    row = published_entry(table)
    row.packaged.unlink()
    write_table(table / "checkpoints.toml", {NAME: row})
    status, _, err = bench(call, people, tmp_path / "o", "--methods", "sta")
    assert status == 1 and f"{NAME} cannot be had" in err
    assert "cannot be had" in (tmp_path / "o" / "report.md").read_text()
