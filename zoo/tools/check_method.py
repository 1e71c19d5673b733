"""The checks that every method must pass, ours in the tests and anybody's by ``zoo check``."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from benchmark.cost.macs import count_gmacs
from benchmark.losses import losses
from benchmark.recipes import RECIPES
from methods.output import ClipOutput
from zoo import registry

CLASSES = 5
CLIPS = (3, 4, 3, 128, 64)  # B, T, RGB, H, W
ROUNDING = 2e-6  # what is left of a gradient that is zero, against the largest one, in float32


@dataclass(frozen=True)
class Result:
    """One check: its name, whether it passed, and what was seen."""

    name: str
    passed: bool
    detail: str


class Failed(AssertionError):
    """A check that did not pass; the message says what was seen and what was expected."""


def run_checks(method: str, backbone: str | None = None) -> list[Result]:
    """Put a method to every check.

    Args:
        method: a variant.
        backbone: timm network; None is a narrow twin of the method's own.

    Raises:
        LookupError: no such method.
        ValueError: it cannot be built at all.
    """
    function, variant = registry.find(method)
    network = backbone or str(RECIPES["quick"].backbone_of(registry.own_backbone(function)))

    def build(num_classes: int) -> nn.Module:
        torch.manual_seed(0)
        return registry.create(
            str(variant), num_classes, backbone=network, size=CLIPS[3:], frames=CLIPS[1]
        )

    results = []
    for check in CHECKS:
        try:
            detail, passed = check(build), True
        except Exception as error:  # anybody's network may raise anything
            detail, passed = f"{type(error).__name__}: {error}", False
        results.append(
            Result((check.__doc__ or "").strip().rstrip("."), passed, " ".join(detail.split()))
        )
    return results


def redraw_zeros(model: nn.Module) -> None:
    """Draw layers that start at zero anew, so that nothing hides behind them."""
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad and not parameter.any():
                parameter.normal_(std=0.5)


def stir_norms(model: nn.Module) -> None:
    """Give BatchNorms running statistics as after training, so that none is an identity."""
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.running_mean.normal_(std=0.1)
            module.running_var.uniform_(0.5, 1.5)


def random_clips(*shape: int) -> torch.Tensor:
    """Clips that are the same each time."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


# ---- the checks ----------------------------------------------------------------------------------


def shapes(build: Callable[[int], nn.Module]) -> str:
    """Output has the contract's shapes, in training and evaluation."""
    model, clips = build(CLASSES), random_clips(*CLIPS)
    for training in (True, False):
        out = model.train(training)(clips)
        expect(
            isinstance(out, ClipOutput), f"forward gives {type(out).__name__}, expected ClipOutput"
        )
        expect(
            out.embedding.ndim == 2 and len(out.embedding) == CLIPS[0],
            f"embedding {list(out.embedding.shape)}",
        )
        expect(
            out.metric.ndim == 2 and len(out.metric) == CLIPS[0], f"metric {list(out.metric.shape)}"
        )
        expect(
            out.embedding.dtype == out.metric.dtype == torch.float32,
            "embedding and metric are float32",
        )
        expect(out.logits.shape == (CLIPS[0], CLASSES), f"logits {list(out.logits.shape)}")
        expect(isinstance(out.penalties, dict), "penalties is a dict")
        expect(all(p.ndim == 0 for p in out.penalties.values()), "each penalty is one number")
    expect(build(0)(clips).logits is None, "num_classes=0 gives no logits")
    expect(model.distance in ("cosine", "euclidean"), f"distance is {model.distance!r}")
    neck = model.eval().neck(out.metric)
    expect(
        torch.allclose(neck, out.embedding, atol=1e-5),
        "neck(metric) is the embedding in evaluation",
    )
    return f"embedding {list(out.embedding.shape)}, {model.distance}"


