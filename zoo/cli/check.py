"""``zoo check``: put any method, ours or a plugin's, to the tests that ours pass."""

from typing import Annotated

import typer

from zoo.cli.options import Json, Plugin

EXAMPLES = """
zoo check stenvan
zoo check 'mine[width=64]' --plugin my_methods
"""


def check(
    method: Annotated[str, typer.Argument(help="Method to check.")],
    plugin: Plugin = None,
    backbone: Annotated[
        str | None, typer.Option(help="timm network [default: a narrow twin of the method's own].")
    ] = None,
    json: Json = False,
) -> int:
    """Check shapes, neck, gradients, batch independence, other T and sizes, and the GMACs."""
    from zoo.cli.display import show
    from zoo.tools.check_method import run_checks

    results = run_checks(method, backbone)
    rows = [
        {"check": r.name, "result": "pass" if r.passed else "FAIL", "detail": r.detail}
        for r in results
    ]
    show(rows, as_json=json)
    return 0 if all(r.passed for r in results) else 1
