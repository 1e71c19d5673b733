"""Is a checkpoint what the table says?"""

import dataclasses

import pytest
from safetensors.torch import load_file, save_file

from zoo.checkpoints.config import read_settings
from zoo.checkpoints.table import TABLE, find, read_table
from zoo.checkpoints.verify import verify


@pytest.mark.parametrize(
    "name", [row.name for row in read_table(TABLE).values() if row.packaged] or [None]
)
def test_every_shipped_checkpoint_passes_its_own_checks(name):
    if name is not None:
        checks = verify(find(name), read_settings(offline=True))
        assert [check.result for check in checks] == ["PASS"] * 3 + ["not checked"], checks


def results(checks):
    return {check.name: check.result for check in checks}


def test_hash_keys_and_golden_clip_pass_and_scores_wait_for_the_data(shelf):
    checks = verify(shelf, read_settings())
    assert results(checks) == {
        "sha256": "PASS",
        "keys": "PASS",
        "golden clip": "PASS",
        "scores": "not checked",
    }
    assert "--dataset folder" in checks[-1].detail


def test_a_golden_clip_of_another_network_fails_with_by_how_much(shelf):
    path = shelf.home / shelf.golden
    save_file({"embedding": load_file(path)["embedding"] * 1.01}, path)
    check = verify(shelf, read_settings())[2]
    assert check.result == "FAIL" and "relative difference 9.9e-03, at most 1e-03" in check.detail
    save_file({"embedding": load_file(path)["embedding"][:1]}, path)
    assert verify(shelf, read_settings())[2].result == "FAIL"
    path.write_bytes(b"no safetensors")
    assert "cannot be read" in verify(shelf, read_settings())[2].detail
    assert (
        verify(dataclasses.replace(shelf, golden=None), read_settings())[2].result == "not checked"
    )


@pytest.mark.parametrize("backbone", ["resnet50[layers=1+1+1+1]", "resnet18[checkpoint_path=x]"])
def test_a_table_that_names_another_network_fails_at_the_keys(shelf, backbone):
    wrong = dataclasses.replace(shelf, backbone=backbone)
    assert results(verify(wrong, read_settings())) == {"sha256": "PASS", "keys": "FAIL"}
