"""What a run did with a query: frames, ranking and the method's own attention, as arrays.

Everything is made again from what the run left behind, its weights and embeddings, so that the
pictures show the numbers of the record. `reports.figures.film_strips` and `reports.figures.attention` draw them.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import nn

from benchmark import embed, record
from benchmark.datasets.base import JUNK, Dataset, Tracklet
from benchmark.datasets.catalogue import open_dataset
from benchmark.pixels import normalise, read_clip
from benchmark.protocols import PROTOCOLS
from benchmark.ranking import Embeddings, distance_blocks
from benchmark.recipes import DISTANCES, Recipe, recipe
from benchmark.record import Record
from benchmark.variants import choose
from reports.read.inspection import Inspection, Strip
from zoo import plugins
from zoo.experiment.finished import data_of
from zoo.experiment.run import load_weights
from zoo.experiment.spec import RunSpec

SHOWN_HEIGHT = 128  # pixels of a frame in a picture, at the most
MOST_JUNK = 2  # junk tracks shown among the others


@dataclass(frozen=True, kw_only=True, eq=False)
class Finished:
    """A run that has results, with what is needed to look into it.

    Attributes:
        folder: of the run.
        spec: the run.
        record: the result that is looked into.
        per_query: its per-query table, by test row.
        dataset: the one it was scored on.
        tracks: one vector a test track.
    """

    folder: Path
    spec: RunSpec
    record: Record
    per_query: pd.DataFrame
    dataset: Dataset
    tracks: Embeddings

    @property
    def recipe(self) -> Recipe:
        """How its clips are made."""
        return recipe(self.spec.recipe)


def open_run(folder: Path, label: str | None = None, data_root: Path | None = None) -> Finished:
    """Read a finished run and open its data.

    Args:
        folder: the run's folder.
        label: a result label or the name of its protocol; None takes the data set's own.
        data_root: where the data set lies.

    Raises:
        FileNotFoundError: the folder is no finished run, or data are missing.
        LookupError: the run has no such label.
        ValueError: the data set is not the one that was scored.
    """
    folder = Path(folder)
    if not (folder / "spec.json").is_file():
        raise FileNotFoundError(
            f"{folder} is no run: name a folder like results/synthetic-quick/runs/sta-1a2b3c4d5e6f"
        )
    spec = RunSpec(**json.loads((folder / "spec.json").read_text(encoding="utf-8")))
    found = _records(folder, spec)
    if not found:
        raise FileNotFoundError(f"{folder} has no records: the run is not finished")
    names = {one.label: one for one in found}
    names |= {one.label.partition("@")[0]: one for one in reversed(found)}
    dataset = _open_data(spec, data_root)
    if label is None:
        chosen = names.get(dataset.protocol, found[0])
    else:
        chosen = choose(label, names, "label of this run,")
    per_query = pd.read_csv(folder / "records" / str(chosen.per_query)).set_index("query")
    _, distance, frames = chosen.label.split("/")[:3]
    embeddings = embed.load(folder / f"embeddings-{frames}.safetensors")
    tracks = embeddings.pooled(DISTANCES[distance][1])
    return Finished(
        folder=folder,
        spec=spec,
        record=chosen,
        per_query=per_query,
        dataset=dataset,
        tracks=tracks,
    )


def _records(folder: Path, spec: RunSpec) -> list[Record]:
    """Those on the run's own data set, without re-ranking, which has other distances."""
    found = [record.load(path) for path in sorted((folder / "records").glob("*.json"))]
    return [
        one
        for one in found
        if one.fingerprint == spec.fingerprint and one.label.count("/") == 2 and one.per_query
    ]


def _open_data(spec: RunSpec, root: Path | None) -> Dataset:
    extra = plugins.plugin_functions("DATASETS", "zoo.datasets")
    dataset = open_dataset(data_of(spec), root, extra=extra)
    limit = spec.dataset.partition(":")[2]
    if limit:
        dataset = dataset.limited(int(limit.removesuffix("persons")))
    if dataset.fingerprint != spec.fingerprint:
        raise ValueError(
            f"{spec.dataset} here has fingerprint {dataset.fingerprint}, the run was scored on "
            f"{spec.fingerprint}: look at it where that copy lies, or run it again"
        )
    return dataset


