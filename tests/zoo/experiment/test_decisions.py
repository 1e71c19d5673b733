"""What recipes of papers have that the papers do not say."""

import dataclasses
from pathlib import Path

import pytest

from benchmark.recipes import EVALUATION_SETTINGS
from tests.zoo.experiment.test_spec import DATA
from zoo.experiment.decisions import decided_in, decisions_of
from zoo.experiment.paper_recipes import PAPER, recipe
from zoo.experiment.provenance import notes_of
from zoo.experiment.spec import specify

TEXT = Path("docs/decisions.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "decided"),
    [
        ("paper/nlam_nltp", {"weight_decay", "flip", "random_crop", "sampling"}),
        ("paper/resnet3d50_nl", {"smoothing", "triplet"}),
        ("paper/sta", {"test_frames"}),
    ],
)
def test_what_a_paper_leaves_open_is_a_decision_with_a_reason(name, decided):
    found = decisions_of(name)
    assert decided <= set(found) and all(found.values())


def test_every_decision_is_a_setting_and_stands_in_the_documentation():
    fields = {field.name for field in dataclasses.fields(recipe("quick"))}
    for name in PAPER:
        for setting in decisions_of(name):
            assert setting in fields | set(EVALUATION_SETTINGS)
            assert f"`{setting}`" in TEXT, f"{name}: docs/decisions.md does not tell {setting}"


def test_what_the_paper_says_is_none():
    assert decisions_of("unified") == decisions_of("paper/nvan") == decisions_of("sta") == {}


def test_a_run_notes_the_decisions_that_it_was_trained_by():
    chosen = recipe("paper/resnet3d50", {"smoothing": 0.2})
    spec = specify("resnet3d50", chosen, DATA)
    assert decided_in(spec) == ["sampling", "random_crop", "triplet"]
    (note,) = notes_of(spec)
    assert note == "decided here, not the paper's word: sampling, random_crop, triplet"
    assert decided_in(specify("resnet3d50", recipe("quick"), DATA)) == []
