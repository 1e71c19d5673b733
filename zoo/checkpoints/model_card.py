"""The model card of a checkpoint: README.md as the Hugging Face hub reads it."""

import json

from zoo import __version__
from zoo.checkpoints.table import Checkpoint

# licences that the hub knows by these names
KNOWN = ("apache-2.0", "mit", "bsd-3-clause", "cc-by-4.0", "cc-by-sa-4.0", "cc-by-nc-4.0")
KNOWN += ("cc-by-nc-sa-4.0", "cc0-1.0", "gpl-3.0", "unknown")
METRICS = ("mAP", "R1", "R5", "R10", "R20", "mINP")


def text(row: Checkpoint) -> str:
    """The whole card; the same row gives the same text."""
    return "\n".join(["---", *_front(row), "---", "", *_body(row)]) + "\n"


def _front(row: Checkpoint) -> list[str]:
    """Metadata. What JSON writes of a text or a number, YAML reads."""
    licence = row.licence.lower()
    known = licence in KNOWN
    lines = [f"license: {licence if known else 'other'}"]
    lines += [] if known else [f"license_name: {json.dumps(row.licence)}"]
    lines += [
        "library_name: video-reid-zoo",
        "tags:",
        "- person-re-identification",
        "- video",
        f"- {json.dumps(row.method)}",
        "model-index:",
        f"- name: {json.dumps(row.name)}",
        "  results:",
    ]
    for label, entry in row.scores().items():
        lines += [
            "  - task:",
            "      type: video-person-re-identification",
            "      name: Video person re-identification",
            "    dataset:",
            f"      type: {json.dumps(row.dataset)}",
            f"      name: {json.dumps(row.dataset)}",
            "    metrics:",
        ]
        for metric in METRICS:
            if metric in entry.metrics:
                lines += [
                    f"    - type: {metric}",
                    f"      name: {json.dumps(f'{metric} ({label})')}",
                    f"      value: {100 * entry.metrics[metric]:.2f}",
                ]
    return lines


def _body(row: Checkpoint) -> list[str]:
    trained = row.trained()
    command = trained.get("command")
    return [
        f"# {row.name}",
        "",
        f"`{row.method}` on `{row.backbone}`, trained on `{row.dataset}` with recipe "
        f"`{row.recipe}`. A clip becomes a vector; tracklets of one person lie close together.",
        "",
        "## Use",
        "```python",
        "import zoo  # of video-reid-zoo; ZOO_CHECKPOINTS=checkpoints.toml adds the row from here",
        "",
        f'model = zoo.load("{row.name}")',
        f"# clips [B, T, 3, {row.height}, {row.width}], float, mean {list(row.mean)}, "
        f"std {list(row.std)}",
        "vectors = model(clips).embedding",
        "```",
        f"Frames of a tracklet: `{row.frames}`. Distance: `{row.distance}`.",
        "",
        "## Scores",
        "As loaded from this file, in percent. A label names the scoring rules; numbers under two "
        "labels do not compare.",
        "",
        *_scores(row),
        "",
        "## Training",
        f"- Data set: `{row.dataset}`, fingerprint `{row.fingerprint or 'unknown'}`",
        f"- Origin: {row.origin}, with video-reid-zoo {__version__}",
        *([f"- Command: `{command}`"] if command else []),
        f"- Licence: {row.licence}",
        "",
        "## Limits",
        *(f"- {note}" for note in row.notes),
        "- Re-identification touches people's privacy: know the law, and whom you look for.",
        "",
        "## Files",
        f"- `{row.file}`: {row.bytes} bytes, sha256 `{row.sha256}`; float16, the statistics of "
        f"BatchNorm in float32; no classifier",
        "- `checkpoints.toml`: the row for a table of checkpoints; the `.json` files are its "
        "records",
    ]  # fmt: skip


def _scores(row: Checkpoint) -> list[str]:
    lines = ["| label | " + " | ".join(METRICS) + " | gallery | queries |"]
    lines.append("|---|" + "---:|" * (len(METRICS) + 2))
    for label, entry in row.scores().items():
        cells = [f"{100 * entry.metrics[m]:.2f}" if m in entry.metrics else "" for m in METRICS]
        lines.append(f"| `{label}` | {' | '.join(cells)} | {entry.gallery} | {entry.queries} |")
    return lines
