"""Costs of methods without any data: measured, or counted beside the papers' figures.

A method that does not take such clips is named in a line, and the others go on.
"""

import contextlib
import copy
import functools
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pandas as pd
import torch
from torch import nn

from benchmark import published, variants
from benchmark.cost.macs import Count, count, count_gmacs
from benchmark.cost.timing import Cost, measure
from benchmark.files import write_whole
from benchmark.progress import SILENT, Progress
from reports.figures.film_strips import save
from reports.figures.plots import growth as draw_growth
from zoo import registry
from zoo.backbones import build_backbone
from zoo.experiment.faults import place_in_method, reason_of

GIB = 2**30 / 1e9  # papers may mean this by G
FRAMES, SIZE = 8, (256, 128)
GROWN = ((2, 256), (4, 256), (8, 128), (8, 192))  # T and height beside 8 and 256


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


def measure_methods(
    names: Iterable[str],
    frames: int,
    size: tuple[int, int],
    *,
    backbone: str | None = None,
    device: torch.device,
    precision: str = "no",
    progress: Progress = SILENT,
) -> dict[str, Cost]:
    """What each method costs for one clip, counted and timed; those that it does not fit are noted.

    Args:
        names: variants.
        frames: T.
        size: height and width in pixels.
        backbone: timm network; None is each method's own.
        device: where to time.
        precision: ``no``, ``fp16`` or ``bf16``.
        progress: is told of each method.

    Raises:
        LookupError: there is no such method or backbone.
    """
    costs = {}
    for name in _each(names, "cost", progress):
        with _noted(name, progress):
            model = _create(name, backbone, size, frames)
            costs[name] = measure(model, frames, *size, device, precision)
    return costs


def count_methods(
    names: Iterable[str], backbone: str | None = None, progress: Progress = SILENT
) -> tuple[dict[str, Count], list[dict]]:
    """Each method at 8 frames of 256 × 128 pixels, the papers' clip, and its growth from there.

    Returns:
        Counts by method, and long rows of `growth`.

    Raises:
        LookupError: there is no such method or backbone.
    """
    counts, grown = {}, []
    for name in _each(names, "count", progress):
        with _noted(name, progress):
            model = _create(name, backbone, SIZE, FRAMES)
            counts[name] = count(model, torch.zeros(1, FRAMES, 3, *SIZE))
            grown += growth(name, backbone, model, counts[name].gmacs)
    return counts, grown


def _each(names: Iterable[str], what: str, progress: Progress) -> Iterator[str]:
    """The names one by one, with progress."""
    names = list(names)
    for done, name in enumerate(names):
        progress.advance(what, done, len(names))
        yield name
    progress.advance(what, len(names), len(names))


@contextlib.contextmanager
def _noted(name: str, progress: Progress) -> Iterator[None]:
    """Note in a line that a method does not fit, instead of ending there."""
    try:
        yield
    except Exception as error:  # whatever a method's code may raise
        if isinstance(error, LookupError) and place_in_method(error) is None:
            raise  # there is no such method or backbone
        progress.note(f"{name}: left out: {reason_of(error)}")


def _create(name: str, backbone: str | None, size: tuple[int, int], frames: int) -> nn.Module:
    """A method on a copy of its backbone: drawing new weights would take as long as counting."""
    trunk = _backbone(backbone or registry.own_backbone(registry.find(name)[0]))
    return registry.create(name, backbone=copy.deepcopy(trunk), size=size, frames=frames)


@functools.cache
def _backbone(name: str) -> nn.Module:
    return build_backbone(name)


def growth(name: str, backbone: str | None, model: nn.Module, gmacs: float | None) -> list[dict]:
    """GMACs as T grows at 256 × 128 pixels, and as the image grows at 8 frames.

    Args:
        name: the method.
        backbone: its backbone, or None for its own.
        model: the method for 8 frames of 256 × 128 pixels; it is made anew only for clips that it
            must be built for.
        gmacs: what it takes for 8 frames; None where that cannot be counted.

    Returns:
        One row a clip; a clip that the method does not take has none, nor has one that cannot be
        counted.
    """
    if gmacs is None:
        return []
    found = {(FRAMES, *SIZE): gmacs}
    built_for = variants.parameters(registry.find(name)[0])
    for frames, height in GROWN:
        size = (height, height // 2)
        with contextlib.suppress(ValueError):
            anew = ("height" in built_for and size != SIZE) or (
                "frames" in built_for and frames != FRAMES
            )
            grown = _create(name, backbone, size, frames) if anew else model
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
            "gmacs": _rounded(one.gmacs, 3),
            "uncounted": " ".join(one.uncounted) or None,
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
            ratio = None if gflop is None or one.gmacs is None else one.gmacs / gflop
            rows.append(
                row
                | {
                    "paper": " ".join(tables) or None,
                    "printed_gflop": gflop,
                    "ratio_1e9": _rounded(ratio, 4),
                    "ratio_2^30": _rounded(ratio and ratio / GIB, 4),
                }
            )
    return rows


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


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
    """Write the three tables and a plot of the last, if it has rows; returns the files."""
    out.mkdir(parents=True, exist_ok=True)
    written = []
    for name, table in (("published", rows), ("parts", pieces), ("growth", grown)):
        text = pd.DataFrame(table).to_csv(index=False)
        written.append(out / f"{name}.csv")
        write_whole(written[-1], lambda part, text=text: part.write_text(text, encoding="utf-8"))
    if grown:
        written.append(out / "growth.png")
        save(draw_growth(pd.DataFrame(grown), FRAMES, SIZE[0]), written[-1])
    return written
