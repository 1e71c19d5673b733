"""What users add, by a file, a module, an installed package or from Python."""

import functools
import subprocess
import sys
from types import SimpleNamespace

import pytest

from benchmark import clips, losses, metrics, optimisers, recipes, rules, samplers
from benchmark.datasets.kind import DatasetKind
from zoo import plugins, registry
from zoo.plugins import add_plugin, plugin_functions, register

METHOD = """
import torch
from torch import nn
from methods.head import Head

class Mine(nn.Module):
    distance = "cosine"
    def __init__(self, num_classes):
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 3, stride=4)
        self.head = Head(6, num_classes)
    @property
    def neck(self):
        return self.head.neck
    def forward(self, clips):
        maps = self.conv(clips.flatten(0, 1)).relu()
        return self.head(maps.unflatten(0, clips.shape[:2]).mean((1, 3, 4)))

def mine(backbone="resnet50", num_classes=0, *, depth: int = 1):
    '''A method of one's own.'''
    return Mine(num_classes)

METHODS = (mine,)
"""
SHORT = "def {0}(num_classes=0):\n    pass\n\nMETHODS = ({0},)\n"


@pytest.fixture(autouse=True)
def nothing_stays(monkeypatch):
    """What a test adds is gone after it."""
    monkeypatch.setattr(plugins, "_ADDED", {"METHODS": {}, "DATASETS": {}})
    homes = [(losses, "LOSSES"), (samplers, "SAMPLERS"), (optimisers, "OPTIMISERS")]
    homes += [
        (clips, "SAMPLINGS"),
        (metrics, "METRICS"),
        (recipes, "RECIPES"),
        (rules, "PROTOCOLS"),
    ]
    for module, name in homes:
        monkeypatch.setattr(module, name, dict(getattr(module, name)))
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if name.startswith("zoo_plugin_"):
            del sys.modules[name]


