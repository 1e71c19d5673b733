"""The log of a training: a line an epoch, cut back where training goes on."""

import json

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from benchmark.training_log import TrainingLog


def entries(folder):
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


def test_a_log_has_a_line_an_epoch_with_six_digits(tmp_path):
    with TrainingLog(tmp_path, 0) as log:
        log.write({"epoch": 1, "step": 2, "loss": 1 / 3}, 1.23456)
    assert entries(tmp_path) == [{"epoch": 1, "step": 2, "loss": 0.333333, "seconds": 1.23}]


def test_a_log_is_cut_back_to_the_epoch_that_training_goes_on_from(tmp_path):
    with TrainingLog(tmp_path, 0) as log:
        for epoch in (1, 2, 3):
            log.write({"epoch": epoch, "loss": 1.0}, 0)
    with (tmp_path / "log.jsonl").open("a") as file:
        file.write('{"epoch": 1, "lo')  # a line that was being written
    with TrainingLog(tmp_path, 1) as log:
        log.write({"epoch": 2, "loss": 0.5}, 0)
    assert [(e["epoch"], e["loss"]) for e in entries(tmp_path)] == [(1, 1.0), (2, 0.5)]


def test_tensorboard_tells_training_and_validation_apart(tmp_path):
    with TrainingLog(tmp_path, 0) as log:
        log.write({"epoch": 1, "step": 2, "loss": 0.5, "validation_mAP": 0.25}, 0)
    board = EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    assert set(board.Tags()["scalars"]) == {"train/loss", "validation/mAP"}
    (value,) = board.Scalars("validation/mAP")
    assert (value.step, value.value) == (1, 0.25)


def test_a_damaged_line_of_the_log_is_left_out(tmp_path):
    good = json.dumps({"epoch": 1, "loss": 0.5}) + "\n"
    lines = [good, "{no json}\n", '{"epoch": "x"}\n', '{"loss": 1}\n', "[1, {}\n"]
    (tmp_path / "log.jsonl").write_bytes("".join(lines).encode() + b"\xff\xfe}\n")
    with TrainingLog(tmp_path, 3):
        assert (tmp_path / "log.jsonl").read_text() == good
