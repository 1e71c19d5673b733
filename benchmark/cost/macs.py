"""What can be counted of a method without a clock: parameters, multiply-adds, activations.

GMACs are fvcore's "flops": one multiply-add counts 1. fvcore leaves fused attention and recurrent
layers out; both have a handle here. What is left out beyond that is compared with an explicit list
of operators that have no multiply-adds worth counting. A network with any other operator in it has
no count: its GMACs stay blank, and the operator is named.
"""

import logging
import math
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from fvcore.nn import FlopCountAnalysis, jit_handles
from torch import Tensor, nn

ELEMENTWISE = """
    abs add bernoulli bitwise_not bitwise_or ceil clamp clamp_max clamp_min cos div elu eq erf exp
    expm1 floor floor_divide fmod ge gelu gt hardsigmoid hardswish hardtanh isfinite isnan le
    leaky_relu lerp log log1p logical_and logical_not logical_or lt masked_fill maximum minimum mul
    ne neg pow prelu reciprocal relu relu6 remainder round rsqrt rsub selu sigmoid sign silu sin
    softplus sqrt square sub tanh where __and__ __or__
"""
REDUCTIONS = """
    adaptive_max_pool1d adaptive_max_pool2d adaptive_max_pool3d all amax amin any argmax argmin
    argsort avg_pool1d avg_pool2d avg_pool3d cummax cumsum frobenius_norm linalg_norm
    linalg_vector_norm log_softmax logsumexp max max_pool1d max_pool2d max_pool3d mean min norm prod
    softmax sort std sum topk var
"""
MOVES = """
    alias as_strided clone contiguous copy detach diag diagonal embedding expand_as fill flip gather
    hstack index index_add index_fill index_put index_select linspace masked_select meshgrid movedim
    new_ones one_hot ones_like pad pixel_shuffle rand rand_like randint randn randn_like
    reflection_pad2d repeat repeat_interleave replication_pad2d replication_pad3d resolve_conj
    reshape_as roll scatter scatter_add slice_scatter stack swapaxes take_along_dim tensor_split
    tile tril triu unbind unflatten unfold view_as vstack zero zeros_like
"""
# in-place forms (a trailing _) go with them
WITHOUT_MACS = frozenset(f"aten::{name}" for name in (ELEMENTWISE + REDUCTIONS + MOVES).split())


@dataclass(frozen=True, kw_only=True)
class Count:
    """What can be counted of embedding one clip, without a clock; the same on every machine.

    Attributes:
        params_m: parameters without the classifier, in 10⁶.
        gmacs: multiply-adds of one clip, in 10⁹ (fvcore's unit); None where an operator cannot be
            counted.
        activations_m: elements that convolutions, linear layers and attention put out, in 10⁶.
        frames: T; ``height`` and ``width``: pixels.
        parts: ``gmacs`` of stem, stages and attention layers, and of the ``rest``; they sum to it.
            Empty without ``gmacs``.
        left_out: operators that have no multiply-adds, with how often they ran.
        uncounted: operators that have some, and nobody counts; in alphabetical order.
    """

    params_m: float
    gmacs: float | None
    activations_m: float
    frames: int
    height: int
    width: int
    parts: dict[str, float]
    left_out: dict[str, int]
    uncounted: tuple[str, ...] = ()


def count(model: nn.Module, clip: Tensor) -> Count:
    """Count one clip, ``[1, T, 3, H, W]``; the model is put into evaluation."""
    elements: list[int] = []
    analysis = _analyse(model, clip, MACS | _noting_outputs(elements))
    left_out, uncounted = _unsupported(analysis)
    _, frames, _, height, width = clip.shape
    parts = {} if uncounted else _parts(model, analysis.by_module())
    return Count(
        params_m=sum(p.numel() for p in model.parameters()) / 1e6,
        gmacs=None if uncounted else analysis.total() / 1e9,
        activations_m=sum(elements) / 1e6,
        frames=frames,
        height=height,
        width=width,
        parts={name: macs / 1e9 for name, macs in parts.items()},
        left_out=left_out,
        uncounted=tuple(uncounted),
    )


def count_gmacs(model: nn.Module, clips: Tensor) -> float:
    """10⁹ multiply-adds of one forward pass.

    Raises:
        ValueError: an operator is neither counted nor known to have no multiply-adds.
    """
    analysis = _analyse(model, clips, MACS)
    if uncounted := _unsupported(analysis)[1]:
        raise ValueError(
            f"cannot count the multiply-adds of {type(model).__name__}: {', '.join(uncounted)} is "
            "neither counted nor listed in benchmark.cost.macs.WITHOUT_MACS"
        )
    return analysis.total() / 1e9


