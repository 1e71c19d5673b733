"""The authors' released checkpoints as ours: a strict renaming that says what it leaves out.

How each repository names its tensors stands in `zoo.checkpoints.released`.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from benchmark.files import sha256, write_json, write_whole
from benchmark.variants import choose
from zoo import registry
from zoo.checkpoints.released import RELEASED

SIZE = 256, 128  # height and width in pixels that every released network was trained with
_COUNTER = "num_batches_tracked"

# beside the tensors, files of several authors hold the score of their best epoch as one of these
_NUMPY_SCALARS = [
    (np._core.multiarray.scalar, "numpy._core.multiarray.scalar"),
    (np._core.multiarray.scalar, "numpy.core.multiarray.scalar"),  # as NumPy 1 called it
    np.dtype,
    np.dtypes.Float64DType,
    np.dtypes.Float32DType,
]


@dataclass(frozen=True)
class Converted:
    """A state dict of ours and what was left out of theirs, as lines."""

    state: dict[str, Tensor]
    dropped: tuple[str, ...]


def from_released(name: str, path: Path) -> nn.Module:
    """The authors' network from their ``.pth`` file, in evaluation mode, without its classifier.

    Args:
        name: one of `zoo.checkpoints.released.RELEASED`, e.g. ``stenvan`` or ``ap3d_nl``.
        path: their file.

    Raises:
        LookupError: no released network of that name.
        ValueError: the file holds something else, or keys are missing, too many or of another
            shape.
        FileNotFoundError: there is no such file.
    """
    layout = choose(name, RELEASED, "released network")
    model = network(name, layout)
    found = convert(read(path), model.state_dict(), layout)
    model.load_state_dict(found.state)
    return model.eval()


def network(name: str, layout: ModuleType) -> nn.Module:
    """Our network for a released one, with random weights and without a classifier."""
    return registry.create(
        layout.NETWORKS[name],
        backbone=getattr(layout, "BACKBONES", {}).get(name),
        size=SIZE,
        frames=_frames(layout),
    )


def _frames(layout: ModuleType) -> int:
    return getattr(layout, "FRAMES", 8)


def read(path: Path) -> dict[str, Tensor]:
    """The tensors of a ``.pth`` file; nothing in it is executed.

    Raises:
        ValueError: it is no state dict, or holds more than tensors.
        FileNotFoundError: there is no such file.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"{path} does not exist")
    try:
        with torch.serialization.safe_globals(_NUMPY_SCALARS):
            data = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a broken file makes the reader raise whatever it meets
        reason = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        raise ValueError(f"{path} is refused: it is no file of plain tensors ({reason})") from None
    if isinstance(data, dict) and isinstance(data.get("state_dict"), dict):
        data = data["state_dict"]
    if not isinstance(data, dict) or not all(isinstance(v, Tensor) for v in data.values()):
        raise ValueError(f"{path} is refused: expected a dict of tensors by name")
    return data


def convert(
    theirs: dict[str, Tensor], expected: dict[str, Tensor], layout: ModuleType
) -> Converted:
    """Rename a released state dict.

    Args:
        theirs: keys as released, with or without ``module.``.
        expected: our network's state dict: which keys and shapes there must be.
        layout: of `zoo.checkpoints.released`.

    Raises:
        ValueError: lists keys that are missing, unknown or of another shape.
    """
    state: dict[str, Tensor] = {}
    unknown: list[str] = []
    dropped: dict[str, list[str]] = {}
    for key, value in theirs.items():
        plain = key.removeprefix("module.")
        reason = next((why for start, why in layout.DROPPED.items() if plain.startswith(start)), "")
        ours = layout.rename(plain)
        if reason:
            dropped.setdefault(reason, []).append(key)
        elif ours is None:
            unknown.append(key)
        else:
            state[ours] = value
    if hasattr(layout, "adapt"):
        state = layout.adapt(state)
    unknown += [key for key in state if key not in expected]
    state = {k: _as_plain_kernel(v, expected[k]) for k, v in state.items() if k in expected}
    for key in expected:  # files of old PyTorch have no counters of BatchNorm, and need none
        if key.endswith(_COUNTER) and key not in state:
            state[key] = torch.zeros_like(expected[key])
    wrong = misfits(state, expected, unknown)
    if wrong:
        raise ValueError(f"the checkpoint does not fit: {wrong}")
    lines = tuple(f"{', '.join(keys)}: {reason}" for reason, keys in dropped.items())
    return Converted({key: state[key] for key in expected}, lines)


def _as_plain_kernel(value: Tensor, expected: Tensor) -> Tensor:
    """A 3D kernel as ours: [o, i, 1, k, k] over space alone, or [o, i, k, 1, 1] over time alone."""
    if value.ndim != 5 or expected.ndim == 5:
        return value
    if value.shape[2] == 1 and expected.ndim == 4:
        return value.squeeze(2)
    if value.shape[3:] == (1, 1) and expected.ndim == 3:
        return value.flatten(2)
    return value


def misfits(
    state: dict[str, Tensor], expected: dict[str, Tensor], unknown: Sequence[str] = ()
) -> str:
    """Keys that are missing, unknown or of another shape, as text; empty if all fit.

    Args:
        state: tensors by our names.
        expected: a network's state dict.
        unknown: further keys that have no place in it.
    """
    missing = sorted(set(expected) - set(state))
    shapes = [
        f"{key} {list(state[key].shape)} instead of {list(expected[key].shape)}"
        for key in sorted(set(expected) & set(state))
        if state[key].shape != expected[key].shape
    ]
    unknown = [*unknown, *sorted(set(state) - set(expected))]
    wrong = [
        f"{what}: {', '.join(keys[:5])}{f' and {len(keys) - 5} more' if len(keys) > 5 else ''}"
        for what, keys in (("missing", missing), ("unknown", unknown), ("mis-shaped", shapes))
        if keys
    ]
    return "; ".join(wrong)


def write(name: str, source: Path, out: Path) -> tuple[Path, Path, tuple[str, ...]]:
    """Convert a file: safetensors and, beside it, a JSON file that says what it is.

    Returns:
        The two files, and what was left out.

    Raises:
        LookupError, ValueError, FileNotFoundError: as `from_released`.
    """
    layout = choose(name, RELEASED, "released network")
    method = layout.NETWORKS[name]
    function, _ = registry.find(method)
    backbone = getattr(layout, "BACKBONES", {}).get(name, registry.own_backbone(function))
    found = convert(read(source), network(name, layout).state_dict(), layout)
    state = {key: value.contiguous() for key, value in found.state.items()}
    metadata = {"about": json.dumps({"method": method, "origin": layout.ORIGIN})}
    write_whole(out, lambda part: save_file(state, part, metadata))
    about = {
        "method": method,
        "backbone": backbone,
        "clip": {"frames": _frames(layout), "height": SIZE[0], "width": SIZE[1]},
        "bytes": out.stat().st_size,
        "sha256": sha256(out),
        "origin": layout.ORIGIN,
        "source_file": Path(source).name,
        "source_sha256": sha256(source),
        "dropped": list(found.dropped),
    }
    write_json(out.with_suffix(".json"), about)
    return out, out.with_suffix(".json"), found.dropped
