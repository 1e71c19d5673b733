"""Half precision is widened, nothing is narrowed."""

import pytest
import torch

from methods.precision import at_least_float32


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (torch.float16, torch.float32),
        (torch.bfloat16, torch.float32),
        (torch.float32, torch.float32),
        (torch.float64, torch.float64),
    ],
)
def test_half_precision_becomes_float32_and_nothing_else_changes(given, found):
    x = torch.tensor([1.5, -2.0], dtype=given)
    assert at_least_float32(x).dtype == found
    assert at_least_float32(x).tolist() == [1.5, -2.0]
