"""Memory of a forward pass, and of a process."""

import torch

from benchmark.cost.memory import LiveTensors, PeakMemory, forward_peak_mb
from tests.benchmark.cost.toy import CLIPS, Toy


def test_memory_follows_what_is_alive_and_not_what_was():
    with LiveTensors() as live:
        a = torch.zeros(1000)
        del a
        b = torch.zeros(500)
        c = b.view(250, 2)  # shares storage
        assert live.bytes == 2000
    assert live.peak == 4000
    assert c.shape == (250, 2)


def test_in_place_operators_take_no_memory():
    a = torch.zeros(1000)
    with LiveTensors() as live:
        a.add_(1).relu_()
    assert live.peak == 0


def test_peak_memory_counts_weights_and_the_largest_moment():
    model = Toy(lambda x: torch.cat([x, x, x]).sum(0, keepdim=True))
    peak = forward_peak_mb(model, CLIPS) * 1e6
    size = CLIPS.numel() * 4
    assert 4 * size <= peak < 5.5 * size


def test_peak_of_a_process_grows_by_what_it_holds():
    memory = PeakMemory(torch.device("cpu"))
    before = memory.peak_mb()
    held = torch.ones(25_000_000)  # 100 MB
    assert memory.peak_mb() >= before + 80
    assert held[0] == 1
