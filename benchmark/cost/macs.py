"""What can be counted of a method without a clock: parameters, multiply-adds, activations.

GMACs are fvcore's "flops": one multiply-add counts 1. fvcore leaves fused attention and LSTMs out;
both have a handle here. What is left out beyond that is compared with an explicit list of operators
that have no multiply-adds worth counting, and a count with any other operator in it is refused.
"""

import logging
import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import torch
from fvcore.nn import ActivationCountAnalysis, FlopCountAnalysis
from torch import Tensor, nn

# Operators without multiply-adds worth counting: element-wise, pooling, softmax, reductions,
# indexing. Their in-place forms (a trailing _) go with them.
UNCOUNTED = frozenset(
    f"aten::{name}"
    for name in [
        "__and__",
        "abs",
        "add",
        "amax",
        "amin",
        "argmax",
        "bitwise_not",
        "ceil",
        "clamp",
        "clamp_min",
        "cumsum",
        "div",
        "eq",
        "exp",
        "expand_as",
        "fill",
        "floor_divide",
        "fmod",
        "gather",
        "gelu",
        "hardtanh",
        "index",
        "index_select",
        "leaky_relu",
        "linalg_vector_norm",
        "log",
        "max",
        "max_pool2d",
        "max_pool3d",
        "maximum",
        "mean",
        "minimum",
        "mul",
        "neg",
        "norm",
        "ones_like",
        "pad",
        "pow",
        "randint",
        "reciprocal",
        "relu",
        "remainder",
        "repeat",
        "repeat_interleave",
        "replication_pad3d",
        "roll",
        "rsqrt",
        "rsub",
        "sigmoid",
        "silu",
        "softmax",
        "softplus",
        "sort",
        "sqrt",
        "square",
        "stack",
        "sub",
        "sum",
        "tanh",
        "topk",
        "unbind",
        "unflatten",
        "where",
        "zeros_like",
    ]
)


@dataclass(frozen=True, kw_only=True)
class Count:
    """What can be counted of embedding one clip, without a clock; the same on every machine.

    Attributes:
        params_m: parameters without the classifier, in 10⁶.
        gmacs: multiply-adds of one clip, in 10⁹ (fvcore's unit).
        activations_m: elements that convolutions, linear layers and attention put out, in 10⁶.
        frames: T; ``height`` and ``width``: pixels.
        parts: ``gmacs`` of stem, stages and attention layers, and of the ``rest``; they sum to it.
        left_out: operators without counted multiply-adds, with how often they ran.
    """

    params_m: float
    gmacs: float
    activations_m: float
    frames: int
    height: int
    width: int
    parts: dict[str, float]
    left_out: dict[str, int]


def count(model: nn.Module, clip: Tensor) -> Count:
    """Count one clip, ``[1, T, 3, H, W]``; the model is put into evaluation.

    Raises:
        ValueError: an operator is neither counted nor known to have no multiply-adds.
    """
    analysis = _multiply_adds(model, clip)
    _, frames, _, height, width = clip.shape
    return Count(
        params_m=sum(p.numel() for p in model.parameters()) / 1e6,
        gmacs=analysis.total() / 1e9,
        activations_m=count_activations(model, clip),
        frames=frames,
        height=height,
        width=width,
        parts={name: macs / 1e9 for name, macs in _parts(model, analysis.by_module()).items()},
        left_out=_left_out(analysis),
    )


def count_gmacs(model: nn.Module, clips: Tensor) -> float:
    """10⁹ multiply-adds of one forward pass.

    Raises:
        ValueError: an operator is neither counted nor known to have no multiply-adds.
    """
    return _multiply_adds(model, clips).total() / 1e9


def _multiply_adds(model: nn.Module, clips: Tensor) -> FlopCountAnalysis:
    handles = {"scaled_dot_product_attention": _attention_macs, "lstm": _lstm_macs}
    analysis = _analyse(FlopCountAnalysis, model, clips, handles)
    strange = {
        name
        for name in analysis.unsupported_ops()
        if {name, name.removesuffix("_")}.isdisjoint(UNCOUNTED)
    }
    if strange:
        raise ValueError(
            f"cannot count the multiply-adds of {type(model).__name__}: "
            f"{', '.join(sorted(strange))} "
            "is neither counted nor listed in benchmark.cost.macs.UNCOUNTED"
        )
    return analysis


def _left_out(analysis: FlopCountAnalysis) -> dict[str, int]:
    found = sorted(analysis.unsupported_ops().items())
    return {name.removeprefix("aten::"): times for name, times in found}


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


def count_activations(model: nn.Module, clips: Tensor) -> float:
    """10⁶ elements put out by convolutions, matrix products and attention."""
    handles = {"scaled_dot_product_attention": lambda _, out: math.prod(_shape(out[0]))}
    return _analyse(ActivationCountAnalysis, model, clips, handles).total() / 1e6


def _analyse(kind: type, model: nn.Module, clips: Tensor, handles: dict[str, Callable]):
    logging.getLogger("fvcore.nn.jit_analysis").setLevel(logging.ERROR)
    model.eval()
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # tracing warns of every Python number
        analysis = kind(_Embedding(model), clips)
        analysis.unsupported_ops_warnings(False).uncalled_modules_warnings(False)
        for name, handle in handles.items():
            analysis.set_op_handle(f"aten::{name}", handle)
        analysis.total()  # traces, once
    return analysis


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


def _lstm_macs(inputs, outputs) -> int:
    """Four gates on input and state, for each step: 4·h·(d + h)."""
    sequence, hidden = _shape(inputs[0]), _shape(outputs[0])[-1]
    return math.prod(sequence[:-1]) * 4 * hidden * (sequence[-1] + hidden)
