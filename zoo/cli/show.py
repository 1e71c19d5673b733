"""``zoo show``: everything that is known of a checkpoint, a recipe or a protocol."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from zoo.cli.options import Json, Plugin

if TYPE_CHECKING:
    from benchmark.recipe import Recipe
    from benchmark.rules import Protocol
    from zoo.checkpoints.config import Settings

EXAMPLES = """
zoo show stenvan.synthetic
zoo show quick
zoo show 'paper/sta[epochs=100]'
zoo show mars-official
zoo show nvan.mars-released --json
"""
KINDS = ("checkpoint", "recipe", "protocol")
ELSEWHERE = {"method": "methods", "data set": "datasets"}  # what `zoo list` tells of


def show(
    name: Annotated[
        str, typer.Argument(help="A checkpoint, a run's folder, a recipe or a protocol.")
    ],
    kind: Annotated[
        str | None,
        typer.Option(help="checkpoint, recipe or protocol, where a name is of several."),
    ] = None,
    plugin: Plugin = None,
    json: Json = False,
) -> int:
    """Show a checkpoint with its scores, or a recipe or protocol with what each field means."""
    from benchmark.rules import PROTOCOLS
    from benchmark.variants import format_value
    from zoo.checkpoints.config import read_settings
    from zoo.cli import display
    from zoo.experiment.paper_recipes import recipe

    settings = read_settings()
    chosen = _kind_of(name, kind, settings)
    if chosen == "checkpoint":
        return _checkpoint(name, json, settings)
    rows = _recipe(recipe(name)) if chosen == "recipe" else _protocol(PROTOCOLS[name])
    if json:
        display.show([{row["field"]: row["value"] for row in rows}], as_json=True)
    else:
        typed = [{**row, "value": format_value(row["value"]) or "–"} for row in rows]
        display.show(typed, as_json=False, title=f"{chosen} {name}")
    return 0


def _kind_of(name: str, asked: str | None, settings: "Settings") -> str:
    """Whose name it is.

    Raises:
        LookupError: nobody's; the message has near matches.
        ValueError: it is a name of several kinds, or there is no such kind.
    """
    from pathlib import Path

    from benchmark.rules import PROTOCOLS
    from zoo.checkpoints.table import table
    from zoo.experiment.paper_recipes import known_recipes

    if asked is not None and asked not in KINDS:
        raise ValueError(f"--kind {asked!r}: expected one of {', '.join(KINDS)}")
    known: dict[str, Mapping[str, object]] = {
        "checkpoint": table(settings),
        "recipe": known_recipes(),
        "protocol": PROTOCOLS,
    }
    bare = name.partition("[")[0]
    found = [kind for kind, names in known.items() if bare in names and asked in (None, kind)]
    if len(found) > 1:
        raise ValueError(
            f"{name} is a {' and a '.join(found)}: say which by --kind, e.g. --kind {found[0]}"
        )
    if found:
        return found[0]
    if asked in (None, "checkpoint") and Path(name).exists():
        return "checkpoint"  # a run's folder, or a file of weights
    raise _unknown(name, asked, known)


def _unknown(
    name: str, asked: str | None, known: Mapping[str, Mapping[str, object]]
) -> LookupError:
    """Nothing is called so; in one line, what is called nearly so."""
    import difflib

    bare = name.partition("[")[0]
    kinds = {one: kind for kind, names in known.items() for one in names if asked in (None, kind)}
    if asked is None:
        kinds |= _names_elsewhere()
    if kinds.get(bare) in ELSEWHERE:
        return LookupError(f"{bare} is a {kinds[bare]}: `zoo list {ELSEWHERE[kinds[bare]]} {bare}`")
    near = difflib.get_close_matches(bare, kinds, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(f'{one} ({kinds[one]})' for one in near)}? " if near else ""
    return LookupError(
        f"no {asked or 'checkpoint, recipe or protocol'} is called {name!r}: {hint}`zoo list` with "
        "a kind, e.g. `zoo list recipes`, shows all"
    )


def _names_elsewhere() -> dict[str, str]:
    """Methods and data sets, by what they are."""
    from benchmark.datasets.catalogue import DATASETS
    from zoo import registry

    sets = dict.fromkeys((kind.name for kind in DATASETS), "data set")
    return sets | dict.fromkeys(registry.methods(), "method")


def _recipe(chosen: "Recipe") -> list[dict]:
    """Every setting by the name that ``--set`` takes."""
    import dataclasses

    from benchmark.recipe import Evaluation, Recipe
    from benchmark.recipes import EVALUATION_SETTINGS
    from zoo.cli.meanings import meanings

    told = meanings(Recipe) | {
        setting: meanings(Evaluation).get(field, "")
        for setting, field in EVALUATION_SETTINGS.items()
    }
    names = [f.name for f in dataclasses.fields(Recipe) if f.name != "evaluation"]
    values = {name: getattr(chosen, name) for name in names}
    values |= {s: getattr(chosen.evaluation, f) for s, f in EVALUATION_SETTINGS.items()}
    return [
        {"field": field, "value": value, "meaning": told.get(field, "")}
        for field, value in values.items()
    ]


def _protocol(chosen: "Protocol") -> list[dict]:
    """Every rule."""
    import dataclasses

    from benchmark.rules import ALIASES, Protocol
    from zoo.cli.meanings import meanings

    told = meanings(Protocol)
    rows = [
        {"field": name, "value": value, "meaning": told.get(name, "")}
        for name, value in dataclasses.asdict(chosen).items()
    ]
    aliases = [alias for alias, name in ALIASES.items() if name == chosen.name]
    if aliases:
        rows.append({"field": "aliases", "value": aliases, "meaning": "other names of these rules"})
    return rows


def _checkpoint(name: str, json: bool, settings: "Settings") -> int:
    import dataclasses

    from zoo.checkpoints.cache import instructions
    from zoo.checkpoints.sources import in_order
    from zoo.cli import display
    from zoo.experiment.find_checkpoint import find_checkpoint

    row = find_checkpoint(name, settings)
    told = {f.name: getattr(row, f.name) for f in dataclasses.fields(row)}
    told |= {"home": str(row.home), "sources": [str(s) for s in row.places]}
    told["tried"] = [str(source) for source in in_order(row.places, settings.mirrors, row.file)]
    told["kept"] = str(settings.cache / row.file) if (settings.cache / row.file).is_file() else None
    if row.how:
        told["how"] = instructions(row, settings)
    told = {key: value for key, value in told.items() if value not in (None, (), [])}
    scores = row.scores()
    command = row.trained().get("command")
    if json:
        told["scores"] = {label: entry.metrics for label, entry in scores.items()}
        told["command"] = command
        display.show([told], as_json=True)
        return 0
    rows = [{"field": k, "value": _words(v)} for k, v in told.items()]
    if command:
        rows.append({"field": "command", "value": command})
    for label, entry in scores.items():
        percent = " ".join(f"{m} {100 * v:.2f}" for m, v in entry.metrics.items())
        rows.append({"field": label, "value": f"{percent} ({entry.origin})"})
    display.show(rows, as_json=False)
    return 0


def _words(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, tuple | list) else str(value)
