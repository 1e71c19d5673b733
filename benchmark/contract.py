"""Whether a network gives what `methods.output` promises: looked at on the first batch.

What is wrong there would otherwise end a run in its last stage, after hours of training.
"""

import inspect

import torch
from torch import Tensor, nn

from methods.output import ClipOutput, HeadOutput

FIELDS = ", ".join(ClipOutput._fields[:4])


class BrokenContract(RuntimeError):
    """A network gives something else than `methods.output` promises; the message names where."""


def check_output(
    model: nn.Module,
    output: object,
    clips: int,
    classes: int | None = None,
    *,
    finite: bool = True,
) -> None:
    """Refuse what a network gave for one batch, if it is not what every method must give.

    Args:
        model: whose it is; the message names the place of its ``forward``.
        output: what it gave.
        clips: B, how many clips it was given.
        classes: identities that it was built for; None looks at no logits.
        finite: whether every number must be finite, too.

    Raises:
        BrokenContract: one line with what was found, what was expected, and file and line.
    """
    wrong = _wrong_with_output(output, clips, classes, finite)
    if wrong:
        raise BrokenContract(f"{wrong} ({_place(model)})")


def check_neck(model: nn.Module) -> None:
    """Refuse a network whose neck is missing, or nothing that vectors can be brought through.

    Raises:
        BrokenContract: one line with what was found, what was expected, and file and line.
    """
    neck = getattr(model, "neck", None)
    if not isinstance(neck, nn.BatchNorm1d | nn.SyncBatchNorm | nn.Identity):
        raise BrokenContract(
            f"neck is {_kind(neck)}, expected BatchNorm1d or Identity, as `methods.head.Head` has "
            f"it ({_place(model)})"
        )


def _wrong_with_output(output: object, clips: int, classes: int | None, finite: bool) -> str | None:
    if not isinstance(output, ClipOutput):
        return f"forward gives {_kind(output)}, expected methods.output.ClipOutput({FIELDS})"
    for name in ("embedding", "metric"):
        wrong = _wrong_with(name, getattr(output, name), clips, None, finite)
        if wrong:
            return wrong
    if classes is not None:
        wrong = _wrong_with_logits("logits", output.logits, clips, classes, finite)
        if wrong:
            return wrong
    return _wrong_with_penalties(output.penalties, finite) or _wrong_with_heads(
        output.heads, clips, finite
    )


def _wrong_with(
    name: str, value: object, rows: int, columns: int | None, finite: bool
) -> str | None:
    """What is wrong with a matrix; None if nothing is."""
    expected = f"[{rows}, {'D' if columns is None else columns}]"
    if not isinstance(value, Tensor):
        return f"{name} is {_kind(value)}, expected a tensor {expected}"
    fits = value.ndim == 2 and value.shape[0] == rows and value.shape[1] > 0
    if not fits or (columns is not None and value.shape[1] != columns):
        return f"{name} is {list(value.shape)}, expected {expected}"
    if not value.is_floating_point():
        return f"{name} is {value.dtype}, expected floats"
    if finite and not bool(value.isfinite().all()):
        return f"{name} holds NaN or infinity"
    return None


def _wrong_with_logits(
    name: str, value: object, clips: int, classes: int, finite: bool
) -> str | None:
    if classes:
        return _wrong_with(name, value, clips, classes, finite)
    return None if value is None else f"{name} are {_kind(value)} without classes, expected None"


def _wrong_with_penalties(penalties: object, finite: bool) -> str | None:
    if not isinstance(penalties, dict):
        return f"penalties are {_kind(penalties)}, expected a dict of tensors by name"
    for name, value in penalties.items():
        if not isinstance(value, Tensor) or value.ndim or not value.is_floating_point():
            found = list(value.shape) if isinstance(value, Tensor) and value.ndim else _kind(value)
            return f"penalty {name!r} is {found}, expected a tensor of one float, shape []"
        if finite and not bool(torch.isfinite(value)):
            return f"penalty {name!r} is {value.item()}, expected a finite number"
    return None


def _wrong_with_heads(heads: object, clips: int, finite: bool) -> str | None:
    if not isinstance(heads, tuple) or not all(isinstance(head, HeadOutput) for head in heads):
        return f"heads are {_kind(heads)}, expected a tuple of methods.output.HeadOutput"
    for number, head in enumerate(heads):
        for name in ("embedding", "metric"):
            value = getattr(head, name)
            wrong = None if value is None else _wrong_with(name, value, clips, None, finite)
            if wrong:
                return f"head {number}: {wrong}"
        rows = 0 if head.logits is None else len(head.logits)
        if rows % clips:
            return f"head {number}: logits have {rows} rows, expected {clips} or a multiple of it"
    return None


def _kind(value: object) -> str:
    if isinstance(value, Tensor):
        return f"a tensor {list(value.shape)} of {str(value.dtype).removeprefix('torch.')}"
    return "None" if value is None else f"a {type(value).__name__}"


def _place(model: nn.Module) -> str:
    """``file:line`` of a network's ``forward``, as far as Python knows it."""
    forward = inspect.unwrap(type(model).forward)
    code = getattr(forward, "__code__", None)
    return type(model).__name__ if code is None else f"{code.co_filename}:{code.co_firstlineno}"
