"""What a search may choose from: settings of the recipe, and arguments of single methods."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from benchmark.recipe import Recipe
from benchmark.variants import Variant, format_value, parse, parse_value
from zoo import registry

KINDS = ("log", "linear", "choice")
WARMUP = "warmup_share"  # of the epochs, so that one space serves every recipe
Value = float | int | str | bool | None


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One thing to be chosen.

    Attributes:
        kind: ``log`` or ``linear`` between two numbers, or ``choice``.
        low: smallest value; ``high``: largest.
        choices: values, for ``choice``; a list of values is kept in its written form, ``4+5``.

    Raises:
        ValueError: the range is empty, a bound is no number, or the kind is unknown.
    """

    kind: str
    low: float = 0.0
    high: float = 0.0
    choices: tuple[Value, ...] = ()

    def __post_init__(self):
        if self.kind not in KINDS:
            raise ValueError(f"kind {self.kind!r}: expected one of {', '.join(KINDS)}")
        if self.kind == "choice":
            self._check_choices()
            return
        for end in (self.low, self.high):
            if isinstance(end, bool) or not isinstance(end, int | float) or not math.isfinite(end):
                raise ValueError(f"a range runs between two finite numbers, not to {end!r}")
        if not self.low < self.high:
            raise ValueError(f"the range {self.low:g} to {self.high:g} is empty")
        if self.kind == "log" and self.low <= 0:
            raise ValueError(f"a log range begins above 0, not at {self.low:g}")

    def _check_choices(self) -> None:
        lists = [isinstance(value, list | tuple) for value in self.choices]
        pairs = zip(self.choices, lists, strict=True)
        plain = tuple(format_value(v) if listed else v for v, listed in pairs)
        odd = [v for v in plain if v is not None and not isinstance(v, int | float | str)]
        if odd:
            raise ValueError(f"a choice is between numbers and words, not {odd[0]!r}")
        if len(set(plain)) < 2 or len(set(plain)) < len(plain):
            raise ValueError("a choice needs two values or more, each of them once")
        object.__setattr__(self, "choices", plain)

    @property
    def ends(self) -> tuple[Value, ...]:
        """Values that must be possible if all are: every choice, or both ends of a range."""
        return self.choices if self.kind == "choice" else (float(self.low), float(self.high))

    def holds(self, value: Value) -> bool:
        """Whether a value can be chosen."""
        if self.kind == "choice":
            return value in self.choices
        if isinstance(value, bool):
            return False
        return isinstance(value, int | float) and self.low <= value <= self.high

    def as_dict(self) -> dict:
        """For a summary file."""
        if self.kind == "choice":
            return {"kind": self.kind, "choices": list(self.choices)}
        return {"kind": self.kind, "low": self.low, "high": self.high}


@dataclass(frozen=True, kw_only=True)
class Space:
    """A named set of parameters; ``method.argument`` is for that method alone."""

    name: str
    parameters: Mapping[str, Parameter] = field(default_factory=dict)

    def of(self, method: str) -> dict[str, Parameter]:
        """The parameters of one method: the recipe's, and its own arguments."""
        own = parse(method).name
        return {
            name: parameter
            for name, parameter in self.parameters.items()
            if "." not in name or name.partition(".")[0] == own
        }


UNIFIED = Space(
    name="unified@1",
    parameters={
        "lr": Parameter(kind="log", low=3e-5, high=3e-3),
        "weight_decay": Parameter(kind="log", low=1e-6, high=1e-3),
        "triplet": Parameter(kind="choice", choices=("soft", 0.1, 0.2, 0.3, 0.4, 0.5)),
        "smoothing": Parameter(kind="choice", choices=(0.0, 0.1)),
        WARMUP: Parameter(kind="linear", low=0.0, high=0.2),
        "random_crop": Parameter(kind="choice", choices=(0.0, 0.5)),
    },
)
SPACES = {space.name: space for space in (UNIFIED,)}


def read_value(value: Value) -> object:
    """A value as recipes take it: a list from its written form."""
    return parse_value(value) if isinstance(value, str) else value


def apply(
    method: str, chosen: Recipe, values: Mapping[str, Value]
) -> tuple[str, dict[str, object]]:
    """The method and the changes of the recipe that values stand for."""
    asked, changes = parse(method), {}
    arguments = dict(asked.arguments)
    for name, value in values.items():
        own, dot, argument = name.rpartition(".")
        if dot and own == asked.name:
            arguments[argument] = read_value(value)
        elif name == WARMUP:
            changes["warmup"] = round(float(value) * chosen.epochs)
        elif not dot:
            changes[name] = read_value(value)
    return str(Variant(asked.name, arguments)), changes


def defaults(
    method: str, chosen: Recipe, parameters: Mapping[str, Parameter]
) -> dict[str, Value] | None:
    """The values of the recipe and method as they stand; None if one lies outside the space."""
    function, variant = registry.find(method)
    arguments = {k: default for k, (_, default) in registry.variants.parameters(function).items()}
    arguments |= variant.arguments
    found: dict[str, Value] = {}
    for name, parameter in parameters.items():
        _, dot, argument = name.rpartition(".")
        if name == WARMUP:
            value = chosen.warmup / max(chosen.epochs, 1)
        else:
            value = arguments.get(argument) if dot else getattr(chosen, name)
        if isinstance(value, tuple):
            value = format_value(value)
        if not parameter.holds(value):
            return None
        found[name] = value
    return found
