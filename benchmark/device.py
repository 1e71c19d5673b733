"""The machine: which device, in which precision, and what a reader must know of it."""

import contextlib
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

import torch


def choose_device(device: str) -> str:
    """``auto`` becomes ``cuda``, ``mps`` or ``cpu``.

    Raises:
        ValueError: there is no such device here.
    """
    there = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if device == "auto":
        return next(name for name, found in there.items() if found)
    if not there.get(device):
        found = ", ".join(name for name, found in there.items() if found)
        raise ValueError(f"device {device!r} is not here: expected auto or one of {found}")
    return device


def check_precision(precision: str, device: str) -> None:
    """Refuse a precision that there is not, or not on this device."""
    there = {"cpu": ("no", "bf16"), "cuda": ("no", "tf32", "bf16", "fp16")}.get(
        device, ("no", "bf16", "fp16")
    )
    if precision not in there:
        raise ValueError(f"precision {precision!r} on {device}: expected one of {', '.join(there)}")


def set_arithmetic(device: torch.device, precision: str, *, cudnn_benchmark: bool = False) -> None:
    """Settle what torch leaves to defaults of its version; on a CPU there is nothing to settle.

    Args:
        device: where is computed.
        precision: ``tf32`` shortens the factors of float32 products, in matrices and convolutions;
            every other name leaves them whole in both.
        cudnn_benchmark: cuDNN times its kernels and takes the fastest, so that bits may differ from
            one start to the next.
    """
    if device.type != "cuda":
        return
    torch.set_float32_matmul_precision("high" if precision == "tf32" else "highest")
    torch.backends.cudnn.allow_tf32 = precision == "tf32"
    torch.backends.cudnn.benchmark = cudnn_benchmark


def autocast(device: torch.device, precision: str) -> contextlib.AbstractContextManager:
    """Autocast of that precision; nothing for ``no`` and ``tf32``."""
    kinds = {"fp16": torch.float16, "bf16": torch.bfloat16}
    if precision not in kinds:
        return contextlib.nullcontext()
    return torch.autocast(device.type, dtype=kinds[precision])


def device_name(device: torch.device) -> str:
    """Name of the GPU or processor."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return processor()


def processor() -> str:
    """Name of the processor."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def environment(device: torch.device, precision: str) -> dict[str, str | int | None]:
    """What a reader must know of the machine and the packages behind a figure."""
    on_gpu = device.type == "cuda"
    packages = ("torch", "torchvision", "timm", "fvcore", "accelerate", "numpy")
    return {
        "python": platform.python_version(),
        **{name: version(name) for name in packages},
        "platform": platform.platform(terse=True),
        "processor": processor(),
        "threads": torch.get_num_threads(),
        "device": device.type,
        "gpu": device_name(device) if on_gpu else None,
        "precision": precision,
        **({"cudnn_benchmark": torch.backends.cudnn.benchmark} if on_gpu else {}),
    }


def commit() -> str | None:
    """Revision of this project, with ``+changes`` if files differ.

    None where it does not run from a checkout.
    """
    home = Path(__file__).parents[1]
    if not (home / ".git").exists():
        return None
    try:
        git = ["git", "-C", str(home)]
        revision = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True)
        changes = subprocess.run([*git, "status", "--porcelain"], capture_output=True, text=True)
    except OSError:
        return None
    if revision.returncode:
        return None
    return revision.stdout.strip() + ("+changes" if changes.stdout.strip() else "")
