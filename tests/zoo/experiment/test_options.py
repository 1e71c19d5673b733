"""Options and scoring say nothing of a run's result."""

import pytest

from benchmark.recipe import Evaluation
from zoo.experiment.options import EngineOptions, ExecutionOptions, Scoring


def test_a_run_goes_on_the_cpu_with_two_workers_unless_somebody_says_otherwise():
    assert ExecutionOptions() == ExecutionOptions(device="cpu", workers=2, command="")


def test_scores_are_plain_unless_a_re_ranking_is_asked_for():
    assert Scoring(evaluation=Evaluation(), protocols=("open",)).rerank is None


def test_an_engine_is_this_process_unless_somebody_says_otherwise():
    assert EngineOptions().name == "local"
    assert EngineOptions(name="ray", address="auto", at_once=2).gpus_per_run == 1


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"address": "auto"}, "--address is for --engine ray"),
        ({"name": "ray", "at_once": 0}, "at_once is 0, expected 1 or more"),
        ({"name": "ray", "gpus_per_run": 0.0}, "gpus_per_run is 0.0, expected a share"),
    ],
)
def test_an_option_that_does_not_fit_an_engine_is_refused(options, says):
    with pytest.raises(ValueError, match=says):
        EngineOptions(**options)
