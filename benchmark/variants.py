"""Names with arguments, ``name[key=value]``: methods, data sets, recipes and backbones.

One grammar, one parser, one canonical form. Values are numbers, ``true``, ``false``, ``none``,
words, lists joined by ``+`` (``after=4+5``) or variants themselves
(``backbone=resnet50[layers=1+2+3+1]``).
"""

import difflib
import inspect
import itertools
import re
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

Known = TypeVar("Known")

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_NAME = re.compile(r"[\w./-]+")
_CONSTANTS = {"true": True, "false": False, "none": None}


@dataclass(frozen=True)
class Variant:
    """A name and its arguments, e.g. ``Variant("sta", {"blocks": 8})``."""

    name: str
    arguments: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        if not self.arguments:
            return self.name
        inside = ",".join(
            f"{key}={format_value(self.arguments[key])}" for key in sorted(self.arguments)
        )
        return f"{self.name}[{inside}]"

    @property
    def slug(self) -> str:
        """The same, for a file name: letters, digits and ``_.+-`` only, at most 80 of them."""
        return re.sub(r"[^\w.+]+", "-", str(self)).strip("-")[:80]


def parse(text: str) -> Variant:
    """Read ``name`` or ``name[key=value,...]``.

    Raises:
        ValueError: the text is no such thing; the message says where.
    """
    name, bracket, rest = text.strip().partition("[")
    if not _NAME.fullmatch(name):
        raise ValueError(f"{text!r} is not a name: expected name or name[key=value,key=value]")
    if not bracket:
        return Variant(name)
    if not rest.endswith("]"):
        raise ValueError(
            f"{text!r} has no closing bracket (a shell may have eaten it: quote the whole)"
        )
    arguments: dict[str, object] = {}
    for part in split_list(rest[:-1]):
        key, equals, value = part.partition("=")
        if not equals or not key.isidentifier():
            raise ValueError(f"{part!r} in {text!r} is not key=value")
        if key in arguments:
            raise ValueError(f"{text!r} gives {key!r} twice")
        arguments[key] = parse_value(value)
    return Variant(name, arguments)


def split_list(text: str) -> list[str]:
    """Split at the commas that stand outside brackets: ``"a[x=1,y=2],b"`` gives two."""
    parts, depth, start = [], 0, 0
    for i, character in enumerate(text):
        depth += (character == "[") - (character == "]")
        if depth < 0:
            raise ValueError(f"{text!r} closes a bracket that it never opened")
        if character == "," and depth == 0:
            parts.append(text[start:i])
            start = i + 1
    if depth:
        raise ValueError(
            f"{text!r} has no closing bracket (a shell may have eaten it: quote the whole)"
        )
    return [part.strip() for part in (*parts, text[start:]) if part.strip()]


def expand(text: str) -> list[str]:
    """Every variant of a grid: ``a[x=1|2,y=3|4]`` gives four, the last argument changing first.

    Raises:
        ValueError: an alternative is missing, as in ``a[x=1|]``.
    """
    name, _, rest = text.strip().partition("[")
    if "|" not in rest or not rest.endswith("]"):
        return [text.strip()]
    columns = []
    for part in split_list(rest[:-1]):
        key, equals, values = part.partition("=")
        options = [value.strip() for value in values.split("|")]
        if not all(options) and len(options) > 1:
            raise ValueError(f"{part!r} in {text!r} lacks a value beside a bar")
        columns.append([f"{key}{equals}{value}" for value in options])
    return [f"{name}[{','.join(row)}]" for row in itertools.product(*columns)]


def parse_value(text: str) -> object:
    """One value: number, constant, ``+`` list (a tuple) or, failing these, the text itself.

    A text with a slash or a bracket is no list: it is a path, or a variant.
    """
    text = text.strip()
    if text.lower() in _CONSTANTS:
        return _CONSTANTS[text.lower()]
    if _NUMBER.fullmatch(text):
        # -0.0 and 0.0 are one number, and would be two names of one thing
        return float(text) + 0.0 if re.search(r"[.eE]", text) else int(text)
    if "+" in text and not set(text) & set("[/"):
        return tuple(parse_value(part) for part in text.split("+"))
    return text


def format_value(value: object) -> str:
    """The inverse of `parse_value`."""
    if value is None or isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple | list):
        return "+".join(format_value(v) for v in value)
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def choose(name: str, known: Mapping[str, Known], kind: str) -> Known:
    """``known[name]``, or an error that lists near misses and what there is.

    Raises:
        LookupError: there is no such name.
    """
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else ""
    there = f"there are {', '.join(sorted(known))}" if len(known) <= 40 else ""
    raise LookupError(f"unknown {kind} {name!r}: {' '.join(filter(None, (hint, there)))}")


def parameters(function: Callable) -> dict[str, tuple[object, object]]:
    """``{name: (type, default)}`` of the keyword arguments that a variant may set."""
    hints = typing.get_type_hints(function)
    return {
        p.name: (hints.get(p.name, object), p.default)
        for p in inspect.signature(function).parameters.values()
        if p.default is not inspect.Parameter.empty
    }


def checked(
    given: Mapping[str, object], allowed: Mapping[str, tuple[object, object]], owner: str
) -> dict:
    """The given arguments, each of a type that is allowed, without those equal to their default.

    Raises:
        LookupError: a key that ``owner`` does not have.
        ValueError: a value of the wrong type.
    """
    result = {}
    for key in sorted(given):
        kind, default = choose(key, allowed, f"setting of {owner},")
        value = coerce(given[key], kind, f"{owner}: {key}")
        if value != default or type(value) is not type(default):
            result[key] = value
    return result


def canonical(variant: Variant, function: Callable) -> Variant:
    """The variant in its one form: values checked, defaults dropped, keys sorted."""
    return Variant(variant.name, checked(variant.arguments, parameters(function), variant.name))


def coerce(value: object, kind: object, where: str) -> object:
    """The value as ``kind``; an int serves as float and a single value as a tuple of one.

    Raises:
        ValueError: it does not fit; the message names ``where``, the value and what fits.
    """
    options = (
        typing.get_args(kind)
        if typing.get_origin(kind) in (types.UnionType, typing.Union)
        else (kind,)
    )
    for option in options:
        found = _as(value, option)
        if found is not _MISFIT:
            return found
    if value is None and str in options:
        return "none"  # the word, where nothing is no choice
    names = " or ".join(_type_name(option) for option in options)
    raise ValueError(f"{where} is {format_value(value)!r}, expected {names}")


_MISFIT = object()


def _as(value: object, option: object) -> object:
    if option is object or option is typing.Any:
        return value
    if option is None or option is type(None):
        return None if value is None else _MISFIT
    if typing.get_origin(option) is tuple:
        item = typing.get_args(option)[0]
        items = [_as(v, item) for v in (value if isinstance(value, tuple | list) else (value,))]
        return _MISFIT if any(v is _MISFIT for v in items) else tuple(items)
    if option is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if option is int and isinstance(value, bool):
        return _MISFIT
    return value if isinstance(option, type) and isinstance(value, option) else _MISFIT


def _type_name(option: object) -> str:
    if option is None or option is type(None):
        return "none"
    return (
        getattr(option, "__name__", str(option))
        if typing.get_origin(option) is None
        else "a + list"
    )


def select(patterns: Iterable[str], names: Iterable[str]) -> list[str]:
    """Those names that match any of the wildcards, in their order."""
    import fnmatch

    patterns = list(patterns)
    return [name for name in names if any(fnmatch.fnmatchcase(name, p) for p in patterns)]