@pytest.fixture
def here(tmp_path, monkeypatch):
    """The current folder, empty, and not on the path that modules are searched on."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [p for p in sys.path if p not in ("", str(tmp_path))])
    return tmp_path


def refusal(text):
    """The one line that a plugin is refused with."""
    with pytest.raises((LookupError, ValueError)) as error:
        add_plugin(text)
    line = str(error.value)
    assert "\n" not in line and repr(text) in line, line
    return line


# ---- where a plugin comes from -------------------------------------------------------------------


@pytest.mark.parametrize("form", ["{name}", "./{name}", "{folder}/{name}", "sub/../{name}"])
def test_a_file_is_found_by_its_path(here, form):
    (here / "sub").mkdir()
    (here / "my-plug.in.py").write_text(METHOD)
    path = list(sys.path)
    add_plugin(form.format(name="my-plug.in.py", folder=here))
    assert registry.methods()["mine"]().conv.in_channels == 3
    assert sys.path == path, "the plugin's folder is not searched for modules"


def test_a_module_is_found_by_its_name(here, monkeypatch):
    (here / "my_methods.py").write_text(METHOD)
    monkeypatch.syspath_prepend(here)
    add_plugin("my_methods")
    assert "mine" in registry.methods()
    del sys.modules["my_methods"]


def test_two_files_of_one_name_do_not_clash(here):
    for folder in ("a", "b"):
        (here / folder).mkdir()
        (here / folder / "plugin.py").write_text(SHORT.format(f"mine_{folder}"))
        add_plugin(f"{folder}/plugin.py")
    assert {"mine_a", "mine_b"} <= set(registry.methods())


def test_a_file_is_imported_once(here):
    (here / "p.py").write_text("import builtins\nbuiltins.count += 1\n" + METHOD)
    import builtins

    builtins.count = 0
    for text in ("p.py", "./p.py", str(here / "p.py")):
        add_plugin(text)
    assert builtins.count == 1
    del builtins.count


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("no_such_module", "cannot be imported: No module named 'no_such_module'"),
        ("json.no_such_part", "cannot be imported"),
        ("no_such.py", "there is no .py file /"),
        ("./folder", "there is no .py file /"),
        ("folder.py", "there is no .py file /"),
        ("notes/plugin.txt", "there is no .py file /"),
        (".x", "is neither a module's name nor the path of a .py file"),
        ("..", "is neither a module's name nor the path of a .py file"),
        ("", "is neither a module's name nor the path of a .py file"),
        ("a b", "is neither a module's name nor the path of a .py file"),
        ("os;x", "is neither a module's name nor the path of a .py file"),
        ("json", "brings nothing: expected one or more of METHODS, DATASETS, LOSSES"),
        ("mine", "No module named 'mine', did you mean ./mine.py?"),
        ("nul.py", "cannot be imported: source code string cannot contain null bytes"),
    ],
)
def test_what_is_no_plugin_is_one_line(here, text, says):
    (here / "folder.py").mkdir()
    (here / "nul.py").write_text("x = 'a\0b'")
    (here / "notes").mkdir()
    (here / "notes" / "plugin.txt").write_text(METHOD)
    (here / "mine.py").write_text(METHOD)
    assert says in refusal(text)


@pytest.mark.parametrize(
    ("content", "line", "says"),
    [
        ("x = 1\ndef f(:\n", 2, "SyntaxError: invalid syntax"),
        ("x = 1\n\nraise RuntimeError('a\\nb')", 3, "fails at .*: RuntimeError: a"),
        ("import no_such_thing", 1, "ModuleNotFoundError: No module named 'no_such_thing'"),
        ("import sys\nsys.exit(3)", 2, "SystemExit: 3"),
        ("import json\njson.loads('{')", 2, "JSONDecodeError"),
        ("METHODS = []", 1, "METHODS is list, expected a tuple of functions"),
        ("x = 1\nMETHODS = len\n", 2, "METHODS is builtin_function_or_method, expected a tuple"),
        ("LOSSES = ()", 1, "LOSSES is tuple, expected a dictionary"),
        ("\nMETHODS = (lambda num_classes=0: None,)", 2, "<lambda> is no function with a name"),
        (
            "import functools\ndef f(num_classes=0): pass\n\nMETHODS = (functools.partial(f),)",
            4,
            "partial is no function with a name",
        ),
        ("METHODS = ('sta',)", 1, "str is no function"),
        (
            "\ndef f(num_classes=0, *, a: Unknown = 1): pass\nMETHODS = (f,)",
            2,
            "NameError: name 'Unknown' is not defined",
        ),
        (
            "def f(num_classes=0, *, a: 'Unknown' = 1): pass\nMETHODS = (f,)",
            1,
            "f: its annotations cannot be read",
        ),
        ("def f(backbone, num_classes=0): pass\nMETHODS = (f,)", 1, "backbone has no default"),
        ("def f(backbone='resnet50'): pass\nMETHODS = (f,)", 1, "does not take num_classes"),
        ("def f(**options): pass\nMETHODS = (f,)", 1, "options has no default"),
        (
            "def sta(num_classes=0): pass\nMETHODS = (sta,)",
            1,
            "there is another method of the name",
        ),
        (
            "\ndef mars(root=None): pass\nDATASETS = (mars,)",
            2,
            "another dataset of the name 'mars'",
        ),
        ("LOSSES = {'a b': print}", 1, "'a b' is no name"),
        ("LOSSES = {1: print}", 1, "1 is no name"),
        ("LOSSES = {'mine': 3}", 1, "loss 'mine' is int, not callable"),
        ("LOSSES = {'cross_entropy': print}", 1, "there is another loss of the name"),
        ("RECIPES = {'mine': 3}", 1, "recipe 'mine' is int, expected Recipe"),
        (
            "from benchmark.recipe import Recipe\nRECIPES = {'a': Recipe(name='b')}",
            2,
            "recipe 'b' cannot have another name, 'a'",
        ),
    ],
)
def test_what_is_wrong_in_a_plugin_is_told_with_file_and_line(here, content, line, says):
    import re

    (here / "p.py").write_text(content)
    text = refusal("p.py")
    assert re.search(says, text) and f"{here / 'p.py'}:{line}" in text, text


def test_a_module_that_fails_is_told_with_file_and_line(here, monkeypatch):
    (here / "broken_plugin.py").write_text("x = 1\nx.y\n")
    monkeypatch.syspath_prepend(here)
    assert f"{here / 'broken_plugin.py'}:2: AttributeError" in refusal("broken_plugin")


def test_a_plugin_with_a_fault_adds_nothing_and_can_be_mended(here):
    (here / "p.py").write_text(METHOD + "LOSSES = {'good': print, 'bad': 3}\n")
    refusal("p.py")
    assert "mine" not in registry.methods() and "good" not in losses.LOSSES
    (here / "q.py").write_text("raise ValueError('no')")
    refusal("q.py")
    (here / "q.py").write_text(METHOD + "# mended\n")
    add_plugin("q.py")
    assert "mine" in registry.methods()


# ---- what it brings ------------------------------------------------------------------------------


def test_a_plugin_may_bring_everything_that_has_a_name(here):
    (here / "p.py").write_text(
        METHOD
        + """
from benchmark.recipe import Recipe
from benchmark.rules import PROTOCOLS as KNOWN
import dataclasses

def my_data(root, *, size: int = 3):
    pass

