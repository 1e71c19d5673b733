"""One command on several processes: the first is the program, and they end together."""

import os
import signal
import time

import pytest

from benchmark import distributed
from tests.processes import on_processes
from zoo import plugins
from zoo.experiment import processes, team
from zoo.experiment.processes import TooFewProcesses, lead, together

PLUGIN = """
def half(output, classes, recipe):
    return output.metric.sum() / 2
LOSSES = {"half-of-a-test": half}
"""


def place_of(folder, name):
    return folder / f"{name}-{os.environ['RANK']}"


def note(folder, name, told=None):
    """Work that leaves a file of each process."""
    from benchmark.losses import LOSSES

    known = "half-of-a-test" in LOSSES
    place_of(folder, name).write_text(f"{distributed.size()} {told} {known}")
    return distributed.rank()


def fail_alike(folder):
    raise ValueError("not with this one")


def fail_alone(folder):
    if os.environ["RANK"] == "1":
        raise OSError("p1/0.jpg is cut\n short")
    distributed.on_first(lambda: None)
    time.sleep(100)


def die(folder):
    if os.environ["RANK"] == "1":
        os.kill(os.getpid(), signal.SIGKILL)
    distributed.on_first(lambda: time.sleep(2))
    distributed.on_first(lambda: None)
    distributed.collect([1])
    distributed.on_first(lambda: None)
    time.sleep(100)


def in_order(folder):
    """A program whose second piece of work fails everywhere, and does not end it."""
    team.FAIL_ALIKE_S = 30.0

    def program():
        plugins.add_plugin(str(folder / "mine.py"))
        assert processes.size() == 2 and distributed.size() == 1
        assert together(note, folder, "first", told="me") == 0
        with pytest.raises(ValueError, match="not with this one"):
            together(fail_alike, folder)
        together(note, folder, "last")
        return "done"

    expected = "done" if os.environ["RANK"] == "0" else None
    assert lead(program) == expected
    assert processes.size() == 1 and together(distributed.rank) == 0


def ends_by(folder, work):
    team.FAIL_ALIKE_S = 1.0
    lead(lambda: together(work, folder))


def wrong_use(folder):
    def program():
        raise LookupError("no such method")

    if os.environ["RANK"] == "0":
        with pytest.raises(LookupError):
            lead(program)
    else:
        assert lead(program) is None


def test_work_is_shared_plugins_come_along_and_a_failure_of_all_ends_no_program(tmp_path):
    (tmp_path / "mine.py").write_text(PLUGIN)
    statuses, lines = on_processes(2, in_order, tmp_path)
    assert statuses == [0, 0], lines
    names = ("first-0", "first-1", "last-0", "last-1")
    told = [(tmp_path / name).read_text() for name in names]
    assert told == ["2 me True", "2 None True", "2 None True", "2 None True"]


def test_what_one_process_alone_fails_at_ends_all_with_one_line(tmp_path):
    statuses, lines = on_processes(3, ends_by, tmp_path, fail_alone)
    assert statuses == [1, 1, 1]
    (line,) = [line for text in lines for line in text.splitlines() if line.startswith("zoo:")]
    assert line == "zoo: process 2 of 3 failed, which ends all: p1/0.jpg is cut short"
    assert "Traceback" not in "".join(lines)


def test_a_process_that_is_killed_ends_all_with_one_line_that_names_it(tmp_path):
    statuses, lines = on_processes(3, ends_by, tmp_path, die)
    assert statuses == [1, -signal.SIGKILL, 1]
    (line,) = [line for text in lines for line in text.splitlines() if line.startswith("zoo:")]
    assert line.startswith("zoo: process 2 of 3 is gone (killed, or out of memory?)")
    assert "the same command goes on from the last checkpoint" in line


def test_an_error_of_the_program_itself_ends_the_others_in_peace(tmp_path):
    statuses, lines = on_processes(2, wrong_use, tmp_path)
    assert statuses == [0, 0], lines


def test_one_process_just_runs(monkeypatch):
    for world in (None, "1"):
        if world:
            monkeypatch.setenv("WORLD_SIZE", world)
        assert lead(lambda: together(max, 1, 2)) == 2
    assert processes.size() == 1


def test_processes_that_cannot_find_each_other_say_how_they_are_started(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    for name in ("RANK", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(OSError, match="start them by torchrun or accelerate launch"):
        lead(lambda: None)


def test_too_few_processes_say_how_more_are_started():
    processes.check_size(1)
    with pytest.raises(TooFewProcesses, match="this is one process, not 4: start the script by"):
        processes.check_size(4)


def test_a_launcher_s_number_of_processes_counts(monkeypatch):
    monkeypatch.setattr(processes, "size", lambda: 2)
    processes.check_size(1)
    processes.check_size(2)
    with pytest.raises(ValueError, match="--processes-per-run is 3, but a launcher started 2"):
        processes.check_size(3)


def test_processes_of_a_machine_with_too_few_gpus_are_refused_with_what_fits(monkeypatch):
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "8")
    processes.check_gpus(1)  # not shared
    monkeypatch.setattr(processes, "size", lambda: 16)
    processes.check_gpus(8)
    with pytest.raises(ValueError, match="and this machine has 4: take 4 processes"):
        processes.check_gpus(4)
