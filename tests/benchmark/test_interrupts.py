"""Signals, for a program and the processes that it starts."""

import os
import signal
import subprocess
import sys

import psutil
import pytest

from benchmark import interrupts
from benchmark.interrupts import Terminated, deaf, end_with_parent, listen, received


@pytest.fixture(autouse=True)
def handlers():
    """What the tests change is put back."""
    before = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
    interrupts._received.clear()


@pytest.mark.parametrize(
    ("number", "error"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, Terminated)]
)
def test_a_signal_raises_and_is_remembered(number, error):
    listen()
    assert received() is None
    with pytest.raises(error):
        os.kill(os.getpid(), number)
    assert received() == number
    listen()
    assert received() is None


def test_a_signal_that_was_ignored_stays_so():
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    listen()
    os.kill(os.getpid(), signal.SIGINT)
    assert received() is None


def test_a_deaf_process_does_not_hear_of_an_interrupt_and_ours_does_afterwards():
    listen()
    code = "import os, signal; os.kill(os.getpid(), signal.SIGINT); print('on')"
    with pytest.raises(KeyboardInterrupt), deaf():
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        os.kill(os.getpid(), signal.SIGINT)
    assert done.stdout == "on\n" and received() == signal.SIGINT


def test_a_process_ends_with_its_parent():
    child = "import time; from benchmark.interrupts import end_with_parent; "
    child += (
        "import os; end_with_parent(os.getppid()); print(os.getpid(), flush=True); time.sleep(300)"
    )
    code = f"import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', {child!r}], "
    code += "stdout=subprocess.PIPE); print(p.stdout.readline().decode(), flush=True)"
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    number = int(done.stdout)
    if psutil.pid_exists(number):
        assert not psutil.wait_procs([psutil.Process(number)], timeout=60)[1]


def test_a_process_whose_parent_lives_goes_on(monkeypatch):
    monkeypatch.setattr(interrupts.os, "_exit", lambda _: pytest.fail("it has ended"))
    end_with_parent(os.getppid())
