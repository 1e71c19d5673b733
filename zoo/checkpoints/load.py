"""A checkpoint by name to a network: ``zoo.load("stenvan.synthetic")``.

The bytes that were hashed are the bytes that are read. Keys and shapes fit exactly, or the file is
refused; the classifier of the training persons, if there is one, is left out and that is said.
"""

import logging
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load as parse
from torch import Tensor, nn

from benchmark.clips import frame_rule
from benchmark.pixels import MEAN, STD, normalise
from zoo import registry
from zoo.checkpoints.cache import Verified, Watch, obtain
from zoo.checkpoints.config import Settings, settings
from zoo.checkpoints.convert import misfits
from zoo.checkpoints.table import Checkpoint, find
from zoo.half_precision import CLASSIFIER

GOLDEN_CLIPS = 2


class Loaded(NamedTuple):
    """A network in evaluation, its file, and what of the file was left out, in words."""

    model: nn.Module
    file: Verified
    dropped: tuple[str, ...]


def load(name: str, *, offline: bool = False) -> nn.Module:
    """The network of a checkpoint, in evaluation, without a classifier.

    Args:
        name: e.g. ``stenvan.synthetic``; ``zoo list checkpoints`` shows all.
        offline: use no network.

    Raises:
        LookupError: no such checkpoint.
        OSError: its file cannot be had.
        ValueError: the file does not fit the network.
    """
    return open_checkpoint(find(name), settings(offline=offline)).model


def open_checkpoint(row: Checkpoint, where: Settings, watch: Watch | None = None) -> Loaded:
    """The same for a row, and what was left out of the file.

    Raises:
        OSError, ValueError: as `load`.
    """
    watch = watch or Watch()
    file = obtain(row, where, watch)
    model = network(row)
    state, dropped = fitting(read(file, row.name), model, row.name)
    model.load_state_dict(state)
    for line in dropped:
        logging.getLogger(__name__).info("%s: left out %s", row.name, line)
        watch.note(f"{row.name}: left out {line}")
    return Loaded(model.eval(), file, dropped)


def network(row: Checkpoint) -> nn.Module:
    """The row's network, not yet trained.

    Raises:
        ValueError: the row wants another normalisation than ours.
    """
    if not (np.allclose(row.mean, MEAN) and np.allclose(row.std, STD)):
        raise ValueError(f"{row.name} wants clips normalised by {row.mean} and {row.std}")
    size = row.height, row.width
    return registry.create(row.method, 0, backbone=row.backbone, size=size)


def read(file: Verified, name: str) -> dict[str, Tensor]:
    """The tensors of a file; its bytes are hashed again, and then nothing else is read.

    Raises:
        OSError: they changed since they were verified.
        ValueError: they are no safetensors; nothing else is ever tried.
    """
    import hashlib

    data = Path(file.path).read_bytes()
    if hashlib.sha256(data).hexdigest() != file.sha256:
        raise OSError(f"{file.path} changed while it was read: it is not {name} any more")
    try:
        return parse(data)
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{file.path} is refused: it is no safetensors file ({str(error)[:100]}); a .pth file "
            f"goes through `zoo convert`"
        ) from None


def fitting(
    state: dict[str, Tensor], model: nn.Module, name: str
) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """What of the tensors the network takes, and what was left out, in words.

    Raises:
        ValueError: keys are missing, unknown or of another shape, or a number is not finite.
    """
    kept = {k: v for k, v in state.items() if not k.startswith(CLASSIFIER)}
    weight = state.get(f"{CLASSIFIER}weight")
    dropped = ()
    if len(kept) < len(state):
        persons = "" if weight is None or weight.ndim == 0 else f" of {len(weight)} persons"
        dropped = (
            f"{CLASSIFIER}*: the classifier{persons} that it was trained to tell apart; retrieval "
            f"needs none",
        )
    wrong = misfits(kept, model.state_dict())
    if wrong:
        raise ValueError(f"{name} does not fit its network: {wrong}")
    bad = [k for k, v in kept.items() if v.is_floating_point() and not v.isfinite().all()]
    if bad:
        raise ValueError(f"{name} holds NaN or infinity in {', '.join(bad[:5])}")
    return kept, dropped


# ---- the golden clip -----------------------------------------------------------------------------


def golden_clips(row: Checkpoint) -> Tensor:
    """Two clips that are the same on every machine, for ever: whole-number arithmetic only.

    Stripes and blotches of colours that drift from frame to frame, with some noise.
    """
    shape = GOLDEN_CLIPS, frame_rule(row.frames).frames, 3, row.height, row.width
    b, t, c, y, x = np.indices(shape, dtype=np.int64)
    stripes = (y * (c + 2) * 255) // row.height + 31 * t * (b + 1)
    blotches = ((x + 3 * t + 5 * b) // 8 * 37 + (y + 2 * t) // 16 * 91 + c * 53) % 256
    index = np.arange(b.size, dtype=np.int64).reshape(shape)
    noise = (index * 2654435761 % 2**32) >> 26  # Knuth's multiplicative hash: 0 to 63
    pixels = (stripes % 256 + blotches) * 3 // 8 + noise
    return normalise(torch.from_numpy(pixels.astype(np.uint8)))


def golden_embedding(model: nn.Module, row: Checkpoint) -> Tensor:
    """What the network makes of the golden clips, on the device that it is on."""
    device = next(model.parameters()).device
    with torch.inference_mode():
        return model(golden_clips(row).to(device)).embedding.float().cpu()
