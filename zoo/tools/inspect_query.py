"""What a run did with a query: frames, ranking and the method's own attention, as arrays.

Everything is made again from what the run left behind, its weights and embeddings, so that the
pictures show the numbers of the record. `reports.figures` draws them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import nn

from benchmark import embed
from benchmark.datasets.base import JUNK, Dataset, Tracklet
from benchmark.label import Label
from benchmark.pixels import normalise, read_clip
from benchmark.progress import SILENT, Progress
from benchmark.ranking import Embeddings, distance_blocks
from benchmark.recipe import DISTANCES, Evaluation, Recipe
from benchmark.record import Record
from benchmark.rules import PROTOCOLS
from benchmark.variants import choose
from reports.read.inspection import Inspection, Strip
from zoo.experiment.folder import RunFolder
from zoo.experiment.network import load_weights
from zoo.experiment.rescore import open_run_folder
from zoo.experiment.run import Run

SHOWN_HEIGHT = 128  # pixels of a frame in a picture, at the most
MOST_JUNK = 2  # junk tracks shown among the others


@dataclass(frozen=True, kw_only=True, eq=False)
class InspectedRun:
    """A run that has results, with what is needed to look into it.

    Attributes:
        run: the run, with the data set that it was scored on.
        record: the result that is looked into.
        label: of the record.
        recipe: how its clips are made.
        per_query: its per-query table, by test row.
        tracks: one vector a test track.
    """

    run: Run
    record: Record
    label: Label
    recipe: Recipe
    per_query: pd.DataFrame
    tracks: Embeddings

    @property
    def dataset(self) -> Dataset:
        """The one it was scored on."""
        return self.run.dataset


def open_run(path: Path, label: str | None = None, data_root: Path | None = None) -> InspectedRun:
    """Read a finished run and open its data.

    Args:
        path: the run's folder.
        label: a result label or the name of its protocol; None takes the data set's own.
        data_root: where the data set lies.

    Raises:
        FileNotFoundError: the folder is no finished run, or data are missing.
        LookupError: the run has no such label.
        ValueError: the data set is not the one that was scored.
    """
    folder = RunFolder(path)
    found = _records(folder)
    if not found:
        folder.spec()
        raise FileNotFoundError(f"{path} has no records: the run is not finished")
    names = {entry.label: entry for entry in found}
    names |= {Label.parse(entry.label).protocol: entry for entry in reversed(found)}
    run = open_run_folder(path, data_root)
    if label is None:
        chosen = names.get(run.dataset.protocol, found[0])
    else:
        chosen = choose(label, names, "label of this run,")
    rules = Label.parse(chosen.label)
    recipe = run.spec.trained_by(Evaluation(frames=rules.frames, distance=rules.distance))
    embeddings = embed.load(folder.embeddings(recipe.rule))
    return InspectedRun(
        run=run,
        record=chosen,
        label=rules,
        recipe=recipe,
        per_query=pd.read_csv(folder.records / str(chosen.per_query)).set_index("query"),
        tracks=embeddings.pooled(DISTANCES[rules.distance][1]),
    )


def _records(folder: RunFolder) -> list[Record]:
    """Those on the run's own data set, without re-ranking, which has other distances."""
    own = folder.spec().fingerprint
    return [
        entry
        for entry in folder.read_records()
        if entry.fingerprint == own and Label.parse(entry.label).rerank is None and entry.per_query
    ]


def choose_queries(run: InspectedRun, rows: Sequence[int], worst: int) -> list[int]:
    """The given test rows, then those of the ``worst`` lowest AP.

    Raises:
        ValueError: a row is no query that was scored.
    """
    for row in rows:
        if row not in run.per_query.index:
            near = run.per_query.index[np.argsort(np.abs(run.per_query.index - row))[:3]]
            raise ValueError(
                f"test row {row} is no query of {run.record.label}: the nearest are "
                f"{', '.join(str(n) for n in sorted(near))} "
                f"({run.run.folder.records / str(run.record.per_query)} lists all)"
            )
    ordered = run.per_query.sort_values(["AP", "query"], kind="stable").index
    return list(dict.fromkeys([*rows, *ordered[:worst].tolist()]))


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


def _inspect(run: InspectedRun, model: nn.Module, row: int, top: int, device: str) -> Inspection:
    about, notes = run.per_query.loc[row], []
    found = ranking(run, row, top, notes)
    look_at = {0, next((i for i, strip in enumerate(found) if strip["rank"] == 1), 0)}
    strips = []
    for i, told in enumerate(found):
        track = run.dataset.test[told["row"]]
        attention = _attention(run, model, track, device, notes) if i in look_at else {}
        strips.append(Strip(**told, frames=_frames(run, track), attention=attention))
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

    def told(kind: str, rank: int | None, track: int, distance: float | None) -> dict:
        camera = None if camids is None else int(camids[track])
        place = {"kind": kind, "rank": rank, "row": int(track), "pid": int(pids[track])}
        return {**place, "camid": camera, "distance": distance}

    own = np.arange(len(pids)) == row if camids is None else camids == camids[row]
    junk = (pids == JUNK) | (own & (pids == pids[row]))
    found, rank, hidden = [told("query", None, row, None)], 0, 0
    seen_right = False
    for track in order.tolist():
        if junk[track]:
            shown = rank < top and sum(s["kind"] == "junk" for s in found) < MOST_JUNK
            hidden += rank < top and not shown
            found += [told("junk", None, track, float(distances[track]))] * shown
            continue
        rank += 1
        right = bool(pids[track] == pids[row])
        if rank <= top or (right and not seen_right):
            name = "right" if right else "wrong"
            found.append(told(name, rank, track, float(distances[track])))
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
        return {}
    clip = read_clip(track, _indices(run, track), run.recipe.height, run.recipe.width)
    try:
        with torch.inference_mode():
            found = model.attention(normalise(clip[None].to(device)))
    except ValueError as error:  # a clip shorter than the method takes
        notes.append(f"no attention: {error}")
        return {}
    return {name: np.asarray(a[0].float().cpu(), dtype=np.float32) for name, a in found.items()}
