"""Options and scoring say nothing of a run's result."""

from benchmark.recipe import Evaluation
from zoo.experiment.options import ExecutionOptions, Scoring


def test_a_run_goes_on_the_cpu_with_two_workers_unless_somebody_says_otherwise():
    assert ExecutionOptions() == ExecutionOptions(device="cpu", workers=2, command="")


def test_scores_are_plain_unless_a_re_ranking_is_asked_for():
    assert Scoring(evaluation=Evaluation(), protocols=("open",)).rerank is None
