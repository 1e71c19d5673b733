import errno

import pyarrow as pa
import pytest

from benchmark.datasets.arrow_file import COLUMNS, PackError, batches_of, checksum

TYPES = (pa.string(), pa.uint32(), pa.large_binary())


@pytest.fixture
def file(tmp_path):
    """``file(batches, **options)`` writes entries of one file, some in each record batch."""

    def write(batches, **options):
        path = tmp_path / "x.arrow"
        schema = pa.schema(list(zip(COLUMNS, TYPES, strict=True)))
        with pa.ipc.new_file(
            str(path), schema, options=pa.ipc.IpcWriteOptions(**options)
        ) as writer:
            for names, data in batches:
                crcs = [checksum(n.encode(), d) for n, d in zip(names, data, strict=True)]
                columns = zip((names, crcs, data), TYPES, strict=True)
                arrays = [pa.array(values, kind) for values, kind in columns]
                writer.write_batch(pa.record_batch(arrays, schema=schema))
        return path

    return write


def test_entries_are_read_by_their_place(file):
    first, second = batches_of(file([(["a", "b"], [b"one", b""]), ([], []), (["c"], [b"x" * 99])]))
    assert [(first.name(i), first.size(i), first.read(i)) for i in range(first.count)] == [
        (b"a", 3, b"one"),
        (b"b", 0, b""),
    ]
    assert second.read(0) == b"x" * 99 and second.crc(0) == checksum(b"c", b"x" * 99)


def test_a_file_whose_entries_are_all_empty_is_read(file):
    (batch,) = batches_of(file([(["a", "b"], [b"", b""])]))
    assert [batch.read(i) for i in range(2)] == [b"", b""]


def test_compressed_files_give_no_other_bytes(file):
    (batch,) = batches_of(file([(["a"], [b"x" * 9999])], compression="zstd"))
    assert batch.read(0) != b"x" * 9999  # read by position, they fail their checksum


def test_a_checksum_is_of_name_and_bytes():
    assert checksum(b"a", b"bc") != checksum(b"a", b"bd")
    assert checksum(b"a", b"bc") != checksum(b"b", b"bc")


def test_an_error_of_a_pack_is_one_line_and_says_what_the_system_would():
    error = PackError("d.pack/a.jpg", "is damaged")
    assert str(error) == "d.pack/a.jpg is damaged"
    assert (error.errno, error.strerror, error.filename) == (
        errno.EIO,
        "is damaged",
        "d.pack/a.jpg",
    )
