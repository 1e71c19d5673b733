"""Packs that are cut, altered or foreign, and how names are found."""

import json

import pyarrow as pa
import pytest

from benchmark.datasets import pack_files
from benchmark.datasets.arrow_file import PackError
from benchmark.datasets.pack import Pack, locate
from benchmark.datasets.packing import _fill
from benchmark.datasets.storage import data_root, open_file
from benchmark.progress import SILENT

FILES = {
    "a.jpg": b"first",
    "a/1.jpg": b"in a",
    "a/b/2.jpg": b"deeper",
    "a/b/empty.txt": b"",
    "a.b/3.jpg": b"beside a",
    "ä/ü.jpg": b"other letters",
    "z.txt": b"last",
}


@pytest.fixture
def packed(tmp_path, monkeypatch):
    """A pack of seven small files in record batches of about two."""
    monkeypatch.setattr(pack_files, "BATCH_BYTES", 20)
    for name, data in FILES.items():
        (tmp_path / "loose" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "loose" / name).write_bytes(data)
    out = tmp_path / "d.pack"
    out.mkdir()
    _fill(out, tmp_path / "loose", SILENT)
    return out


def test_every_entry_is_found_and_nothing_else(packed):
    pack = Pack(str(packed))
    assert len(pack) == len(FILES)
    for name, data in FILES.items():
        assert pack.read(name.encode()) == data
    for name in ("", "a", "a/", "a/1", "a/1.jpgx", "A.jpg", "zz", "a//1.jpg", "../a.jpg"):
        with pytest.raises(FileNotFoundError, match=r"d\.pack"):
            pack.read(name.encode())


def test_folders_list_what_is_directly_in_them(packed):
    pack = Pack(str(packed))
    assert list(pack.children(b"")) == [
        ("a.b", None),
        ("a.jpg", 5),
        ("a", None),
        ("z.txt", 4),
        ("ä", None),
    ]
    assert list(pack.children(b"a")) == [("1.jpg", 4), ("b", None)]
    assert list(pack.children(b"a/b")) == [("2.jpg", 6), ("empty.txt", 0)]
    assert list(pack.children(b"nothing")) == []
    found = {name: pack.is_folder(name.encode()) for name in ("", "a", "a/b", "a.b", "a.jpg", "b")}
    assert [name for name, there in found.items() if there] == ["", "a", "a/b", "a.b"]


def test_any_arrow_program_can_read_the_files(packed):
    (file,) = packed.glob("*.arrow")
    table = pa.ipc.open_file(str(file)).read_all()
    rows = zip(*(table[name].to_pylist() for name in ("name", "data")), strict=True)
    assert dict(rows) == FILES


@pytest.mark.parametrize("name", [name for name in FILES if FILES[name]])
def test_an_altered_entry_is_refused_by_its_name(packed, name):
    (file,) = packed.glob("*.arrow")
    data = file.read_bytes()
    assert data.count(FILES[name]) == 1
    file.write_bytes(data.replace(FILES[name], FILES[name].swapcase()))
    with pytest.raises(PackError) as error:
        open_file(str(data_root(packed) / name))
    assert str(error.value).startswith(f"{packed}/{name} is not as it was packed")
    others = [other for other in FILES if other != name]
    assert [open_file(packed / other).read() for other in others] == [FILES[o] for o in others]


def test_a_name_that_was_altered_is_no_entry_any_more(packed):
    (file,) = packed.glob("*.arrow")
    file.write_bytes(file.read_bytes().replace(b"a/b/2.jpg", b"a/b/4.jpg"))
    data_root(packed)
    with pytest.raises(FileNotFoundError):
        open_file(packed / "a/b/2.jpg")
    with pytest.raises(PackError, match=r"a/b/4\.jpg is not as it was packed"):
        open_file(packed / "a/b/4.jpg")


@pytest.mark.parametrize("left", [0, 100, -1])
def test_a_cut_pack_is_refused_when_it_is_opened(packed, left):
    (file,) = packed.glob("*.arrow")
    data = file.read_bytes()
    file.write_bytes(data[:left])
    with pytest.raises(PackError) as error:
        data_root(packed)
    assert str(error.value).startswith(f"{file} has {len(data[:left])} bytes, expected {len(data)}")
    file.unlink()
    with pytest.raises(PackError, match="has 0 bytes"):
        data_root(packed)


def test_positions_that_lead_out_of_the_file_are_refused(packed):
    pack = Pack(str(packed))
    batch, _ = pack.find(b"z.txt")
    for start in (-5, 10**12):
        batch._start = start
        with pytest.raises(PackError, match=r"z\.txt is not as it was packed"):
            pack.read(b"z.txt")


def spoil_footer(folder):
    (file,) = folder.glob("*.arrow")
    data = bytearray(file.read_bytes())
    data[-60:-20] = b"\xff" * 40
    file.write_bytes(data)


def other_columns(folder):
    (file,) = folder.glob("*.arrow")
    table = pa.table({"name": ["x"]})
    with pa.ipc.new_file(str(file), table.schema) as writer:
        writer.write_table(table)
    resize(folder)


def resize(folder):
    (file,) = folder.glob("*.arrow")
    change(folder, files={file.name: file.stat().st_size})


def change(folder, **fields):
    path = folder / "pack.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


def text(words):
    return lambda folder: (folder / "pack.json").write_text(words)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (spoil_footer, "is no file of a pack"),
        (other_columns, "its columns are"),
        (text("{"), "does not describe a pack"),
        (text("[]"), "does not describe a pack"),
        (text('{"format": 1}'), "does not describe a pack"),
        (lambda folder: change(folder, format=2), "is of format 2, this program reads 1"),
        (lambda folder: change(folder, files={"../x.arrow": 3}), "lists '../x.arrow'"),
    ],
)
def test_what_is_no_pack_is_refused_in_one_line(packed, spoil, words):
    spoil(packed)
    with pytest.raises(PackError, match=words) as error:
        data_root(packed)
    assert "\n" not in str(error.value)


def test_a_path_leads_into_a_pack_only_where_one_is(packed, tmp_path):
    plain = tmp_path / "plain.pack"
    plain.mkdir()
    assert locate(str(plain / "1.jpg")) is None
    assert locate(str(tmp_path / "1.jpg")) is None
    pack, name = locate(f"{packed}/a/1.jpg")
    assert (pack.folder, name) == (str(packed), b"a/1.jpg")
    inner = packed.rename(plain / "e.pack")
    assert locate(f"{inner}/a/1.jpg")[1] == b"a/1.jpg"
