"""The command line as a whole: help, exit status and errors in one line."""

import subprocess
import sys
import warnings

import pytest

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
        app.app(["cache"], standalone_mode=False)


def test_help_names_every_command():
    code = "import sys; sys.argv = ['zoo', '--help']; from zoo.cli.app import main; main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0
    for command in app.app.registered_commands:
        assert f" {command.name} " in done.stdout


def test_a_command_s_help_has_an_example(call):
    for command in app.app.registered_commands:
        status, out, _ = call(command.name, "--help")
        assert status == 0 and f"zoo {command.name}" in out, command.name


def test_warnings_of_libraries_are_kept_from_the_user(call):
    with warnings.catch_warnings():
        call("list", "protocols")
        assert any(
            action == "ignore" and kind is FutureWarning for action, _, kind, *_ in warnings.filters
        )
