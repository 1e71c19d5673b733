"""Options that several commands share."""

import inspect
import sys
import typing

import pytest
import typer

from benchmark.recipes import RECIPES
from zoo.cli import app, options


def commands():
    """Every command's function by its name."""
    whole = app.build()
    groups = [whole, *(group.typer_instance for group in whole.registered_groups)]
    found = [command for group in groups for command in group.registered_commands]
    return {command.name or command.callback.__name__: command.callback for command in found}


def test_the_command_is_kept_as_it_was_typed(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["/bin/zoo", "bench", "--methods", "sta[blocks=2]"])
    assert options.typed() == "zoo bench --methods 'sta[blocks=2]'"


def test_a_command_that_looks_a_method_or_data_set_up_takes_plugins():
    shared = {options.Methods, options.DatasetName, options.DataRoot, options.RecipeName}
    for name, function in commands().items():
        hints = set(typing.get_type_hints(function, include_extras=True).values())
        if hints & shared:
            assert options.Plugin in hints, name


def test_an_option_of_one_name_is_the_same_everywhere():
    kinds = {}
    for name, function in commands().items():
        for option, hint in typing.get_type_hints(function, include_extras=True).items():
            if option in ("device", "workers", "precision", "seeds", "json", "plugin", "recipe"):
                same = kinds.setdefault(option, (hint, name))[0] is hint
                assert same or name in ("check", "score"), option


@pytest.fixture
def recipes():
    """The known recipes; what a test adds goes again."""
    before = dict(RECIPES)
    yield RECIPES
    RECIPES.clear()
    RECIPES.update(before)


def test_plugins_are_loaded_before_any_name_is_looked_up(call, tmp_path, recipes):
    plugin = tmp_path / "own_recipe.py"
    plugin.write_text(
        "import dataclasses\nfrom benchmark.recipes import QUICK\n"
        "RECIPES = {'own': dataclasses.replace(QUICK, name='own')}\n"
    )
    status, out, _ = call("list", "recipes", "own", "--plugin", plugin)
    assert status == 0 and out.splitlines()[1].startswith("own\t") and "own" in recipes


@pytest.mark.parametrize("name", sorted(commands()))
def test_every_option_has_a_line_of_help(name):
    for option, hint in typing.get_type_hints(commands()[name], include_extras=True).items():
        if option == "return" or hint is typer.Context:
            continue
        info = next(iter(typing.get_args(hint)[1:]), None)
        assert isinstance(info, typer.models.ParameterInfo) and info.help, option
    assert inspect.getdoc(commands()[name])


def test_a_command_asks_for_what_its_options_say(tmp_path):
    seen = []

    def command(
        context: typer.Context,
        dataset: options.DatasetName = "synthetic",
        data_root: options.DataRoot = None,
        set_: options.Changes = None,
        protocol: options.Protocols = None,
        seeds: options.Seeds = 1,
        plugin: options.Plugin = None,
    ):
        seen.append(options.request_of(context, methods="sta", train_only=True))

    one = typer.Typer()
    one.command()(command)
    typed = f"--dataset mars --data-root {tmp_path} --set epochs=3 --protocol open --seeds 2"
    one(typed.split(), standalone_mode=False)
    (request,) = seen
    assert (request.dataset, request.data_root, request.seeds) == ("mars", tmp_path, 2)
    assert (request.changes, request.protocols) == ({"epochs": 3}, "open")
    assert (request.methods, request.train_only) == ("sta", True)
    assert request.device == "auto" and request.out is None
