"""The model card of a checkpoint: README.md as the Hugging Face hub reads it."""

import json
import re

from zoo import __version__
from zoo.checkpoints.checkpoint import Checkpoint

# licences that the hub knows by these names
KNOWN = ("apache-2.0", "mit", "bsd-3-clause", "cc-by-4.0", "cc-by-sa-4.0", "cc-by-nc-4.0")
KNOWN += ("cc-by-nc-sa-4.0", "cc0-1.0", "gpl-3.0", "unknown")
METRICS = ("mAP", "R1", "R5", "R10", "R20", "mINP")


def text(checkpoint: Checkpoint) -> str:
    """The whole card; the same checkpoint gives the same text."""
    return "\n".join(["---", *_front(checkpoint), "---", "", *_body(checkpoint)]) + "\n"


def _front(checkpoint: Checkpoint) -> list[str]:
    """Metadata. What JSON writes of a text or a number, YAML reads."""
    licence = checkpoint.licence.lower()
    known = licence in KNOWN
    lines = [f"license: {licence if known else 'other'}"]
    lines += [] if known else [f"license_name: {json.dumps(checkpoint.licence)}"]
    lines += [
        "library_name: video-reid-zoo",
        "tags:",
        "- person-re-identification",
        "- video",
        f"- {json.dumps(checkpoint.method)}",
        "model-index:",
        f"- name: {json.dumps(checkpoint.name)}",
        "  results:",
    ]
    for label, entry in checkpoint.scores().items():
        lines += [
            "  - task:",
            "      type: video-person-re-identification",
            "      name: Video person re-identification",
            "    dataset:",
            f"      type: {json.dumps(checkpoint.dataset)}",
            f"      name: {json.dumps(checkpoint.dataset)}",
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


def _body(c: Checkpoint) -> list[str]:
    trained = c.trained()
    command = trained.get("command")
    return [
        f"# {c.name}",
        "",
        f"`{c.method}` on `{c.backbone}`, trained on `{c.dataset}` with recipe `{c.recipe}`. A "
        "clip becomes a vector; tracklets of one person lie close together.",
        "",
        "## Use",
        "```python",
        "import zoo  # of video-reid-zoo; ZOO_CHECKPOINTS=checkpoints.toml adds this one",
        "",
        f'model = zoo.load("{c.name}")',
        f"# clips [B, T, 3, {c.height}, {c.width}], float, mean {list(c.mean)}, std {list(c.std)}",
        "vectors = model(clips).embedding",
        "```",
        f"Frames of a tracklet: `{c.frames}`. Distance: `{c.distance}`.",
        "",
        "## Scores",
        "As loaded from this file, in percent. A label names the scoring rules; numbers under two "
        "labels do not compare.",
        "",
        *_scores(c),
        "",
        "## Training",
        f"- Data set: `{c.dataset}`, fingerprint `{c.fingerprint or 'unknown'}`",
        f"- Origin: {c.origin}, with video-reid-zoo {__version__}",
        *([f"- Command: `{command}`"] if command else []),
        *_backbone_origin(c),
        f"- Licence: {c.licence}",
        "",
        "## Limits",
        *(f"- {note}" for note in c.notes),
        *_backbone_limits(c),
        "- Re-identification touches people's privacy: know the law, and whom you look for.",
        "",
        "## Files",
        f"- `{c.file}`: {c.bytes} bytes, sha256 `{c.sha256}`; float16, the statistics of BatchNorm "
        "in float32; no classifier",
        "- `checkpoints.toml`: the entry for a table of checkpoints; the `.json` files are its "
        "records",
    ]  # fmt: skip


def _clip_tower(c: Checkpoint) -> str | None:
    """Timm's name of OpenAI's weights for the backbone; None if it is no tower of theirs."""
    found = re.match(r"(vit_\w*_clip_\w+)(\.openai\w*)?(?![\w.])", c.backbone)
    return found and f"{found[1]}{found[2] or '.openai'}"


def _backbone_origin(c: Checkpoint) -> list[str]:
    tower = _clip_tower(c)
    if tower is None:
        return []
    return [
        f"- Image tower: CLIP's, as timm's `{tower}`, from openai/CLIP; its licence is MIT, as its "
        "repository states"
    ]


def _backbone_limits(c: Checkpoint) -> list[str]:
    if _clip_tower(c) is None:
        return []
    return [
        "- CLIP's own model card (openai/CLIP, `model-card.md`) puts surveillance and facial "
        "recognition out of scope, regardless of performance: what this network does is close to "
        "both."
    ]


def _scores(c: Checkpoint) -> list[str]:
    lines = ["| label | " + " | ".join(METRICS) + " | gallery | queries |"]
    lines.append("|---|" + "---:|" * (len(METRICS) + 2))
    for label, entry in c.scores().items():
        cells = [f"{100 * entry.metrics[m]:.2f}" if m in entry.metrics else "" for m in METRICS]
        lines.append(f"| `{label}` | {' | '.join(cells)} | {entry.gallery} | {entry.queries} |")
    return lines
