"""``zoo publish``, from a run that `zoo bench` made."""

import json
import shutil

import pytest
from safetensors.torch import load_file

import zoo
from benchmark import files
from tests.zoo.conftest import PUBLISHED as NAME
from tests.zoo.conftest import published_entry
from tests.zoo.shelf import shelve
from zoo.checkpoints.table import read_table


def test_the_record_is_of_the_published_file(published, results):
    row = published_entry(published)
    (entry,) = row.scores().values()
    assert entry.checkpoint == row.sha256 == files.sha256(row.packaged)
    assert row.bytes == row.packaged.stat().st_size
    assert row.bytes < 0.6 * (results / "weights.safetensors").stat().st_size
    assert not any(key.startswith("head.classifier.") for key in load_file(row.packaged))
    assert row.trained() == json.loads((results / "run.json").read_text())
    assert f"weights trained by run {row.trained()['id']}" in entry.notes
    assert entry.command.startswith("zoo bench") and "&& zoo publish" in entry.command


def test_what_was_published_is_a_table_at_once(table, call, people):
    assert not zoo.load(NAME).training
    status, out, _ = call("verify", NAME, "--data-root", people, "--workers", "0")
    assert status == 0 and [line.split("\t")[1] for line in out.splitlines()[1:]] == ["PASS"] * 4


def test_a_score_that_is_missed_is_told_with_by_how_much(table, call, people):
    path = table / f"{NAME}.open.json"
    fields = json.loads(path.read_text())
    fields["metrics"]["mAP"] -= 0.1
    path.write_text(json.dumps(fields))
    status, out, _ = call("verify", NAME, "--data-root", people, "--workers", "0")
    assert status == 1 and "FAIL" in out
    assert "(+10.00)" in out and "misses by 10.00 points, 0.5 allowed" in out


def test_other_data_of_the_same_name_are_refused(table, call, people, tmp_path):
    shutil.copytree(people, tmp_path / "data")
    shutil.rmtree(next((tmp_path / "data" / "train").iterdir()))
    status, _, err = call("verify", NAME, "--data-root", tmp_path / "data", "--workers", "0")
    assert status == 2 and "with fingerprint" in err


def test_publishing_again_gives_the_same_file_and_spares_other_rows(
    results, published, people, tmp_path, call
):
    home = tmp_path / "home"
    other = shelve(home)
    path = home / "checkpoints.toml"
    path.write_text("# ours\n\n" + path.read_text())
    command = ["publish", results, NAME, "--into", home / "weights", "--licence", "MIT"]
    command += ["--data-root", people, "--workers", "0"]
    assert call(*command, "--protocol", "open,mars-ap3d")[0] == 0
    first = read_table(path)[NAME]
    assert len(first.records) == 2 and first.sha256 == published_entry(published).sha256
    text = path.read_text()
    status, out, _ = call(*command)
    assert status == 0 and out.strip() == str(path.resolve())
    rows = read_table(path)
    assert rows[other.name].sha256 == other.sha256 and path.read_text().startswith("# ours\n")
    assert rows[NAME].records == (f"weights/{NAME}.open.json",)
    assert not (home / "weights" / f"{NAME}.mars-ap3d.json").exists()
    assert path.read_text() == text.replace(f', "weights/{NAME}.mars-ap3d.json"', "")
    assert not (home / "README.md").exists()


@pytest.mark.parametrize(
    ("name", "more", "status", "says"),
    [
        ("sta.mars", [], 2, "expected sta.folder or sta.folder-tag"),
        ("nvan.folder", [], 2, "expected sta.folder"),
        ("../sta.folder", [], 2, "no name of a checkpoint"),
        (NAME, ["--data-root", "/nowhere"], 1, "/nowhere is no folder"),
        (NAME, ["--into", "x/weights", "--hub", "a/b"], 2, "--into is for a table"),
    ],
)
def test_what_cannot_be_published_is_one_line(
    results, people, tmp_path, call, monkeypatch, name, more, status, says
):
    monkeypatch.chdir(tmp_path)
    command = ["publish", results, name, "--licence", "MIT", "--data-root", people, *more]
    found, out, err = call(*command)
    lines = [line for line in err.splitlines() if line.startswith("zoo: ")]
    assert (found, out) == (status, "") and len(lines) == 1 and says in lines[0], err
    assert not (tmp_path / "published").exists()


def test_weights_trained_on_others_data_need_a_licence(results, call):
    status, _, err = call("publish", results, NAME)
    assert status == 2 and "--licence is missing" in err
