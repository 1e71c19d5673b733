"""How the processes of one command end: by a signal, by silence, by Ctrl-C."""

import os
import signal
import threading
import time

import pytest
import torch.distributed as dist

from benchmark import distributed
from tests.processes import on_processes
from zoo.experiment import processes, team
from zoo.experiment.processes import lead, together


def terminate(folder):
    if os.environ["RANK"] == "0":
        os.kill(os.getpid(), signal.SIGTERM)
    distributed.on_first(lambda: None)
    time.sleep(100)


def be_killed_under_a_launcher(folder):
    if os.environ["RANK"] == "1":
        os.kill(os.getpid(), signal.SIGKILL)
    launcher = threading.Timer(0.7, os.kill, (os.getpid(), signal.SIGTERM))
    launcher.start()
    distributed.on_first(lambda: None)
    distributed.collect([])
    time.sleep(100)


def fall_silent(folder):
    if os.environ["RANK"] == "1":
        processes._team.left.set()  # it says nothing more, as if it were stopped
        time.sleep(8)
        os._exit(7)
    distributed.on_first(lambda: None)
    distributed.collect([])
    time.sleep(100)


def press_ctrl_c(folder):
    if os.environ["RANK"] == "0":
        raise KeyboardInterrupt
    time.sleep(100)


def end_by(folder, work):
    team.SILENCE_S = 2.0
    try:
        lead(lambda: together(work, folder))
    except KeyboardInterrupt:
        os._exit(130)


def lines_of(told):
    return [line for text in told for line in text.splitlines() if line.startswith("zoo:")]


def test_a_launchers_sigterm_ends_all_and_the_first_says_how_to_go_on(tmp_path):
    statuses, told = on_processes(2, end_by, tmp_path, terminate)
    assert statuses == [1, 1]
    (line,) = lines_of(told)
    assert line.startswith(f"zoo: {team.TERMINATED}: the same command goes on from the last")


def test_a_launcher_that_terminates_the_rest_of_a_killed_process_leaves_time_to_name_it(tmp_path):
    statuses, told = on_processes(3, end_by, tmp_path, be_killed_under_a_launcher)
    assert statuses == [1, -signal.SIGKILL, 1]
    (line,) = lines_of(told)
    assert line.startswith("zoo: process 2 of 3 is gone")


def test_a_process_that_says_nothing_for_too_long_counts_as_gone(tmp_path):
    statuses, told = on_processes(2, end_by, tmp_path, fall_silent)
    assert statuses == [1, 7]
    (line,) = lines_of(told)
    assert line.startswith("zoo: process 2 of 2 is gone")


def test_ctrl_c_in_the_midst_of_shared_work_leaves_no_process_and_no_line(tmp_path):
    statuses, told = on_processes(2, end_by, tmp_path, press_ctrl_c)
    assert statuses == [130, 1] and lines_of(told) == []


@pytest.mark.parametrize(
    ("error", "of_another"),
    [
        (dist.DistBackendError("NCCL error"), True),
        (RuntimeError("[/x/third_party/gloo/gloo/transport/tcp/pair.cc:561] Connection"), True),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
    ],
)
def test_an_error_of_the_connection_tells_of_another_process(error, of_another):
    assert team._of_connection(error) == of_another