def _unsupported(analysis: FlopCountAnalysis) -> tuple[dict[str, int], dict[str, int]]:
    """Operators that fvcore left out, with how often they ran: without multiply-adds; with some."""
    left_out, uncounted = {}, {}
    for name, times in sorted(analysis.unsupported_ops().items()):
        free = {name, name.removesuffix("_")} & WITHOUT_MACS
        (left_out if free else uncounted)[name.removeprefix("aten::")] = times
    return left_out, uncounted


def _parts(model: nn.Module, by_module: dict[str, float]) -> dict[str, float]:
    """A model's children; those of a trunk (stem, stages) and of a group of layers one by one."""
    found: dict[str, float] = {}
    for name, child in model.named_children():
        trunk, group = hasattr(child, "layer1"), isinstance(child, nn.ModuleDict | nn.ModuleList)
        for inner, _ in child.named_children() if trunk or group else [("", None)]:
            path = ".".join(part for part in ("model", name, inner) if part)
            label = f"{name}.{inner}" if group else inner or name
            if trunk:
                stage = inner.startswith("layer")
                label = inner.replace("layer", "stage") if stage else "stem"
            found[label] = found.get(label, 0) + by_module.get(path, 0)
    found = {label: macs for label, macs in found.items() if macs}
    return found | {"rest": by_module[""] - sum(found.values())}


def _noting_outputs(elements: list[int]) -> dict[str, Callable]:
    """Handles that count as usual and note how many elements an operator has put out."""

    def noting(handle: Callable) -> Callable:
        def noted(inputs, outputs):
            elements.append(math.prod(_shape(outputs[0])))
            return handle(inputs, outputs)

        return noted

    return {name: noting(handle) for name, handle in _ACTIVATING.items()}


def _analyse(model: nn.Module, clips: Tensor, handles: dict[str, Callable]) -> FlopCountAnalysis:
    logging.getLogger("fvcore.nn.jit_analysis").setLevel(logging.ERROR)
    model.eval()
    with warnings.catch_warnings(), torch.no_grad(), _plain_attention_modules():
        warnings.simplefilter("ignore")  # tracing warns of every Python number
        analysis = FlopCountAnalysis(_Embedding(model), clips)
        analysis.unsupported_ops_warnings(False).uncalled_modules_warnings(False)
        for name, handle in handles.items():
            analysis.set_op_handle(f"aten::{name}", handle)
        analysis.total()  # traces, once
    return analysis


@contextmanager
def _plain_attention_modules() -> Iterator[None]:
    """Have `nn.MultiheadAttention` run operators that are counted, not one for the whole layer."""
    was = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(was)


class _Embedding(nn.Module):
    """The embedding alone: a trace cannot return a dict."""

    def __init__(self, model: nn.Module):
        super().__init__()
        self.model = model

    def forward(self, clips: Tensor) -> Tensor:
        return self.model(clips).embedding


def _shape(value) -> list[int]:
    return value.type().sizes()


def _attention_macs(inputs, outputs) -> int:
    """Q kᵀ and its product with v: 2·B·L·L·d."""
    *batch, queries, width = _shape(inputs[0])
    keys, out = _shape(inputs[1])[-2], _shape(inputs[2])[-1]
    return math.prod(batch) * queries * keys * (width + out)


def _recurrent_macs(inputs, outputs) -> int:
    """Every entry of every weight matrix once a step; an LSTM layer has 4·h·(d + h)."""
    steps = math.prod(_shape(inputs[0])[:-1])
    shapes = [_shape(weight) for weight in inputs[2].node().inputs()]
    return steps * sum(math.prod(shape) for shape in shapes if len(shape) == 2)


MACS = {
    "scaled_dot_product_attention": _attention_macs,
    **dict.fromkeys(("lstm", "gru", "rnn_tanh", "rnn_relu"), _recurrent_macs),
}
# convolutions, matrix products and attention, whose outputs are the activations
_ACTIVATING = {
    "_convolution": jit_handles.conv_flop_jit,
    "addmm": jit_handles.addmm_flop_jit,
    "bmm": jit_handles.bmm_flop_jit,
    "einsum": jit_handles.einsum_flop_jit,
    "linear": jit_handles.linear_flop_jit,
    "matmul": jit_handles.matmul_flop_jit,
    "scaled_dot_product_attention": _attention_macs,
}
