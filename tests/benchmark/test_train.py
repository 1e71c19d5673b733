"""Training: the same with and without interruptions, and loud when it breaks."""

import itertools
import json

import pytest
import torch
from accelerate import Accelerator
from torch import nn

import zoo
from benchmark import epoch as training
from benchmark import training_state
from benchmark.datasets.folder import folder
from benchmark.losses import LOSSES
from benchmark.optimisers import OPTIMISERS
from benchmark.progress import Silent
from benchmark.recipes import recipe
from benchmark.samplers import SAMPLERS, IdentitySampler
from benchmark.train import Diverged, Validation, train
from methods.head import Head
from tests.conftest import TINY

BACKBONE = "resnet50[channels=4+8+8+8,layers=1+2+3+1]"


class Killed(Exception):
    """Stands for a kill: nothing after it runs."""


class Mean(nn.Module):
    """The mean colour of a clip behind a head with dropout, so that random numbers matter."""

    def __init__(self, num_classes):
        super().__init__()
        self.colour = nn.Linear(3, 8)
        self.head = Head(8, num_classes, dropout=0.5)

    def forward(self, clips):
        return self.head(self.colour(clips.mean((1, 3, 4))))  # [B, T, 3, H, W] -> [B, 8]


def go(
    people, path, *, method=None, workers=0, stop_at=None, validation=None, told=None, **changes
):
    """Train, or go on; a kill may strike at a step. Without a method it is `Mean` that is trained.

    Returns the weights, and what training took.
    """
    data = folder(people)
    torch.manual_seed(3)
    classes = len(data.train_pids)
    model = Mean(classes) if method is None else zoo.create(method, classes, backbone=BACKBONE)

    class Listener(Silent):
        def advance(self, what, done, total):
            if told is not None:
                told.append((what, done, total))
            if (what, done) == ("train", stop_at):
                raise Killed

    result = train(
        model,
        data,
        recipe("quick", {**TINY, "epochs": 4, **changes}),
        path,
        seed=3,
        accelerator=Accelerator(cpu=True),
        workers=workers,
        validation=validation,
        progress=Listener(),
    )
    return model.state_dict(), result


class LongEpoch(IdentitySampler):
    """The same persons again and again: eight steps an epoch instead of two."""

    def __len__(self):
        return 4 * super().__len__()

    def __iter__(self):
        return iter(4 * [batch for batch in super().__iter__() if batch])


def scores(*values):
    """A scoring that gives these mAP one after the other, and the weights that it was shown."""
    shown, left = [], iter(values)

    def score(model):
        assert not model.training
        shown.append({k: v.clone() for k, v in model.state_dict().items()})
        return {"mAP": next(left), "R1": 0.5}

    return shown, score


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
    monkeypatch.setattr(
        training_state, "SAVE_EVERY", 1e9
    )  # the kill falls behind the last checkpoint
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
        go(people, tmp_path, method="stenvan", lr=1e30, warmup=0, epochs=9)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
@pytest.mark.parametrize(
    ("step", "epoch", "checkpoint"), [(3, 1, "none yet"), (13, 2, "of epoch 1")]
)
@pytest.mark.parametrize("look_every", [1, 4, 50])
def test_the_first_step_whose_loss_is_no_number_is_named_however_seldom_one_looks(
    people, tmp_path, monkeypatch, bad, step, epoch, checkpoint, look_every
):
    steps = itertools.count(1)

    def odd(output, classes, recipe):
        return output.metric.sum() * (bad if next(steps) >= step else 0.0)

    monkeypatch.setitem(LOSSES, "odd", odd)
    monkeypatch.setitem(SAMPLERS, "long", LongEpoch)
    monkeypatch.setattr(training, "CHECK_EVERY", look_every)
    with pytest.raises(Diverged) as error:
        go(people, tmp_path, sampler="long", losses=("cross_entropy", "odd"))
    assert f"at step {step} (epoch {epoch})" in str(error.value)
    assert checkpoint in str(error.value) and "\n" not in str(error.value)


