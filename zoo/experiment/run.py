"""One run: a specification and a function that carries it out, however often it is interrupted.

A run is a method trained once: method × split × seed. Its id is the hash of its specification; the
folder that belongs to it holds everything that it leaves behind (docs/results.md).
"""

import dataclasses
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import torch
from accelerate import Accelerator
from safetensors.torch import load_file, save_file
from torch import nn

from benchmark import embed, files, record
from benchmark.cost import timing as cost
from benchmark.datasets.base import Dataset
from benchmark.device import environment
from benchmark.protocols import PROTOCOLS, Protocol, Scores, score
from benchmark.recipes import DISTANCES, Recipe, recipe
from benchmark.record import Record
from benchmark.train import train
from benchmark.variants import choose
from zoo import registry
from zoo.experiment.spec import Conditions, RunSpec
from zoo.half_precision import CLASSIFIER

OnProgress = Callable[[str, int, int], None]
SELECTION = "last epoch"


def run(
    spec: RunSpec,
    folder: Path,
    *,
    dataset: Dataset,
    conditions: Conditions,
    on_progress: OnProgress,
    checkpoint: Path | None = None,
) -> list[Record]:
    """Carry out a run, or what is left of it: train, embed, cost, score.

    Args:
        spec: what to do.
        folder: the run's own folder.
        dataset: the one that the specification names.
        conditions: device, workers and protocols.
        on_progress: told ``(stage, done, total)``.
        checkpoint: file of the weights that the specification names, if it names any.

    Returns:
        A record for each protocol.

    Raises:
        ValueError: the data set is not the specified one.
        OSError: an image cannot be read or a file cannot be written.
        Diverged: training produced NaN.
    """
    chosen, device = recipe(spec.recipe), torch.device(conditions.device)
    if spec.checkpoint:
        _begin(spec, folder, dataset)
        weights = _take(spec, folder, checkpoint)
    else:
        weights = train_only(
            spec, folder, dataset=dataset, conditions=conditions, on_progress=on_progress
        )
    embeddings = embed_test(spec, folder, chosen, dataset, weights, conditions, on_progress)
    summary = _cost(spec, folder, chosen, device, conditions, on_progress)
    records = score_test(spec, folder, chosen, dataset, embeddings, summary, conditions)
    on_progress("done", 1, 1)
    return records


def train_only(
    spec: RunSpec,
    folder: Path,
    *,
    dataset: Dataset,
    conditions: Conditions,
    on_progress: OnProgress,
) -> Path:
    """The first stage of `run`, which goes on from it; returns the file of the weights.

    Raises:
        ValueError, OSError, Diverged: as `run`.
    """
    _begin(spec, folder, dataset)
    return _train(spec, folder, recipe(spec.recipe), dataset, conditions, on_progress)


def _begin(spec: RunSpec, folder: Path, dataset: Dataset) -> None:
    """The run's folder, with its specification and without what a kill left."""
    if dataset.fingerprint != spec.fingerprint:
        raise ValueError(
            f"{dataset.name} has fingerprint {dataset.fingerprint}, the run was specified on "
            f"{spec.fingerprint}"
        )
    folder.mkdir(parents=True, exist_ok=True)
    files.remove_parts(folder)
    files.write_json(folder / "spec.json", spec.as_dict())


def build(spec: RunSpec, num_classes: int, *, trained: bool = False) -> nn.Module:
    """The run's network; its start is part of the run, since the seed is set before it is built.

    Args:
        spec: the run.
        num_classes: identities; 0 leaves the classifier out.
        trained: True if weights will be loaded into it, so that none need be fetched.
    """
    torch.manual_seed(spec.seed)
    wanted = None if trained or spec.settings["init"] == "none" else spec.settings["init"]
    size = spec.settings["height"], spec.settings["width"]
    return registry.create(
        spec.method, num_classes, backbone=spec.backbone, weights=wanted, size=size
    )


# ---- stages --------------------------------------------------------------------------------------


def _train(
    spec: RunSpec,
    folder: Path,
    chosen: Recipe,
    dataset: Dataset,
    conditions: Conditions,
    on_progress: OnProgress,
) -> Path:
    """Train to the end; returns the file of the weights."""
    weights, taken = folder / "weights.safetensors", folder / "training.json"
    if weights.is_file() and taken.is_file():
        return weights
    accelerator = Accelerator(cpu=conditions.device == "cpu", mixed_precision=spec.precision)
    model = build(spec, len(dataset.train_pids))
    training = train(
        model,
        dataset,
        chosen,
        folder,
        seed=spec.seed,
        accelerator=accelerator,
        workers=conditions.workers,
        on_progress=on_progress,
    )
    state = {k: v.detach().cpu().contiguous() for k, v in model.state_dict().items()}
    about = {"method": spec.method, "backbone": spec.backbone, "run": spec.id}
    metadata = {"about": json.dumps(about)}  # one key: safetensors writes several in any order
    files.write_whole(weights, lambda part: save_file(state, part, metadata))
    files.write_json(taken, dataclasses.asdict(training))
    return weights


def _take(spec: RunSpec, folder: Path, checkpoint: Path | None) -> Path:
    """Copy the specified checkpoint to where trained weights lie; returns that file."""
    weights, expected = folder / "weights.safetensors", spec.checkpoint.rpartition("@")[2]
    if not (weights.is_file() and files.sha256(weights) == expected):
        if checkpoint is None or files.sha256(checkpoint) != expected:
            raise ValueError(f"{checkpoint} is not the checkpoint of the run, {spec.checkpoint}")
        files.write_whole(weights, lambda part: shutil.copyfile(checkpoint, part))
    files.write_json(folder / "training.json", {"checkpoint": spec.checkpoint})
    return weights


