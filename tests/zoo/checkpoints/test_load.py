"""A checkpoint by name to a network."""

import dataclasses
import logging
import pickle

import pytest
import torch

import zoo
from benchmark import files
from tests.zoo.loopback import good
from tests.zoo.shelf import NAME, shelve, trained
from zoo.checkpoints.cache import Verified
from zoo.checkpoints.config import read_settings
from zoo.checkpoints.load import open_checkpoint, read
from zoo.checkpoints.verify import verify
from zoo.half_precision import to_half


def test_a_checkpoint_loads_by_name_in_evaluation_and_float32(shelf):
    model = zoo.load(NAME)
    assert not model.training and all(
        v.dtype in (torch.float32, torch.int64) for v in model.state_dict().values()
    )
    clips = torch.randn(2, 4, 3, 64, 32, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        ours, theirs = model(clips), trained()(clips)
    assert ours.logits is None
    assert (ours.embedding - theirs.embedding).norm() < 5e-3 * theirs.embedding.norm()


def test_a_classifier_is_left_out_and_that_is_said(shelf, tmp_path, caplog):
    row = shelve(tmp_path / "b", state=trained().state_dict())
    with caplog.at_level(logging.INFO):
        loaded = open_checkpoint(row, read_settings())
    assert "the classifier of 5 identities" in loaded.dropped[0] and "left out" in caplog.text
    assert loaded.model.head.classifier is None


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda s: s.pop("frames.conv1.weight"), "missing: frames.conv1.weight"),
        (lambda s: s.update(extra=torch.ones(1)), "unknown: extra"),
        (
            lambda s: s.update({"frames.bn1.bias": torch.ones(7)}),
            r"mis-shaped: frames.bn1.bias \[7\] instead of \[64\]",
        ),
        (
            lambda s: s.update({"frames.bn1.bias": torch.full((64,), torch.nan)}),
            "NaN or infinity in frames.bn1.bias",
        ),
    ],
)
def test_keys_and_shapes_fit_exactly_or_the_file_is_refused(tmp_path, change, says):
    state = to_half(trained().state_dict())[0]
    change(state)
    row = shelve(tmp_path / "b", state=state, golden=None)
    with pytest.raises(ValueError, match=says):
        open_checkpoint(row, read_settings())
    checks = {check.name: check.result for check in verify(row, read_settings())}
    assert checks["keys"] == "FAIL"


class Evil:
    def __reduce__(self):
        return (print, ("executed!",))


@pytest.mark.parametrize("content", ["pickle", "torch", "text", "empty", "header"])
def test_what_is_no_safetensors_is_refused_before_anything_runs(shelf, content, capsys, tmp_path):
    """Even where the table itself vouches for the file."""
    path = shelf.packaged
    if content == "torch":
        torch.save({"weights": Evil()}, path)
    else:
        data = {"pickle": pickle.dumps(Evil()), "text": b"<html>", "empty": b""}
        path.write_bytes(data.get(content, b"\xff" * 8 + b"{}"))
    row = dataclasses.replace(shelf, sha256=files.sha256(path), bytes=path.stat().st_size)
    with pytest.raises(ValueError, match="is refused: it is no safetensors file"):
        open_checkpoint(row, read_settings())
    assert "executed!" not in capsys.readouterr().out


def test_a_packaged_file_that_was_tampered_with_is_not_loaded(shelf, server, tmp_path):
    data = shelf.packaged.read_bytes()
    shelf.packaged.write_bytes(data[:-1] + b"x")
    with pytest.raises(OSError, match="cannot be had: no source is left to try"):
        zoo.load(NAME)
    row = dataclasses.replace(shelf, sources=(*shelf.sources, server.at("/f", good(data))))
    found = open_checkpoint(row, read_settings()).file
    assert found.path == read_settings().cache / row.file
    assert shelf.packaged.read_bytes() != data  # what was installed is not ours to change


def test_a_file_that_changes_between_hashing_and_reading_is_refused(shelf):
    with pytest.raises(OSError, match="changed while it was read"):
        read(Verified(shelf.packaged, "0" * 64), NAME)


def test_another_normalisation_is_refused(shelf):
    with pytest.raises(ValueError, match="expects clips normalised by"):
        open_checkpoint(dataclasses.replace(shelf, mean=(0.5, 0.5, 0.5)), read_settings())
