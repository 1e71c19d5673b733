"""A network's weights as a safetensors file; tensors that a network shares are stored once.

Networks tie weights: two names, one tensor. The file holds it under its first name, and its
metadata say which names stand for it besides, so that it is read under all of them.
"""

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from benchmark.files import write_whole


def save_weights(weights: Mapping[str, Tensor], path: Path, about: dict[str, str]) -> None:
    """Write a network's weights, whole or not at all; the same ones give the same bytes.

    Args:
        weights: as of its ``state_dict()``, on any device; tied ones share their memory.
        path: ends in ``.safetensors``.
        about: what the metadata say of it.

    Raises:
        OSError: the file cannot be written.
    """
    kept: dict[tuple, str] = {}
    state: dict[str, Tensor] = {}
    tied: dict[str, str] = {}
    for name, value in weights.items():
        place = value.device, value.data_ptr(), value.dtype, value.shape, value.stride()
        first = kept.setdefault(place, name) if value.numel() else name
        if first != name:
            tied[name] = first
            continue
        own = value.detach().cpu().contiguous()  # a view of another one becomes a tensor of its own
        state[name] = own.clone() if own.data_ptr() == value.data_ptr() else own
    told = about | ({"tied": tied} if tied else {})
    metadata = {"about": json.dumps(told)}  # one key: safetensors writes several in any order
    write_whole(path, partial(save_file, state, metadata=metadata))


def read_weights(path: Path) -> dict[str, Tensor]:
    """Every tensor of a file by name, those that are stored once for several names included.

    Raises:
        ValueError: it is no safetensors file, is cut short, or its metadata name what is not there.
        OSError: it cannot be read.
    """
    try:
        with safe_open(path, "pt") as file:
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no dict
            return with_tied(state, file.metadata())
    except (SafetensorError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} is no safetensors file: {str(error)[:100]}") from None


def with_tied(state: dict[str, Tensor], metadata: Mapping[str, str] | None) -> dict[str, Tensor]:
    """The tensors of a file and those that are stored once for several names.

    Raises:
        ValueError, KeyError, TypeError, AttributeError: its metadata name what is not there.
    """
    about = json.loads((metadata or {}).get("about", "{}"))
    tied = about.get("tied", {}) if isinstance(about, dict) else {}
    return state | {name: state[first].clone() for name, first in tied.items()}


def metadata_of(data: bytes) -> Mapping[str, str] | None:
    """The metadata of a safetensors file that was read whole.

    Raises:
        ValueError, TypeError, AttributeError: its bytes are none.
    """
    size = int.from_bytes(data[:8], "little")
    return json.loads(data[8 : 8 + size]).get("__metadata__")
