"""A name, a run's folder or a file of weights, where a checkpoint is asked for."""

import json
import shutil

import pytest
import torch

import zoo
from tests.zoo.shelf import NAME
from zoo.checkpoints.load import open_checkpoint
from zoo.experiment.find_checkpoint import find_checkpoint
from zoo.experiment.network import load_weights


def test_a_name_is_a_checkpoint_s(shelf, settings):
    assert find_checkpoint(NAME).name == NAME


def test_a_run_s_folder_gives_the_run_s_network(finished_run, settings):
    found = find_checkpoint(finished_run.path)
    assert (found.method, found.dataset, found.frames) == ("sta", "folder", "chunk-first4")
    assert list(found.scores()) == [entry.label for entry in finished_run.read_records()]
    clips = torch.randn(1, 4, 3, 64, 32)
    mine = zoo.load(finished_run.path)(clips).embedding
    theirs = load_weights(finished_run.spec(), finished_run.weights)(clips).embedding
    assert torch.allclose(mine, theirs, atol=1e-6)
    assert open_checkpoint(found, settings).dropped  # the classifier


def test_a_run_s_file_of_weights_is_the_run(finished_run):
    assert find_checkpoint(finished_run.weights) == find_checkpoint(finished_run.path)


def test_a_run_that_is_trained_only_is_scored_as_its_recipe_says(finished_run):
    shutil.rmtree(finished_run.records)
    found = find_checkpoint(finished_run.path)
    assert (found.frames, found.distance, found.records) == ("chunk-first4", "cos-bn", ())


def test_a_run_that_is_not_trained_or_is_damaged_is_refused(finished_run):
    summary = finished_run.summary()
    finished_run.write_summary(summary | {"weights": "0" * 64})
    with pytest.raises(OSError, match="is damaged"):
        find_checkpoint(finished_run.path)
    finished_run.summary_file.unlink()
    with pytest.raises(FileNotFoundError, match="is not trained yet"):
        find_checkpoint(finished_run.path)


def test_a_published_file_is_the_checkpoint_of_the_table_beside_it(published):
    (file,) = (p for p in published.glob("*.safetensors") if "golden" not in p.name)
    assert find_checkpoint(file).name == "sta.folder"


def test_a_file_alone_needs_the_recipe_that_it_was_trained_with(finished_run, tmp_path):
    file = shutil.copyfile(finished_run.weights, tmp_path / "mine.safetensors")
    with pytest.raises(ValueError, match="give --recipe"):
        find_checkpoint(file)
    recipe = "quick[channels=4+8+8+8,height=64,layers=1+2+3+1,width=32]"
    found = find_checkpoint(file, trained_with=recipe)
    assert (found.method, found.height, found.dataset) == ("sta", 64, "unknown")
    assert found.backbone == finished_run.spec().backbone
    with pytest.raises(ValueError, match="leave out --recipe"):
        find_checkpoint(finished_run.path, trained_with="quick")


@pytest.mark.parametrize(
    ("source", "error", "says"),
    [
        ("sta.foldr-tiny", LookupError, "did you mean"),
        ("no/such/run", FileNotFoundError, "no/such/run does not exist: expected a checkpoint"),
        ("mine.pth", FileNotFoundError, "does not exist"),
    ],
)
def test_what_there_is_not_is_named(shelf, source, error, says):
    with pytest.raises(error, match=says):
        find_checkpoint(source)


def test_a_file_that_is_none_of_weights_is_refused(tmp_path):
    (tmp_path / "x.pth").write_bytes(b"x")
    with pytest.raises(ValueError, match="zoo convert"):
        find_checkpoint(tmp_path / "x.pth")
    (tmp_path / "x.safetensors").write_bytes(b"x")
    with pytest.raises(ValueError, match="is no safetensors file"):
        find_checkpoint(tmp_path / "x.safetensors")
    with pytest.raises(FileNotFoundError, match="is no run"):
        find_checkpoint(tmp_path)


def test_the_commands_that_take_a_name_take_a_run(finished_run, people, call, tmp_path):
    run, out = finished_run.path, tmp_path / "f.npz"
    status, text, err = call("verify", run, "--data-root", people, "--workers", "0", "--json")
    assert status == 0, err
    assert {row["name"]: row["result"] for row in json.loads(text)}[
        "open@1/cos-bn/chunk-first4"
    ] == ("PASS")
    assert call("show", run)[0] == 0
    words = ("--checkpoint", run, "-o", out, "--workers", "0")
    assert call("embed", people / "gallery", *words)[0] == 0
    status, text, err = call("search", people / "query", "--in", out, "--workers", "0", "--json")
    assert status == 0 and json.loads(text), err
