"""When a trial is stopped, and what is told of trials."""

import math
import random

import optuna
import pytest
from optuna.trial import TrialState, create_trial

from zoo.experiment.space import Parameter
from zoo.experiment.trials import (
    DIVERGED,
    in_words,
    is_stopped,
    provenance,
    suggest,
    summary_of,
)

PARAMETERS = {
    "lr": Parameter(kind="log", low=1e-4, high=1e-1),
    "crop": Parameter(kind="choice", choices=(0.0, 0.5)),
}
DISTRIBUTIONS = {
    "lr": optuna.distributions.FloatDistribution(1e-4, 1e-1, log=True),
    "crop": optuna.distributions.CategoricalDistribution((0.0, 0.5)),
}


def trial(number, lr, value=None, *, scores=(), clips=0, state=TrialState.COMPLETE, values=True):
    """A finished trial."""
    found = create_trial(
        value=value,
        state=state,
        params={"lr": lr, "crop": 0.5} if values else {},
        distributions=DISTRIBUTIONS if values else {},
        intermediate_values=dict(scores),
        user_attrs={"clips": clips, "seconds": 1.8},
    )
    found.number = number
    return found


# ---- successive halving --------------------------------------------------------------------------


def test_the_first_trial_is_never_stopped():
    assert not any(is_stopped({epoch: 0.0}, [], epoch, 9) for epoch in range(1, 10))


def test_only_the_best_third_goes_on_from_a_rung():
    earlier = [{1: 0.1}, {1: 0.5}, {1: 0.3}, {1: 0.2}, {1: 0.4}]
    assert not is_stopped({1: 0.5}, earlier, 1, 9) and not is_stopped({1: 0.45}, earlier, 1, 9)
    assert is_stopped({1: 0.35}, earlier, 1, 9)


def test_trials_are_stopped_at_a_ninth_and_a_third_of_the_epochs_only():
    better = [dict.fromkeys(range(1, 201), 1.0)] * 3
    stopped = [epoch for epoch in range(1, 201) if is_stopped({epoch: 0.0}, better, epoch, 200)]
    assert stopped == [23, 69]
    assert [e for e in (1, 2, 3) if is_stopped({e: 0.0}, better, e, 3)] == [1]
    assert not is_stopped({1: 0.0}, better, 1, 1)


def test_optuna_s_own_pruner_decides_alike():
    rng, epochs, ours, theirs = random.Random(0), 18, [], []
    scores = [{epoch: rng.random() for epoch in range(1, epochs + 1)} for _ in range(30)]
    earlier = []
    for own in scores:
        end = next((e for e in own if is_stopped(own, earlier, e, epochs)), epochs)
        ours.append(end)
        earlier.append({epoch: own[epoch] for epoch in range(1, end + 1)})

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    pruner = optuna.pruners.SuccessiveHalvingPruner(min_resource=2, reduction_factor=3)
    study = optuna.create_study(direction="maximize", pruner=pruner)
    for own in scores:
        asked = study.ask()
        for epoch, score in own.items():
            asked.report(score, epoch)
            if epoch < epochs and asked.should_prune():
                break
        theirs.append(epoch)
        study.tell(asked, score)
    assert ours == theirs and set(ours) == {2, 6, 18}


# ---- what is tried and told ----------------------------------------------------------------------


def test_what_a_trial_tries_follows_from_seed_and_number():
    def tried(seed, prepared):
        study = optuna.create_study(direction="maximize")
        study.add_trials([trial(i, 0.01, 0.5) for i in range(prepared)])
        return suggest(study.ask(), PARAMETERS, seed)

    assert tried(0, 2) == tried(0, 2)
    assert tried(0, 2) != tried(0, 3) and tried(0, 2) != tried(1, 2)


def test_a_trial_that_was_interrupted_between_two_values_tries_the_same():
    study = optuna.create_study(direction="maximize")
    first = study.ask()
    whole = suggest(first, PARAMETERS, 0)
    again = optuna.create_study(direction="maximize")
    half = again.ask()
    suggest(half, {"lr": PARAMETERS["lr"]}, 0)
    assert suggest(half, PARAMETERS, 0) == whole


START = {"lr": 0.001, "crop": 0.5}
TRIALS = [
    trial(0, 0.001, 0.4, scores={1: 0.2, 2: 0.4}, clips=40),
    trial(1, 0.05, 0.1, scores={1: 0.1}, clips=20, state=TrialState.PRUNED),
    trial(2, 0.09, DIVERGED, clips=8),
    trial(3, 0.01, 0.6, scores={1: 0.5, 2: 0.6}, clips=40),
    trial(4, 0.02, 0.6, scores={1: 0.5, 2: 0.6}, clips=40),
]


def test_the_best_trial_that_came_to_its_end_is_chosen_and_the_earlier_one_of_two():
    found = summary_of(TRIALS, START, PARAMETERS)
    assert found["chosen"] == {"lr": 0.01, "crop": 0.5}
    assert (found["default_validation_mAP"], found["chosen_validation_mAP"]) == (0.4, 0.6)


def test_stopped_and_diverged_trials_are_told_and_count_what_they_used():
    found = summary_of(TRIALS, START, PARAMETERS)
    assert [one["state"] for one in found["trials"]] == [
        *("complete", "pruned", "diverged", "complete", "complete")
    ]
    assert [one["validation_mAP"] for one in found["trials"]] == [0.4, 0.1, None, 0.6, 0.6]
    assert found["spent"] == {"trials": 5, "clips": 148, "hours": 0.0025}


def test_a_recipe_outside_the_space_is_a_trial_without_values():
    first = trial(0, 0, 0.9, values=False)
    found = summary_of([first, *TRIALS[1:]], None, PARAMETERS)
    assert found["trials"][0]["values"] == found["chosen"] == {}
    assert found["default_validation_mAP"] == 0.9


def test_a_recipe_that_diverged_has_no_score_of_its_own():
    first = trial(0, 0.001, DIVERGED)
    assert summary_of([first, *TRIALS[1:]], START, PARAMETERS)["default_validation_mAP"] is None


def test_a_search_in_which_all_diverged_has_no_choice():
    with pytest.raises(RuntimeError, match="all of 2 trials diverged: lower the upper end of lr"):
        summary_of([trial(0, 0.1, DIVERGED), trial(1, 0.1, DIVERGED)], START, PARAMETERS)


def test_a_record_s_selection_names_study_space_trials_budget_and_values():
    part = summary_of(TRIALS, START, PARAMETERS)
    assert provenance("folder-quick-1", "small@1", part) == (
        "tuned: study folder-quick-1, space small@1, 5 trials, 148 clips, 0.00 h; lr=0.01, crop=0.5"
    )
    assert provenance("s", "x", part | {"chosen": {}}).endswith("; the recipe as it stands")


def test_values_are_told_in_words():
    assert in_words({"lr": 0.0012345, "triplet": "soft", "blocks": 8}) == (
        "lr=0.00123, triplet=soft, blocks=8"
    )
    assert in_words({}) == "" and math.isinf(DIVERGED)
