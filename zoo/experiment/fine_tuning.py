"""``--set init=NAME|RUN|FILE``: a run that starts from trained weights.

Planning completes the setting by the sha256 of the bytes, ``NAME@<sha256>``: they are part of what
the run is, where they lie is not. The weights must be those of the whole network; the classifier
alone is left out, since other persons are trained on. So a method can also start from another one
of the same layers, as STE-NVAN's authors start it from NVAN.
"""

from pathlib import Path

from torch import nn

from benchmark import files, recipes
from benchmark.progress import SILENT, Progress
from benchmark.recipe import INITS, Recipe
from zoo.checkpoints.cache import ensure_local
from zoo.checkpoints.checkpoint import Checkpoint
from zoo.checkpoints.config import read_settings
from zoo.checkpoints.convert import misfits
from zoo.checkpoints.table import find
from zoo.experiment.folder import RunFolder
from zoo.experiment.spec import start_of
from zoo.half_precision import TRAINING_ONLY
from zoo.weights import read_weights

_TAKES = "init takes a checkpoint's name, the folder of a trained run or a .safetensors file"
_UNREADABLE = set("[],")  # in the written form of a recipe


def with_hash(chosen: Recipe) -> Recipe:
    """The recipe, with the hash of the weights that it starts from.

    Raises:
        LookupError: there is no such checkpoint.
        FileNotFoundError: there is no such file, or the run is not trained.
        ValueError: it is no safetensors file, or not the one of the hash that was given.
    """
    if chosen.init in INITS:
        return chosen
    source, wanted = start_of(chosen.init) or (chosen.init, "")
    if found := _UNREADABLE & set(source):
        raise ValueError(f"init={source} holds {min(found)!r}: link it under a plainer name")
    digest = _digest(source)
    if not digest.startswith(wanted):
        raise ValueError(f"init={source} has sha256 {digest[:12]}…, not {wanted[:12]}…")
    return recipes.replace(chosen, {"init": f"{source}@{digest}"})


def load_start(model: nn.Module, init: str, progress: Progress = SILENT) -> None:
    """Load the weights that a run starts from, but for the classifier.

    Args:
        model: of any number of classes.
        init: ``SOURCE@<sha256>``.
        progress: told what was left out.

    Raises:
        OSError: the file cannot be had.
        ValueError: it is another one than was planned, or does not fit the network.
    """
    source, wanted = start_of(init)
    path = _local(source, progress)
    if files.sha256(path) != wanted:
        raise ValueError(f"init={source}: {path} is no longer the file with sha256 {wanted[:12]}…")
    try:
        state = read_weights(path)
    except ValueError as error:
        raise ValueError(f"init={source}: {error}") from None
    kept = _without_classifier(state)
    wrong = misfits(kept, _without_classifier(model.state_dict()))
    if wrong:
        raise ValueError(f"init={source} does not fit: {wrong}")
    bad = [k for k, v in kept.items() if v.is_floating_point() and not v.isfinite().all()]
    if bad:
        raise ValueError(f"init={source} holds NaN or infinity in {', '.join(bad[:5])}")
    model.load_state_dict(model.state_dict() | kept)
    progress.note(f"  {in_words(init)}")


def in_words(init: str) -> str:
    """What a record says of such a start."""
    source, digest = start_of(init)
    return f"starts from {source} (sha256 {digest[:12]}), with a classifier of its own"


def _without_classifier(state: dict) -> dict:
    return {k: v for k, v in state.items() if not k.startswith(TRAINING_ONLY)}


def _digest(source: str) -> str:
    if not Path(source).exists():
        checkpoint = _find(source)
        if not checkpoint.manual:
            return checkpoint.sha256  # nothing is fetched to plan
    return files.sha256(_local(source))


def _local(source: str, progress: Progress = SILENT) -> Path:
    path = Path(source)
    if path.is_dir():
        weights = RunFolder(path).weights
        if not weights.is_file():
            raise FileNotFoundError(f"init={source} holds no trained weights: {_TAKES}")
        return weights
    if not path.is_file():
        return ensure_local(_find(source), read_settings(), progress).path
    if path.suffix != ".safetensors":
        hint = "; `zoo convert` makes one of a .pth file" if path.suffix in (".pth", ".pt") else ""
        raise ValueError(f"init={source} is no safetensors file: {_TAKES}{hint}")
    return path


def _find(name: str) -> Checkpoint:
    if "/" in name or Path(name).suffix in (".safetensors", ".pth", ".pt"):
        raise FileNotFoundError(f"init={name} does not exist: {_TAKES}")
    try:
        return find(name)
    except LookupError as error:
        raise LookupError(f"init={name}: {error.args[0]}; {_TAKES}") from None
