"""What the processes of one training or embedding share, by torch.distributed.

While they are `joined`, every process makes the same calls in the same order; at all other times,
and where there is one process only, each of these functions does what one process would.

A batch is drawn once and cut by persons. Every process computes the loss of the whole batch from
gathered outputs, so that its gradients for its own clips are exact, and their sum over the
processes is the gradient that one process would have.
"""

import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import torch
import torch.distributed as dist
from timm.layers import convert_sync_batchnorm
from torch import Tensor, nn
from torch.utils._pytree import tree_map

from methods.output import ClipOutput

T = TypeVar("T")
BUCKET = 1 << 24  # numbers of one gradient message
_state: dict = {"joined": False, "objects": None}


class FirstFailed(RuntimeError):
    """The first process failed at what the others waited for; it says why."""


@contextmanager
def joined(objects: dist.ProcessGroup | None = None) -> Iterator[None]:
    """All processes of the default group do the following together.

    Args:
        objects: a group of the same processes that waits long, for what is no tensor; None is the
            default group.
    """
    _state.update(joined=True, objects=objects)
    try:
        yield
    finally:
        _state.update(joined=False, objects=None)


def size() -> int:
    """Processes that do this together; 1 for one alone."""
    return dist.get_world_size() if _state["joined"] and dist.is_initialized() else 1


def rank() -> int:
    """Which of them this is, from 0."""
    return dist.get_rank() if size() > 1 else 0


def is_first() -> bool:
    """Whether this process writes, prints and decides."""
    return rank() == 0


def on_first(work: Callable[[], T]) -> T:
    """What the work gives on the first process, on all; the others do not do it.

    Raises:
        FirstFailed: on the others, where it raised on the first one, which raises what it raised.
    """
    if size() == 1:
        return work()
    told: list = [None, None]
    if is_first():
        try:
            told[0] = work()
        except Exception as error:
            dist.broadcast_object_list([None, str(error)], src=0, group=_state["objects"])
            raise
    dist.broadcast_object_list(told, src=0, group=_state["objects"])
    if told[1] is not None:
        raise FirstFailed(told[1])
    return told[0]


# ---- batches -------------------------------------------------------------------------------------


def check_share(persons: int, processes: int) -> None:
    """Refuse a batch of persons that so many processes cannot share equally.

    Raises:
        ValueError: says which numbers would fit.
    """
    if persons % processes == 0:
        return
    fit = [str(n) for n in range(1, persons + 1) if persons % n == 0]
    fewer = max(persons // processes, 1) * processes
    raise ValueError(
        f"a batch has {persons} persons, which {processes} processes cannot share equally: take "
        f"{', '.join(fit[:-1])} or {fit[-1]} processes, or --set ids_per_batch={fewer}"
    )


class Share:
    """The part of a sampler's batches that is this process's; all of it for one alone."""

    def __init__(self, sampler):
        self.sampler = sampler

    def __len__(self) -> int:
        return len(self.sampler)

    def __iter__(self) -> Iterator[list]:
        for batch in self.sampler:
            own = len(batch) // size()
            yield batch[rank() * own : (rank() + 1) * own]


def seed_epoch(seed: int, epoch: int) -> None:
    """Give all but the first process random numbers of their own, the same whenever it resumes."""
    if not is_first():
        torch.manual_seed(zlib.crc32(f"{seed}/{epoch}/{rank()}".encode()))


# ---- outputs and gradients -----------------------------------------------------------------------


class _Gather(torch.autograd.Function):
    """[b, …] -> [b * processes, …] in the processes' order; gradients of one's own rows."""

    @staticmethod
    def forward(ctx, own: Tensor) -> Tensor:
        parts = [torch.empty_like(own) for _ in range(size())]
        dist.all_gather(parts, own.contiguous())
        return torch.cat(parts)

    @staticmethod
    def backward(ctx, gradient: Tensor) -> Tensor:
        return gradient.chunk(size())[rank()]


def gather(output: ClipOutput, classes: Tensor) -> tuple[ClipOutput, Tensor]:
    """Outputs and classes of the whole batch, on every process; penalties are their mean.

    Gradients flow to this process's own outputs alone: every process has the same loss, so that
    `sum_gradients` makes the whole of its gradient.
    """
    if size() == 1:
        return output, classes

    def whole(own: object) -> object:
        if not isinstance(own, Tensor):
            return own
        return _Gather.apply(own) if own.ndim else _Gather.apply(own[None]).mean()

    return tree_map(whole, output), _Gather.apply(classes)


def sum_gradients(model: nn.Module) -> None:
    """Add the gradients of all processes up, on each of them."""
    if size() == 1:
        return
    left = [p.grad for p in model.parameters() if p.grad is not None]
    sent = []
    while left:
        bucket = [left.pop(0)]
        while left and left[0].dtype == bucket[0].dtype and _numbers(bucket) < BUCKET:
            bucket.append(left.pop(0))
        flat = torch.cat([gradient.flatten() for gradient in bucket])
        sent.append((bucket, flat, dist.all_reduce(flat, async_op=True)))
    for bucket, flat, message in sent:
        message.wait()
        for gradient, summed in zip(bucket, flat.split([g.numel() for g in bucket]), strict=True):
            gradient.copy_(summed.view_as(gradient))


def _numbers(tensors: list[Tensor]) -> int:
    return sum(tensor.numel() for tensor in tensors)


# ---- networks and vectors ------------------------------------------------------------------------


def synchronise_batch_norm(model: nn.Module, device: torch.device) -> nn.Module:
    """On GPUs, BatchNorm over the whole batch; on CPUs torch has none, it stays each process's."""
    return convert_sync_batchnorm(model) if size() > 1 and device.type == "cuda" else model


def spread(model: nn.Module) -> None:
    """Give every process the weights and buffers of the first."""
    if size() > 1:
        with torch.no_grad():
            for tensor in (*model.parameters(), *model.buffers()):
                whole = tensor.contiguous()
                dist.broadcast(whole, src=0)
                tensor.copy_(whole)


def collect(parts: list[T]) -> list[T]:
    """The first process gets what all have, in the processes' turns; the others their own.

    Process r has the items r, r + processes, r + 2 · processes, … of the whole.
    """
    if size() == 1:
        return parts
    found: list | None = [None] * size() if is_first() else None
    dist.gather_object(parts, found, dst=0, group=_state["objects"])
    if found is None:
        return parts
    count = sum(map(len, found))
    return [found[i % size()][i // size()] for i in range(count)]
