"""Data sets by name, ours and those of plugins."""

import dataclasses
import shutil
from pathlib import Path

import pytest

from tests.conftest import TINY_SET
from zoo import plugins
from zoo.experiment.data import open_data_of, open_dataset, open_further, place_of_further


def test_a_plugin_s_data_set_is_opened_like_ours(people, monkeypatch):
    def mine(root):
        return dataclasses.replace(open_dataset("folder", root), name="mine")

    monkeypatch.setattr(plugins, "_ADDED", {"METHODS": {}, "DATASETS": {}})
    plugins.register("dataset", mine)
    assert open_dataset("mine", str(people)).name == "mine"


def test_a_run_s_data_are_opened_with_their_limit(finished_run, people):
    spec = finished_run.spec()
    whole = open_data_of(spec, people)
    assert whole.fingerprint == spec.fingerprint
    limited = whole.limited(2)
    changed = dataclasses.replace(spec, dataset=limited.name, fingerprint=limited.fingerprint)
    assert open_data_of(changed, people) == limited


def test_another_copy_of_a_run_s_data_is_refused(finished_run, people, tmp_path):
    shutil.copytree(people, tmp_path / "copy")
    next((tmp_path / "copy" / "query").rglob("*.jpg")).unlink()
    with pytest.raises(ValueError, match=r"the run was made on .*look at it where that copy lies"):
        open_data_of(finished_run.spec(), tmp_path / "copy")


def test_a_further_set_lies_where_it_is_said_to(people, crowd):
    assert len(open_further(f"folder={crowd}", people).train_pids) == 10
    assert not open_further(f"folder[cameras=true]={crowd}", people).notes


@pytest.mark.parametrize("place", ["all", "all/first"])
def test_a_further_set_lies_under_its_name_in_or_beside_the_first(people, crowd, tmp_path, place):
    (tmp_path / place).mkdir(parents=True)
    (tmp_path / "all" / "folder").symlink_to(crowd)
    assert len(open_further("folder", tmp_path / place).train_pids) == 10


@pytest.mark.parametrize(
    ("text", "name", "folder"),
    [
        ("synthetic[occlusion=0.6]", "synthetic[occlusion=0.6]", None),
        ("synthetic[seed=1]+synthetic[seed=2]", "synthetic[seed=1]+synthetic[seed=2]", None),
        ("folder[name=a]=there", "folder[name=a]", Path("there")),
        ("folder=a=b", "folder", Path("a=b")),
    ],
)
def test_a_knob_is_not_taken_for_a_folder(text, name, folder):
    assert place_of_further(text, None) == (name, folder)


def test_a_further_set_may_lie_in_the_same_folder(people):
    assert open_further("folder", people) == open_dataset("folder", people)


def test_a_copy_that_trains_on_test_persons_is_told_in_every_record_and_in_the_report(
    people, tmp_path, call
):
    root = shutil.copytree(people, tmp_path / "data")
    shutil.copytree(root / "query" / "p5" / "c1_0", root / "train" / "p5" / "c1_9")
    says = "the data are wrong: persons: the person of query "
    assert any(note.startswith(says) for note in open_dataset("folder", root).notes)
    words = ["--methods", "resnet50_avg", "--dataset", "folder", "--data-root", root]
    words += [*TINY_SET, "--recipe", "quick", "--set", "epochs=1", "--workers", 0]
    status, _, err = call("bench", *words, "--out", tmp_path / "o")
    assert status == 0 and f"folder: {says}" in err
    assert "the data are wrong: persons" in (tmp_path / "o" / "report.md").read_text()
