"""The page of commands: every command's own help."""

import click
import typer

from generate.tables import table
from zoo.cli.app import build
from zoo.cli.help import COMMANDS

WIDTH = 88


def text() -> str:
    """A section for each command, in the order of ``zoo --help``."""
    program = typer.main.get_command(build())
    known = program.commands
    overview = [
        (f"[`zoo {name}`](#zoo-{name})", known[name].get_short_help_str(200), group)
        for group, names in COMMANDS.items()
        for name in names
    ]
    parts = [table(("command", "what it does", "group"), overview, words=3)]
    for names in COMMANDS.values():
        for name in names:
            parts += _sections(known[name], f"zoo {name}")
    return "\n".join(parts)


def _sections(command: click.Command, path: str) -> list[str]:
    """Its help, and that of its own commands."""
    context = click.Context(command, info_name=path, terminal_width=WIDTH, max_content_width=WIDTH)
    anchor = path.replace(" ", "-")
    found = [f"({anchor})=\n## {path}\n\n```text\n{command.get_help(context).strip()}\n```\n"]
    for name, below in sorted(getattr(command, "commands", {}).items()):
        found += _sections(below, f"{path} {name}")
    return found
