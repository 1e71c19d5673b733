"""The command line as a whole: help, exit status and errors in one line."""

import contextlib
import os
import signal
import subprocess
import sys
import time
import warnings

import psutil
import pytest

from benchmark import interrupts
from zoo.cli import app


@pytest.fixture
def failing(monkeypatch):
    """Make `zoo cache` raise an error."""

    def set_error(error):
        def cached(*_, **__):
            raise error

        monkeypatch.setattr("zoo.checkpoints.cache.cached_files", cached)

    return set_error


@pytest.mark.parametrize(
    ("error", "status", "says"),
    [
        (ValueError("T = 6\n does not fit"), 2, "zoo: T = 6 does not fit"),
        (LookupError("no such name"), 2, "zoo: no such name"),
        (FileNotFoundError("x is missing"), 1, "zoo: x is missing"),
        (RuntimeError("diverged"), 1, "zoo: diverged"),
        (TypeError("oh"), 1, "zoo: TypeError: oh (a bug in zoo: ZOO_DEBUG=1 shows where)"),
        (KeyboardInterrupt(), 130, "zoo: interrupted; the same command goes on from here"),
    ],
)
def test_an_error_is_one_line_and_a_status(call, failing, error, status, says):
    failing(error)
    assert call("cache") == (status, "", f"{says}\n")


def test_debugging_shows_the_traceback(call, failing, monkeypatch):
    monkeypatch.setenv("ZOO_DEBUG", "1")
    failing(TypeError("oh"))
    with pytest.raises(TypeError, match="oh"):
        app.build()(["cache"], standalone_mode=False)


def test_help_names_every_command():
    code = "import sys; sys.argv = ['zoo', '--help']; from zoo.cli.app import main; main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0
    for command in app.build().registered_commands:
        assert f" {command.name} " in done.stdout


def test_a_command_s_help_has_an_example(call):
    for command in app.build().registered_commands:
        status, out, _ = call(command.name, "--help")
        assert status == 0 and f"zoo {command.name}" in out, command.name


def test_warnings_of_libraries_are_kept_from_the_user(call):
    with warnings.catch_warnings():
        call("list", "protocols")
        assert any(
            action == "ignore" and kind is FutureWarning for action, _, kind, *_ in warnings.filters
        )


def started(*words, before="", **how):
    """Zoo in a process of its own, with code that runs before it."""
    code = f"import sys; sys.argv = {['zoo', *map(str, words)]!r}\n{before}\n"
    code += "from zoo.cli.app import main; main()"
    return subprocess.Popen([sys.executable, "-c", code], text=True, **how)


INTERRUPT_AT_IMPORT = """
import os, signal, sys
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == {name!r}:
            sys.meta_path.remove(self)
            os.kill(os.getpid(), signal.{signal})
sys.meta_path.insert(0, Finder())
"""


@pytest.mark.parametrize(
    ("name", "signal", "status"),
    [("zoo.cli.bench", "SIGINT", 130), ("torch._C", "SIGINT", 130), ("scipy.io", "SIGTERM", 143)],
)
def test_an_interrupt_within_an_import_is_one_line(name, signal, status):
    before = INTERRUPT_AT_IMPORT.format(name=name, signal=signal)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = started("bench", "--dry-run", "--dataset", "mars", before=before, **pipes)
    assert process.communicate() == ("", f"{INTERRUPTED}\n") and process.returncode == status


INTERRUPTED = "zoo: interrupted; the same command goes on from here"


def test_an_interrupt_that_a_library_swallowed_is_none_that_is_forgotten(call, monkeypatch):
    def swallowed(*_, **__):
        with contextlib.suppress(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGTERM)
        return []

    monkeypatch.setattr(interrupts, "ignore", lambda: None)
    monkeypatch.setattr("zoo.checkpoints.cache.cached_files", swallowed)
    status, _, err = call("cache")
    assert status == 143 and err.splitlines()[-1] == INTERRUPTED


def test_a_reader_that_has_gone_ends_a_command_without_a_word():
    reader, writer = os.pipe()
    os.close(reader)
    process = started("list", "methods", stdout=writer, stderr=subprocess.PIPE)
    os.close(writer)
    assert process.communicate()[1] == "" and process.returncode == 1


def test_closed_outputs_are_no_bug():
    before = "sys.stdout = sys.stderr = None"
    process = started("list", "protocols", before=before, stderr=subprocess.PIPE)
    assert process.communicate()[1] == "" and process.returncode == 0


def test_a_full_disk_behind_the_output_is_one_line():
    with open("/dev/full", "w") as full:
        process = started("list", "protocols", stdout=full, stderr=subprocess.PIPE)
        assert process.communicate()[1] == "zoo: [Errno 28] No space left on device\n"
    assert process.returncode == 1


# ---- while other processes work ------------------------------------------------------------------


def rendering(root):
    """A zoo that renders a set with two processes, once they have begun; and those processes."""
    words = ["data", "make", "synthetic", "--data-root", root]
    before = "import benchmark.processors as p; p.processors = lambda: 2"
    process = started(*words, before=before, stderr=subprocess.PIPE, start_new_session=True)
    while not any(root.rglob("*.jpg")):
        assert process.poll() is None
        time.sleep(0.05)
    return process, psutil.Process(process.pid).children(recursive=True)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "status"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_an_interrupted_rendering_leaves_neither_processes_nor_parts(tmp_path, name, status):
    process, children = rendering(tmp_path)
    os.killpg(process.pid, getattr(signal, name))  # a terminal sends it to all of them
    said = process.communicate()[1]
    assert process.returncode == status and said.splitlines()[-1] == INTERRUPTED
    assert "Traceback" not in said
    assert len(children) == 2 and not psutil.wait_procs(children, timeout=20)[1]
    assert [path.name for path in tmp_path.iterdir() if "part" in path.name] == []


@pytest.mark.slow
def test_the_processes_of_a_killed_rendering_end_by_themselves(tmp_path):
    process, children = rendering(tmp_path)
    process.kill()
    assert not psutil.wait_procs(children, timeout=60)[1]
    assert "Traceback" not in process.communicate()[1]
