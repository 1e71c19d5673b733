"""``zoo verify``."""

from safetensors.torch import load_file, save_file

from tests.zoo.shelf import NAME


def test_a_checkpoint_is_verified(shelf, call):
    status, out, _ = call("verify", NAME)
    rows = [line.split("\t")[:2] for line in out.splitlines()[1:]]
    expected = [["sha256", "PASS"], ["keys", "PASS"], ["golden clip", "PASS"]]
    assert status == 0 and rows == [*expected, ["scores", "not checked"]]


def test_a_golden_clip_that_is_missed_is_told_with_by_how_much(shelf, call):
    path = shelf.home / shelf.golden
    save_file({"embedding": load_file(path)["embedding"] * 1.01}, path)
    status, out, _ = call("verify", NAME)
    assert status == 1 and "golden clip\tFAIL\trelative difference 9.9e-03" in out
