"""A search space by name, from a file, from the command line."""

import pytest

from zoo.experiment.read_space import open_space
from zoo.experiment.space import UNIFIED, Parameter, Space

FILE = """
name = "mine@2"

[parameters.lr]
kind = "log"
low = 1e-5
high = 1e-3

[parameters.epochs]
kind = "choice"
choices = [2, 4]

[parameters."sta.blocks"]
kind = "choice"
choices = [2, 4, 8]
"""


def written(folder, text):
    path = folder / "mine.toml"
    path.write_text(text)
    return str(path)


def test_a_space_has_a_name():
    assert open_space("unified@1") is UNIFIED


def test_a_file_is_a_space(tmp_path):
    space = open_space(written(tmp_path, FILE))
    assert space.name == "mine@2" and list(space.parameters) == ["lr", "epochs", "sta.blocks"]
    assert space.parameters["lr"] == Parameter(kind="log", low=1e-5, high=1e-3)
    assert space.parameters["sta.blocks"].choices == (2, 4, 8)


def test_a_file_without_a_name_is_named_for_itself(tmp_path):
    assert open_space(written(tmp_path, FILE.replace('name = "mine@2"', ""))).name == "mine"


def test_the_command_line_adds_and_replaces_parameters():
    text = "lr=log:1e-5:1e-3,sta.blocks=choice:2|4|8,losses=choice:cross_entropy|triplet"
    space = open_space("unified@1", text)
    assert space.name == "unified@1+losses,lr,sta.blocks"
    assert space.parameters["lr"] == Parameter(kind="log", low=1e-5, high=1e-3)
    assert space.parameters["sta.blocks"].choices == (2, 4, 8)
    assert space.parameters["triplet"] == UNIFIED.parameters["triplet"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("not toml", "is no search space"),
        ("", "the space mine is empty: there is nothing to choose"),
        ("[paramters.lr]\nkind='log'", "unknown key 'paramters': expected name, parameters"),
        ("parameters = 3", r"expected a table such as \[parameters.lr\], found 3"),
        ("[parameters]\nlr = 3", "parameters.lr: expected a table"),
        ("[parameters.lr]\nkind='log'\nlo=1\nhigh=2", "parameters.lr: unknown key 'lo'"),
        ("[parameters.lr]\nkind='log'\nlow=1", "parameters.lr: kind log needs high"),
        ("[parameters.lr]\nlow=1\nhigh=2", "parameters.lr: kind 'none': expected one of"),
        ("[parameters.lr]\nkind='choice'", "parameters.lr: kind choice needs choices"),
        ("[parameters.lr]\nkind='choice'\nchoices=3", "choices is 3, expected a list"),
        ("[parameters.lr]\nkind='choice'\nchoices=[]", "a choice needs two values"),
        ("[parameters.lr]\nkind='log'\nlow='a'\nhigh=2", "two finite numbers, not to 'a'"),
        ("[parameters.lr]\nkind='log'\nlow=2\nhigh=1", "the range 2 to 1 is empty"),
        ("[parameters.lrr]\nkind='log'\nlow=1\nhigh=2", "did you mean lr"),
    ],
)
def test_a_bad_file_is_refused_in_one_line(tmp_path, text, says):
    with pytest.raises((ValueError, LookupError), match=says) as error:
        open_space(written(tmp_path, text))
    assert "\n" not in str(error.value) and "mine" in str(error.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none.toml does not exist: --space takes"):
        open_space(str(tmp_path / "none.toml"))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("lr", "expected NAME=log:LOW:HIGH"),
        ("lr=uniform:0:1", "expected NAME=log:LOW:HIGH"),
        ("lr=log:1:a", "could not convert"),
        ("lr=log:1e-3:1e-4", "the range 0.001 to 0.0001 is empty"),
        ("lr=choice:0.1", "a choice needs two values"),
        ("lrr=log:1e-4:1e-3", "did you mean lr"),
        ("stta.blocks=choice:2|4", "did you mean sta"),
        ("sta.block=choice:2|4", "did you mean blocks"),
        ("sta.backbone=choice:a|b", "unknown setting of sta"),
        ("sta.blocks=linear:2:4", "sta: blocks is '2', expected int"),
        ("epochs=linear:2:4", "epochs is '2', expected int"),
        ("smoothing=linear:0:2", "smoothing is 2, expected a share in 0..1"),
        ("warmup_share=linear:0:2", "warmup_share is 2.0, expected a share in 0..1"),
        ("distance=choice:cos-bn|cos-raw", "how results are scored: that is not searched"),
        ("triplet=choice:soft|hard", "triplet is 'hard'"),
    ],
)
def test_what_no_recipe_and_no_method_takes_is_refused_in_one_line(text, says):
    with pytest.raises((ValueError, LookupError), match=says) as error:
        open_space("unified@1", text)
    assert "\n" not in str(error.value) and "quick" not in str(error.value)


def test_an_unknown_space_is_refused_with_those_there_are():
    with pytest.raises(LookupError, match="unknown space 'unified@9': did you mean unified@1"):
        open_space("unified@9")


def test_a_space_made_in_python_is_checked_alike():
    mine = Space(name="mine", parameters={"lr": Parameter(kind="log", low=1e-4, high=1e-3)})
    assert open_space(mine) == mine
    with pytest.raises(ValueError, match="empty"):
        open_space(Space(name="mine"))
