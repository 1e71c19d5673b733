import pytest

from benchmark.datasets.pack import batches_of
from benchmark.datasets.pack_files import Entry, Writer, cut, entries_below


def entry(name, size):
    return Entry(name.encode(), size, 0)


def test_entries_are_cut_into_runs_of_about_a_size():
    rows = [entry(name, size) for name, size in (("a", 5), ("b", 5), ("c", 50), ("d", 1))]
    assert [[e.name for e in run] for run in cut(rows, 12)] == [[b"a", b"b"], [b"c"], [b"d"]]
    assert list(cut([], 12)) == []


def test_entries_are_in_the_order_of_their_names_whatever_the_folders_order(tmp_path):
    for name in ("b.jpg", "a/1.jpg", "a.x/2.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"123")
    found = entries_below(tmp_path)
    assert [(e.name, e.size) for e in found] == [(b"a.x/2.jpg", 3), (b"a/1.jpg", 3), (b"b.jpg", 3)]


def test_a_name_that_is_no_text_is_refused(tmp_path):
    try:
        (tmp_path / "\udcff.jpg").write_bytes(b"x")
    except OSError:
        pytest.skip("this disk takes no such name")
    with pytest.raises(ValueError, match="is no name in UTF-8"):
        entries_below(tmp_path)


def test_a_file_is_written_in_batches_and_tells_how_far_it_is(tmp_path, recorder, monkeypatch):
    monkeypatch.setattr("benchmark.datasets.pack_files.BATCH_BYTES", 30)
    for i in range(5):
        (tmp_path / f"{i}.jpg").write_bytes(b"x" * 10)
    rows = entries_below(tmp_path)
    Writer(tmp_path, rows, 7, 12, recorder).write(tmp_path / "out.arrow")
    assert [batch.count for batch in batches_of(tmp_path / "out.arrow")] == [2, 2, 1]
    assert recorder.steps == [
        ("packing files", 9, 12),
        ("packing files", 11, 12),
        ("packing files", 12, 12),
    ]
