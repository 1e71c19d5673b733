import io

import h5py
import numpy as np
import pytest
import scipy.io
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.datasets.matlab import LARGEST, table

TABLE = np.arange(12).reshape(4, 3)


def version_5(values, name="rows", compressed=False):
    file = io.BytesIO()
    others = {"text": "text", "cell": np.array([1, "a"], object), "a_rather_long_name": np.eye(2)}
    scipy.io.savemat(file, {**others, name: values}, do_compression=compressed)
    return file.getvalue()


def version_73(values, name="rows"):
    file = io.BytesIO()
    with h5py.File(file, "w", userblock_size=512) as hdf5:
        hdf5[name] = values.T
    return b"MATLAB 7.3 MAT-file".ljust(512) + file.getvalue()[512:]


def read(folder, data, name="rows"):
    path = folder / "table.mat"
    path.write_bytes(data)
    return table(path, name, "it comes from afar")


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("kind", ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8"])
def test_version_5_is_read_as_scipy_reads_it(tmp_path, kind, compressed):
    data = version_5(TABLE.astype(kind), compressed=compressed)
    found = read(tmp_path, data)
    assert found.dtype == np.int64
    assert (found == scipy.io.loadmat(io.BytesIO(data))["rows"]).all()


def test_q11_version_73_is_read_in_the_same_orientation(tmp_path):
    assert (read(tmp_path, version_73(TABLE)) == TABLE).all()


def test_q3_small_unsigned_numbers_are_cast_before_anything_is_subtracted(tmp_path):
    assert (read(tmp_path, version_5(np.zeros((1, 2), np.uint16))) - 1 == -1).all()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "no MATLAB file"),
        (b"MATLAB 5.0 MAT-file", "no MATLAB file"),
        (version_5(TABLE, "other"), "there is none"),
        (version_73(TABLE, "other"), "there is none"),
        (version_5(TABLE)[:-9], "cut short"),
        (version_5(TABLE + 0.5), "not whole"),
        (version_5(TABLE * np.nan), "not whole"),
        (version_5(TABLE + 1e300), "too large"),
        (version_5(TABLE + 1j), "no numbers"),
        (version_5("word"), "no numbers"),
        (version_5(np.array([1, "a"], object)), "no numbers"),
    ],
)
def test_q14_what_is_no_table_is_refused_in_one_line(tmp_path, data, reason):
    with pytest.raises(ValueError, match=f"holds no table 'rows' .*{reason}") as caught:
        read(tmp_path, data)
    assert "\n" not in str(caught.value)
    assert "it comes from afar" in str(caught.value)


def test_q14_a_small_file_that_unpacks_to_a_huge_one_is_refused(tmp_path):
    small = version_5(np.zeros(LARGEST // 8 + 8), compressed=True)
    assert len(small) < LARGEST / 100
    with pytest.raises(ValueError, match="unpacks to too many bytes"):
        read(tmp_path, small)


@pytest.mark.parametrize("kind", ["external", "soft", "virtual", "stored elsewhere", "group"])
def test_q50_a_table_cannot_lead_to_another_file(tmp_path, kind):
    with h5py.File(tmp_path / "other.mat", "w") as other:
        other["rows"] = TABLE
    np.arange(12.0).tofile(tmp_path / "raw")
    path = tmp_path / "table.mat"
    with h5py.File(path, "w") as file:
        if kind == "external":
            file["rows"] = h5py.ExternalLink("other.mat", "rows")
        elif kind == "soft":
            file["rows"] = h5py.SoftLink("/elsewhere")
        elif kind == "virtual":
            layout = h5py.VirtualLayout((4, 3), "i8")
            layout[:] = h5py.VirtualSource("other.mat", "rows", (4, 3))
            file.create_virtual_dataset("rows", layout)
        elif kind == "group":
            file.create_group("rows")
        else:
            file.create_dataset("rows", (12,), "f8", external=[(tmp_path / "raw", 0, 96)])
    with pytest.raises(ValueError, match="leads elsewhere"):
        table(path, "rows", "")


def damaged(data, draw):
    data = bytearray(data)
    for _ in range(draw(st.integers(1, 6))):
        place = draw(st.integers(0, len(data) - 1))
        data[place : place + draw(st.integers(0, 3))] = draw(st.binary(max_size=3))
    return bytes(data[: draw(st.integers(1, len(data)))] if draw(st.booleans()) else data)


@pytest.mark.parametrize("make", [version_5, version_73])
@settings(max_examples=60, deadline=None, derandomize=True)
@given(draws=st.data())
def test_q14_a_damaged_file_is_a_table_or_a_clear_error(tmp_path_factory, make, draws):
    folder = tmp_path_factory.mktemp("fuzz")
    try:
        assert read(folder, damaged(make(TABLE), draws.draw)).dtype == np.int64
    except ValueError as error:
        assert "table.mat" in str(error)
        assert "\n" not in str(error)
