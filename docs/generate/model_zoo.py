"""The page of the model zoo, from the table of checkpoints."""

from pathlib import Path

from benchmark.published.bibliography import paper_of
from benchmark.record import Record
from generate.families import page_of
from generate.tables import number, percent, table
from zoo.checkpoints.checkpoint import Checkpoint
from zoo.checkpoints.table import TABLE, read_table

HEAD = ("checkpoint", "mAP (%)", "R1 (%)", "parameters (M)", "GMACs", "MB", "label")


def write(folder: Path, source: Path = TABLE) -> None:
    """Write the tables and a section for each checkpoint.

    Args:
        folder: to write into.
        source: table of checkpoints.
    """
    found = list(read_table(source).values())
    packaged = [one for one in found if not one.manual]
    manual = [one for one in found if one.manual]
    text = (
        "## With the package\n\n"
        "Measured by this project; each score is read from a committed record. Trained on "
        "**drawings of people**: they show the road, and are not meant for real people.\n\n"
        + table(
            HEAD,
            (_row(one, *score) for one in packaged for score in one.scores().items()),
            words=1,
        )
        + "\n## Released by the authors\n\n"
        "**Published figures, not measured here**: the authors' own, under their own rules. A "
        "person has to fetch the file.\n\n"
        + table(
            HEAD,
            (_row(one, *score) for one in manual for score in one.scores().items()),
            words=1,
        )
        + "\n## One by one\n\n"
        + "\n".join(_section(one) for one in found)
    )
    (folder / "checkpoints.md").write_text(text, encoding="utf-8")


def _row(checkpoint: Checkpoint, label: str, record: Record) -> tuple[str, ...]:
    cost = record.cost or {}
    return (
        f"[`{checkpoint.name}`](#{_anchor(checkpoint)})",
        percent(record.metrics.get("mAP")),
        percent(record.metrics.get("R1")),
        number(cost.get("params_m")),
        number(cost.get("gmacs"), 3),
        "" if checkpoint.bytes is None else number(checkpoint.bytes / 1e6, 1),
        f"`{label}`",
    )


def _anchor(checkpoint: Checkpoint) -> str:
    return "checkpoint-" + checkpoint.name.replace(".", "-").replace("_", "-")


def _section(checkpoint: Checkpoint) -> str:
    method = checkpoint.method.partition("[")[0]
    paper, page = paper_of(method), page_of(method)
    facts = [
        (
            "method",
            f"[`{checkpoint.method}`](methods/{page}.md)" if page else f"`{checkpoint.method}`",
        ),
        ("backbone", f"`{checkpoint.backbone}`"),
        (
            "trained on",
            f"`{checkpoint.dataset}`, recipe `{checkpoint.recipe}`, seed {checkpoint.seed}",
        ),
        ("clips", f"`{checkpoint.frames}`, {checkpoint.height} × {checkpoint.width} pixels"),
        ("distance", f"`{checkpoint.distance}`"),
        ("licence", checkpoint.licence),
        ("origin", checkpoint.origin),
        ("paper", paper.cited if paper else ""),
        (
            "sha256",
            f"`{checkpoint.sha256}`" if checkpoint.sha256 else "not known before it is converted",
        ),
        (
            "how to get it",
            f"`zoo pull {checkpoint.name}`" if checkpoint.how is None else checkpoint.how,
        ),
        ("to know", "; ".join(checkpoint.notes)),
    ]
    rows = [(name, value) for name, value in facts if value]
    return f"({_anchor(checkpoint)})=\n### {checkpoint.name}\n\n{table(('', ''), rows, words=2)}"
