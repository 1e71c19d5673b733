"""A plugin to start from, with its test: a template's files under a name of one's own.

The templates are ordinary files in ``zoo/templates/<kind>``, called ``my_<kind>``.
"""

import importlib.util
import io
import keyword
import re
import shlex
import tokenize
from pathlib import Path

from benchmark.datasets.catalogue import DATASETS
from benchmark.datasets.kind import as_kind
from benchmark.files import write_text
from benchmark.variants import choose
from zoo import registry
from zoo.experiment.paper_recipes import known_recipes
from zoo.plugins import plugin_functions

TEMPLATES = Path(__file__).parents[1] / "templates"
_SMALL = "'synthetic[identities=10,frames=4]'"
# kind -> what to type once its files are there; the test comes first for every kind
NEXT = {
    "method": (
        "zoo check {name} --plugin {file}",
        f"zoo bench --plugin {{file}} --methods {{name}},resnet50_avg --dataset {_SMALL} --set "
        "epochs=0",
    ),
    "dataset": (
        "zoo data layout {name} --plugin {file}",
        "zoo data check {name} --plugin {file} --data-root DIR",
        "zoo bench --plugin {file} --dataset {name} --data-root DIR --limit 10 --set epochs=1",
    ),
    "recipe": (
        f"zoo bench --plugin {{file}} --recipe {{name}} --methods resnet50_avg --dataset {_SMALL} "
        "--set epochs=1",
    ),
}


def write_plugin(kind: str, name: str, folder: Path) -> list[Path]:
    """Write a plugin and its test, which passes.

    Args:
        kind: ``method``, ``dataset`` or ``recipe``.
        name: of the method, data set or recipe, and of the file.
        folder: where to put them; it is made if it is not there.

    Returns:
        ``<name>.py`` and ``test_<name>.py``.

    Raises:
        LookupError: no such kind.
        ValueError: the name does not fit, or is taken.
        OSError: a file is there already, or cannot be written; then nothing was overwritten.
    """
    choose(kind, NEXT, "kind of plugin")
    placeholder = f"my_{kind}"
    sources = [TEMPLATES / kind / f"{prefix}{placeholder}.py" for prefix in ("", "test_")]
    texts = [source.read_text(encoding="utf-8") for source in sources]
    _check_name(kind, name, {word for text in texts for word in _words(text)} - {placeholder})
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"{folder} is no folder: --into takes one")
    paths = [folder / source.name.replace(placeholder, name) for source in sources]
    for path in paths:
        if path.exists() or path.is_symlink():
            raise FileExistsError(f"{path} is there already: choose another name or --into FOLDER")
    if importlib.util.find_spec(name) is not None:
        raise ValueError(f"{name}.py would hide the Python module {name!r}: choose another name")
    for path, text in zip(paths, texts, strict=True):
        write_text(path, text.replace(placeholder, name))
    return paths


def next_commands(kind: str, name: str, paths: list[Path]) -> list[str]:
    """What to type next, as a shell takes it."""
    plugin, test = (shlex.quote(str(path)) for path in paths)
    return [f"pytest {test}", *(line.format(name=name, file=plugin) for line in NEXT[kind])]


def _check_name(kind: str, name: str, words: set[str]) -> None:
    """Refuse a name that the file itself or somebody else has a use for.

    Args:
        kind: of plugin.
        name: of the plugin.
        words: names and keywords of the file.
    """
    if not re.fullmatch(r"[a-zA-Z][a-zA-Z0-9_]*", name):
        raise ValueError(
            f"{name!r} is no name for a function: expected letters, digits and _, a letter first"
        )
    if name.startswith("test_"):
        raise ValueError(f"{name!r} begins like a test's name: pytest would take it for one")
    if name in _taken(kind):
        raise ValueError(f"there is a {kind} called {name!r} already: choose another name")
    if name in words or keyword.iskeyword(name):
        raise ValueError(f"{name!r} means something else in the file: choose another name")


def _taken(kind: str) -> set[str]:
    """Names of that kind, plugins' among them."""
    if kind == "method":
        return set(registry.methods())
    if kind == "recipe":
        return set(known_recipes())
    found = (*DATASETS, *plugin_functions("DATASETS", "zoo.datasets"))
    return {as_kind(one).name for one in found}


def _words(source: str) -> set[str]:
    """Every name and keyword of a file."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return {token.string for token in tokens if token.type == tokenize.NAME}
