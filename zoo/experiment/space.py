"""What a search may choose from: settings of the recipe, and arguments of single methods.

name = "mine@1"

[parameters.lr]
kind = "log"          # log or linear between low and high, or choice
low = 1e-5
high = 1e-3

[parameters."sta.blocks"]
kind = "choice"
choices = [2, 4, 8]
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmark.recipe import Recipe
from benchmark.variants import Variant, choose, parse, parse_value, split_list
from zoo import registry
from zoo.experiment.paper_recipes import recipe as find_recipe

KINDS = ("log", "linear", "choice")
WARMUP = "warmup_share"  # of the epochs, so that one space serves every recipe
Value = float | int | str | bool | None


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One thing to be chosen.

    Attributes:
        kind: ``log`` or ``linear`` between two numbers, or ``choice``.
        low: smallest value; ``high``: largest.
        choices: values, for ``choice``.

    Raises:
        ValueError: the range is empty or the kind is unknown.
    """

    kind: str
    low: float = 0.0
    high: float = 0.0
    choices: tuple[Value, ...] = ()

    def __post_init__(self):
        if self.kind not in KINDS:
            raise ValueError(f"kind {self.kind!r}: expected one of {', '.join(KINDS)}")
        if self.kind == "choice" and len(self.choices) < 2:
            raise ValueError("a choice needs two values or more")
        if self.kind != "choice" and not self.low < self.high:
            raise ValueError(f"the range {self.low:g} to {self.high:g} is empty")
        if self.kind == "log" and self.low <= 0:
            raise ValueError(f"a log range begins above 0, not at {self.low:g}")

    def holds(self, value: Value) -> bool:
        """Whether a value can be chosen."""
        if self.kind == "choice":
            return value in self.choices
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


def open_space(text: str, search: str | None = None) -> Space:
    """A space by name or from a TOML file, with further parameters from the command line.

    Args:
        text: ``unified@1``, or the path of a file.
        search: ``lr=log:1e-5:1e-3,sta.blocks=choice:2|4|8``; replaces parameters of those names.

    Raises:
        LookupError: no space, or no setting, of that name.
        ValueError: a parameter is not understood.
    """
    space = _read(Path(text)) if text.endswith(".toml") else choose(text, SPACES, "space")
    if not search:
        return _checked(space)
    more = dict(_parse(part) for part in split_list(search))
    name = f"{space.name}+{','.join(sorted(more))}"
    return _checked(Space(name=name, parameters={**space.parameters, **more}))


def _read(path: Path) -> Space:
    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist: --space takes a name or a TOML file")
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        fields = data["parameters"]
        found = {
            name: Parameter(**{k: tuple(v) if k == "choices" else v for k, v in one.items()})
            for name, one in fields.items()
        }
    except (
        tomllib.TOMLDecodeError,
        UnicodeDecodeError,
        KeyError,
        TypeError,
        AttributeError,
    ) as error:
        raise ValueError(f"{path} is no search space: {error}") from None
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    return Space(name=str(data.get("name", path.stem)), parameters=found)


def _parse(text: str) -> tuple[str, Parameter]:
    name, equals, rest = text.partition("=")
    kind, _, values = rest.partition(":")
    try:
        if not equals or kind not in KINDS:
            raise ValueError("expected NAME=log:LOW:HIGH, linear:LOW:HIGH or choice:A|B|C")
        if kind == "choice":
            options = tuple(parse_value(value) for value in values.split("|"))
            return name, Parameter(kind=kind, choices=options)
        low, _, high = values.partition(":")
        return name, Parameter(kind=kind, low=float(low), high=float(high))
    except ValueError as error:
        raise ValueError(f"--search {text!r}: {error}") from None


def _checked(space: Space) -> Space:
    """Refuse names that no recipe and no method has."""
    if not space.parameters:
        raise ValueError(f"the space {space.name} is empty: there is nothing to choose")
    for name in space.parameters:
        method, dot, argument = name.rpartition(".")
        if dot:
            registry.find(f"{method}[{argument}={_example(space.parameters[name])}]")
        elif name != WARMUP:
            find_recipe("quick", {name: _value(space.parameters[name])})
    return space


def _value(parameter: Parameter) -> Value:
    return parameter.choices[0] if parameter.kind == "choice" else parameter.low


def _example(parameter: Parameter) -> str:
    return str(Variant("x", {"v": _value(parameter)}))[4:-1]


def apply(
    method: str, chosen: Recipe, values: Mapping[str, Value]
) -> tuple[str, dict[str, object]]:
    """The method and the changes of the recipe that values stand for."""
    asked, changes = parse(method), {}
    arguments = dict(asked.arguments)
    for name, value in values.items():
        own, dot, argument = name.rpartition(".")
        if dot and own == asked.name:
            arguments[argument] = value
        elif name == WARMUP:
            changes["warmup"] = round(float(value) * chosen.epochs)
        elif not dot:
            changes[name] = value
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
        if not parameter.holds(value):
            return None
        found[name] = value
    return found
