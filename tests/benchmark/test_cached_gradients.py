"""Chunks of a batch give the gradients of the whole."""

import pytest
import torch
from torch import nn

from benchmark.cached_gradients import ChunkedForward
from benchmark.losses import losses
from benchmark.pixels import normalise
from benchmark.recipes import recipe
from methods.output import ClipOutput, HeadOutput


class Network(nn.Module):
    """Every kind of output in float64, random numbers, and BatchNorm in evaluation or not."""

    def __init__(self, dropout=0.0, norm_learns=False):
        super().__init__()
        self.colour, self.norm = nn.Linear(3, 6), nn.BatchNorm1d(6)
        self.dropout, self.classifier = nn.Dropout(dropout), nn.Linear(6, 4)
        self.register_buffer("seen", torch.zeros(()))
        self.double().train()
        self.norm.train(norm_learns)
        self.drawn = []

    def forward(self, clips):
        self.seen += len(clips)
        frames = self.dropout(self.colour(clips.double().mean((3, 4))))  # [B, T, 6]
        self.drawn.append(frames == 0)
        metric = frames.mean(1)
        embedding = self.norm(metric)
        logits = self.classifier(embedding)
        heads = (
            HeadOutput(embedding, metric, logits, triplet=0.5),
            HeadOutput(None, None, self.classifier(frames).flatten(0, 1)),
        )
        penalties = {"length": metric.square().sum(1).mean()}
        return ClipOutput(embedding, metric, logits, penalties, heads, frames.transpose(1, 2))


CLASSES = torch.arange(4).repeat_interleave(2)  # [8]
RECIPE = recipe("quick", {"losses": ("cross_entropy", "triplet", "contrast"), "contrast": 0.1})


@pytest.fixture
def batch():
    rng = torch.Generator().manual_seed(0)
    clips = torch.randint(0, 255, (8, 3, 3, 4, 2), dtype=torch.uint8, generator=rng)
    return clips, torch.arange(8) % 3 == 0


def gradients(network):
    return {name: p.grad for name, p in network.named_parameters()}


def plainly(network, batch):
    network.zero_grad()
    parts = losses(network(normalise(*batch)), CLASSES, RECIPE)
    sum(parts.values()).backward()
    return parts, gradients(network)


def in_chunks(network, batch, size):
    network.zero_grad()
    chunked = ChunkedForward(network, *batch, size)
    parts = losses(chunked.output, CLASSES, RECIPE)
    sum(parts.values()).backward()
    assert all(gradient is None for gradient in gradients(network).values())
    chunked.backward()
    return parts, gradients(network)


@pytest.mark.parametrize("size", [1, 3, 4, 7])
def test_chunks_of_any_size_have_the_losses_and_gradients_of_the_whole_batch(batch, size):
    torch.manual_seed(0)
    network = Network()
    expected, whole = plainly(network, batch)
    parts, found = in_chunks(network, batch, size)
    for name in expected:
        torch.testing.assert_close(parts[name], expected[name], rtol=1e-12, atol=1e-12)
    for name in whole:
        torch.testing.assert_close(found[name], whole[name], rtol=1e-10, atol=1e-12)


def test_both_passes_of_a_chunk_draw_the_same_random_numbers(batch):
    torch.manual_seed(0)
    network = Network(dropout=0.5)
    in_chunks(network, batch, 3)
    first, second = network.drawn[:3], network.drawn[3:]
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
    assert not torch.equal(first[0], first[1])
    after = torch.rand(3)
    torch.manual_seed(0)
    network = Network(dropout=0.5)
    for part in batch[0].split(3):
        network(normalise(part))
    assert torch.equal(after, torch.rand(3)), "one pass's numbers are used up"


def test_buffers_move_once_a_step(batch):
    torch.manual_seed(0)
    network = Network(norm_learns=True)
    in_chunks(network, batch, 4)
    assert network.seen == 8 and network.norm.num_batches_tracked == 2
