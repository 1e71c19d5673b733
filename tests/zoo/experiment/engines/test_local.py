"""The engine that is this process."""

from tests.zoo.experiment.test_execute import Heard
from zoo.experiment.engines.job import Job
from zoo.experiment.engines.local import LOCAL
from zoo.experiment.options import ExecutionOptions


def test_jobs_are_carried_out_one_after_the_other_and_a_failure_ends_none_other(tmp_path):
    def fails(place):
        raise ValueError("broken")

    jobs = [Job(title="a", work=fails), Job(title="b", work=lambda place: place.options.device)]
    heard = Heard()
    outcomes = LOCAL.carry_out(jobs, tmp_path, ExecutionOptions(), heard)
    first = next(outcomes)
    assert first.reason.startswith("ValueError: broken (") and heard.lines == ["a"]
    assert next(outcomes).value == "cpu" and heard.lines == ["a", "b"] and first.seconds > 0


def test_auto_is_a_device_of_this_machine():
    assert LOCAL.device("cpu") == "cpu" and LOCAL.device("auto") in ("cpu", "cuda", "mps")
