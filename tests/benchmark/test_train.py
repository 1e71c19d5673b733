"""Training: the same with and without interruptions, and loud when it breaks."""

import json

import pytest
import torch
from accelerate import Accelerator
from torch.utils.tensorboard import SummaryWriter  # noqa: F401 - imported here so that no test pays for it

import zoo
from benchmark import training_state
from benchmark.datasets.folder import folder
from benchmark.progress import Silent
from benchmark.recipes import recipe
from benchmark.train import Diverged, train
from tests.conftest import TINY

BACKBONE = "resnet50[channels=4+8+8+8,layers=1+2+3+1]"


class Killed(Exception):
    """Stands for a kill: nothing after it runs."""


def go(people, path, *, method="stenvan", epochs=4, workers=0, stop_at=None, **changes):
    """Train, or go on; a kill may strike at a step."""
    data = folder(people)
    torch.manual_seed(3)
    model = zoo.create(method, len(data.train_pids), backbone=BACKBONE)

    class Stop(Silent):
        def advance(self, what, done, total):
            if done == stop_at:
                raise Killed

    result = train(
        model,
        data,
        recipe("quick", {**TINY, "epochs": epochs, **changes}),
        path,
        seed=3,
        accelerator=Accelerator(cpu=True),
        workers=workers,
        progress=Stop(),
    )
    return model.state_dict(), result


def equal(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


@pytest.fixture(autouse=True)
def checkpoint_every_epoch(monkeypatch):
    monkeypatch.setattr(training_state, "SAVE_EVERY", 0.0)


@pytest.mark.parametrize("method", ["stenvan", "sta"])  # sta draws frames for its penalty at random
@pytest.mark.parametrize("workers", [0, 2])
def test_a_killed_training_ends_bit_for_bit_where_an_uninterrupted_one_does(
    people, tmp_path, method, workers
):
    whole, _ = go(people, tmp_path / "whole", method=method)
    for stop in (3, 5, 7):
        with pytest.raises(Killed):
            go(people, tmp_path / "cut", method=method, workers=workers, stop_at=stop)
    resumed, _ = go(people, tmp_path / "cut", method=method, workers=workers)
    assert equal(whole, resumed)


def test_the_log_is_cut_back_to_the_checkpoint(people, tmp_path, monkeypatch):
    whole = tmp_path / "whole"
    go(people, whole)
    monkeypatch.setattr(training, "SAVE_EVERY", 1e9)  # the kill falls behind the last checkpoint
    cut = tmp_path / "cut"
    with pytest.raises(Killed):
        go(people, cut, stop_at=7)
    (cut / "log.jsonl").open("a").write('{"epoch": 4, "st')  # a line that was being written
    go(people, cut)

    def lines(path):
        entries = [json.loads(line) for line in (path / "log.jsonl").read_text().splitlines()]
        return [{k: v for k, v in e.items() if k != "seconds"} for e in entries]

    assert lines(cut) == lines(whole)
    assert [e["epoch"] for e in lines(cut)] == [1, 2, 3, 4]


def test_a_kill_during_a_checkpoint_leaves_the_one_before(people, tmp_path, monkeypatch):
    with pytest.raises(Killed):
        go(people, tmp_path, stop_at=5)
    before = (tmp_path / "checkpoint.pt").read_bytes()

    def half(data, part):
        part.write_bytes(b"half a checkpoint")
        raise Killed

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(torch, "save", half)
        go(people, tmp_path)
    assert (tmp_path / "checkpoint.pt").read_bytes() == before
    assert equal(go(people, tmp_path)[0], go(people, tmp_path / "whole")[0])


def test_a_loss_that_is_no_number_stops_with_the_step_and_the_last_good_checkpoint(
    people, tmp_path
):
    with pytest.raises(Diverged, match=r"step \d+ .*last good checkpoint.*--set lr="):
        go(people, tmp_path, lr=1e30, warmup=0, epochs=9)


def test_zero_epochs_leave_the_network_as_it_was_built(people, tmp_path):
    torch.manual_seed(3)
    fresh = zoo.create("stenvan", 4, backbone=BACKBONE).state_dict()
    trained, result = go(people, tmp_path, epochs=0)
    assert equal(fresh, trained) and result.steps == 0


def test_training_says_what_it_took(people, tmp_path):
    _, result = go(people, tmp_path)
    assert (result.epochs, result.steps, result.batch) == (4, 8, 4)
    assert (result.persons, result.tracklets) == (4, 16)
    assert result.seconds > 0 and result.peak_memory_mb > 0
    assert {"loss", "cross_entropy", "triplet", "accuracy", "lr"} <= set(result.final)


def test_the_loss_falls(people, tmp_path):
    go(people, tmp_path, epochs=30, lr=5e-3)
    losses = [
        json.loads(line)["loss"] for line in (tmp_path / "log.jsonl").read_text().splitlines()
    ]
    assert sum(losses[-5:]) < 0.7 * sum(losses[:5])
