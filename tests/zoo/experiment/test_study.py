"""One method's search: equal budgets, and the same end however often it was interrupted."""

import json

import pytest
from optuna.trial import Trial

from benchmark import training_state
from tests.zoo.experiment.tuning import QUICK, SPACE, score_by, search, without_times
from zoo.experiment import validate
from zoo.experiment.paper_recipes import recipe
from zoo.experiment.run import Run
from zoo.experiment.space import Parameter, Space
from zoo.experiment.study import MethodStudy


@pytest.fixture(scope="module")
def undisturbed(crowd, tmp_path_factory):
    """A search that nothing interrupted."""
    out = tmp_path_factory.mktemp("undisturbed")
    return search(crowd, out), out


def test_trial_0_is_the_recipe_as_it_stands(undisturbed):
    found, _ = undisturbed
    assert found["trials"][0]["values"] == {
        "lr": QUICK.lr, "random_crop": 0.5, "sta.regularisation": 1.0
    }  # fmt: skip
    assert found["default_validation_mAP"] == found["trials"][0]["validation_mAP"]
    assert found["trials"][0]["state"] == "complete"


def test_trials_differ_and_stay_within_the_space(undisturbed):
    found, _ = undisturbed
    tried = [one["values"] for one in found["trials"]]
    assert len({json.dumps(values) for values in tried}) == 4
    assert all(SPACE.parameters[k].holds(v) for values in tried for k, v in values.items())


def test_trials_are_ordinary_runs_beside_those_of_the_report(undisturbed):
    found, out = undisturbed
    runs = sorted((out / "tuning" / "runs").iterdir())
    assert len(runs) == 4 and not (out / "runs").exists()
    spec = json.loads((runs[0] / "spec.json").read_text())
    assert spec["validation"]["folds"] == 2 and spec["seed"] == 0
    ended = [run for run in runs if (run / "weights.safetensors").is_file()]
    complete = [one for one in found["trials"] if one["state"] == "complete"]
    assert len(ended) == len(complete)
    assert not list(out.rglob("checkpoint.pt"))


def test_a_search_that_is_over_is_not_made_again(crowd, undisturbed, monkeypatch):
    found, out = undisturbed
    monkeypatch.setattr(Run, "train", lambda *_, **__: pytest.fail("trained again"))
    assert search(crowd, out) == found


def interrupt(monkeypatch, owner, name, at):
    """Let a call of this method be interrupted, at its ``at``-th time."""
    original, calls = getattr(owner, name), []

    def method(*arguments, **more):
        calls.append(name)
        if len(calls) == at:
            raise KeyboardInterrupt
        return original(*arguments, **more)

    monkeypatch.setattr(owner, name, method)


