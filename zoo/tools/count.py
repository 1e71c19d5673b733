"""Counted costs of methods: beside the papers' figures, part by part, and as clips grow."""

import contextlib
import copy
import functools
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import pandas as pd
import torch
from torch import nn

from benchmark import published, variants
from benchmark.cost.macs import Count, count, count_gmacs
from benchmark.files import write_whole
from reports.figures.film_strips import save
from reports.figures.plots import growth as draw_growth
from zoo import registry
from zoo.backbones import build_backbone

GIB = 2**30 / 1e9  # papers may mean this by G
FRAMES, SIZE = 8, (256, 128)
GROWN = ((2, 256), (4, 256), (8, 128), (8, 192))  # T and height beside 8 and 256

OnProgress = Callable[[str, int, int], None]


def printed() -> dict[str, list[dict]]:
    """The papers' cost figures by method: paper and table, GFLOP as printed, frames."""
    found: dict[str, list[dict]] = {}
    rows = published.load()
    for row in rows[(rows["metric"] == "GFLOP") & rows["method"].notna()].to_dict("records"):
        name = str(registry.find(row["method"])[1])
        where = f"{row['paper']}/{row['table']}"
        found.setdefault(name, []).append(
            {"table": where, "gflop": row["value"], "frames": int(row["frames"])}
        )
    return found


def with_printed(names: Iterable[str]) -> list[str]:
    """These methods, each followed by its variants that a paper gives a figure for."""
    names, extra = list(names), list(printed())
    wanted = []
    for name in names:
        own = [one for one in extra if variants.parse(one).name == name]
        wanted += [name, *own]
    return list(dict.fromkeys(wanted))


def count_methods(
    names: Iterable[str], backbone: str | None, on_progress: OnProgress
) -> tuple[dict[str, Count], list[dict]]:
    """Each method at 8 frames of 256 × 128 pixels, the papers' clip, and its growth from there.

    Returns:
        Counts by method, and long rows of `growth`.
    """
    names, counts, grown = list(names), {}, []
    for done, name in enumerate(names):
        on_progress("count", done, len(names))
        model = _create(name, backbone, SIZE)
        counts[name] = count(model, torch.zeros(1, FRAMES, 3, *SIZE))
        grown += growth(name, backbone, model, counts[name].gmacs)
    on_progress("count", len(names), len(names))
    return counts, grown


def _create(name: str, backbone: str | None, size: tuple[int, int]) -> nn.Module:
    """A method on a copy of its backbone: drawing new weights would take as long as counting."""
    trunk = _backbone(backbone or registry.own_backbone(registry.find(name)[0]))
    return registry.create(name, backbone=copy.deepcopy(trunk), size=size)


@functools.cache
def _backbone(name: str) -> nn.Module:
    return build_backbone(name)


def growth(name: str, backbone: str | None, model: nn.Module, gmacs: float) -> list[dict]:
    """GMACs as T grows at 256 × 128 pixels, and as the image grows at 8 frames.

    Args:
        name: the method, made anew for each size of image.
        backbone: its backbone, or None for its own.
        model: the method at 256 × 128 pixels; clips of any length are counted with it.
        gmacs: what it takes for 8 frames.

    Returns:
        One row a clip; a clip that the method does not take has none.
    """
    found = {(FRAMES, *SIZE): gmacs}
    for frames, height in GROWN:
        size = (height, height // 2)
        with contextlib.suppress(ValueError):
            grown = model if size == SIZE else _create(name, backbone, size)
            found[frames, *size] = count_gmacs(grown, torch.zeros(1, frames, 3, *size))
    return [
        {
            "method": name,
            "clip": f"{frames}x{height}x{width}",
            "frames": frames,
            "height": height,
            "width": width,
            "gmacs": round(gmacs, 3),
        }
        for (frames, height, width), gmacs in sorted(found.items())
    ]


def against(counts: dict[str, Count]) -> list[dict]:
    """One row a method and printed figure; the ratios are ours by theirs, blank without theirs."""
    theirs, rows = printed(), []
    for name, one in counts.items():
        row = {
            "method": name,
            "params_m": round(one.params_m, 3),
            "gmacs": round(one.gmacs, 3),
            "activations_m": round(one.activations_m, 2),
            "frames": one.frames,
            "height": one.height,
            "width": one.width,
        }
        figures: dict[float, list[str]] = {}
        for figure in theirs.get(name, []):
            if figure["frames"] == one.frames:
                figures.setdefault(figure["gflop"], []).append(figure["table"])
        for gflop, tables in figures.items() or [(None, [])]:
            ratios = [None, None] if gflop is None else [one.gmacs, one.gmacs / GIB]
            rows.append(
                row
                | {"paper": " ".join(tables) or None, "printed_gflop": gflop}
                | {
                    unit: None if ratio is None else round(ratio / gflop, 4)
                    for unit, ratio in zip(("ratio_1e9", "ratio_2^30"), ratios, strict=True)
                }
            )
    return rows


def parts(counts: dict[str, Count]) -> list[dict]:
    """Long rows: method, part (stem, stage, attention layer), GMACs and share of the whole."""
    return [
        {
            "method": name,
            "part": part,
            "gmacs": round(gmacs, 4),
            "percent": round(100 * gmacs / one.gmacs, 2),
        }
        for name, one in counts.items()
        for part, gmacs in one.parts.items()
    ]


def wide(rows: Sequence[dict], column: str) -> list[dict]:
    """GMACs of long rows with a column for each part or clip, a row a method; blank where none."""
    names = dict.fromkeys(row[column] for row in rows)
    found: dict[str, dict] = {}
    for row in rows:
        one = found.setdefault(row["method"], {"method": row["method"], **dict.fromkeys(names)})
        one[row[column]] = row["gmacs"]
    return list(found.values())


def write(
    out: Path, rows: Sequence[dict], pieces: Sequence[dict], grown: Sequence[dict]
) -> list[Path]:
    """Write the three tables and the plot of the last into a folder; returns the files."""
    out.mkdir(parents=True, exist_ok=True)
    written = []
    for name, table in (("published", rows), ("parts", pieces), ("growth", grown)):
        text = pd.DataFrame(table).to_csv(index=False)
        written.append(out / f"{name}.csv")
        write_whole(written[-1], lambda part, text=text: part.write_text(text, encoding="utf-8"))
    written.append(out / "growth.png")
    save(draw_growth(pd.DataFrame(grown), FRAMES, SIZE[0]), written[-1])
    return written
