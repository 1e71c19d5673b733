"""``zoo train``."""

import json

from tests.conftest import TINY_SET


def train(call, data, out, *more):
    words = ["train", "--methods", "sta", "--dataset", "folder", "--recipe", "quick", *TINY_SET]
    return call(*words, "--data-root", data, "--out", out, "--workers", "0", *more)


def test_the_files_of_the_weights_are_printed_and_nothing_is_scored(call, people, tmp_path):
    status, out, _ = train(call, people, tmp_path, "--seeds", "2", "--set", "epochs=1")
    weights = sorted(str(path) for path in tmp_path.glob("runs/*/weights.safetensors"))
    assert status == 0 and sorted(out.split()) == weights and len(weights) == 2
    assert not list(tmp_path.glob("runs/*/records")) and not list(tmp_path.glob("report.*"))


def test_epochs_are_validated_where_that_is_asked_for(call, crowd, tmp_path):
    assert train(call, crowd, tmp_path, "--validate", "2", "--set", "epochs=3")[0] == 0
    (log,) = tmp_path.glob("runs/*/log.jsonl")
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [line["epoch"] for line in lines if "validation_mAP" in line] == [2, 3]


def test_a_run_that_failed_is_told(call, people, tmp_path):
    status, out, err = train(call, people, tmp_path, "--set", "lr=1e38", "--set", "epochs=4")
    assert (status, out) == (1, "")
    assert "sta, seed 0, failed: the loss is no finite number" in err
