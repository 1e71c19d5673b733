"""What users add: by a module (``--plugin my_methods.py``), or from Python by `register`.

A plugin is a module that Python can import, or a single file. It holds at least one of

* ``METHODS``, ``DATASETS``: tuples of functions, whose names are those of the methods and data
  sets; a data set may also be a `benchmark.datasets.kind.DatasetKind`;
* ``LOSSES``, ``SAMPLERS``, ``OPTIMISERS``, ``SAMPLINGS`` (how the frames of a training clip are
  drawn), ``METRICS``, ``RECIPES``, ``PROTOCOLS``: dictionaries that join those of `benchmark`.

Installed packages name methods and data sets by entry points: ``zoo.methods``, ``zoo.datasets``.
"""

import hashlib
import importlib.util
import inspect
import os
import re
import sys
import traceback
from collections.abc import Callable, Iterator, MutableMapping
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType

from benchmark import variants

# kind -> a plugin's attribute, and the module whose dictionary of that name takes the entries in
KINDS = {
    "method": ("METHODS", None),
    "dataset": ("DATASETS", None),
    "loss": ("LOSSES", "benchmark.losses"),
    "sampler": ("SAMPLERS", "benchmark.samplers"),
    "optimiser": ("OPTIMISERS", "benchmark.optimisers"),
    "sampling": ("SAMPLINGS", "benchmark.clips"),
    "metric": ("METRICS", "benchmark.metrics"),
    "recipe": ("RECIPES", "benchmark.recipes"),
    "protocol": ("PROTOCOLS", "benchmark.rules"),
}
_ADDED: dict[str, dict[str, Callable]] = {"METHODS": {}, "DATASETS": {}}
CALLS: dict[tuple[str, str], object] = {}  # ("plugin", text), or (kind, name) and the thing


def register(kind: str, thing: object, name: str | None = None) -> None:
    """Make a thing known by name, as a plugin would: ``zoo.register("method", my_function)``.

    Args:
        kind: method, dataset, loss, sampler, optimiser, sampling, metric, recipe or protocol.
        thing: what it is; a recipe or protocol is an object, all others are functions or classes.
        name: None takes its own: of a recipe or protocol, or of the function.

    Raises:
        LookupError: no such kind.
        ValueError: the thing does not fit, or the name is taken by another one.
    """
    variants.choose(kind, KINDS, "kind")
    own = getattr(thing, "name", None) or getattr(thing, "__name__", None)
    _check(kind, name or own, thing, f"register({kind!r})")
    _entries(kind)[name or own] = thing
    CALLS[kind, name or own] = thing


def add_plugin(text: str) -> None:
    """Import a plugin and make known what it brings: everything, or nothing if a part is wrong.

    Args:
        text: a module that Python can import, or a .py file, whose folder is not searched for more.

    Raises:
        LookupError: there is no such plugin, or it brings nothing.
        ValueError: it fails when it is imported, or brings something that does not fit.
    """
    module = _import(text)
    found = list(_contents(module, text))
    if not found:
        known = ", ".join(attribute for attribute, _ in KINDS.values())
        raise LookupError(f"plugin {text!r} brings nothing: expected one or more of {known}")
    seen: dict[tuple[str, str], object] = {}
    for kind, name, thing in found:
        origin = f"plugin {text!r}, {_place(module, kind, thing)}"
        _check(kind, name, thing, origin)
        if seen.setdefault((kind, name), thing) is not thing:
            raise ValueError(f"{origin}: it brings two of the name {name!r}")
    for kind, name, thing in found:
        _entries(kind)[name] = thing
    CALLS["plugin", text] = None


def loaded() -> list[str]:
    """Plugins by what `add_plugin` was told, for further processes."""
    return [name for kind, name in CALLS if kind == "plugin"]


def plugin_functions(attribute: str, group: str) -> list[Callable]:
    """Methods or data sets that plugins, `register` and installed packages bring.

    Args:
        attribute: ``METHODS`` or ``DATASETS``.
        group: of entry points: ``zoo.methods`` or ``zoo.datasets``.

    Raises:
        ValueError: an entry point cannot be loaded, or is no function that fits.
    """
    found = [*_ADDED[attribute].values()]
    for entry in entry_points(group=group):
        origin = f"entry point {entry.name} = {entry.value} of {group}"
        try:
            thing = entry.load()
        except Exception as error:  # whatever somebody else's module raises
            raise ValueError(f"{origin} fails: {_first_line(error)}") from None
        _check_function(_function_of(thing), origin, method=attribute == "METHODS")
        found.append(thing)
    return found


def _import(text: str) -> ModuleType:
    path = Path(text).expanduser()
    is_file = path.suffix == ".py" or bool({"/", os.sep} & set(text))
    if is_file and not (path.is_file() and path.suffix == ".py"):
        raise LookupError(f"plugin {text!r}: there is no .py file {path.absolute()}")
    if not is_file and not all(part.isidentifier() for part in text.split(".")):
        raise LookupError(f"plugin {text!r} is neither a module's name nor the path of a .py file")
    try:
        return _import_file(path.resolve()) if is_file else importlib.import_module(text)
    except (Exception, SystemExit) as error:  # whatever the module raises
        if (place := _place_of(error)) is None:
            hint = f", did you mean ./{text}.py?" if Path(f"{text}.py").is_file() else ""
            raise LookupError(f"plugin {text!r} cannot be imported: {error}{hint}") from None
        raise ValueError(f"plugin {text!r} fails at {place}: {_first_line(error)}") from None


