"""From a request to a plan: method x split x seed, everything checked first."""

import dataclasses
from pathlib import Path

import pytest

from tests.conftest import TINY
from tests.zoo.conftest import ask
from zoo.experiment import plan as planning
from zoo.experiment.data import open_dataset
from zoo.experiment.paper_recipes import recipe
from zoo.experiment.plan import fingerprints, plan


@pytest.mark.parametrize("seeds", [0, -1, 1001, 99999999999999999999])
def test_seeds_that_would_be_planned_for_ever_are_refused(people, tmp_path, seeds):
    with pytest.raises(ValueError, match=f"seeds is {seeds}, expected 1 to 1000"):
        plan(ask(people, tmp_path, seeds=seeds))


def test_there_is_a_run_for_each_method_and_seed_in_order(people, tmp_path):
    found = plan(ask(people, tmp_path, methods="sta,resnet50_avg", seeds=2))
    named = [(run.spec.method, run.spec.seed) for run in found.runs]
    assert named == [("sta", 0), ("sta", 1), ("resnet50_avg", 0), ("resnet50_avg", 1)]
    assert len({run.spec.id for run in found.runs}) == 4
    assert list(fingerprints(found.runs).values()) == [open_dataset("folder", people)]


def test_planning_writes_nothing(people, tmp_path):
    plan(ask(people, tmp_path / "o"))
    assert not (tmp_path / "o").exists()


def test_every_split_of_a_data_set_is_run_unless_one_is_named(people, tmp_path, monkeypatch):
    whole = dataclasses.replace(open_dataset("folder", people), splits=3)

    def opened(text, *_, **__):
        number = int(text.partition("split=")[2].rstrip("]") or 0)
        return dataclasses.replace(whole, split=number, fingerprint=str(number))

    monkeypatch.setattr(planning, "open_dataset", opened)
    assert [run.spec.split for run in plan(ask(people, tmp_path)).runs] == [0, 1, 2]
    asked = ask(people, tmp_path, dataset="folder[split=2]")
    assert [run.spec.split for run in plan(asked).runs] == [2]


def test_the_result_folder_is_named_after_data_and_recipe(people):
    tiny = recipe("quick", TINY)
    quick = dataclasses.replace(tiny, name="mine")
    assert plan(ask(people, None, recipe=quick)).out == Path("results/folder-mine")


def test_an_open_data_set_is_taken_as_it_is(people, tmp_path):
    data = open_dataset("folder", people).limited(2)
    (run,) = plan(ask(None, tmp_path, dataset=data)).runs
    assert run.dataset is data and run.spec.dataset == "folder:2persons"


def test_a_limit_holds_for_every_data_set(people, crowd, tmp_path):
    found = plan(ask(people, tmp_path, limit=2, also_test=(f"folder={crowd}",)))
    assert len(found.runs[0].dataset.train_pids) == 2
    assert found.also_test[0].name == "folder:2persons"


class Heard(list):
    """Anybody who waits, and the lines that stay."""

    def note(self, line):
        self.append(line)

    def advance(self, *_):
        pass


def test_the_user_hears_once_which_methods_have_no_packaged_start(people, tmp_path):
    heard, chosen = Heard(), recipe("quick", TINY | {"init": "synthetic"})
    plan(ask(people, tmp_path, methods="tf_clip,clip_vit_avg", seeds=2, recipe=chosen), heard)
    (line,) = heard
    assert line.startswith("tf_clip, clip_vit_avg: starts from random weights: there is no ")


def test_the_user_hears_which_recipe_a_cpu_gets(people, tmp_path):
    heard = Heard()
    plan(ask(people, tmp_path, recipe=None, changes=TINY), heard)
    assert heard == ["no GPU: recipe quick (say --recipe unified for the full one)"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"methods": "stanvan"}, "did you mean stenvan"),
        ({"dataset": "fodler"}, "did you mean folder"),
        ({"device": "tpu"}, "device 'tpu' is not here"),
        ({"precision": "fp16"}, "precision 'fp16' on cpu"),
        ({"protocols": "mars"}, "unknown protocol"),
        ({"rerank": "best"}, "'best' is no re-ranking"),
        ({"select": "best"}, "select is 'best'"),
        ({"also_test": ("marz",)}, "did you mean mars"),
        ({"methods": "stenvan", "changes": {"test_frames": "all8", "frames": 8}}, "do not fit"),
    ],
)
def test_what_does_not_fit_is_an_error_of_the_plan(people, tmp_path, change, says):
    with pytest.raises((LookupError, ValueError), match=says) as error:
        plan(ask(people, tmp_path, **change))
    assert "\n" not in str(error.value)
