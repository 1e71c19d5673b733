"""Batches on their way to the device."""

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor


def to_device(batches: Iterable[list[Tensor]], device: torch.device) -> Iterator[list[Tensor]]:
    """Each batch on the device; a GPU gets the next one while it computes with this one.

    Args:
        batches: lists of tensors, in pinned memory for a GPU.
        device: where they go.
    """
    if device.type != "cuda":
        for batch in batches:
            yield [tensor.to(device) for tensor in batch]
        return
    stream = torch.cuda.Stream(device)
    ahead: tuple[list[Tensor], torch.cuda.Event] | None = None
    for batch in batches:
        with torch.cuda.stream(stream):
            copied = [tensor.to(device, non_blocking=True) for tensor in batch]
            arrived = stream.record_event()
        if ahead is not None:
            yield _arrived(*ahead)
        ahead = copied, arrived
    if ahead is not None:
        yield _arrived(*ahead)


def _arrived(tensors: list[Tensor], event: torch.cuda.Event) -> list[Tensor]:
    """Let what is computed next wait for them, and not Python."""
    now = torch.cuda.current_stream(tensors[0].device)
    now.wait_event(event)
    for tensor in tensors:
        tensor.record_stream(now)
    return tensors
