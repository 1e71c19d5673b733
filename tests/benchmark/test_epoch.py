"""A step: chunks where they are asked for, and a batch that does not fit is told how it would."""

import pytest
import torch
from accelerate import Accelerator
from torch import nn

import zoo
from benchmark.epoch import OutOfMemory, epoch, step
from benchmark.losses import losses
from benchmark.pixels import normalise
from benchmark.recipes import recipe
from benchmark.training_state import TrainingState
from methods.output import ClipOutput


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.colour, self.classifier = nn.Linear(3, 4), nn.Linear(4, 2)
        self.sizes = []

    def forward(self, clips):
        self.sizes.append(len(clips))
        metric = self.colour(clips.mean((1, 3, 4)))
        return ClipOutput(metric, metric, self.classifier(metric), {})


class Full(Network):
    def forward(self, clips):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0 has …")


BATCH = [
    torch.randint(0, 255, (4, 2, 3, 4, 2), dtype=torch.uint8),
    torch.tensor([0, 0, 1, 1]),
    torch.tensor([True, False, False, True]),
]


def state_of(network, tmp_path):
    torch.manual_seed(0)
    model = network()
    optimiser = torch.optim.SGD(model.parameters(), lr=0.1)
    return TrainingState(model, optimiser, Accelerator(cpu=True), tmp_path / "checkpoint.pt")


def test_a_chunk_is_all_that_a_network_sees_at_a_time_and_the_step_is_the_same(tmp_path):
    plain, chunked = state_of(Network, tmp_path), state_of(Network, tmp_path)
    first = step(plain, *BATCH, recipe("quick"))
    second = step(chunked, *BATCH, recipe("quick", {"chunk": 3}))
    assert (plain.model.sizes, chunked.model.sizes) == ([4], [3, 1, 3, 1])
    assert first.keys() == second.keys() >= {"loss", "cross_entropy", "triplet", "accuracy"}
    torch.testing.assert_close(list(first.values()), list(second.values()))
    torch.testing.assert_close(plain.model.state_dict(), chunked.model.state_dict())


def test_a_chunk_of_all_clips_is_the_plain_step(tmp_path):
    state = state_of(Network, tmp_path)
    step(state, *BATCH, recipe("quick", {"chunk": 4}))
    assert state.model.sizes == [4]


@pytest.mark.parametrize(("chunk", "less"), [(0, 2), (3, 1), (1, 1)])
def test_a_batch_that_does_not_fit_is_told_in_one_line_which_setting_makes_it_fit(
    tmp_path, chunk, less
):
    with pytest.raises(OutOfMemory, match=f"--set chunk={less} ") as error:
        epoch(state_of(Full, tmp_path), [BATCH], recipe("quick", {"chunk": chunk}))
    assert "\n" not in str(error.value) and f"{chunk or 4} clips of 2 frames" in str(error.value)


def test_means_are_over_the_steps_of_the_epoch(tmp_path):
    twice = epoch(state_of(Network, tmp_path), [BATCH, BATCH], recipe("quick"))
    one = state_of(Network, tmp_path)
    each = [epoch(one, [BATCH], recipe("quick"))["cross_entropy"] for _ in range(2)]
    assert one.step == 2 and twice["cross_entropy"] == pytest.approx(sum(each) / 2)


@pytest.mark.parametrize("method", ["nvan", "stenvan", "resnet3d50_nl"])
def test_no_step_looks_at_numbers_that_a_device_may_still_be_computing(method):
    """On the device that has no numbers a look is an error."""
    model = zoo.create(method, 2, backbone="resnet50[channels=4+8+8+8,layers=1+2+3+1]", frames=4)
    clips = torch.empty(4, 4, 3, 64, 32, dtype=torch.uint8, device="meta")
    flips = torch.empty(4, dtype=torch.bool, device="meta")
    output = model.to("meta").train()(normalise(clips, flips))
    classes = torch.empty(4, dtype=torch.long, device="meta")
    parts = losses(output, classes, recipe("quick", {"losses": ("cross_entropy", "triplet")}))
    sum(parts.values()).backward()
    assert model.head.classifier.weight.grad.device.type == "meta"
