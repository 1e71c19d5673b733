"""Help: every command and option in a group, nothing cut short, examples as they are typed."""

import pytest

import zoo
from zoo.cli.app import build
from zoo.cli.help import COMMANDS, OPTIONS


def names_of_commands():
    from typer.main import get_command

    return set(get_command(build()).commands)


def test_every_command_is_in_one_group():
    grouped = [name for names in COMMANDS.values() for name in names]
    assert sorted(grouped) == sorted(names_of_commands())


def test_every_option_that_is_grouped_is_one_of_a_command():
    from typer.main import get_command

    commands = get_command(build()).commands.values()
    known = {one.name for command in commands for one in command.params}
    assert {name for names in OPTIONS.values() for name in names} <= known


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_no_description_is_cut_at_80_columns(call, monkeypatch, flag):
    monkeypatch.setenv("COLUMNS", "80")
    status, out, _ = call(flag)
    assert status == 0 and "..." not in out.replace("[ARGS]...", "")
    assert "Choose settings for each method on held-out training persons" in " ".join(out.split())
    assert max(map(len, out.splitlines())) <= 80


def test_the_terminal_s_width_is_used(call, monkeypatch):
    widths = {}
    for columns in ("80", "118"):
        monkeypatch.setenv("COLUMNS", columns)
        widths[columns] = max(map(len, call("-h")[1].splitlines()))
    assert widths["80"] <= 80 < widths["118"] <= 118


def test_examples_stand_a_line_each_as_they_are_typed(call, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    _, out, _ = call("bench", "-h")
    line = "  zoo bench --dataset folder --data-root ~/tracklets --set epochs=10 --dry-run"
    assert line in out.splitlines()


def test_options_stand_in_groups(call):
    _, out, _ = call("bench", "--help")
    titles = [line for line in out.splitlines() if line.endswith(":") and line[0] != " "]
    assert titles == ["Options:", *(f"{title}:" for title in OPTIONS), "Examples:"]


@pytest.mark.parametrize("group", [(), ("data",), ("convert",)])
def test_a_group_of_commands_alone_prints_its_help(call, group):
    status, out, err = call(*group)
    assert ((status, err) == (0, "") and out.startswith("Usage: ") and "Examples" in out) or group


def test_the_version_is_that_of_the_package(call):

    assert call("--version")[:2] == (0, f"{zoo.__version__}\n")
