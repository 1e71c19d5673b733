import json

import pytest

from benchmark.datasets.catalogue import DATASETS
from tests.conftest import command

PLUGIN = '''
from benchmark.datasets.folder import folder


def mine(root):
    """Somebody else's data."""
    return folder(root)


DATASETS = (mine,)
'''


@pytest.mark.parametrize("kind", DATASETS, ids=lambda kind: kind.name)
def test_a_layout_is_printed(capsys, kind):
    assert command("data", "layout", kind.name) == 0
    assert capsys.readouterr().out == kind.layout.strip("\n") + "\n"


def test_an_unknown_layout_lists_near_misses(capsys):
    assert command("data", "layout", "duke") == 2
    assert "unknown data set 'duke': did you mean duke_video" in capsys.readouterr().err


def test_a_right_copy_ends_with_0_and_a_wrong_one_with_1(people, tmp_path, capsys):
    assert command("data", "check", "folder", "--data-root", people, "--deep") == 0
    assert "every image was decoded" in capsys.readouterr().err
    assert command("data", "check", "folder", "--data-root", tmp_path) == 1
    assert "`zoo data layout folder` shows what is expected" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["foldr", "folder[split=1]", "folder:2persons"])
def test_wrong_use_ends_with_2(people, name):
    assert command("data", "check", name, "--data-root", people) == 2


def test_findings_are_json_or_tab_separated(people, capsys):
    command("data", "check", "folder", "--data-root", people, "--json")
    found = {row["check"]: row["found"] for row in json.loads(capsys.readouterr().out)}
    assert found["train persons"] == 4
    command("data", "check", "folder", "--data-root", people)
    assert capsys.readouterr().out.splitlines()[:2] == [
        "check\tfound\texpected\tverdict\tremedy",
        "train persons\t4\t\tright\t",
    ]


def test_a_plugins_data_set_is_checked_and_described(people, tmp_path, capsys):
    plugin = tmp_path / "own_data.py"
    plugin.write_text(PLUGIN)
    assert command("data", "layout", "mine", "--plugin", plugin) == 0
    assert "without a description" in capsys.readouterr().out
    assert command("data", "check", "mine", "--data-root", people, "--plugin", plugin) == 0
