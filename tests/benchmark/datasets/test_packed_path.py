import pickle
import stat

import pytest

from benchmark.datasets.packed_path import PackedPath
from benchmark.datasets.packing import _fill
from benchmark.datasets.storage import data_root
from benchmark.progress import SILENT


@pytest.fixture
def loose(tmp_path):
    root = tmp_path / "loose"
    for name, data in {
        "a/1.jpg": b"one",
        "a/t.csv": b"\xef\xbb\xbfx\r\ny",
        "b/c/2.jpg": b"",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    return root


@pytest.fixture
def root(loose, tmp_path):
    (tmp_path / "d.pack").mkdir()
    _fill(tmp_path / "d.pack", loose, SILENT)
    return data_root(tmp_path / "d.pack")


PLACES = ("", "a", "a/1.jpg", "a/t.csv", "b", "b/c", "b/c/2.jpg", "none", "a/none", "a/1.jpg/x")


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("ask", ["is_dir", "is_file", "exists", "is_symlink"])
def test_it_answers_as_a_path_of_files_does(root, loose, place, ask):
    assert getattr(root / place, ask)() == getattr(loose / place, ask)()


def test_bytes_text_and_sizes_are_those_of_the_file(root, loose):
    path, file = root / "a" / "t.csv", loose / "a" / "t.csv"
    assert path.read_bytes() == file.read_bytes()
    assert path.read_text(encoding="utf-8-sig") == file.read_text(encoding="utf-8-sig") == "x\ny"
    with (
        path.open(encoding="utf-8", newline="") as one,
        file.open(encoding="utf-8", newline="") as two,
    ):
        assert one.read() == two.read()
    assert path.stat().st_size == path.lstat().st_size == file.stat().st_size
    assert stat.S_ISREG(path.stat().st_mode) and stat.S_ISDIR((root / "a").stat().st_mode)


def test_what_is_below_is_listed_and_stays_in_the_pack(root):
    assert [path.name for path in root.iterdir()] == ["a", "b"]
    assert all(isinstance(path, PackedPath) for path in root.iterdir())
    assert all(type(p) is PackedPath for p in (root / "a", root.parent / "d.pack", root.resolve()))
    assert root.resolve().is_absolute()


def test_it_is_read_in_another_process_by_its_text(root):
    again = pickle.loads(pickle.dumps(root / "a" / "1.jpg"))
    assert type(again) is PackedPath and again.read_bytes() == b"one"


def test_nothing_is_there_or_written_that_is_not_packed(root):
    with pytest.raises(FileNotFoundError, match="none"):
        (root / "none").read_bytes()
    with pytest.raises(FileNotFoundError, match="none"):
        (root / "none").stat()
    with pytest.raises(PermissionError, match="only read"):
        (root / "a" / "1.jpg").write_bytes(b"x")
    with pytest.raises(FileNotFoundError, match="no such pack"):
        PackedPath("elsewhere/x").is_dir()


def test_a_packs_origin_is_its_folder_and_what_is_in_it(root, loose, tmp_path):
    folder, key = root.origin()
    assert folder == str(tmp_path / "d.pack")
    assert (root / "a").origin() == (folder, key)
    (loose / "more.txt").write_bytes(b"x")
    (tmp_path / "e.pack").mkdir()
    _fill(tmp_path / "e.pack", loose, SILENT)
    assert data_root(tmp_path / "e.pack").origin()[1] != key
