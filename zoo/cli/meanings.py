"""What the fields of a dataclass mean, as its docstring says it."""

import inspect
import re

_FIELD = re.compile(r"    (\w+): (.*)")


def meanings(documented: type) -> dict[str, str]:
    """The lines of the section ``Attributes:`` by field, without marks of code.

    Args:
        documented: a class with such a section; without docstrings (``python -OO``) there is none.
    """
    text = inspect.getdoc(documented) or ""
    section = text.partition("\nAttributes:\n")[2].partition("\n\n")[0]
    found: dict[str, list[str]] = {}
    for line in section.splitlines():
        if field := _FIELD.fullmatch(line):
            found[field[1]] = [field[2]]
        elif found:
            found[list(found)[-1]].append(line.strip())
    return {name: " ".join(lines).replace("`", "") for name, lines in found.items()}
