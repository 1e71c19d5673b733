"""Features in chunks, for a batch that does not fit: the method of cached gradients.

A first pass without gradients gives the outputs of all chunks, the loss is that of the whole batch,
and a second pass over each chunk carries the loss's gradients on to the weights (Gao et al.,
"Scaling Deep Contrastive Learning Batch Size under Memory Limited Setup", 2021). Both passes see
the same random numbers. The gradients are those of the whole batch but for BatchNorm, which sees a
chunk at a time.
"""

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves, tree_map

from benchmark.pixels import normalise
from methods.output import ClipOutput


class ChunkedForward:
    """A forward pass in chunks, and what carries gradients back through it.

    Args:
        model: in training.
        clips: uint8 [B, T, 3, H, W].
        flips: [B], which are mirrored.
        size: clips of a chunk.

    Attributes:
        output: of the whole batch, for the loss; its gradients stop there until `backward`.
    """

    def __init__(self, model: nn.Module, clips: Tensor, flips: Tensor, size: int):
        self.model = model
        self.chunks = list(zip(clips.split(size), flips.split(size), strict=True))
        self.random, self.leaves = [], []
        before = [(buffer, buffer.clone()) for buffer in model.buffers()]
        with torch.no_grad():
            for chunk in self.chunks:
                self.random.append(_random_state(clips.device))
                output = model(normalise(*chunk))
                self.leaves.append(tree_map(_leaf, output))
            for buffer, value in before:  # the second pass moves them
                buffer.copy_(value)
        shares = [len(clips_of) / len(clips) for clips_of, _ in self.chunks]
        self.output: ClipOutput = tree_map(lambda *of: _joined(of, shares), *self.leaves)

    def backward(self) -> None:
        """Add the gradients of the weights, after those of the loss have come to ``output``."""
        for chunk, state, leaves in zip(self.chunks, self.random, self.leaves, strict=True):
            _set_random_state(chunk[0].device, state)
            output = self.model(normalise(*chunk))
            ends = [
                (end, leaf.grad)
                for end, leaf in zip(tree_leaves(output), tree_leaves(leaves), strict=True)
                if isinstance(leaf, Tensor) and leaf.grad is not None and end.requires_grad
            ]
            torch.autograd.backward([end for end, _ in ends], [gradient for _, gradient in ends])


def _leaf(value: object) -> object:
    return value.detach().requires_grad_() if isinstance(value, Tensor) else value


def _joined(values: tuple, shares: list[float]) -> object:
    """Rows of all chunks; the mean over clips of what is one number."""
    if not isinstance(values[0], Tensor):
        return values[0]
    if values[0].ndim:
        return torch.cat(values)
    return torch.stack([v * share for v, share in zip(values, shares, strict=True)]).sum()


def _random_state(device: torch.device) -> tuple[Tensor, Tensor | None]:
    cuda = torch.cuda.get_rng_state(device) if device.type == "cuda" else None
    return torch.get_rng_state(), cuda


def _set_random_state(device: torch.device, state: tuple[Tensor, Tensor | None]) -> None:
    torch.set_rng_state(state[0])
    if state[1] is not None:
        torch.cuda.set_rng_state(state[1], device)