def test_no_step_waits_for_the_device(people, tmp_path, monkeypatch):
    read = []  # what makes Python wait for a number that the device is still computing

    def spy(name):
        plain = getattr(torch.Tensor, name)
        return lambda self, *a: (read.append(name), plain(self, *a))[1]

    def steps_of(epoch_of):
        read.clear()
        monkeypatch.setitem(SAMPLERS, "long", epoch_of)
        go(
            people,
            tmp_path / epoch_of.__name__,
            sampler="long",
            epochs=1,
            losses=("cross_entropy",),
        )
        return len(read)

    monkeypatch.setattr(
        torch.optim.Adam, "step", lambda self, closure=None: None
    )  # it reads its own counter
    for name in ("item", "__float__", "__int__", "__bool__", "tolist"):
        monkeypatch.setattr(torch.Tensor, name, spy(name))
    assert steps_of(LongEpoch) == steps_of(IdentitySampler) > 0  # eight steps, and two


def test_zero_epochs_leave_the_network_as_it_was_built(people, tmp_path):
    torch.manual_seed(3)
    fresh = Mean(4).state_dict()
    trained, result = go(people, tmp_path, epochs=0)
    assert equal(fresh, trained) and result.steps == 0


def test_training_says_what_it_took(people, tmp_path):
    _, result = go(people, tmp_path)
    assert (result.epochs, result.steps, result.batch) == (4, 8, 4)
    assert (result.persons, result.tracklets) == (4, 16)
    assert result.seconds > 0 and result.peak_memory_mb > 0
    assert {"loss", "cross_entropy", "triplet", "accuracy", "lr"} <= set(result.final)


def test_the_loss_falls(people, tmp_path):
    go(people, tmp_path, method="stenvan", epochs=30, lr=5e-3)
    losses = [
        json.loads(line)["loss"] for line in (tmp_path / "log.jsonl").read_text().splitlines()
    ]
    assert sum(losses[-5:]) < 0.7 * sum(losses[:5])


# ---- validation ----------------------------------------------------------------------------------


def test_scoring_while_training_changes_no_weight(people, tmp_path):
    def score(model):
        torch.rand(7)  # whatever the scoring draws
        return {"mAP": 0.5}

    plain, _ = go(people, tmp_path / "plain")
    scored, result = go(people, tmp_path / "scored", validation=Validation(score=score))
    assert equal(plain, scored) and result.best_epoch is None


def test_the_weights_of_the_best_epoch_are_the_result_and_the_first_of_equals(people, tmp_path):
    shown, score = scores(0.1, 0.6, 0.6, 0.3)
    kept, result = go(people, tmp_path, validation=Validation(score=score, keep_best=True))
    assert result.best_epoch == 2 and equal(kept, shown[1])
    assert not equal(shown[1], shown[3])


def test_without_keeping_the_best_the_last_epoch_is_the_result(people, tmp_path):
    shown, score = scores(0.9, 0.1, 0.1, 0.1)
    kept, result = go(people, tmp_path, validation=Validation(score=score))
    assert result.best_epoch is None and equal(kept, shown[3])


def test_a_resumed_training_keeps_the_best_of_before(people, tmp_path):
    shown, score = scores(0.1, 0.9)
    validation = Validation(score=score, keep_best=True)
    with pytest.raises(Killed):
        go(people, tmp_path, validation=validation, stop_at=5)
    _, score = scores(0.2, 0.3)
    validation = Validation(score=score, keep_best=True)
    kept, result = go(people, tmp_path, validation=validation)
    assert result.best_epoch == 2 and equal(kept, shown[1])
    again, result = go(people, tmp_path, validation=validation)  # nothing is left to train
    assert result.best_epoch == 2 and equal(again, shown[1])


def test_a_scored_training_that_was_killed_ends_where_an_uninterrupted_one_does(people, tmp_path):
    def validation():
        return Validation(score=scores(0.1, 0.2, 0.3, 0.4)[1])

    whole, _ = go(people, tmp_path / "whole", validation=validation())
    with pytest.raises(Killed):
        go(people, tmp_path / "cut", validation=validation(), stop_at=5)
    resumed, _ = go(people, tmp_path / "cut", validation=validation())
    assert equal(whole, resumed)