def choose_queries(run: Finished, rows: Sequence[int], worst: int) -> list[int]:
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
                f"({run.folder / 'records' / str(run.record.per_query)} lists all)"
            )
    ordered = run.per_query.sort_values(["AP", "query"], kind="stable").index
    return list(dict.fromkeys([*rows, *ordered[:worst].tolist()]))


def inspect(
    run: Finished,
    queries: Sequence[int],
    *,
    top: int,
    device: str,
    on_progress: Callable[[str, int, int], None],
) -> list[Inspection]:
    """Look at each query.

    Args:
        run: the finished run.
        queries: rows of test tracks.
        top: how many tracks of the ranking are shown; the first right one is shown anyway.
        device: that computes the attention.
        on_progress: told ``(what, done, total)``.

    Raises:
        ImageError: an image cannot be read.
    """
    model = load_weights(run.spec, run.folder / "weights.safetensors").to(device)
    made = []
    for i, row in enumerate(queries):
        on_progress("inspect", i, len(queries))
        made.append(_inspect(run, model, row, top, device))
    on_progress("inspect", len(queries), len(queries))
    return made


def _inspect(run: Finished, model: nn.Module, row: int, top: int, device: str) -> Inspection:
    about, notes = run.per_query.loc[row], []
    found = ranking(run, row, top, notes)
    look_at = {0, next((i for i, strip in enumerate(found) if strip["rank"] == 1), 0)}
    strips = []
    for i, told in enumerate(found):
        track = run.dataset.test[told["row"]]
        attention = _attention(run, model, track, device, notes) if i in look_at else {}
        strips.append(Strip(**told, frames=_frames(run, track), attention=attention))
    return Inspection(
        run=run.spec.id,
        method=run.spec.method,
        recipe=run.spec.recipe,
        seed=run.spec.seed,
        split=run.spec.split,
        dataset=run.spec.dataset,
        fingerprint=run.spec.fingerprint,
        label=run.record.label,
        query=row,
        ap=float(about["AP"]),
        first=float(about["first"]),
        matches=int(about["matches"]),
        strips=tuple(strips),
        notes=tuple(dict.fromkeys(notes)),
    )


def ranking(run: Finished, row: int, top: int, notes: list[str]) -> list[dict]:
    """The query and what was retrieved, nearest first, as fields of `Strip`.

    Junk stands where it would rank and has no rank itself. The first right track is shown even if
    it comes later than ``top``.
    """
    kind, _ = DISTANCES[run.record.label.split("/")[1]]
    protocol = PROTOCOLS[run.record.label.partition("@")[0]]
    pids, camids = run.tracks.pids, run.tracks.camids
    order = protocol.gallery(pids, np.asarray(run.dataset.query))
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


def _frames(run: Finished, track: Tracklet) -> np.ndarray:
    """Frames of the track's first clip, small enough to be looked at."""
    height = min(run.recipe.height, SHOWN_HEIGHT)
    width = round(run.recipe.width * height / run.recipe.height)
    clip = read_clip(track, _indices(run, track), height, width)  # [T, 3, height, width]
    return np.ascontiguousarray(clip.permute(0, 2, 3, 1).numpy())


def _indices(run: Finished, track: Tracklet) -> np.ndarray:
    return run.recipe.rule.clips(len(track))[0]


def _attention(
    run: Finished, model: nn.Module, track: Tracklet, device: str, notes: list[str]
) -> dict[str, np.ndarray]:
    """What the method says of itself over the same frames, as it saw them."""
    clip = read_clip(track, _indices(run, track), run.recipe.height, run.recipe.width)
    try:
        with torch.inference_mode():
            found = model.attention(normalise(clip[None].to(device)))
    except ValueError as error:  # a clip shorter than the method takes
        notes.append(f"no attention: {error}")
        return {}
    return {name: np.asarray(a[0].float().cpu(), dtype=np.float32) for name, a in found.items()}