DATASETS = (my_data,)
LOSSES = {"mine": lambda output, classes, recipe: 0}
SAMPLERS = {"mine": object}
OPTIMISERS = {"mine": print}
SAMPLINGS = {"mine": print}
METRICS = {"mine": print}
RECIPES = {"mine": Recipe(name="mine")}
PROTOCOLS = {"mine": dataclasses.replace(KNOWN["open"], name="mine")}
"""
    )
    add_plugin("p.py")
    assert "mine" in registry.methods()
    (data,) = plugin_functions("DATASETS", "zoo.datasets")
    assert data.__name__ == "my_data"
    for known in (losses.LOSSES, samplers.SAMPLERS, optimisers.OPTIMISERS, clips.SAMPLINGS):
        assert "mine" in known
    assert "mine" in metrics.METRICS
    assert recipes.RECIPES["mine"].name == rules.PROTOCOLS["mine"].name == "mine"


def mine(num_classes: int = 0, *, depth: int = 1):
    """A method of one's own, without a backbone."""
    return SimpleNamespace(num_classes=num_classes, depth=depth)


def test_a_method_is_registered_from_python_under_its_function_s_name():
    register("method", mine)
    register("method", mine)  # the same again is no second one
    function, variant = registry.find("mine[depth=2]")
    assert function is mine and variant.arguments == {"depth": 2}


def test_other_kinds_are_registered_under_their_own_name_or_a_given_one():
    register("loss", print)
    register("loss", print, "loud")
    assert losses.LOSSES["print"] is losses.LOSSES["loud"] is print
    register("recipe", recipes.Recipe(name="my/own"))
    assert recipes.recipe("my/own[epochs=3]", known=recipes.RECIPES).epochs == 3


def test_a_data_set_may_be_an_object():
    def my_data(root):
        pass

    kind = DatasetKind(open=my_data)
    register("dataset", kind)
    assert plugin_functions("DATASETS", "zoo.datasets") == [kind]


def test_what_cannot_be_registered_is_one_line():
    def sta(num_classes=0):
        pass

    cases = [
        ("methods", mine, None, "unknown kind 'methods': did you mean method"),
        ("method", sta, None, r"register\('method'\): there is another method of the name 'sta'"),
        ("method", mine, "yours", "method 'mine' cannot have another name, 'yours'"),
        ("method", functools.partial(mine), None, "partial is no function with a name"),
        ("loss", functools.partial(print), None, "None is no name"),
        ("protocol", mine, None, "protocol 'mine' is function, expected Protocol"),
    ]
    for kind, thing, name, says in cases:
        with pytest.raises((LookupError, ValueError), match=says) as error:
            register(kind, thing, name)
        assert "\n" not in str(error.value)


# ---- installed packages --------------------------------------------------------------------------


def entry(load):
    return SimpleNamespace(name="mine", value="package:mine", load=load)


def test_an_installed_package_brings_methods_by_entry_points(monkeypatch):
    groups = {"zoo.methods": [entry(lambda: mine)]}
    monkeypatch.setattr(plugins, "entry_points", lambda group: groups.get(group, []))
    assert registry.methods()["mine"] is mine


@pytest.mark.parametrize(
    ("load", "says"),
    [
        (lambda: 1 / 0, "fails: ZeroDivisionError: division by zero"),
        (lambda: functools.partial(mine), "partial is no function"),
    ],
)
def test_an_entry_point_that_is_broken_is_named(monkeypatch, load, says):
    monkeypatch.setattr(plugins, "entry_points", lambda group: [entry(load)])
    with pytest.raises(
        ValueError, match=rf"entry point mine = package:mine of zoo.methods.*{says}"
    ):
        registry.methods()


# ---- on the command line -------------------------------------------------------------------------


def zoo_command(*arguments, folder):
    """Run zoo in a process of its own, in a folder that modules are not searched in."""
    code = "import sys; sys.path[:] = [p for p in sys.path if p]; "
    code += f"sys.argv = {['zoo', *arguments]!r}; from zoo.cli.app import main; main()"
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder)


@pytest.mark.slow
def test_a_plugin_in_the_current_folder_is_listed_and_checked_like_our_own(here):
    (here / "my_methods.py").write_text(METHOD)
    plugin = ("--plugin", "my_methods.py")
    listed = zoo_command("list", "methods", "mine*", *plugin, folder=here)
    assert "mine\tdepth=1\tA method of one's own." in listed.stdout, listed.stderr
    checked = zoo_command("check", "mine", *plugin, folder=here)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_a_plugin_that_is_not_there_is_one_line(here):
    done = zoo_command("list", "--plugin", "no_such_module", folder=here)
    assert done.returncode == 2 and done.stderr.startswith("zoo: plugin 'no_such_module'")
    assert len(done.stderr.splitlines()) == 1
