"""Several processes do what one does: the same losses, weights and vectors."""

import dataclasses

import numpy as np
import pytest
import torch
import torch.distributed as dist
from accelerate import Accelerator
from torch import nn

import zoo
from benchmark import distributed, embed, training_state
from benchmark.clips import frame_rule
from benchmark.datasets.folder import folder as open_folder
from benchmark.distributed import FirstFailed, Share, check_share, joined, on_first
from benchmark.progress import SILENT, Silent
from benchmark.recipes import recipe
from benchmark.samplers import IdentitySampler
from benchmark.train import train
from methods.output import ClipOutput
from tests.conftest import TINY
from tests.processes import on_processes

STEPS = 10


class Colours(nn.Module):
    """Mean colours of frames in float64, with every kind of output, and BatchNorm in evaluation."""

    def __init__(self, num_classes):
        super().__init__()
        self.colour = nn.Linear(3, 6)
        self.neck = nn.BatchNorm1d(6)
        self.classifier = nn.Linear(6, num_classes)
        self.unused = nn.Linear(2, 2)
        self.double()

    def train(self, mode=True):
        super().train(mode)
        self.neck.eval()
        return self

    def forward(self, clips):
        frames = self.colour(clips.double().mean((3, 4)))  # [B, T, 6]
        metric = frames.mean(1)
        embedding = self.neck(metric)
        penalties = {"length": 0.1 * metric.square().sum(1).mean()}
        logits = self.classifier(embedding)
        return ClipOutput(embedding, metric, logits, penalties, frames=frames.transpose(1, 2))


class Killed(Silent):
    """Ends a training at its fifth step."""

    def advance(self, what, done, total):
        if (what, done) == ("train", 5):
            raise InterruptedError


def trained(people, path, progress=SILENT):
    """A training of a step an epoch: weights, and the last step's means."""
    data = open_folder(people)
    torch.manual_seed(5 + 10 * distributed.rank())  # the first process's start counts
    model = Colours(len(data.train_pids))
    changes = {"ids_per_batch": 4, "epochs": STEPS, "lr": 1e-2, "contrast": 0.1}
    changes["losses"] = ("cross_entropy", "triplet", "contrast")
    result = train(
        model,
        data,
        dataclasses.replace(recipe("quick", TINY), **changes),
        path,
        seed=3,
        accelerator=Accelerator(cpu=True),
        workers=0,
        progress=progress,
    )
    return model.state_dict(), result


def embedded(people):
    """The vectors of a real method, in batches of two clips."""
    torch.manual_seed(0)
    model = zoo.create("sta", backbone="resnet50[channels=4+8+8+8,layers=1+1+1+1]")
    return embed.embed(
        model,
        open_folder(people),
        frame_rule("all4"),
        height=64,
        width=32,
        key={"frames_rule": "all4"},
        device=torch.device("cpu"),
        precision="no",
        workers=0,
    )


def everything(place, people):
    """What each process of the tests does; the first one keeps what it found."""
    embed.BATCH_FRAMES, training_state.SAVE_EVERY = 8, 0.0
    dist.init_process_group("gloo")
    with joined():
        weights, result = trained(people, place / "whole")
        resumed, later = trained(people, place / "begun_by_one")
        vectors = embedded(people)
        told = on_first(lambda: f"from {distributed.rank()}")
        try:
            on_first(lambda: 1 / 0)
        except (ZeroDivisionError, FirstFailed) as error:
            refused = f"{type(error).__name__}: {error}"
    found = {"weights": weights, "final": result.final, "processes": result.processes}
    found |= {"resumed": resumed, "later": later.processes, "told": told, "refused": refused}
    found["clips"] = {"row": vectors.row, "metric": vectors.metric, "embedding": vectors.embedding}
    torch.save(found, place / f"found-{dist.get_rank()}.pt")
    dist.destroy_process_group()


@pytest.fixture(scope="module")
def alone(people, tmp_path_factory):
    """What one process finds, and a training that it began."""
    place = tmp_path_factory.mktemp("alone")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(embed, "BATCH_FRAMES", 8)
        patch.setattr(training_state, "SAVE_EVERY", 0.0)
        with pytest.raises(InterruptedError):
            trained(people, place / "begun", Killed())
        weights, result = trained(people, place / "whole")
        return place, weights, result, embedded(people)


