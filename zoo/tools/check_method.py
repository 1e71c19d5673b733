"""The checks that every method must pass, ours in the tests and anybody's by ``zoo check``."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from benchmark import variants
from benchmark.contract import check_neck, check_output
from benchmark.cost.macs import count_gmacs
from benchmark.losses import losses
from benchmark.recipes import QUICK, UNIFIED
from methods.head import Head
from zoo import registry
from zoo.tools.probe import prepare, random_clips, redraw_small, stir_norms

CLASSES = 5
CLIPS = (3, 4, 3, 128, 64)  # B, T, RGB, H, W
OTHER_CLIPS = ((1, 128, 64), (2, 128, 64), (8, 128, 64), (4, 256, 128), (4, 64, 64))  # T, H, W
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
        backbone: timm network; None is a narrow twin of the method's own, if it takes one.

    Raises:
        LookupError: no such method.
        ValueError: it cannot be built at all.
    """
    function, variant = registry.find(method)
    network = backbone
    if network is None and "backbone" in variants.parameters(function):
        network = str(QUICK.backbone_of(registry.own_backbone(function)))

    def build(num_classes: int) -> nn.Module:
        torch.manual_seed(0)
        clip = {"size": CLIPS[3:], "frames": CLIPS[1]}
        return registry.create(str(variant), num_classes, backbone=network, **clip)

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


# ---- the checks ----------------------------------------------------------------------------------


def shapes(build: Callable[[int], nn.Module]) -> str:
    """Output has the contract's shapes, in training and evaluation."""
    model, clips = build(CLASSES), random_clips(*CLIPS)
    prepare(model, random_clips(CLASSES, *CLIPS[1:]))
    for training in (True, False):
        out = model.train(training)(clips)
        check_output(model, out, CLIPS[0], CLASSES)
        for name in ("embedding", "metric"):
            dtype = getattr(out, name).dtype
            expect(dtype == torch.float32, f"{name} is {dtype}, expected float32")
    expect(build(0)(clips).logits is None, "num_classes=0 gives logits, expected None")
    distance = getattr(model, "distance", None)
    known = distance in ("cosine", "euclidean")
    expect(known, f"distance is {distance!r}, expected cosine or euclidean")
    return f"embedding {list(out.embedding.shape)}, {distance}"


def neck_is_affine(build: Callable[[int], nn.Module]) -> str:
    """The neck is a BatchNorm1d or nothing, and leads from metric to embedding."""
    model = build(0).eval()
    stir_norms(model)
    check_neck(model)
    with torch.no_grad():
        out = model(random_clips(*CLIPS))
        same = torch.allclose(model.neck(out.metric), out.embedding, atol=1e-5)
    expect(same, "neck(metric) is not the embedding in evaluation")
    return type(model.neck).__name__


def another_head(build: Callable[[int], nn.Module]) -> str:
    """A plain head with a BN neck, put in place of its own, trains."""
    model = build(CLASSES).train()
    width = getattr(getattr(model, "head", None), "width", None)
    if not isinstance(width, int):
        return "no head that could be replaced: for recipes with neck=own only"
    model.head = Head(width, CLASSES, neck="bn")
    expect(model.neck is model.head.neck, "neck is not the head's: make it a property")
    step = torch.optim.SGD((p for p in model.parameters() if p.requires_grad), lr=1e-3)
    clips, classes = random_clips(4, *CLIPS[1:]), torch.tensor([0, 0, 1, 1])
    out = model(clips)
    expect(not out.heads, "heads are not empty, expected one plain head alone")
    sum(losses(out, classes, UNIFIED).values()).backward()
    used = model.head.classifier.weight.grad is not None
    expect(used, "forward does not use model.head: end in self.head(feature, penalties)")
    step.step()
    with torch.no_grad():
        out = model.eval()(clips)
    expect(bool(out.embedding.isfinite().all()), "the embedding is not finite after a step")
    return f"[{width}] and a BN neck"


def gradients(build: Callable[[int], nn.Module]) -> str:
    """Every parameter gets a finite gradient, and every weight one above rounding."""
    model = build(CLASSES).train()
    redraw_small(model)
    prepare(model, random_clips(CLASSES, *CLIPS[1:]))
    out = model(random_clips(4, *CLIPS[1:]))
    classes = torch.tensor([0, 0, 1, 1])
    parts = losses(out, classes, UNIFIED)
    if out.frames is not None:  # which a loss between frames takes
        parts["frames"] = out.frames.abs().sum()
    sum(parts.values()).backward()
    wanted = {n: p for n, p in model.named_parameters() if p.requires_grad}
    lost = [n for n, p in wanted.items() if p.grad is None or not p.grad.isfinite().all()]
    expect(not lost, f"no finite gradient: {', '.join(lost[:5])}")
    sizes = {n: p.grad.square().mean().sqrt().item() for n, p in wanted.items()}
    idle = [n for n, size in sizes.items() if size <= ROUNDING * max(sizes.values())]
    weights = [n for n in idle if not n.endswith("bias")]
    expect(not weights, f"no gradient above rounding: {', '.join(weights[:5])}")
    return f"{len(wanted)} parameters, {len(idle)} biases cancelled by what follows them"


def batch_independence(build: Callable[[int], nn.Module]) -> str:
    """A clip's embedding does not depend on the batch around it."""
    model, clips = build(0).eval(), random_clips(*CLIPS)
    redraw_small(model)
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
    for frames, height, width in ((CLIPS[1], *CLIPS[3:]), *OTHER_CLIPS):
        size = f"{frames}x{height}x{width}"
        try:
            with torch.no_grad():
                out = model(random_clips(2, frames, 3, height, width))
            expect(bool(out.embedding.isfinite().all()), f"{size} gives NaN")
            taken.append(size)
        except ValueError:
            refused.append(size)
    own = f"{CLIPS[1]}x{CLIPS[3]}x{CLIPS[4]}"
    expect(own in taken, f"refuses {own}, which it was built for")
    return f"takes {' '.join(taken)}" + (f", refuses {' '.join(refused)}" if refused else "")


def macs(build: Callable[[int], nn.Module]) -> str:
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


def attention_maps(build: Callable[[int], nn.Module]) -> str:
    """What attention(clips) gives, if there is any, are named arrays."""
    model, clips = build(0).eval(), random_clips(*CLIPS)
    if not hasattr(model, "attention"):
        return "none"
    maps = model.attention(clips)
    expect(isinstance(maps, dict), f"attention gives {type(maps).__name__}, expected a dict")
    broken = [name for name, m in maps.items() if not m.isfinite().all()]
    expect(not broken, f"not finite: {', '.join(broken)}")
    return ", ".join(f"{name} {list(m.shape)}" for name, m in maps.items()) or "none"


CHECKS = (
    shapes,
    neck_is_affine,
    another_head,
    gradients,
    batch_independence,
    lengths_and_sizes,
    macs,
    attention_maps,
)


def expect(condition: bool, message: str) -> None:
    """Fail the check with this message unless the condition holds."""
    if not condition:
        raise Failed(message)