def embed_test(
    spec: RunSpec,
    folder: Path,
    chosen: Recipe,
    dataset: Dataset,
    weights: Path,
    conditions: Conditions,
    on_progress: OnProgress,
    *,
    apart: str = "",
) -> embed.ClipEmbeddings:
    """Embed the test tracklets, or read what an earlier attempt embedded.

    ``dataset`` need not be the one that the run was trained on; what its files' names end with,
    ``apart``, tells them from the run's own.
    """
    key = {
        "weights": files.sha256(weights),
        "method": spec.method,
        "fingerprint": dataset.fingerprint,
        "frames_rule": str(chosen.rule),
        "height": chosen.height,
        "width": chosen.width,
        "precision": spec.precision,
    }
    path = folder / f"embeddings-{chosen.rule}{apart}.safetensors"
    found = embed.load_if(path, key)
    if found is None:
        model = load_weights(spec, weights).to(conditions.device)
        found = embed.embed(
            model,
            dataset,
            chosen.rule,
            height=chosen.height,
            width=chosen.width,
            key=key,
            device=torch.device(conditions.device),
            precision=spec.precision,
            workers=conditions.workers,
            on_progress=on_progress,
        )
        embed.save(found, path)
    return found


def load_weights(spec: RunSpec, weights: Path) -> nn.Module:
    """The trained network, without its classifier, in evaluation."""
    state = load_file(weights)
    state = {k: v for k, v in state.items() if not k.startswith(CLASSIFIER)}
    model = build(spec, 0, trained=True)
    model.load_state_dict(state)
    return model.eval()


def _cost(
    spec: RunSpec,
    folder: Path,
    chosen: Recipe,
    device: torch.device,
    conditions: Conditions,
    on_progress: OnProgress,
) -> dict:
    """run.json: what training took and what the network costs."""
    path = folder / "run.json"
    if path.is_file():
        return json.loads(path.read_text())
    on_progress("cost", 0, 1)
    model = build(spec, 0, trained=True)
    measured = cost.measure(
        model, chosen.rule.frames, chosen.height, chosen.width, device, spec.precision
    )
    summary = {
        "id": spec.id,
        "spec": spec.as_dict(),
        "training": json.loads((folder / "training.json").read_text()),
        "cost": dataclasses.asdict(measured),
        "environment": environment(device, spec.precision),
        "commit": commit(),
        "command": conditions.command,
        "selection": (
            f"of checkpoint {spec.checkpoint.partition('@')[0]}" if spec.checkpoint else SELECTION
        ),
    }
    files.write_json(path, summary)
    return summary


def score_test(
    spec: RunSpec,
    folder: Path,
    chosen: Recipe,
    dataset: Dataset,
    embeddings: embed.ClipEmbeddings,
    summary: dict,
    conditions: Conditions,
    *,
    apart: str = "",
) -> list[Record]:
    """Write and return a record for each label; the per-query files go first."""
    distance, place = DISTANCES[chosen.distance]
    names = list(conditions.protocols)
    records = []
    for rerank in dict.fromkeys((None, conditions.rerank)):
        scores = score(embeddings.tracks(place), embeddings.query, names, distance, rerank)
        for name in names:
            label = PROTOCOLS[name].label(chosen.distance, str(chosen.rule), rerank)
            stem = label.translate(_SAFE) + apart
            per_query = scores[name].per_query.to_csv(index=False)
            files.write_text(folder / "records" / f"{stem}.csv", per_query)
            weights = str(embeddings.key["weights"])
            entry = _record(spec, dataset, label, scores[name], summary, weights, f"{stem}.csv")
            record.save(entry, folder / "records" / f"{stem}.json")
            records.append(entry)
    return records


_SAFE = str.maketrans({"/": "_", "(": "-", ",": "-", ")": None})


def _record(
    spec: RunSpec,
    dataset: Dataset,
    label: str,
    found: Scores,
    summary: dict,
    weights: str,
    per_query: str,
) -> Record:
    return Record(
        run=spec.id,
        method=spec.method,
        arguments={"backbone": spec.backbone},
        recipe=spec.recipe,
        dataset=dataset.name,
        fingerprint=dataset.fingerprint,
        split=dataset.split,
        seed=spec.seed,
        label=label,
        gallery=found.gallery,
        queries=found.queries,
        dropped=found.dropped,
        metrics=found.metrics(),
        cmc=found.cmc.tolist(),
        checkpoint=weights,
        per_query=per_query,
        cost=summary["cost"],
        environment=summary["environment"],
        commit=summary["commit"],
        command=summary["command"],
        selection=summary["selection"],
        notes=list(dataset.notes),
    )


def choose_protocols(text: str | None, dataset: Dataset) -> tuple[str, ...]:
    """Names from ``P,Q`` or ``all`` (those for this kind of data); None is the data set's own.

    Raises:
        LookupError: unknown protocol.
    """
    if text is None:
        return (dataset.protocol,)
    if text == "all":
        family = dataset.protocol.partition("-")[0]
        return tuple(name for name in PROTOCOLS if name.partition("-")[0] in (family, "open"))
    chosen: list[Protocol] = [choose(n.strip(), PROTOCOLS, "protocol") for n in text.split(",")]
    return tuple(dict.fromkeys(p.name for p in chosen))


def commit() -> str | None:
    """Revision of this project, if it runs from a checkout."""
    home = Path(__file__).parents[2]
    if not (home / ".git").exists():
        return None
    try:
        git = ["git", "-C", str(home)]
        revision = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True)
        changes = subprocess.run([*git, "status", "--porcelain"], capture_output=True, text=True)
    except OSError:
        return None
    if revision.returncode:
        return None
    return revision.stdout.strip() + ("+changes" if changes.stdout.strip() else "")
