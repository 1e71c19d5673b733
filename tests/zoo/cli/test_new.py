"""``zoo new``."""

import pytest

from benchmark.recipes import RECIPES
from zoo import plugins


@pytest.fixture(autouse=True)
def nothing_stays(monkeypatch):
    """What a test's plugins add is gone after it."""
    monkeypatch.setattr(plugins, "_ADDED", {"METHODS": {}, "DATASETS": {}})
    monkeypatch.setattr(plugins, "CALLS", dict(plugins.CALLS))
    before = dict(RECIPES)
    yield
    RECIPES.clear()
    RECIPES.update(before)


def test_the_files_are_written_and_the_next_commands_work_as_printed(call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, out, err = call("new", "method", "fresh_one")
    first, *commands = out.splitlines()
    assert (status, err) == (0, "") and first == "wrote fresh_one.py and test_fresh_one.py; next:"
    assert commands[0] == "  pytest test_fresh_one.py"
    assert commands[1] == "  zoo check fresh_one --plugin fresh_one.py"
    backbone = "resnet18[channels=4+8+8+16,layers=1+1+1+1,stem=4]"
    status, out, _ = call(*commands[1].split()[1:], "--backbone", backbone)
    assert status == 0 and "FAIL" not in out and "frame_weights [3, 4]" in out


def test_a_new_data_set_has_a_layout_at_once(call, tmp_path):
    status, out, _ = call("new", "dataset", "fresh_set", "--into", tmp_path / "sub")
    plugin = tmp_path / "sub" / "fresh_set.py"
    assert status == 0 and f"zoo data layout fresh_set --plugin {plugin}" in out
    status, out, _ = call("data", "layout", "fresh_set", "--plugin", plugin)
    assert status == 0 and "train.txt" in out


def test_a_new_recipe_is_listed_at_once(call, tmp_path):
    assert call("new", "recipe", "fresh_recipe", "--into", tmp_path)[0] == 0
    plugin = tmp_path / "fresh_recipe.py"
    assert "fresh_recipe" in call("list", "recipes", "fresh_*", "--plugin", plugin)[1]


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (("method", "sta"), 2, "there is a method called 'sta' already"),
        (("methods", "mine"), 2, "unknown kind of plugin 'methods': did you mean method"),
        (("method", "a-b"), 2, "'a-b' is no name for a function"),
        (("method", "there_now"), 1, "there_now.py is there already"),
        (("method",), 2, "Missing argument 'name'"),
    ],
)
def test_what_does_not_fit_is_one_line(call, tmp_path, words, status, says):
    (tmp_path / "there_now.py").write_text("")
    found, out, err = call("new", *words, "--into", tmp_path)
    assert (found, out) == (status, "") and says in err and err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["there_now.py"]


def test_a_plugin_s_names_are_taken_as_well(call, tmp_path):
    call("new", "recipe", "first_one", "--into", tmp_path)
    plugin = ("--plugin", tmp_path / "first_one.py")
    status, _, err = call("new", "recipe", "first_one", "--into", tmp_path / "b", *plugin)
    assert status == 2 and "there is a recipe called 'first_one' already" in err
