"""Weights as they are shipped."""

import torch

from zoo.half_precision import to_half


def test_what_float16_cannot_hold_stays_float32():
    found, dropped, kept_ = to_half({"a": torch.tensor([1e6]), "b": torch.ones(1)})
    assert found["a"].dtype == torch.float32 and found["b"].dtype == torch.float16
    assert dropped == () and kept_ == ("a stays float32: float16 cannot hold it",)


def test_weights_are_halved_but_not_the_statistics_and_counters_of_batchnorm():
    state = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2)).state_dict()
    half = to_half(state)[0]
    kinds = {key: value.dtype for key, value in half.items()}
    assert kinds["0.weight"] == kinds["1.weight"] == torch.float16
    assert kinds["1.running_mean"] == kinds["1.running_var"] == torch.float32
    assert kinds["1.num_batches_tracked"] == torch.int64 and list(half) == list(state)


def test_the_classifier_is_left_out_and_named():
    state = {"head.classifier.weight": torch.ones(3, 2), "head.neck.weight": torch.ones(2)}
    state["head.below.0.neck.weight"] = torch.ones(2)  # of a head that only training has
    half, dropped, _ = to_half(state)
    assert list(half) == ["head.neck.weight"] and len(dropped) == 2
    assert dropped[0].startswith("left out head.classifier.weight: the classifier")


def test_a_channels_last_kernel_is_stored_as_any_other():
    kernel = torch.randn(4, 3, 5, 5)
    laid_out = kernel.to(memory_format=torch.channels_last)
    assert to_half({"a": laid_out})[0]["a"].is_contiguous()
