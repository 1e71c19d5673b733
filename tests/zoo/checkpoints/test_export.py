"""Exported files give the network's numbers, or are refused."""

import importlib.util

import numpy as np
import pytest
import torch

from tests.zoo.shelf import NAME
from zoo.checkpoints import export as exporting
from zoo.checkpoints.config import read_settings
from zoo.checkpoints.export import EXTRA, export
from zoo.checkpoints.load import open_checkpoint


def model_of(checkpoint):
    return open_checkpoint(checkpoint, read_settings()).model


def clips(batch):
    rng = np.random.default_rng(7)
    return torch.from_numpy(rng.standard_normal((batch, 4, 3, 64, 32), dtype=np.float32))


@pytest.mark.slow
def test_a_torch_program_takes_any_batch(shelf, tmp_path, call):
    path = tmp_path / "x.pt2"
    status, out, _ = call("export", NAME, "--format", "torch", "-o", path)
    printed = dict(zip(*(line.split("\t") for line in out.splitlines()), strict=True))
    assert status == 0 and printed["batch"] == "any" and printed["clip"] == "4x3x64x32"
    assert float(printed["relative"]) < 1e-5 and float(printed["max_abs"]) < 1e-4
    program = torch.export.load(path).module()
    with torch.no_grad():
        expected = model_of(shelf)(clips(5)).embedding
        assert torch.allclose(program(clips(5)), expected, atol=1e-5)


@pytest.mark.slow
def test_an_onnx_file_runs_without_torch(shelf, tmp_path):
    for package in EXTRA:
        pytest.importorskip(package)
    import onnxruntime

    made = export(model_of(shelf), shelf, "onnx", tmp_path / "x.onnx")
    assert made.batch == "any" and made.relative < 1e-5
    session = onnxruntime.InferenceSession(made.path, providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"clips": clips(5).numpy()})
    with torch.no_grad():
        expected = model_of(shelf)(clips(5)).embedding.numpy()
    assert np.abs(found - expected).max() < 1e-4
    assert [p.name for p in tmp_path.glob("x*")] == ["x.onnx"]


class Stubborn(torch.nn.Module):
    """Has its batch built in."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, clips):
        return self.model(clips.reshape(len(clips), *clips.shape[1:]))


@pytest.mark.slow
def test_a_network_that_fixes_its_batch_is_exported_for_one_clip(shelf, tmp_path):
    made = export(Stubborn(model_of(shelf)).eval(), shelf, "torch", tmp_path / "x.pt2")
    assert made.batch == "1" and made.relative < 1e-5


def test_a_missing_package_is_told_with_the_command_that_installs_it(shelf, tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(RuntimeError, match=r"onnxscript; type .* install onnx .*onnxscript$"):
        export(model_of(shelf), shelf, "onnx", tmp_path / "x.onnx")


@pytest.mark.parametrize("wrong", ["numbers", "nan", "shape"])
def test_a_file_with_other_numbers_is_refused_and_not_left(shelf, tmp_path, monkeypatch, wrong):
    model = model_of(shelf)

    def runner(kind, path):
        def run(given):
            with torch.no_grad():
                found = model(given).embedding
            return {"numbers": found * 1.01, "nan": found * torch.nan, "shape": found[:, 1:]}[wrong]

        return run

    monkeypatch.setattr(exporting, "_write", lambda *_, **__: None)
    monkeypatch.setattr(exporting, "_runner", runner)
    with pytest.raises(RuntimeError, match="the exported file is off by"):
        export(model, shelf, "torch", tmp_path / "x.pt2")
    assert not (tmp_path / "x.pt2").exists()


def test_another_format_is_refused(shelf, call):
    status, _, err = call("export", NAME, "--format", "onx")
    assert status == 2 and "did you mean onnx" in err
