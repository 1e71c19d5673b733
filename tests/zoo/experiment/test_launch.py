"""One command on several processes of this machine."""

import logging
import signal

import pytest
from torch.distributed import run
from torch.distributed.elastic.multiprocessing.api import SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError, ProcessFailure

from zoo.experiment.launch import launch


@pytest.fixture
def launched(monkeypatch):
    """What torch's launcher was told, and what it raises."""
    told = {"error": None}

    def launcher(arguments):
        told["arguments"] = arguments
        if told["error"] is not None:
            raise told["error"]

    monkeypatch.setattr(run, "run", launcher)
    yield told
    logging.disable(logging.NOTSET)


def test_the_same_words_go_to_every_process_on_this_machine_alone(launched):
    assert launch(4, ["bench", "--set", "lr=1", "--processes-per-run", "4"]) == 0
    told = launched["arguments"]
    assert (told.nproc_per_node, told.standalone, told.module) == ("4", True, True)
    assert (told.local_addr, told.training_script) == ("127.0.0.1", "zoo")
    assert told.training_script_args == ["bench", "--set", "lr=1", "--processes-per-run", "4"]


@pytest.mark.parametrize(("exitcode", "status"), [(2, 2), (1, 1), (-signal.SIGKILL, 1)])
def test_the_status_is_that_of_the_process_that_failed_first(launched, exitcode, status):
    failure = ProcessFailure(local_rank=1, pid=1, exitcode=exitcode, error_file="<N/A>")
    launched["error"] = ChildFailedError("zoo", {1: failure})
    assert launch(2, ["bench"]) == status


def test_a_signal_that_ended_all_is_the_status(launched):
    launched["error"] = SignalException("ended", signal.SIGINT)
    assert launch(2, ["bench"]) == 130
