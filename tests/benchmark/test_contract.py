"""What a network gives is looked at on the first batch."""

import pytest
import torch
from torch import nn

from benchmark.contract import BrokenContract, check_neck, check_output
from methods.output import ClipOutput, HeadOutput


class Model(nn.Module):
    def forward(self, clips):
        return None


LINE = Model.forward.__code__.co_firstlineno


def output(**changes):
    good = ClipOutput(torch.zeros(4, 6), torch.zeros(4, 5), torch.zeros(4, 3), {})
    return good._replace(**changes)


def refusal(given, classes=3, **options):
    with pytest.raises(BrokenContract) as error:
        check_output(Model(), given, 4, classes, **options)
    assert str(error.value).endswith(f"({__file__}:{LINE})")
    return str(error.value)


@pytest.mark.parametrize(
    ("given", "classes"),
    [
        (output(), 3),
        (output(logits=None), 0),
        (output(), None),
        (output(penalties={"p": torch.tensor(0.5)}), 3),
        (output(heads=(HeadOutput(None, None, torch.zeros(8, 3)),)), 3),
    ],
)
def test_what_keeps_the_contract_passes(given, classes):
    check_output(Model(), given, 4, classes)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (None, "forward gives None"),
        (tuple(output()), "forward gives a tuple"),
        (output()._asdict(), "forward gives a dict"),
        (torch.zeros(4, 6), "forward gives a tensor [4, 6] of float32"),
        (output(embedding=None), "embedding is None, expected a tensor [4, D]"),
        (output(embedding=torch.zeros(6)), "embedding is [6], expected [4, D]"),
        (output(metric=torch.zeros(3, 5)), "metric is [3, 5], expected [4, D]"),
        (output(metric=torch.zeros(4, 5).long()), "metric is torch.int64, expected floats"),
        (output(metric=torch.full((4, 5), torch.nan)), "metric holds NaN or infinity"),
        (output(logits=None), "logits is None, expected a tensor [4, 3]"),
        (output(logits=torch.zeros(4, 2)), "logits is [4, 2], expected [4, 3]"),
        (output(penalties=None), "penalties are None, expected a dict"),
        (output(penalties={"p": 1.0}), "penalty 'p' is a float"),
        (output(penalties={"p": torch.zeros(2)}), "penalty 'p' is [2]"),
        (output(penalties={"p": torch.tensor(torch.inf)}), "penalty 'p' is inf"),
        (output(heads=[1]), "heads are a list"),
        (output(heads=(HeadOutput(None, None, torch.zeros(5, 3)),)), "head 0: logits have 5 rows"),
        (output(heads=(HeadOutput(torch.zeros(2), None, None),)), "head 0: embedding is [2]"),
    ],
)
def test_what_breaks_it_is_named_with_file_and_line(given, says):
    assert refusal(given).startswith(says)


def test_logits_without_classes_are_refused():
    assert refusal(output(), classes=0).startswith("logits are a tensor [4, 3]")


def test_numbers_are_looked_at_only_where_asked_for():
    check_output(Model(), output(metric=torch.full((4, 5), torch.nan)), 4, finite=False)


def test_a_neck_that_is_missing_is_refused():
    with pytest.raises(BrokenContract, match="neck is None, expected BatchNorm1d or Identity"):
        check_neck(Model())
    model = Model()
    model.neck = nn.Identity()
    check_neck(model)