def test_epochs_are_scored_every_so_often_and_the_last_always(people, tmp_path):
    _, score = scores(0.25, 0.5)
    told = []
    go(people, tmp_path, told=told, validation=Validation(score=score, every=3))
    entries = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [e.get("validation_mAP") for e in entries] == [None, None, 0.25, 0.5]
    assert entries[2]["validation_R1"] == 0.5
    assert [t for t in told if t[0] == "validate"] == [("validate", 3, 4), ("validate", 4, 4)]
    assert [t for t in told if t[0] == "train"] == [("train", i, 8) for i in range(1, 9)]


def test_a_validation_score_that_is_no_number_stops_training(people, tmp_path):
    with pytest.raises(Diverged, match="validation mAP is nan after epoch 1"):
        go(people, tmp_path, validation=Validation(score=scores(float("nan"))[1]))


# ---- one's own -----------------------------------------------------------------------------------


def test_a_recipe_may_name_a_loss_a_sampler_and_an_optimiser_of_ones_own(
    people, tmp_path, monkeypatch
):
    monkeypatch.setitem(
        LOSSES, "pull", lambda output, classes, recipe: output.metric.square().mean()
    )
    monkeypatch.setitem(SAMPLERS, "long", LongEpoch)
    monkeypatch.setitem(OPTIMISERS, "plain", lambda p, recipe: torch.optim.SGD(p, lr=recipe.lr))
    names = {"losses": ("cross_entropy", "pull"), "sampler": "long", "optimiser": "plain"}
    trained, result = go(people, tmp_path, epochs=1, **names)
    assert result.steps == 8 and {"cross_entropy", "pull"} <= set(result.final)
    assert "triplet" not in result.final
    torch.manual_seed(3)
    assert not equal(trained, Mean(4).state_dict())


def test_what_is_logged_is_the_mean_over_the_epochs_steps(people, tmp_path, monkeypatch):
    steps = itertools.count(1)

    def counted(output, classes, recipe):
        return output.metric.sum() * 0.0 + next(steps)

    monkeypatch.setitem(LOSSES, "counted", counted)
    _, result = go(people, tmp_path, epochs=2, losses=("counted",))
    assert result.final["counted"] == result.final["loss"] == 3.5  # steps 3 and 4


class Towered(Mean):
    """Whose first layer is called a tower."""

    def __init__(self, num_classes):
        super().__init__(num_classes)
        self.tower = self.colour


def test_a_tower_that_has_no_rate_stays_as_it_started(people, tmp_path, monkeypatch):
    monkeypatch.setattr(f"{__name__}.Mean", Towered)
    torch.manual_seed(3)
    fresh = Towered(4).state_dict()
    still, _ = go(people, tmp_path / "still", tower_lr=0.0, weight_decay=0.0)
    moved, _ = go(people, tmp_path / "moved", tower_lr=0.5)
    assert torch.equal(still["tower.weight"], fresh["tower.weight"])
    assert not torch.equal(still["head.classifier.weight"], fresh["head.classifier.weight"])
    assert not torch.equal(moved["tower.weight"], fresh["tower.weight"])


def test_a_rate_for_towers_moves_no_bit_of_a_network_without_one(people, tmp_path):
    plain, _ = go(people, tmp_path / "plain")
    told, _ = go(people, tmp_path / "told", tower_lr=0.05)
    assert equal(plain, told)


def test_a_killed_training_with_two_rates_goes_on_with_both(people, tmp_path, monkeypatch):
    monkeypatch.setattr(f"{__name__}.Mean", Towered)
    whole, _ = go(people, tmp_path / "whole", tower_lr=0.5)
    with pytest.raises(Killed):
        go(people, tmp_path / "cut", tower_lr=0.5, stop_at=5)
    assert equal(whole, go(people, tmp_path / "cut", tower_lr=0.5)[0])