@pytest.mark.parametrize(
    ("owner", "name", "at"),
    [
        (Run, "train", 3),  # at the start of a trial
        (validate._Scorer, "__call__", 4),  # in the middle of one
        (Trial, "report", 4),  # an epoch is in the log and nobody knows
        (MethodStudy, "_note_spent", 2),  # trained to its end, and not told
        (MethodStudy, "_next", 3),  # between tell and ask
        (Trial, "suggest_categorical", 3),  # between two values of one trial
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_an_interrupted_search_ends_as_an_undisturbed_one(
    crowd, undisturbed, tmp_path, monkeypatch, owner, name, at
):
    monkeypatch.setattr(training_state, "SAVE_EVERY", 0.0)
    with monkeypatch.context() as patch:
        interrupt(patch, owner, name, at)
        with pytest.raises(KeyboardInterrupt):
            search(crowd, tmp_path)
    assert without_times(search(crowd, tmp_path)) == without_times(undisturbed[0])


def test_a_line_that_a_kill_cut_off_is_left_out(crowd, undisturbed, tmp_path):
    search(crowd, tmp_path, trials=2)
    (journal,) = (tmp_path / "tuning").glob("*.journal")
    journal.write_bytes(journal.read_bytes()[:-9])
    assert without_times(search(crowd, tmp_path)) == without_times(undisturbed[0])


def test_more_trials_go_on_from_those_there_are(crowd, undisturbed, tmp_path):
    first = search(crowd, tmp_path, trials=2)
    assert search(crowd, tmp_path)["trials"][:2] == first["trials"]
    assert without_times(search(crowd, tmp_path)) == without_times(undisturbed[0])


def test_another_space_is_another_search(crowd, tmp_path):
    lr = Space(name="lr@1", parameters={"lr": SPACE.parameters["lr"]})
    search(crowd, tmp_path, trials=1)
    assert list(search(crowd, tmp_path, trials=2, space=lr)["trials"][1]["values"]) == ["lr"]
    assert len(list((tmp_path / "tuning").glob("*.journal"))) == 2


# ---- budgets -------------------------------------------------------------------------------------

CLIPS = 2 * 2 * 2 * 2  # 5 persons give 2 batches of 2 × 2 clips an epoch; 2 epochs


def test_a_trial_counts_the_clips_that_it_used(undisturbed):
    used = {"complete": CLIPS, "pruned": CLIPS // 2}
    trials = undisturbed[0]["trials"]
    assert [one["clips"] for one in trials] == [used[one["state"]] for one in trials]
    assert undisturbed[0]["spent"]["clips"] == sum(one["clips"] for one in trials)


def test_a_stopped_trial_counts_the_epochs_that_it_trained(crowd, tmp_path, monkeypatch):
    score_by(monkeypatch, lambda spec: 0.9 if spec.settings["lr"] == QUICK.lr else 0.1)
    found = search(crowd, tmp_path, trials=2)
    assert [(one["state"], one["clips"]) for one in found["trials"]] == [
        *(("complete", CLIPS), ("pruned", CLIPS // 2))
    ]
    assert found["trials"][1]["validation_mAP"] == 0.1 and found["spent"]["clips"] == 1.5 * CLIPS


def test_no_trial_begins_once_the_clips_are_spent(crowd, tmp_path):
    found = search(crowd, tmp_path, trials=50, budget=CLIPS + 1)
    assert len(found["trials"]) == 2 and found["spent"]["clips"] > CLIPS
    assert len(search(crowd, tmp_path, trials=50, budget=CLIPS)["trials"]) == 2


def test_no_trial_begins_once_the_hours_are_spent(crowd, tmp_path):
    found = search(crowd, tmp_path, trials=50, budget="0.000001h")
    assert len(found["trials"]) == 1 and found["spent"]["clips"] == CLIPS


def test_every_method_has_the_same_budget_and_the_same_first_trials(crowd, undisturbed, tmp_path):
    other = search(crowd, tmp_path, "resnet50_avg", trials=4)
    mine = [one["values"] for one in undisturbed[0]["trials"]]
    theirs = [one["values"] for one in other["trials"]]
    assert list(theirs[0]) == ["lr", "random_crop"]
    assert [{k: one[k] for k in theirs[0]} for one in mine] == theirs


def test_a_run_that_comes_again_is_not_paid_for_twice(crowd, tmp_path):
    crop = Space(name="crop@1", parameters={"random_crop": SPACE.parameters["random_crop"]})
    trials = search(crowd, tmp_path, space=crop, trials=6)["trials"]
    first = [one["values"]["random_crop"] for one in trials]
    again = [one for i, one in enumerate(trials) if one["values"]["random_crop"] in first[:i]]
    assert again and all(one["clips"] == 0 for one in again if one["state"] == "pruned")
    assert sum(one["clips"] for one in trials) <= 2 * CLIPS


# ---- trials that diverge -------------------------------------------------------------------------

WILD = Space(name="wild@1", parameters={"lr": Parameter(kind="log", low=1e-4, high=1e30)})


def test_a_diverged_trial_is_a_result_and_not_the_end(crowd, tmp_path):
    trials = search(crowd, tmp_path, space=WILD, trials=4)["trials"]
    states = [one["state"] for one in trials]
    assert states[0] == "complete" and "diverged" in states
    diverged = trials[states.index("diverged")]
    assert diverged["validation_mAP"] is None and diverged["clips"] > 0


def test_a_search_in_which_all_diverged_says_so_in_one_line(crowd, tmp_path):
    wild = recipe("quick", dict(QUICK.training_settings()) | {"lr": 1e28})
    lr = Space(name="wild@1", parameters={"lr": Parameter(kind="log", low=1e27, high=1e30)})
    with pytest.raises(RuntimeError, match="all of 2 trials diverged") as error:
        search(crowd, tmp_path, space=lr, trials=2, recipe=wild)
    assert "\n" not in str(error.value)


def test_a_recipe_outside_the_space_is_still_the_first_trial(crowd, tmp_path):
    high = Space(name="high@1", parameters={"lr": Parameter(kind="log", low=1e-2, high=1e-1)})
    found = search(crowd, tmp_path, space=high, trials=2)
    assert found["trials"][0]["values"] == {} and found["default_validation_mAP"] is not None
    assert list(found["trials"][1]["values"]) == ["lr"]
