"""What the names in a request mean, and which clips a method takes."""

import dataclasses

import pytest

from benchmark.datasets.base import Dataset
from benchmark.rules import PROTOCOLS
from tests.conftest import TINY
from zoo import registry
from zoo.experiment.paper_recipes import recipe
from zoo.experiment.request import BenchRequest
from zoo.experiment.resolve import (
    check_fit,
    choose_protocols,
    choose_recipe,
    expand_methods,
    scoring_of,
)

QUICK = recipe("quick", TINY)


def test_all_and_wildcards_name_plain_methods_once():
    assert expand_methods("all") == registry.list_methods()
    assert expand_methods("sta,*nvan*,stenvan,sta[blocks=4]")[:2] == ["sta", "nvan"]
    assert expand_methods("sta[blocks=2]") == ["sta[blocks=2]"]


def test_a_grid_is_every_combination_of_its_values():
    blocks = ["sta[blocks=2]", "sta", "sta[blocks=8]"]  # 4 is what there is anyway
    assert expand_methods("nvan,sta[blocks=2|4|8]") == ["nvan", *blocks]
    assert expand_methods("sta[blocks=2|8,dimensions=8|16]") == [
        "sta[blocks=2,dimensions=8]",
        "sta[blocks=2,dimensions=16]",
        "sta[blocks=8,dimensions=8]",
        "sta[blocks=8,dimensions=16]",
    ]
    assert expand_methods("nlam_nltp[after=3+5|4+5]") == ["nlam_nltp[after=3+5]", "nlam_nltp"]


@pytest.mark.parametrize("text", ["sta[blocks=2|]", "sta[blocks=|2]", "sta[blocks=2||4]"])
def test_a_grid_with_a_gap_is_refused(text):
    with pytest.raises(ValueError, match="lacks a value beside a bar"):
        expand_methods(text)


def test_a_grid_with_one_value_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="blocks is 'many', expected int"):
        expand_methods("sta[blocks=2|many]")


@pytest.mark.parametrize(
    ("text", "says"),
    [("x*", "no method is called 'x\\*'"), ("stanvan", "did you mean"), ("", "names no method")],
)
def test_what_names_no_method_is_refused(text, says):
    with pytest.raises((LookupError, ValueError), match=says):
        expand_methods(text)


def test_the_recipe_is_unified_on_a_gpu_and_quick_elsewhere():
    assert choose_recipe("sta", BenchRequest(device="cpu")).name == "quick"


def test_paper_is_each_method_s_own():
    asked = BenchRequest(recipe="paper", changes={"epochs": 1})
    assert choose_recipe("sta[blocks=2]", asked).name == "paper/sta"
    assert choose_recipe("sta[blocks=2]", asked).epochs == 1


def test_a_recipe_object_is_taken_as_it_is_or_with_changes():
    mine = dataclasses.replace(QUICK, name="mine")
    assert choose_recipe("sta", BenchRequest(recipe=mine)) == mine
    assert choose_recipe("sta", BenchRequest(recipe=mine, changes={"lr": 1.0})).lr == 1.0
    with pytest.raises(LookupError, match="did you mean epochs"):
        choose_recipe("sta", BenchRequest(recipe=mine, changes={"epoch": 1}))


@pytest.mark.parametrize(
    ("own", "some"), [("mars-official", "mars-ap3d"), ("open", "open"), ("duke-folders", "open")]
)
def test_all_protocols_are_those_for_this_kind_of_data(own, some):
    family = {own.partition("-")[0], "open"}
    found = choose_protocols("all", own)
    assert some in found and {name.partition("-")[0] for name in found} == family
    assert set(found) == {name for name in PROTOCOLS if name.partition("-")[0] in family}


def test_protocols_are_named_once_by_their_own_names():
    assert choose_protocols("mars-cosam, mars-torchreid,open", "x") == ("mars-torchreid", "open")
    assert choose_protocols(None, "mars-official") == ("mars-official",)


def test_scoring_has_the_recipe_s_evaluation_and_a_canonical_re_ranking():
    data = Dataset(name="x", train=(), test=(), query=(), fingerprint="", protocol="open")
    asked = BenchRequest(rerank="kr")
    found = scoring_of(asked, recipe("paper/sta"), data)
    assert found.evaluation.distance == "l2sq-raw" and found.rerank == "kr(20,6,0.3)"


# ---- does a method take the clips ----------------------------------------------------------------


def test_a_method_that_takes_the_clips_passes():
    check_fit("stenvan", QUICK)


@pytest.mark.parametrize(
    ("method", "changes", "says"),
    [
        ("stenvan", {"frames": 6}, "T = 6 frames do not fit"),
        # clips of 8 fit, but a track of 9 frames ends in a clip of one
        ("stenvan", {"frames": 8, "test_frames": "all8"}, "frames do not fit"),
        ("stenvan[stripes=3]", {}, "S = 3 stripes do not divide"),
        ("sta[blocks=3]", {}, "K = 3 blocks do not divide"),
        ("sta", {"first_stage": "nvan"}, "weights of its first stage, nvan, do not fit: missing"),
    ],
)
def test_clips_that_a_method_refuses_are_found_before_training_in_one_line(method, changes, says):
    with pytest.raises(ValueError, match=says) as error:
        check_fit(method, recipe("quick", TINY | changes))
    assert str(error.value).startswith(f"{method} under recipe quick[")
    assert "\n" not in str(error.value)


def test_a_first_stage_of_the_same_layers_passes():
    check_fit("stenvan", recipe("quick", TINY | {"first_stage": "nvan"}))


def test_a_method_that_takes_any_length_passes_the_same_rule():
    check_fit("resnet50_avg", recipe("quick", TINY | {"frames": 8, "test_frames": "all8"}))
