"""Batches come to the device in their order, one ahead."""

import pytest
import torch

from benchmark.prefetch import to_device


def numbered(count, taken):
    for i in range(count):
        taken.append(i)
        yield [torch.full((2,), i), torch.tensor([i])]


def test_on_a_cpu_batches_come_as_they_are_and_none_is_taken_early():
    taken = []
    for i, (values, place) in enumerate(to_device(numbered(3, taken), torch.device("cpu"))):
        assert taken == list(range(i + 1)) and place.item() == i
        assert values.tolist() == [i, i]
    assert taken == [0, 1, 2]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("count", [0, 1, 5])
def test_on_a_gpu_the_next_batch_is_on_its_way_while_one_is_used(count):
    taken, device = [], torch.device("cuda")
    seen = []
    for i, (values, _) in enumerate(to_device(numbered(count, taken), device)):
        assert len(taken) == min(i + 2, count) and values.is_cuda
        seen.append(values.sum().item())
    assert seen == [2 * i for i in range(count)]
