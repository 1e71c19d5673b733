"""What each field of a record may hold: one table, compared with on every reading.

Records come from anywhere. What passes here can be counted with, compared, drawn and printed.
"""

import re
from collections.abc import Callable, Mapping

from benchmark.label import Label

LONGEST = 20_000  # characters of a text
_COUNT, _AMOUNT = 1e12, 1e15  # no count and no amount is larger

_Test = Callable[[object], bool]


def _is_text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= LONGEST


def _is_name(value: object) -> bool:
    return _is_text(value) and bool(str(value).strip())


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and _is_number(value) and 0 <= value <= _COUNT


def _is_amount(value: object) -> bool:
    return _is_number(value) and 0 <= value <= _AMOUNT


def _is_fraction(value: object) -> bool:
    return _is_number(value) and 0 <= value <= 1


def _is_label(value: object) -> bool:
    try:
        return _is_text(value) and bool(Label.parse(str(value)))
    except ValueError:
        return False


def _is_file_name(value: object) -> bool:
    """A plain name: no folder, no way out, nothing hidden."""
    return isinstance(value, str) and bool(re.fullmatch(r"[^./\\\0:][^/\\\0:]{0,254}", value))


def _is_plain(value: object) -> bool:
    """A text, a number, true, false or nothing."""
    return value is None or isinstance(value, bool) or _is_number(value) or _is_text(value)


def _or_none(test: _Test) -> _Test:
    return lambda value: value is None or test(value)


def _list_of(test: _Test) -> _Test:
    return lambda value: isinstance(value, list | tuple) and all(map(test, value))


def _by_name(test: _Test) -> _Test:
    return lambda value: isinstance(value, dict) and all(map(test, value.values()))


_PLAIN_OR_LIST: _Test = lambda value: _is_plain(value) or _list_of(_is_plain)(value)  # noqa: E731
_NAME, _COUNTS = (_is_name, "a name"), (_is_count, "a whole number from 0")
_WORDS = (_or_none(_is_text), "a text or null")
FIELDS: Mapping[str, tuple[_Test, str]] = {
    "origin": (lambda value: value in ("measured", "published"), "measured or published"),
    **dict.fromkeys(("run", "method", "recipe", "dataset", "fingerprint"), _NAME),
    **dict.fromkeys(("split", "seed", "gallery", "queries", "dropped"), _COUNTS),
    "label": (_is_label, "a label, e.g. mars-official@1/cos-bn/chunk-first8"),
    "arguments": (_by_name(_PLAIN_OR_LIST), "an object of texts, numbers and lists of them"),
    "metrics": (_by_name(_is_fraction), "fractions in [0, 1] by name"),
    "cmc": (_list_of(_is_fraction), "a list of fractions in [0, 1]"),
    "per_query": (_or_none(_is_file_name), "the name of a file beside the record, or null"),
    "environment": (_by_name(_is_plain), "an object of texts and numbers"),
    **dict.fromkeys(("checkpoint", "commit", "command", "selection"), _WORDS),
    "processes": (lambda value: _is_count(value) and value != 0, "a whole number from 1"),
    "compiled": (lambda value: isinstance(value, bool), "true or false"),
    "notes": (_list_of(_is_text), "a list of texts"),
}
_AMOUNTS = ("params_m", "gmacs", "activations_m", "latency_ms", "latency_iqr_ms", "clips_per_s")
COST: Mapping[str, tuple[_Test, str]] = {
    **dict.fromkeys(
        (*_AMOUNTS, "peak_memory_mb"), (_or_none(_is_amount), "a number from 0, or null")
    ),
    **dict.fromkeys(
        ("frames", "height", "width", "best_batch"),
        (_or_none(_is_count), "a whole number from 0, or null"),
    ),
    "latency_steady": (lambda value: value is None or isinstance(value, bool), "true or false"),
    **dict.fromkeys(("device", "precision"), _WORDS),
    "parts": (_by_name(_is_amount), "numbers from 0 by name"),
    "left_out": (_by_name(_is_count), "whole numbers from 0 by name"),
    "uncounted": (_list_of(_is_text), "a list of texts"),
}


def fault_of(record: Mapping[str, object]) -> str | None:
    """The first field of a record that holds what it may not, in words; None if none does."""
    return _first_fault(record, FIELDS) or fault_of_cost(record.get("cost"))


def fault_of_cost(cost: object) -> str | None:
    """The same of a cost; None has none."""
    if cost is None:
        return None
    if not isinstance(cost, dict):
        return f"cost is {_shown(cost)}, expected an object or null"
    fault = _first_fault(cost, COST)
    if fault is None and "frames" in cost and not {"height", "width"} <= set(cost):
        fault = "frames without height and width"
    return fault and f"cost: {fault}"


def _first_fault(
    values: Mapping[str, object], table: Mapping[str, tuple[_Test, str]]
) -> str | None:
    for name, (test, expected) in table.items():
        if name in values and not test(values[name]):
            return f"{name} is {_shown(values[name])}, expected {expected}"
    return None


def _shown(value: object) -> str:
    text = ascii(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
