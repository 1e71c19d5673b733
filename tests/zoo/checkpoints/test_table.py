"""The table of checkpoints: read, checked and written."""

import dataclasses

import pytest

from benchmark import files
from tests.zoo.shelf import NAME
from zoo.checkpoints.released import RELEASED
from zoo.checkpoints.table import TABLE, find, read_table, table, to_toml, write_table


def test_a_row_is_read_as_it_was_written(shelf):
    path = shelf.home / "checkpoints.toml"
    (row,) = read_table(path).values()
    assert row == dataclasses.replace(shelf, home=path.resolve().parent)
    before = path.read_bytes()
    write_table(path, read_table(path))
    assert path.read_bytes() == before


def test_texts_of_every_kind_survive(shelf, tmp_path):
    notes = ('"quoted"', "back\\slash", "new\nline", "тест 人", "tab\t", "[x]", "a = 1 # no")
    row = dataclasses.replace(shelf, notes=notes, how="'''")
    write_table(tmp_path / "t.toml", {row.name: row})
    assert read_table(tmp_path / "t.toml")[NAME].notes == notes


def test_rows_stand_in_alphabetical_order_below_the_comment(shelf):
    path = shelf.home / "checkpoints.toml"
    path.write_text("# about\n# this\n\n" + path.read_text())
    other = dataclasses.replace(shelf, name="sta.folder-a")
    write_table(path, {**read_table(path), other.name: other})
    text = path.read_text()
    assert text.startswith('# about\n# this\n\n["sta.folder-a"]\n')
    assert list(read_table(path)) == ["sta.folder-a", NAME]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("sources = ", "source = ", "did you mean sources"),
        ("height = 64", 'height = "64"', "height is '64', expected int"),
        ("height = 64\n", "", "height missing"),
        ("licence = ", "# licence = ", "licence missing"),
        ('method = "sta"', 'method = "nvan"', "method is 'nvan', the name says 'sta'"),
        ('dataset = "folder"', 'dataset = "mars"', "dataset is 'mars', the name says 'folder'"),
        ('sha256 = "', 'sha256 = "x', "64 hexadecimal digits"),
        ("bytes = ", "bytes = -", "bytes must be the size"),
        ('["weights/', '["../weights/', "leads out of"),
        ('["weights/', '["/etc/', "leads out of"),
        ('["weights/', '["..\\\\', "leads out of"),
        ('["weights/', '["ftp://x/', "is no https:// address"),
        ('["weights/', '["hf://me/repo/', "is no hf://owner/repo/file@revision"),
        ('["weights/', '["hf://me/repo/../../../x@main", "', "leads out of"),
        ('golden = "', 'golden = "../', "leads out of"),
        ('["sta.folder-tiny"]', '["../x"]', "is no name of a checkpoint"),
        ('["sta.folder-tiny"]', '["sta.folder-../x"]', "is no name of a checkpoint"),
        ('["sta.folder-tiny"]', '["STA.folder"]', "is no name of a checkpoint"),
        ("mean = [", "mean = [[", "is no TOML"),
        ("mean = [0.485", 'mean = ["0.485"', "mean is"),
    ],
)
def test_a_wrong_row_is_named_with_table_and_field(shelf, old, new, says):
    path = shelf.home / "checkpoints.toml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(ValueError) as error:
        read_table(path)
    assert says in str(error.value) and str(path) in str(error.value)


def test_a_manual_row_needs_words_for_a_person(shelf):
    path = shelf.home / "checkpoints.toml"
    text = to_toml(dataclasses.replace(shelf, sources=("manual",), bytes=None, sha256=None))
    path.write_text(text)
    with pytest.raises(ValueError, match="how is missing"):
        read_table(path)


def test_a_name_that_is_not_there_lists_near_misses(shelf):
    with pytest.raises(LookupError, match=r"did you mean sta\.folder-tiny"):
        find("sta.folder-tny")


def test_a_name_in_two_tables_is_refused(shelf, monkeypatch):
    path = str(shelf.home / "checkpoints.toml")
    monkeypatch.setenv("ZOO_CHECKPOINTS", f"{path}:{path}")
    with pytest.raises(ValueError, match=r"is also in"):
        table()


def test_the_released_weights_are_told_with_the_authors_scores():
    rows = read_table(TABLE)
    label = "mars-ste-nvan@1/cos-bn/chunk-first8"
    for name, expected in (
        ("resnet50_avg", (0.8742, 0.7944)),
        ("nvan", (0.9000, 0.8279)),
        ("stenvan", (0.8869, 0.8127)),
    ):
        row = rows[f"{name}.mars-released"]
        metrics = row.scores()[label].metrics
        assert row.manual and (metrics["R1"], metrics["mAP"]) == expected
        assert row.method == RELEASED[name].NETWORKS[name] and "zoo convert released" in row.how


def test_what_is_shipped_is_what_the_table_says():
    sizes = []
    for row in read_table(TABLE).values():
        row.scores()
        if row.packaged:
            assert files.sha256(row.packaged) == row.sha256 and row.golden and row.trained()
            assert row.packaged.stat().st_size == row.bytes <= 8e6
            sizes.append(row.bytes)
    assert sum(sizes) <= 25e6
