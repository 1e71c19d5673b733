from pathlib import Path

import pytest

from benchmark.datasets.packed_path import PackedPath
from benchmark.datasets.packing import _fill
from benchmark.datasets.storage import data_root, file_sizes, open_file, path_of, walk
from benchmark.progress import SILENT


@pytest.fixture(params=["loose", "packed"])
def root(request, tmp_path):
    """The same files, loose and packed."""
    home = tmp_path / "home"
    for name in ("b/2.jpg", "b/10.jpg", "a/c/x.png", "a/t.txt", "r.jpg"):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_bytes(name.encode())
    if request.param == "loose":
        return data_root(home)
    (tmp_path / "home.pack").mkdir()
    _fill(tmp_path / "home.pack", home, SILENT)
    return data_root(tmp_path / "home.pack")


def test_files_are_read_by_path_or_text(root):
    for path in (root / "b" / "2.jpg", str(root / "b" / "2.jpg")):
        with open_file(path) as file:
            assert file.read(3) == b"b/2"
            file.seek(0)
            assert file.read() == b"b/2.jpg"
    with pytest.raises(FileNotFoundError):
        open_file(root / "b" / "3.jpg")


def test_sizes_are_of_wanted_files_in_order(root):
    assert file_sizes(root / "b", lambda name: True) == [("10.jpg", 8), ("2.jpg", 7)]
    assert file_sizes(root, lambda name: name.endswith(".jpg")) == [("r.jpg", 5)]


def test_every_folder_is_walked_but_those_taken_away(root):
    found = []
    for place, below, names in walk(root):
        below[:] = sorted(name for name in below if name != "c")
        found.append((place, sorted(names)))
    expected = [("", ["r.jpg"]), ("a", ["t.txt"]), ("b", ["10.jpg", "2.jpg"])]
    assert found == [(str(root / place), names) for place, names in expected]


def test_text_becomes_the_path_that_it_was(root):
    path = path_of(str(root / "b"))
    assert type(path) is type(root / "b") and path.is_dir()
    assert isinstance(path, PackedPath) == (root.suffix == ".pack")


def test_a_root_may_be_text_and_lie_within_a_pack(root):
    assert data_root(str(root)) == root
    assert [path.name for path in data_root(root / "a").iterdir()].count("c") == 1
    assert isinstance(data_root("nowhere"), Path)
