"""A search space by its name, from a TOML file, or from the command line.

name = "mine@1"

[parameters.lr]
kind = "log"          # log or linear between low and high, or choice
low = 1e-5
high = 1e-3

[parameters."sta.blocks"]
kind = "choice"
choices = [2, 4, 8]
"""

from pathlib import Path

from benchmark.files import read_toml
from benchmark.recipes import EVALUATION_SETTINGS
from benchmark.variants import choose, coerce, format_value, parameters, parse_value, split_list
from zoo import registry
from zoo.experiment.paper_recipes import recipe as find_recipe
from zoo.experiment.space import KINDS, SPACES, WARMUP, Parameter, Space, Value, read_value


def open_space(asked: str | Space, search: str | None = None) -> Space:
    """A space by name or from a TOML file, with further parameters from the command line.

    Args:
        asked: ``unified@1``, the path of a TOML file, or a space itself.
        search: ``lr=log:1e-5:1e-3,sta.blocks=choice:2|4|8``; replaces parameters of those names.

    Raises:
        LookupError: no space, or no setting, of that name.
        ValueError: a parameter is not understood.
    """
    if isinstance(asked, Space):
        space = asked
    else:
        space = _read(Path(asked)) if asked.endswith(".toml") else choose(asked, SPACES, "space")
    if not search:
        return _checked(space)
    more = dict(_parse(part) for part in split_list(search))
    name = f"{space.name}+{','.join(sorted(more))}"
    return _checked(Space(name=name, parameters={**space.parameters, **more}))


def _read(path: Path) -> Space:
    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist: --space takes a name or a TOML file")
    try:
        data = read_toml(path)
    except ValueError as error:
        raise ValueError(f"{path} is no search space: {error}") from None
    try:
        _known(data, ("name", "parameters"))
        fields = data.get("parameters", {})
        _known(fields)
        found = {name: _parameter(name, one) for name, one in fields.items()}
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    return Space(name=str(data.get("name", path.stem)), parameters=found)


def _parameter(name: str, fields: object) -> Parameter:
    try:
        _known(fields, ("kind", "low", "high", "choices"))
        if not isinstance(fields.get("choices", []), list):
            raise ValueError(f"choices is {fields['choices']!r}, expected a list")
        kind = fields.get("kind", "none")
        needed = ("choices",) if kind == "choice" else ("low", "high") if kind in KINDS else ()
        missing = [one for one in needed if one not in fields]
        if missing:
            raise ValueError(f"kind {kind} needs {' and '.join(missing)}")
        values = {k: tuple(v) if k == "choices" else v for k, v in fields.items()}
        return Parameter(**values | {"kind": kind})
    except ValueError as error:
        raise ValueError(f"parameters.{name}: {error}") from None


def _known(fields: object, keys: tuple[str, ...] = ()) -> None:
    """Refuse what is no table, and keys that nobody reads."""
    if not isinstance(fields, dict):
        raise ValueError(f"expected a table such as [parameters.lr], found {fields!r}")
    odd = sorted(set(fields) - set(keys)) if keys else []
    if odd:
        raise ValueError(f"unknown key {odd[0]!r}: expected {', '.join(keys)}")


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
    """Refuse names that no recipe and no method has, and values that they cannot take."""
    if not space.parameters:
        raise ValueError(f"the space {space.name} is empty: there is nothing to choose")
    for name, parameter in space.parameters.items():
        try:
            for value in parameter.ends:
                _check_value(name, value)
        except (ValueError, LookupError) as error:
            raise type(error)(f"space {space.name}: {_without_recipe(error)}") from None
    return space


def _check_value(name: str, value: Value) -> None:
    method, dot, argument = name.rpartition(".")
    if dot:
        function, _ = registry.find(f"{method}[{argument}={format_value(value)}]")
        kind, _ = parameters(function)[argument]
        coerce(read_value(value), kind, f"{method}: {argument}")  # 2 to 4 is no range of integers
    elif name in EVALUATION_SETTINGS:
        raise ValueError(f"{name} says how results are scored: that is not searched")
    elif name != WARMUP:
        find_recipe("quick", {name: read_value(value)})
    elif not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ValueError(f"{WARMUP} is {value!r}, expected a share in 0..1")


def _without_recipe(error: Exception) -> str:
    """The message, without the recipe that served for the check."""
    return str(error.args[0]).removeprefix("quick: ").replace("setting of quick,", "setting")
