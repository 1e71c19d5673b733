"""What may be given where a checkpoint is asked for: its name, a run's folder, a file of weights.

A run and a file are told as a `Checkpoint`, so that whatever takes one takes all three.
"""

import json
from pathlib import Path

from safetensors import SafetensorError, safe_open
from torch import nn

from benchmark.files import sha256
from benchmark.label import Label
from benchmark.pixels import MEAN, STD
from benchmark.recipe import Recipe
from benchmark.variants import parse
from zoo import registry
from zoo.checkpoints.checkpoint import Checkpoint
from zoo.checkpoints.config import Settings, read_settings
from zoo.checkpoints.load import open_checkpoint
from zoo.checkpoints.publish import TABLE
from zoo.checkpoints.table import find, read_table, table
from zoo.experiment.finished import evaluation_of
from zoo.experiment.folder import RunFolder
from zoo.experiment.paper_recipes import recipe, written_form
from zoo.experiment.spec import UNKNOWN, backbone_of

FILE = ".safetensors"
_TAKES = "expected a checkpoint's name, the folder of a trained run or a .safetensors file"


def load(name: str | Path, *, offline: bool = False) -> nn.Module:
    """The network of a checkpoint, in evaluation mode, without a classifier.

    Args:
        name: e.g. ``stenvan.synthetic``, as ``zoo list checkpoints`` shows them; or a run's folder,
            or a file of weights.
        offline: use no network.

    Raises:
        LookupError: no such checkpoint.
        OSError: its file cannot be had.
        ValueError: the file does not fit the network.
    """
    settings = read_settings(offline=offline)
    return open_checkpoint(find_checkpoint(name, settings), settings).model


def find_checkpoint(
    source: str | Path, settings: Settings | None = None, *, trained_with: str | None = None
) -> Checkpoint:
    """The checkpoint of a name, of a run's folder or of a file.

    Args:
        source: one of these; a name comes first.
        settings: name the user's tables; None reads them.
        trained_with: recipe of a file that does not say it.

    Raises:
        LookupError: there is no checkpoint of that name.
        FileNotFoundError: there is no such file, or the run is not trained.
        OSError: the run's weights are not those that it wrote.
        ValueError: the file is no safetensors file, or does not say what network it is of.
    """
    known, text, path = table(settings), str(source), Path(source)
    if text in known:
        found = known[text]
    elif path.is_dir():
        found = of_run(path)
    elif path.is_file():
        return _of_file(path, known, trained_with)
    elif len(path.parts) > 1 or path.suffix in (FILE, ".pth", ".pt"):
        raise FileNotFoundError(f"{source} does not exist: {_TAKES}")
    else:
        found = find(text, known)
    if trained_with is not None:
        raise ValueError(f"{source} says how it was trained: leave out --recipe")
    return found


def of_run(path: Path) -> Checkpoint:
    """A trained run as a checkpoint; its name is the folder's path.

    Raises:
        FileNotFoundError: the folder is no run, or the run is not trained.
        OSError: its weights are not those that it wrote.
    """
    folder = RunFolder(path)
    spec, summary = folder.spec(), folder.summary()
    if summary is None or not folder.weights.is_file():
        raise FileNotFoundError(f"{path} is not trained yet: type its command again to go on")
    digest = sha256(folder.weights)
    if summary.get("weights") not in (None, digest):
        raise OSError(
            f"{folder.weights} is damaged (its sha256 is not the one that the run wrote): type the "
            "run's command again to train it anew"
        )
    own = [
        one
        for one in folder.read_records()
        if one.fingerprint == spec.fingerprint and one.checkpoint == digest
    ]
    chosen = spec.trained_by(evaluation_of(spec, tuple(own)))
    labels = [Label.parse(one.label) for one in own]
    return Checkpoint(
        **_clip_of(chosen),
        name=str(path),
        method=spec.method,
        backbone=spec.backbone,
        dataset=spec.dataset,
        recipe=spec.recipe,
        sources=(folder.weights.name,),
        licence=UNKNOWN,
        origin=f"run {spec.id}",
        fingerprint=spec.fingerprint,
        split=spec.split,
        seed=spec.seed,
        bytes=folder.weights.stat().st_size,
        sha256=digest,
        records=tuple(
            f"{folder.records.name}/{label.slug}.json"
            for label in labels
            if label.frames == str(chosen.rule)
        ),
        training=folder.summary_file.name,
        home=path.absolute(),
    )


def _clip_of(chosen: Recipe) -> dict:
    """What a recipe says of the clips and the head of its networks."""
    return {
        "frames": str(chosen.rule),
        "height": chosen.height,
        "width": chosen.width,
        "mean": MEAN,
        "std": STD,
        "distance": chosen.evaluation.distance,
        "resize": chosen.resize,
        "neck": chosen.neck,
    }


def _of_file(path: Path, known: dict[str, Checkpoint], trained_with: str | None) -> Checkpoint:
    """A file of weights: a run's, a published one, or one that says its method."""
    if path.suffix != FILE:
        hint = "; `zoo convert` makes one of a .pth file" if path.suffix in (".pth", ".pt") else ""
        raise ValueError(f"{path} is no safetensors file: {_TAKES}{hint}")
    home = path.absolute().parent
    of_a_run = path == RunFolder(path.parent).weights and (home / "spec.json").is_file()
    if trained_with is None and of_a_run:
        return of_run(path.parent)
    digest = sha256(path)
    tables = (home / TABLE, home.parent / TABLE)
    beside = [row for one in tables if one.is_file() for row in read_table(one).values()]
    for row in (*beside, *known.values()):
        if trained_with is None and row.sha256 == digest:
            return row
    about = _about(path)
    method = about.get("method")
    if not isinstance(method, str):
        raise ValueError(f"{path} does not say what method it is of: {_TAKES}")
    if trained_with is None and "run" in about:
        raise ValueError(
            f"{path} does not say how it was trained: name the folder of run {about['run']}, or "
            "give --recipe"
        )
    chosen = recipe(trained_with or f"paper/{parse(method).name}")
    function, variant = registry.find(method)
    backbone = about.get("backbone")
    return Checkpoint(
        **_clip_of(chosen),
        name=str(path),
        method=str(variant),
        backbone=backbone if isinstance(backbone, str) else backbone_of(function, chosen),
        dataset=UNKNOWN,
        recipe=written_form(chosen),
        sources=(path.name,),
        licence=UNKNOWN,
        origin=str(about.get("origin", "a file")),
        bytes=path.stat().st_size,
        sha256=digest,
        home=home,
    )


def _about(path: Path) -> dict:
    """What a file's metadata say of it."""
    try:
        with safe_open(path, "pt") as file:
            about = json.loads((file.metadata() or {}).get("about", "{}"))
    except (SafetensorError, ValueError, RecursionError) as error:
        raise ValueError(f"{path} is no safetensors file: {str(error)[:100]}") from None
    return about if isinstance(about, dict) else {}