@pytest.fixture(scope="module", params=[2, 4])
def together(request, people, alone, tmp_path_factory):
    """What each of two and of four processes finds."""
    place = tmp_path_factory.mktemp(f"of-{request.param}")
    (place / "begun_by_one").mkdir()
    checkpoint = (alone[0] / "begun" / "checkpoint.pt").read_bytes()
    (place / "begun_by_one" / "checkpoint.pt").write_bytes(checkpoint)
    statuses, lines = on_processes(request.param, everything, place, people)
    assert statuses == [0] * request.param, lines
    return [
        torch.load(place / f"found-{rank}.pt", weights_only=False) for rank in range(request.param)
    ], place


def close(a, b):
    return all(torch.allclose(a[k], b[k], rtol=1e-9, atol=1e-12) for k in a)


def test_ten_steps_of_several_processes_end_where_those_of_one_do(alone, together):
    _, weights, result, _ = alone
    found, _ = together
    for each in found:
        assert close(weights, each["weights"])
        assert each["final"] == pytest.approx(result.final, rel=1e-9)
        assert each["processes"] == (len(found),)


def test_a_training_goes_on_with_another_number_of_processes(alone, together):
    found, _ = together
    assert close(alone[1], found[0]["resumed"])
    assert found[0]["later"] == (1, len(found))


def test_vectors_come_in_order_and_with_the_bits_of_one_process(alone, together):
    expected, (first, *others) = alone[3], [each["clips"] for each in together[0]]
    for name in ("row", "metric", "embedding"):
        assert np.array_equal(getattr(expected, name), first[name]), name
    counts = [len(each["row"]) for each in others]
    assert all(count < len(expected.row) for count in counts)
    assert all(len(each["metric"]) == len(each["row"]) for each in others if len(each["row"]))


def test_only_the_first_process_works_where_one_is_enough_and_all_hear_of_it(together):
    (first, *others), _ = together
    assert {each["told"] for each in (first, *others)} == {"from 0"}
    assert first["refused"].startswith("ZeroDivisionError")
    assert {each["refused"] for each in others} == {"FirstFailed: division by zero"}


def test_only_the_first_process_writes_the_log(together):
    _, place = together
    lines = (place / "whole" / "log.jsonl").read_text().splitlines()
    assert len(lines) == STEPS
    assert len(list((place / "whole" / "tensorboard").iterdir())) == 1


# ---- one process ---------------------------------------------------------------------------------


def test_one_process_alone_has_all_of_a_batch_and_gathers_nothing():
    sampler = IdentitySampler([0, 0, 1, 1, 2], 2, 2, 0)
    assert list(Share(sampler)) == list(sampler) and len(Share(sampler)) == len(sampler)
    output, classes = object(), object()
    assert distributed.gather(output, classes) == (output, classes)
    assert distributed.collect([1, 2]) == [1, 2] and distributed.is_first()


@pytest.mark.parametrize(("size", "rank"), [(2, 0), (2, 1), (4, 3)])
def test_a_batch_is_cut_by_persons(monkeypatch, size, rank):
    sampler = IdentitySampler([0, 1, 2, 3] * 3, 4, 3, 0)
    monkeypatch.setattr(distributed, "size", lambda: size)
    monkeypatch.setattr(distributed, "rank", lambda: rank)
    (own,), (whole,) = list(Share(sampler)), list(sampler)
    persons = 4 // size
    assert own == whole[rank * persons * 3 : (rank + 1) * persons * 3]
    assert len({draw.row % 4 for draw in own}) == persons


def test_persons_that_cannot_be_shared_are_refused_with_what_would_fit():
    check_share(8, 4)
    with pytest.raises(ValueError, match="has 8 persons, which 3 processes cannot share") as error:
        check_share(8, 3)
    assert "take 1, 2, 4 or 8 processes, or --set ids_per_batch=6" in str(error.value)
    with pytest.raises(ValueError, match="take 1 or 2 processes, or --set ids_per_batch=4"):
        check_share(2, 4)


def test_other_processes_have_random_numbers_of_their_own_that_come_again(monkeypatch):
    def drawn(rank, epoch=1):
        monkeypatch.setattr(distributed, "rank", lambda: rank)
        torch.manual_seed(0)
        distributed.seed_epoch(3, epoch)
        return torch.rand(3).tolist()

    assert drawn(0) == drawn(0, epoch=2), "the first goes on with the numbers of one process"
    assert drawn(1) == drawn(1)
    assert len({tuple(drawn(rank, epoch)) for rank in (0, 1, 2) for epoch in (1, 2)}) == 5
