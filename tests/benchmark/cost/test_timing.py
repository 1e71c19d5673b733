"""Multiply-adds, memory and time."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from benchmark.cost.macs import count, count_activations, count_gmacs
from benchmark.cost.memory import LiveTensors, forward_peak_mb
from benchmark.cost.timing import measure
from methods.output import ClipOutput


class Toy(nn.Module):
    """A contract-shaped network around one operation."""

    def __init__(self, operation):
        super().__init__()
        self.operation = operation if isinstance(operation, nn.Module) else _Call(operation)

    def forward(self, clips):
        out = self.operation(clips)
        vector = out.flatten(1).mean(1, keepdim=True)
        return ClipOutput(vector, vector, None, {})


class _Call(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, clips):
        return self.function(clips)


CLIPS = torch.randn(2, 4, 3, 8, 6)


def test_fused_attention_counts_two_products():
    def attention(x):
        q = x.flatten(2).unsqueeze(1)  # [2, 1, 4, 144]
        return F.scaled_dot_product_attention(q, q, q)

    counted = count(Toy(attention), CLIPS)
    gmacs, left_out = counted.gmacs, counted.left_out
    assert gmacs * 1e9 == 2 * (2 * 4 * 4 * 144)
    assert "scaled_dot_product_attention" not in left_out


def test_an_lstm_counts_its_four_gates():
    class Recurrent(nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm = nn.LSTM(144, 7, batch_first=True)

        def forward(self, x):
            return self.lstm(x.flatten(2))[0]

    gmacs = count_gmacs(Toy(Recurrent()), CLIPS)
    assert gmacs * 1e9 == 2 * 4 * 4 * 7 * (144 + 7)


def test_a_convolution_counts_its_closed_form():
    class Conv(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 5, 3, padding=1)

        def forward(self, x):
            return self.conv(x.flatten(0, 1))

    toy = Toy(Conv())
    toy.operation.forward = lambda x: toy.operation.conv(x.flatten(0, 1)).unflatten(0, (2, 4))
    gmacs = count_gmacs(toy, CLIPS)
    assert gmacs * 1e9 == 8 * 5 * 48 * 27
    assert count_activations(toy, CLIPS) * 1e6 == 8 * 5 * 48


def test_an_operator_that_cannot_be_counted_is_refused_by_name():
    with pytest.raises(ValueError, match="cdist"):
        count_gmacs(Toy(lambda x: torch.cdist(x.flatten(2), x.flatten(2))), CLIPS)


def test_what_is_left_out_is_told():
    left_out = count(Toy(lambda x: (x * x).relu() + x), CLIPS).left_out
    assert left_out["mul"] == 1 and left_out["add"] == 1


def test_memory_follows_what_is_alive_and_not_what_was():
    with LiveTensors() as live:
        a = torch.zeros(1000)
        del a
        b = torch.zeros(500)
        c = b.view(250, 2)  # shares storage
        assert live.bytes == 2000
    assert live.peak == 4000
    assert c.shape == (250, 2)


def test_peak_memory_counts_weights_and_the_largest_moment():
    model = Toy(lambda x: torch.cat([x, x, x]).sum(0, keepdim=True))
    peak = forward_peak_mb(model, CLIPS) * 1e6
    size = CLIPS.numel() * 4
    assert 4 * size <= peak < 5.5 * size


def test_a_measurement_holds_what_it_was_made_with():
    cost = measure(Toy(nn.Identity()), 4, 32, 16, torch.device("cpu"))
    assert (cost.frames, cost.height, cost.width, cost.precision) == (4, 32, 16, "no")
    assert cost.latency_ms > 0 and cost.clips_per_s > 0 and cost.latency_iqr_ms >= 0
