"""What a run did with a query: frames, ranking and the method's own attention, as arrays.

Everything is made again from what the run left behind, its weights and embeddings, so that the
pictures show the numbers of the record. `reports.figures` draws them.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import nn

from benchmark.datasets.base import JUNK, Tracklet
from benchmark.pixels import normalise, read_clip
from benchmark.progress import SILENT, Progress
from benchmark.ranking import distance_blocks
from benchmark.recipe import DISTANCES
from benchmark.rules import PROTOCOLS
from reports.read.attention_kinds import kind_of
from reports.read.inspection import Inspection, Strip
from zoo.experiment.network import load_weights
from zoo.tools.inspected_run import InspectedRun

SHOWN_HEIGHT = 128  # pixels of a frame in a picture, at the most
MOST_JUNK = 2  # junk tracks shown among the others
_NONE = "no attention is drawn: the method has none to show"


def inspect(
    run: InspectedRun,
    queries: Sequence[int],
    *,
    top: int,
    device: str,
    progress: Progress = SILENT,
) -> list[Inspection]:
    """Look at each query.

    Args:
        run: the finished run.
        queries: rows of test tracks.
        top: how many tracks of the ranking are shown; the first right one is shown anyway.
        device: that computes the attention.
        progress: told the queries done.

    Raises:
        ImageError: an image cannot be read.
    """
    model = load_weights(run.run.spec, run.run.folder.weights).to(device)
    made = []
    for i, row in enumerate(queries):
        progress.advance("inspect", i, len(queries))
        made.append(_inspect(run, model, row, top, device))
    progress.advance("inspect", len(queries), len(queries))
    return made


def film(run: InspectedRun, row: int, top: int) -> Inspection:
    """The same of one query without attention, for which no network is needed.

    Raises:
        ImageError: an image cannot be read.
    """
    return _inspect(run, None, row, top, "cpu")


def _inspect(
    run: InspectedRun, model: nn.Module | None, row: int, top: int, device: str
) -> Inspection:
    about, notes = run.per_query.loc[row], []
    found = ranking(run, row, top, notes)
    look_at = {0, next((i for i, strip in enumerate(found) if strip["rank"] == 1), 0)}
    strips = []
    for i, fields in enumerate(found):
        track = run.dataset.test[fields["row"]]
        looked = model is not None and i in look_at
        attention = _attention(run, model, track, device, notes) if looked else {}
        strips.append(Strip(**fields, frames=_frames(run, track), attention=attention))
    spec = run.run.spec
    return Inspection(
        run=spec.id,
        method=spec.method,
        recipe=spec.recipe,
        seed=spec.seed,
        split=spec.split,
        dataset=spec.dataset,
        fingerprint=spec.fingerprint,
        label=run.record.label,
        query=row,
        ap=float(about["AP"]),
        first=float(about["first"]),
        matches=int(about["matches"]),
        strips=tuple(strips),
        notes=tuple(dict.fromkeys(notes)),
    )


def ranking(run: InspectedRun, row: int, top: int, notes: list[str]) -> list[dict]:
    """The query and what was retrieved, nearest first, as fields of `Strip`.

    Junk stands where it would rank and has no rank itself. The first right track is shown even if
    it comes later than ``top``.
    """
    kind, _ = DISTANCES[run.label.distance]
    protocol = PROTOCOLS[run.label.protocol]
    pids, camids = run.tracks.pids, run.tracks.camids
    order = protocol.gallery_rows(pids, np.asarray(run.dataset.query))
    ((_, (distances,)),) = distance_blocks(run.tracks.vectors, np.array([row]), kind)
    order = order[np.argsort(distances[order], kind="stable")]

    def fields(kind: str, rank: int | None, track: int, distance: float | None) -> dict:
        camera = None if camids is None else int(camids[track])
        place = {"kind": kind, "rank": rank, "row": int(track), "pid": int(pids[track])}
        return {**place, "camid": camera, "distance": distance}

    own = np.arange(len(pids)) == row if camids is None else camids == camids[row]
    junk = (pids == JUNK) | (own & (pids == pids[row]))
    found, rank, hidden = [fields("query", None, row, None)], 0, 0
    seen_right = False
    for track in order.tolist():
        if junk[track]:
            shown = rank < top and sum(s["kind"] == "junk" for s in found) < MOST_JUNK
            hidden += rank < top and not shown
            if shown:
                found.append(fields("junk", None, track, float(distances[track])))
            continue
        rank += 1
        right = bool(pids[track] == pids[row])
        if rank <= top or (right and not seen_right):
            name = "right" if right else "wrong"
            found.append(fields(name, rank, track, float(distances[track])))
        seen_right |= right
        if rank >= top and seen_right:
            break
    if hidden:
        notes.append(f"{hidden} more junk tracks stand among these and are not shown")
    return found


def _frames(run: InspectedRun, track: Tracklet) -> np.ndarray:
    """Frames of the track's first clip, small enough to be looked at."""
    height = min(run.recipe.height, SHOWN_HEIGHT)
    width = round(run.recipe.width * height / run.recipe.height)
    clip = read_clip(track, _indices(run, track), height, width)  # [T, 3, height, width]
    return np.ascontiguousarray(clip.permute(0, 2, 3, 1).numpy())


def _indices(run: InspectedRun, track: Tracklet) -> np.ndarray:
    return run.recipe.rule.clips(len(track))[0]


def _attention(
    run: InspectedRun, model: nn.Module, track: Tracklet, device: str, notes: list[str]
) -> dict[str, np.ndarray]:
    """What the method says of itself over the same frames, as it saw them; empty if nothing."""
    if not hasattr(model, "attention"):
        notes.append(_NONE)
        return {}
    clip = read_clip(track, _indices(run, track), run.recipe.height, run.recipe.width)
    try:
        with torch.inference_mode():
            found = model.attention(normalise(clip[None].to(device)))
    except ValueError as error:  # a clip shorter than the method takes
        notes.append(f"no attention: {error}")
        return {}
    arrays = {n: np.asarray(a[0].float().cpu(), dtype=np.float32) for n, a in found.items()}
    notes += _not_drawn(arrays, clip.shape[0])
    return arrays


def _not_drawn(arrays: Mapping[str, np.ndarray], frames: int) -> list[str]:
    """Why there is no picture, as notes; ``frames`` is T."""
    notes = [] if arrays else [_NONE]
    for name, array in arrays.items():
        try:
            kind_of(name, array.shape, frames)
        except ValueError as error:
            notes.append(f"not drawn: {error}")
    return notes
