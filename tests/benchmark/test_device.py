"""The device that is chosen, the precision that it has, and what is written down of the machine."""

import platform
from importlib.metadata import version

import pytest
import torch

from benchmark import device
from benchmark.device import (
    autocast,
    check_precision,
    choose_device,
    device_name,
    environment,
    set_arithmetic,
)


@pytest.fixture
def here(monkeypatch):
    """Have these accelerators."""

    def found(*names):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: "cuda" in names)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: "mps" in names)

    return found


@pytest.mark.parametrize(
    ("names", "chosen"), [(("cuda", "mps"), "cuda"), (("mps",), "mps"), ((), "cpu")]
)
def test_auto_is_the_fastest_device_there_is(here, names, chosen):
    here(*names)
    assert choose_device("auto") == chosen
    assert choose_device("cpu") == "cpu"


@pytest.mark.parametrize("name", ["cuda", "mps", "tpu"])
def test_a_device_that_is_not_here_is_refused_with_those_that_are(here, name):
    here()
    with pytest.raises(ValueError, match=f"'{name}' is not here: expected auto or one of cpu"):
        choose_device(name)


def test_half_precision_with_a_short_exponent_needs_an_accelerator():
    for precision in ("no", "bf16"):
        check_precision(precision, "cpu")
        check_precision(precision, "cuda")
    check_precision("fp16", "cuda")
    with pytest.raises(ValueError, match="'fp16' on cpu: expected one of no, bf16"):
        check_precision("fp16", "cpu")
    with pytest.raises(ValueError, match="'fp8' on cuda: expected one of no, tf32, bf16, fp16"):
        check_precision("fp8", "cuda")


def test_shortened_float32_is_a_precision_of_its_own_where_there_is_one():
    check_precision("tf32", "cuda")
    for device_type in ("cpu", "mps"):
        with pytest.raises(ValueError, match=f"'tf32' on {device_type}: expected one of no, bf16"):
            check_precision("tf32", device_type)


@pytest.mark.parametrize(("precision", "short"), [("no", False), ("tf32", True), ("bf16", False)])
def test_float32_is_whole_on_a_gpu_unless_tf32_is_asked_for(monkeypatch, precision, short):
    told = []
    monkeypatch.setattr(torch, "set_float32_matmul_precision", told.append)
    with torch.backends.cudnn.flags(allow_tf32=not short, benchmark=False):
        set_arithmetic(torch.device("cuda"), precision, cudnn_benchmark=True)
        assert torch.backends.cudnn.allow_tf32 == short and torch.backends.cudnn.benchmark
    assert told == ["high" if short else "highest"]


def test_on_a_cpu_nothing_is_settled(monkeypatch):
    monkeypatch.setattr(torch, "set_float32_matmul_precision", lambda _: 1 / 0)
    set_arithmetic(torch.device("cpu"), "no")


@pytest.mark.parametrize(("precision", "kind"), [("no", torch.float32), ("bf16", torch.bfloat16)])
def test_autocast_computes_in_that_precision(precision, kind):
    a = torch.ones(2, 2)
    with autocast(torch.device("cpu"), precision):
        assert (a @ a).dtype == kind


def test_a_processor_is_named_even_where_linux_does_not_say(monkeypatch, tmp_path):
    assert device_name(torch.device("cpu"))
    monkeypatch.setattr(device, "Path", lambda _: tmp_path / "missing")
    monkeypatch.setattr(platform, "processor", lambda: "")
    assert device.processor() == platform.machine()


def test_an_environment_names_machine_packages_and_precision():
    found = environment(torch.device("cpu"), "bf16")
    assert found["torch"] == version("torch") and found["python"] == platform.python_version()
    assert (found["device"], found["gpu"], found["precision"]) == ("cpu", None, "bf16")
    assert found["threads"] == torch.get_num_threads()
