"""What a method page says that the code knows: members, cost, results, decisions, papers."""

import inspect
import shutil
from collections.abc import Mapping
from pathlib import Path

from benchmark import published
from generate import example
from generate.families import Family, families
from generate.tables import number, percent, table
from zoo import registry

NO_RESULT = "The [example report](../example-report.md) has no result of this family yet.\n"


def write(folder: Path, counts: Mapping[str, list]) -> None:
    """Write the generated part of every family's page, and the table of all methods.

    Args:
        folder: to write into.
        counts: parameters in 10⁶ and GMACs by method.
    """
    for family in families():
        parts = [
            members(family, counts),
            decisions(family),
            results(family),
            pictures(family, folder),
        ]
        parts += [printed(family), functions(family), papers(family)]
        (folder / f"{family.key}.md").write_text("\n".join(parts), encoding="utf-8")
    (folder / "all.md").write_text(everything(counts), encoding="utf-8")


def members(family: Family, counts: Mapping[str, list]) -> str:
    """The family's methods with what they cost."""
    rows = [
        (f"`{name}`", _first_line(name), number(counts[name][0]), number(counts[name][1]))
        for name in family.methods
    ]
    return (
        "## Members and cost\n\n"
        "For one clip of 8 frames of 256 × 128 pixels on each method's own backbone, without the "
        "classifier; one multiply-add counts 1. Counted when this page was built.\n\n"
        + table(("method", "what", "parameters (M)", "GMACs"), rows, words=2)
    )


def decisions(family: Family) -> str:
    """What the module's docstring says, decisions included."""
    modules = dict.fromkeys(_module(name) for name in family.methods)
    blocks = [f"```{{eval-rst}}\n.. automodule:: {name}\n   :no-index:\n```\n" for name in modules]
    return (
        "## What is decided\n\nThe words of the code, with its equations and decisions.\n\n"
        + "\n".join(blocks)
    )


def results(family: Family) -> str:
    """What the example report measured."""
    found = example.scores(family.methods)
    text = "## Measured here\n\n"
    if not found:
        return text + NO_RESULT
    text += (
        "From the [example report](../example-report.md). **Drawings of people, not people**: it "
        "shows what a report looks like and ranks nobody. Compare within one table of the report "
        "only; † and other signs are explained there.\n\n"
    )
    for title in dict.fromkeys(row.table for row in found):
        rows = [
            (
                f"`{row.name}` {row.sign}",
                percent(row.mAP),
                "none" if row.mAP_interval is None else "–".join(map(percent, row.mAP_interval)),
                percent(row.R1),
                str(row.seeds),
                number(row.gmacs, 3),
            )
            for row in found
            if row.table == title
        ]
        head = ("method", "mAP (%)", "95 %", "R1 (%)", "seeds", "GMACs")
        text += f"{title}\n\n{table(head, rows)}\n"
    return text


def pictures(family: Family, folder: Path) -> str:
    """Where the family's methods looked, as the example report shows it."""
    found = example.attention_pictures(family.methods)
    if not found:
        return (
            "## Where it looks\n\nThe example report holds no picture of this family. "
            "`zoo inspect RUN --worst 5` draws them for a run of yours.\n"
        )
    text = "## Where it looks\n\nOn a query of the example report, drawn by `zoo inspect`.\n\n"
    for path in found:
        shutil.copyfile(path, folder / path.name)
        method = path.name.partition("-")[0]
        text += f"![Attention of {method}](../_generated/methods/{path.name})\n\n"
    return text


def printed(family: Family) -> str:
    """What the papers print of these methods on MARS."""
    cells = published.load()
    cells = cells[cells["method"].notna() & (cells["dataset"] == "mars")]
    cells = cells[[str(m).partition("[")[0] in family.methods for m in cells["method"]]]
    cells = cells[cells["metric"].isin(["R1", "mAP"])]
    if cells.empty:
        return ""
    rows = []
    for (paper, number_, row), group in cells.groupby(["paper", "table", "row"], sort=False):
        values = dict(zip(group["metric"], group["value"], strict=True))
        first = group.iloc[0]
        rows.append(
            (
                f"`{first['method']}`",
                str(first["system"]),
                f"{paper}, {published.table_name(number_)}, row {row}",
                number(values.get("mAP"), 1),
                number(values.get("R1"), 1),
            )
        )
    return (
        "## Printed in papers, on MARS\n\n"
        "**Not measured here.** Each under its paper's own recipe and rules, so these rows do not "
        "compare with the table above, nor always with each other.\n\n"
        + table(("method", "name in the paper", "where", "mAP (%)", "R1 (%)"), rows, words=3)
    )


def functions(family: Family) -> str:
    """The functions that build the networks."""
    blocks = "\n".join(
        f".. autofunction:: {_module(name)}.{name}\n   :no-index-entry:\n"
        for name in family.methods
    )
    return f"## From Python\n\n```{{eval-rst}}\n{blocks}```\n"


def papers(family: Family) -> str:
    """Titles and BibTeX entries."""
    text = "## Papers\n\n"
    for paper in family.papers:
        text += f"{', '.join(paper.authors)}: {paper.cited}\n\n```bibtex\n{paper.bibtex}\n```\n\n"
    return text


def everything(counts: Mapping[str, list]) -> str:
    """One table of all methods, with links to their pages."""
    rows = [
        (
            f"[`{name}`]({family.key}.md)",
            _first_line(name),
            family.papers[0].venue + (f" {family.papers[0].year}" if family.papers else ""),
            number(counts[name][0]),
            number(counts[name][1]),
        )
        for family in families()
        for name in family.methods
    ]
    return table(("method", "what", "of", "parameters (M)", "GMACs"), rows, words=3)


def _module(name: str) -> str:
    return registry.find(name)[0].__module__


def _first_line(name: str) -> str:
    return (inspect.getdoc(registry.find(name)[0]) or "").partition("\n")[0].replace("``", "`")
