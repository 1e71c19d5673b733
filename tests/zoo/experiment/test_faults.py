"""Whose fault an error is."""

import errno

import pytest

from benchmark.pixels import ImageError
from zoo.experiment.faults import ends_the_plan, place_in_method, reason_of


def caught(code, file="method.py"):
    try:
        exec(compile(code, file, "exec"), {})  # noqa: S102 - the tests' own text
    except BaseException as error:
        return error.with_traceback(error.__traceback__.tb_next)  # without this frame


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO])
def test_a_full_or_lost_disk_ends_a_plan(tmp_path, number):
    assert ends_the_plan(OSError(number, "says the system"), tmp_path)


def test_a_result_folder_that_has_gone_ends_a_plan(tmp_path):
    assert ends_the_plan(FileNotFoundError("no such file"), tmp_path / "gone")


@pytest.mark.parametrize(
    "error",
    [TypeError(), MemoryError(), SystemExit(3), FileNotFoundError("x"), ImageError("cut short")],
)
def test_what_a_method_or_its_data_raise_ends_none(tmp_path, error):
    assert not ends_the_plan(error, tmp_path)


def test_a_reason_names_kind_file_and_line_of_the_methods_own_code():
    code = "import torch\n\ndef forward():\n    return torch.zeros(2) @ torch.zeros(3)\nforward()"
    reason = reason_of(caught(code))
    assert reason.startswith("RuntimeError: ") and reason.endswith("(method.py:4)")
    assert "\n" not in reason


def test_an_error_that_says_nothing_is_named_by_its_kind():
    assert reason_of(caught("assert False")) == "AssertionError (method.py:1)"


def test_what_is_raised_outside_of_any_method_has_no_place_in_one():
    error = caught("import json\njson.loads('{')", "<text>")
    assert place_in_method(error) is None and "(" in reason_of(error)
