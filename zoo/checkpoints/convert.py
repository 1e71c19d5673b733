"""The authors' released STE-NVAN checkpoints as ours: a strict renaming that says what it drops.

Their files are saved from ``DataParallel``; keys look like
``module.features.backbone.layer1.0.conv1.weight``.
"""

import json
import pickle
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from benchmark.files import sha256, write_json, write_whole
from benchmark.variants import choose
from zoo import registry

# what each released network is here: theirs have no activation in the stem, and S = 16 at 256
# pixels
RELEASED = {
    "resnet50_avg": "resnet50_avg[stem_activation=false]",
    "nvan": "nvan[stem_activation=false]",
    "stenvan": "stenvan[stem_activation=false]",
}
ORIGIN = "github.com/jackie840129/STE-NVAN"
_FIRST_BLOCK = {"2": 2, "3": 3}  # NL_2.0 follows layer2's block 2, NL_3.0 layer3's block 3
_COUNTER = "num_batches_tracked"


@dataclass(frozen=True)
class Converted:
    """A state dict of ours and what was left out of theirs, in words."""

    state: dict[str, Tensor]
    dropped: tuple[str, ...]


def from_released(name: str, path: Path) -> nn.Module:
    """The authors' network from their ``.pth`` file, in evaluation, without its classifier.

    Args:
        name: ``nvan``, ``stenvan`` or ``resnet50_avg``.
        path: their file.

    Raises:
        LookupError: no released network of that name.
        ValueError: the file holds something else, or keys are missing, too many or of another
            shape.
        FileNotFoundError: there is no such file.
    """
    method = choose(name, RELEASED, "released network")
    model = registry.create(method)
    found = convert(read(path), model.state_dict())
    model.load_state_dict(found.state)
    return model.eval()


def read(path: Path) -> dict[str, Tensor]:
    """The tensors of a ``.pth`` file; nothing in it is executed.

    Raises:
        ValueError: it is no state dict, or holds more than tensors.
        FileNotFoundError: there is no such file.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"{path} does not exist")
    try:
        data = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError) as error:
        reason = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        raise ValueError(f"{path} is refused: it is no file of plain tensors ({reason})") from None
    if isinstance(data, dict) and isinstance(data.get("state_dict"), dict):
        data = data["state_dict"]
    if not isinstance(data, dict) or not all(isinstance(v, Tensor) for v in data.values()):
        raise ValueError(f"{path} is refused: expected a dict of tensors by name")
    return data


def convert(theirs: dict[str, Tensor], expected: dict[str, Tensor]) -> Converted:
    """Rename a released state dict.

    Args:
        theirs: keys as released, with or without ``module.``.
        expected: our network's state dict: which keys and shapes there must be.

    Raises:
        ValueError: lists keys that are missing, unknown or of another shape.
    """
    state: dict[str, Tensor] = {}
    unknown, dropped = [], []
    for key, value in theirs.items():
        ours = rename(key)
        if ours == "classifier.weight":
            dropped.append(
                f"{key}: classifier of {len(value)} training persons; retrieval needs none"
            )
        elif ours is None or ours not in expected:
            unknown.append(key)
        else:
            state[ours] = value.squeeze(-1) if value.ndim == 5 else value  # 1×1×1 conv as 1×1
    for (
        key
    ) in expected:  # counters of BatchNorm: files of old PyTorch have none, evaluation needs none
        if key.endswith(_COUNTER) and key not in state:
            state[key] = torch.zeros_like(expected[key])
    wrong = misfits(state, expected, unknown)
    if wrong:
        raise ValueError(f"the checkpoint does not fit: {wrong}")
    return Converted({key: state[key] for key in expected}, tuple(dropped))


def misfits(
    state: dict[str, Tensor], expected: dict[str, Tensor], unknown: Sequence[str] = ()
) -> str:
    """Keys that are missing, unknown or of another shape, in words; empty if all fit.

    Args:
        state: tensors by our names.
        expected: a network's state dict.
        unknown: further keys that nobody knows.
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


def rename(key: str) -> str | None:
    """Our name of one of their tensors; None if it has none."""
    key = key.removeprefix("module.")
    if found := re.fullmatch(
        r"features\.backbone\.NL_([23])\.(\d)\.(g|theta|phi|W\.0|W\.1)\.(\w+)", key
    ):
        stage, place, part, field = found.groups()
        part = {"W.0": "out", "W.1": "norm"}.get(part, part)
        block = _FIRST_BLOCK[stage] + int(place)
        return f"non_local.stage{stage}_block{block}.{part}.{field}"
    if found := re.fullmatch(r"features\.backbone\.((?:conv1|bn1|layer[1-4]\.).*)", key):
        return f"frames.{found[1]}"
    if found := re.fullmatch(r"bottleneck\.(\w+)", key):
        return f"neck.{found[1]}"
    return key if key == "classifier.weight" else None


def write(name: str, source: Path, out: Path) -> tuple[Path, Path, tuple[str, ...]]:
    """Convert a file: safetensors and, beside it, a JSON row that says what it is.

    Returns:
        The two files, and what was left out.

    Raises:
        LookupError, ValueError, FileNotFoundError: as `from_released`.
    """
    method = choose(name, RELEASED, "released network")
    found = convert(read(source), registry.create(method).state_dict())
    state = {key: value.contiguous() for key, value in found.state.items()}
    metadata = {"about": json.dumps({"method": method, "origin": ORIGIN})}
    write_whole(out, lambda part: save_file(state, part, metadata))
    row = {
        "method": method,
        "backbone": "resnet50",
        "clip": {"frames": 8, "height": 256, "width": 128},
        "bytes": out.stat().st_size,
        "sha256": sha256(out),
        "origin": ORIGIN,
        "source_file": Path(source).name,
        "source_sha256": sha256(source),
        "dropped": list(found.dropped),
    }
    write_json(out.with_suffix(".json"), row)
    return out, out.with_suffix(".json"), found.dropped