def gradients(build: Callable[[int], nn.Module]) -> str:
    """Every parameter gets a finite gradient, and every weight one above rounding."""
    model = build(CLASSES).train()
    redraw_zeros(model)
    out = model(random_clips(4, *CLIPS[1:]))
    classes = torch.tensor([0, 0, 1, 1])
    parts = losses(out, classes, triplet="soft", smoothing=0.0)
    if out.frames is not None:  # which a loss between frames takes
        parts["frames"] = out.frames.abs().mean()
    sum(parts.values()).backward()
    wanted = {n: p for n, p in model.named_parameters() if p.requires_grad}
    lost = [n for n, p in wanted.items() if p.grad is None or not p.grad.isfinite().all()]
    expect(not lost, f"no finite gradient: {', '.join(lost[:5])}")
    sizes = {n: p.grad.square().mean().sqrt().item() for n, p in wanted.items()}
    idle = [n for n, size in sizes.items() if size <= ROUNDING * max(sizes.values())]
    weights = [n for n in idle if not n.endswith("bias")]
    expect(not weights, f"no gradient above rounding: {', '.join(weights[:5])}")
    cancelled = f", {len(idle)} biases cancelled by what follows them" if idle else ""
    return f"{len(wanted)} parameters{cancelled}"


def batch_independence(build: Callable[[int], nn.Module]) -> str:
    """A clip's embedding does not depend on the batch around it."""
    model, clips = build(0).eval(), random_clips(*CLIPS)
    redraw_zeros(model)
    stir_norms(model)
    with torch.no_grad():
        together = model(clips).embedding
        alone = torch.cat([model(clip[None]).embedding for clip in clips])
    error = ((together - alone).norm() / together.norm()).item()
    expect(error < 1e-5, f"relative difference {error:.1e}, expected below 1e-5")
    return f"relative difference {error:.1e}"


def lengths_and_sizes(build: Callable[[int], nn.Module]) -> str:
    """Other T and image sizes work, or are refused with a ValueError."""
    model, taken, refused = build(0).eval(), [], []
    for frames, height, width in (
        (CLIPS[1], *CLIPS[3:]),
        (1, 128, 64),
        (2, 128, 64),
        (8, 128, 64),
        (4, 256, 128),
        (4, 64, 64),
    ):
        size = f"{frames}x{height}x{width}"
        try:
            with torch.no_grad():
                out = model(random_clips(2, frames, 3, height, width))
            expect(bool(out.embedding.isfinite().all()), f"{size} gives NaN")
            taken.append(size)
        except ValueError:
            refused.append(size)
    expect(bool(taken), "none is taken, not even the size that it was built for")
    return f"takes {' '.join(taken)}" + (f", refuses {' '.join(refused)}" if refused else "")


def multiply_adds(build: Callable[[int], nn.Module]) -> str:
    """Fvcore's count agrees with torch's own."""
    model, clips = build(0).eval(), random_clips(1, *CLIPS[1:])
    gmacs = count_gmacs(model, clips)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # torch's counter knows neither oneDNN's LSTM nor, before 2.15, a CPU's fused attention
        with (
            torch.backends.mkldnn.flags(enabled=False),
            sdpa_kernel(SDPBackend.MATH),
            torch.no_grad(),
            FlopCounterMode(display=False) as counter,
        ):
            model(clips)
    ours = counter.get_total_flops() / 2e9
    expect(abs(gmacs - ours) < 0.05 * ours, f"fvcore {gmacs:.4f} GMACs, torch {ours:.4f}")
    return f"{gmacs:.4f} GMACs, torch {ours:.4f}"


def attention_pictures(build: Callable[[int], nn.Module]) -> str:
    """attention(clips) gives named arrays."""
    model, clips = build(0).eval(), random_clips(*CLIPS)
    maps = model.attention(clips)
    expect(isinstance(maps, dict), f"attention gives {type(maps).__name__}, expected a dict")
    expect(all(m.isfinite().all() for m in maps.values()), "a map is not finite")
    return ", ".join(f"{name} {list(m.shape)}" for name, m in maps.items()) or "none to show"


CHECKS = (
    shapes,
    gradients,
    batch_independence,
    lengths_and_sizes,
    multiply_adds,
    attention_pictures,
)


def expect(condition: bool, message: str) -> None:
    """Fail the check with this message unless the condition holds."""
    if not condition:
        raise Failed(message)
