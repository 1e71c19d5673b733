"""From a checkpoint to its network.

The bytes that were hashed are the bytes that are read. Keys and shapes fit exactly, or the file is
refused; the classifier of the training identities, if there is one, is left out, with a note.
"""

import hashlib
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
from benchmark.progress import SILENT, Progress
from zoo import registry
from zoo.checkpoints.cache import Verified, ensure_local
from zoo.checkpoints.checkpoint import Checkpoint
from zoo.checkpoints.config import Settings
from zoo.checkpoints.convert import misfits
from zoo.half_precision import TRAINING_ONLY
from zoo.weights import metadata_of, with_tied

GOLDEN_CLIPS = 2


class Loaded(NamedTuple):
    """A network in evaluation mode, its file, and what of the file was left out, as lines."""

    model: nn.Module
    file: Verified
    dropped: tuple[str, ...]


def open_checkpoint(
    checkpoint: Checkpoint, settings: Settings, progress: Progress = SILENT
) -> Loaded:
    """Its network with the weights loaded, and what was left out of the file.

    Raises:
        LookupError: it names a method or backbone that there is not.
        OSError: its file cannot be had.
        ValueError: the file does not fit the network.
    """
    file = ensure_local(checkpoint, settings, progress)
    model = network(checkpoint)
    state, dropped = fitting(read(file, checkpoint.name), model, checkpoint.name)
    model.load_state_dict(state)
    for line in dropped:
        logging.getLogger(__name__).info("%s: left out %s", checkpoint.name, line)
        progress.note(f"{checkpoint.name}: left out {line}")
    return Loaded(model.eval(), file, dropped)


def network(checkpoint: Checkpoint) -> nn.Module:
    """The checkpoint's network with random weights.

    Raises:
        ValueError: it expects another normalisation than ours, or the method refuses its arguments.
        LookupError: it names a method or backbone that there is not.
    """
    if not (np.allclose(checkpoint.mean, MEAN) and np.allclose(checkpoint.std, STD)):
        raise ValueError(
            f"{checkpoint.name} expects clips normalised by mean {checkpoint.mean} and std "
            f"{checkpoint.std}, not by those of ImageNet"
        )
    size = checkpoint.height, checkpoint.width
    return registry.create(
        checkpoint.method,
        0,
        backbone=checkpoint.backbone,
        size=size,
        frames=frame_rule(checkpoint.frames).frames,
        neck=checkpoint.neck,
    )


def read(file: Verified, name: str) -> dict[str, Tensor]:
    """The tensors of a file; the bytes that are parsed are hashed once more.

    Raises:
        OSError: they changed since they were verified.
        ValueError: they are no safetensors; no other format is ever tried.
    """
    data = Path(file.path).read_bytes()
    if hashlib.sha256(data).hexdigest() != file.sha256:
        raise OSError(f"{file.path} changed while it was read: it is not {name} any more")
    try:
        return with_tied(parse(data), metadata_of(data))
    except (SafetensorError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{file.path} is refused: it is no safetensors file ({str(error)[:100]}); a .pth file "
            f"goes through `zoo convert`"
        ) from None


def fitting(
    state: dict[str, Tensor], model: nn.Module, name: str
) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """The tensors that the network takes, and what was left out, as lines.

    Raises:
        ValueError: keys are missing, unknown or of another shape, or a number is not finite.
    """
    kept = {k: v for k, v in state.items() if not k.startswith(TRAINING_ONLY)}
    dropped = ()
    if len(kept) < len(state):
        weight = state.get(f"{TRAINING_ONLY[0]}weight")
        count = "" if weight is None or weight.ndim == 0 else f" of {len(weight)} identities"
        dropped = (f"{TRAINING_ONLY[0]}*: the classifier{count} in training; retrieval needs none",)
    wrong = misfits(kept, model.state_dict())
    if wrong:
        raise ValueError(f"{name} does not fit its network: {wrong}")
    bad = [k for k, v in kept.items() if v.is_floating_point() and not v.isfinite().all()]
    if bad:
        raise ValueError(f"{name} holds NaN or infinity in {', '.join(bad[:5])}")
    return kept, dropped


# ---- the golden clip -----------------------------------------------------------------------------


def golden_clips(checkpoint: Checkpoint) -> Tensor:
    """Two clips that are the same on every machine, forever: whole-number arithmetic only.

    Stripes and blotches of colours that drift from frame to frame, with some noise.
    """
    height, width = checkpoint.height, checkpoint.width
    shape = GOLDEN_CLIPS, frame_rule(checkpoint.frames).frames, 3, height, width
    b, t, c, y, x = np.indices(shape, dtype=np.int64)
    stripes = (y * (c + 2) * 255) // height + 31 * t * (b + 1)
    blotches = ((x + 3 * t + 5 * b) // 8 * 37 + (y + 2 * t) // 16 * 91 + c * 53) % 256
    index = np.arange(b.size, dtype=np.int64).reshape(shape)
    noise = (index * 2654435761 % 2**32) >> 26  # Knuth's multiplicative hash: 0 to 63
    pixels = (stripes % 256 + blotches) * 3 // 8 + noise
    return normalise(torch.from_numpy(pixels.astype(np.uint8)))


def golden_embedding(model: nn.Module, checkpoint: Checkpoint) -> Tensor:
    """The embeddings of the golden clips, [2, D] float32, computed on the network's device."""
    device = next(model.parameters()).device
    with torch.inference_mode():
        return model(golden_clips(checkpoint).to(device)).embedding.float().cpu()
