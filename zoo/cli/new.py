"""``zoo new``: a method, data set or recipe of one's own to start from, with its test."""

from pathlib import Path
from typing import Annotated

import typer

from zoo.cli.options import Plugin

EXAMPLES = """
zoo new method mine
zoo new dataset airport --into plugins
zoo new recipe longer
"""


def new(
    kind: Annotated[str, typer.Argument(help="method, dataset or recipe.")],
    name: Annotated[str, typer.Argument(help="Its name, and the file's.")],
    into: Annotated[
        Path, typer.Option(path_type=Path, help="Folder to write into; made if need be.")
    ] = Path(),
    plugin: Plugin = None,
) -> int:
    """Write a plugin to start from, with its test; say what to type next."""
    from zoo.tools.new_plugin import next_commands, write_plugin

    paths = write_plugin(kind, name, into)
    print(f"wrote {' and '.join(map(str, paths))}; next:")
    for command in next_commands(kind, name, paths):
        print(f"  {command}")
    return 0