def _import_file(path: Path) -> ModuleType:
    """The module of a file, imported once, under a name that no other file has."""
    digest = hashlib.sha256(str(path).encode()).hexdigest()[:12]
    name = f"zoo_plugin_{re.sub(r'[^a-zA-Z0-9]', '_', path.stem)}_{digest}"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[name]
            raise
    return sys.modules[name]


def _place_of(error: BaseException) -> str | None:
    """``file:line`` of the plugin where an error came from; None if no plugin was found to run."""
    importers = (__file__, importlib.__file__)
    for frame in traceback.extract_tb(error.__traceback__):
        if frame.filename not in importers and not frame.filename.startswith("<frozen importlib"):
            return f"{frame.filename}:{frame.lineno}"
    file = error.filename if isinstance(error, SyntaxError) else None
    return file and f"{file}:{error.lineno}"


def _place(module: ModuleType, kind: str, thing: object = None) -> str:
    """``file:line`` of a thing if it stands in the module's file, else of where it is listed."""
    file = module.__file__
    code = getattr(_function_of(thing), "__code__", None)
    if code is not None and code.co_filename == file:
        return f"{file}:{code.co_firstlineno}"
    listed = re.compile(rf"{KINDS[kind][0]}\b")
    lines = Path(file).read_text(encoding="utf-8").splitlines()
    return f"{file}:{next((n for n, line in enumerate(lines, 1) if listed.match(line)), 1)}"


def _first_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}".rstrip(": ")


def _contents(module: ModuleType, text: str) -> Iterator[tuple[str, str, object]]:
    """Kind, name and thing of everything that a plugin lists."""
    for kind, (attribute, home) in KINDS.items():
        listed = getattr(module, attribute, () if home is None else {})
        expected, form = (tuple, "a tuple of functions") if home is None else (dict, "a dictionary")
        if not isinstance(listed, expected):
            what = f"{attribute} is {type(listed).__name__}, expected {form}"
            raise ValueError(f"plugin {text!r}, {_place(module, kind)}: {what}")
        for item in listed:
            own = getattr(_function_of(item), "__name__", None)
            yield kind, own if home is None else item, item if home is None else listed[item]


def _entries(kind: str) -> MutableMapping[str, object]:
    """The dictionary that holds what is known of a kind, plugins' methods and data sets apart."""
    attribute, home = KINDS[kind]
    return _ADDED[attribute] if home is None else getattr(importlib.import_module(home), attribute)


def _built_in(kind: str) -> dict[str, object]:
    """Our own methods or data sets by name; other kinds are all in one dictionary."""
    if kind == "method":
        from zoo.registry import METHODS as known
    elif kind == "dataset":
        from benchmark.datasets.catalogue import DATASETS as known
    else:
        return {}
    return {_function_of(thing).__name__: thing for thing in known}


def _function_of(thing: object) -> object:
    """The function that a method or data set is; a `DatasetKind` holds it."""
    return thing if callable(thing) else getattr(thing, "open", thing)


def _check(kind: str, name: object, thing: object, origin: str) -> None:
    """Refuse what is not of its kind, and a name that another one has."""
    own = name
    if kind in ("method", "dataset"):
        _check_function(_function_of(thing), origin, method=kind == "method")
        own = _function_of(thing).__name__
    elif kind in ("recipe", "protocol"):
        from benchmark.recipe import Recipe
        from benchmark.rules import Protocol

        expected = {"recipe": Recipe, "protocol": Protocol}[kind]
        if not isinstance(thing, expected):
            what = type(thing).__name__
            raise ValueError(f"{origin}: {kind} {name!r} is {what}, expected {expected.__name__}")
        own = thing.name
    elif not callable(thing):
        raise ValueError(f"{origin}: {kind} {name!r} is {type(thing).__name__}, not callable")
    if name != own:
        raise ValueError(f"{origin}: {kind} {own!r} cannot have another name, {name!r}")
    if not isinstance(name, str) or not re.fullmatch(r"\w[\w./-]*", name):
        raise ValueError(f"{origin}: {name!r} is no name: letters, digits and _ . / - only")
    if {**_built_in(kind), **_entries(kind)}.get(name, thing) is not thing:
        raise ValueError(f"{origin}: there is another {kind} of the name {name!r}: rename yours")


def _check_function(thing: object, origin: str, *, method: bool) -> None:
    """Refuse what no variant can be read for: its name, arguments and types are its signature."""
    if not inspect.isfunction(thing) or not thing.__name__.isidentifier():
        what = getattr(thing, "__name__", type(thing).__name__)
        raise ValueError(f"{origin}: {what} is no function with a name of its own (def …)")
    name = thing.__name__
    try:
        variants.parameters(thing)
    except Exception as error:  # an annotation may be any expression
        why = _first_line(error)
        raise ValueError(f"{origin}: {name}: its annotations cannot be read ({why})") from None
    given = inspect.signature(thing).parameters
    bare = [n for n, p in given.items() if p.default is p.empty and n != "num_classes"]
    if method and (bare or "num_classes" not in given):
        wrong = f"{bare[0]} has no default" if bare else "it does not take num_classes"
        raise ValueError(
            f"{origin}: {name}: {wrong}; expected e.g. def mine(backbone='resnet50', "
            "num_classes=0, *, depth: int = 1)"
        )
