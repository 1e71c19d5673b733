import json

import pytest

from benchmark.datasets.catalogue import DATASETS
from tests.conftest import TINY_SET, command
from zoo.tools.features import tracklets_in

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


@pytest.fixture(scope="module")
def pack(people, tmp_path_factory):
    out = tmp_path_factory.mktemp("packs") / "people.pack"
    assert command("data", "pack", "folder", "--data-root", people, "-o", out) == 0
    return out


def test_a_pack_is_made_and_checked(pack, people, tmp_path, capsys):
    again = tmp_path / "again.pack"
    assert command("data", "pack", "folder", "--data-root", people, "-o", again) == 0
    assert capsys.readouterr().out == f"{again}\n"
    assert command("data", "check", "folder", "--data-root", again) == 0
    found = [command("data", "check", "folder", "--data-root", root) for root in (pack, people)]
    packed, loose = capsys.readouterr().out.split("check\tfound")[-2:]
    assert found == [0, 0] and packed == loose


def test_a_damaged_entry_of_a_pack_is_named_by_the_check(people, tmp_path, capsys):
    out = tmp_path / "people.pack"
    command("data", "pack", "folder", "--data-root", people, "-o", out)
    image = people / "query" / "p4" / "c1_0" / "001.jpg"
    (file,) = out.glob("*.arrow")
    spoilt = image.read_bytes()
    file.write_bytes(file.read_bytes().replace(spoilt, spoilt[:-9] + b"X" + spoilt[-8:]))
    capsys.readouterr()
    assert command("data", "check", "folder", "--data-root", out) == 1
    assert f"{out}/query/p4/c1_0/001.jpg cannot be read" in capsys.readouterr().err


def test_embeddings_scores_and_pictures_from_a_pack_are_those_from_the_folder(
    pack, people, tmp_path
):
    words = ["bench", "--methods", "sta", "--dataset", "folder", "--recipe", "quick", *TINY_SET]
    found = {}
    for side, root in (("loose", people), ("packed", pack)):
        out = tmp_path / side
        places = ["--data-root", root, "--out", out, "--set", "epochs=1", "--workers", "0"]
        assert command(*words, *places) == 0
        (run,) = out.glob("runs/*")
        assert command("inspect", run, "--data-root", root, "--worst", "1") == 0
        (vectors,) = (path.read_bytes() for path in run.glob("embeddings-*"))
        (file,) = run.glob("records/*.json")
        entry = json.loads(file.read_text())
        kept = ("run", "fingerprint", "label", "metrics", "checkpoint")
        strips = [path.read_bytes() for path in sorted(run.rglob("*.png"))]
        assert strips
        found[side] = vectors, {key: entry[key] for key in kept}, strips
    assert found["loose"] == found["packed"]


def test_tracklets_of_a_packed_folder_are_embedded_as_loose_ones_are(pack, people):
    def found(root):
        return [(t.folder.removeprefix(str(root)), t.frames) for t in tracklets_in(root)]

    assert found(pack) == found(people) and len(found(pack)) == 22
