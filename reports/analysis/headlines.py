"""What a table is called, in Markdown and in plain words."""

from collections.abc import Sequence

from reports.analysis.groups import Group, Key
from reports.analysis.markup import code, names, plain


def headline(key: Key, tables: Sequence[Group]) -> str:
    """Data set, level of comparison with its recipe, and label, in Markdown.

    The fingerprint stands with the data set where several go by its name.
    """
    prints = {group.key.fingerprint for group in tables if group.key.dataset == key.dataset}
    bits = f" ({code(key.fingerprint)})" if len(prints) > 1 else ""
    source = f"trained on {code(key.source)}" if key.source else ""
    parts = (code(key.dataset) + bits, source, _level(key), code(key.label))
    return " · ".join(part for part in parts if part)


def _level(key: Key) -> str:
    if key.level == "paper":
        return "each method's own recipe"
    if key.level == "tuned":
        return f"tuned for each method, from {code(key.training.removeprefix('tuned '))}"
    return f"shared recipe {code(key.training)}"


def plain_headline(key: Key, tables: Sequence[Group]) -> str:
    """The same without Markdown, for figures and other formats."""
    return plain(headline(key, tables))


def title_of(tables: Sequence[Group]) -> str:
    """Methods and data sets of a report, in Markdown."""
    if not tables:
        return "No results"
    methods = {name for group in tables for name in group.rows["method"]}
    sets = list(dict.fromkeys(group.key.dataset for group in tables))
    count = f"{len(methods)} methods" if len(methods) > 1 else code(next(iter(methods)))
    return f"{count} on {names(sets)}"
