"""From a run's embeddings to its records; and what a clip costs, which every record tells."""

import dataclasses
from pathlib import Path

import torch

from benchmark import files
from benchmark.cost.timing import measure
from benchmark.embed import ClipEmbeddings
from benchmark.progress import SILENT, Progress
from benchmark.protocols import PROTOCOLS, score
from benchmark.recipe import DISTANCES, Evaluation
from benchmark.record import Record
from zoo.experiment.folder import RunFolder, read_json
from zoo.experiment.network import build
from zoo.experiment.options import Scoring
from zoo.experiment.provenance import measured_fields
from zoo.experiment.spec import RunSpec


def write_records(
    folder: RunFolder,
    embeddings: ClipEmbeddings,
    scoring: Scoring,
    common: Record,
    suffix: str = "",
) -> list[Record]:
    """Score embeddings; write and return a record for each protocol, without and with re-ranking.

    Args:
        folder: of the run.
        embeddings: of the test tracklets.
        scoring: distance, protocols and re-ranking; the embeddings have their frames.
        common: what all records share.
        suffix: of the files, for data that are not the run's own.

    Raises:
        ValueError: a protocol cannot score these data.
    """
    distance, space = DISTANCES[scoring.evaluation.distance]
    vectors, names = embeddings.pooled(space), list(scoring.protocols)
    frames, records = str(embeddings.key["frames_rule"]), []
    for rerank in dict.fromkeys((None, scoring.rerank)):
        scores = score(vectors, embeddings.query, names, distance, rerank)
        for name in names:
            label = PROTOCOLS[name].label(scoring.evaluation.distance, frames, rerank)
            fields = measured_fields(scores[name])
            entry = dataclasses.replace(common, label=str(label), **fields)
            per_query = scores[name].per_query.to_csv(index=False)
            records.append(folder.write_record(entry, per_query, suffix))
    return records


def cost_path(spec: RunSpec, folder: RunFolder, evaluation: Evaluation, device: str) -> Path:
    """Where `clip_cost` keeps what it found on a kind of device."""
    return folder.cost(_clip(spec, evaluation), device, spec.precision)


def _clip(spec: RunSpec, evaluation: Evaluation) -> tuple[int, int, int]:
    """Frames, height and width of a clip of an evaluation."""
    recipe = spec.trained_by()
    return recipe.rule_of(evaluation).frames, recipe.height, recipe.width


def clip_cost(
    spec: RunSpec,
    folder: RunFolder,
    evaluation: Evaluation,
    device: torch.device,
    progress: Progress = SILENT,
) -> dict:
    """What one clip costs, as `benchmark.cost.timing.Cost` has it; measured once a folder."""
    clip = _clip(spec, evaluation)
    path = cost_path(spec, folder, evaluation, device.type)
    found = read_json(path, progress)
    if found is None:
        progress.advance("cost", 0, 1)
        model = build(spec, 0, trained=True)
        found = dataclasses.asdict(measure(model, *clip, device, spec.precision))
        files.write_json(path, found)
    return found
