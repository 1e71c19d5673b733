"""Tables of whole numbers out of MATLAB files, of version 5 and of version 7.3 (HDF5).

Version 5 is read here, not by SciPy, whose reader a damaged file can crash together with the whole
process. Only what is needed is understood: numeric matrices, compressed or not.
"""

import io
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

LARGEST = 64 * 2**20  # bytes; the largest table of a published data set has 0.2 million
EXACT = 2**53  # beyond it doubles skip whole numbers
HDF5 = b"\x89HDF\r\n\x1a\n"
HDF5_OFFSETS = (0, 512, 1024, 2048)  # MATLAB puts 512 bytes of text before it
VERSION_5 = b"MATLAB 5.0 MAT-file"
HEADER = 128  # bytes of text, version and byte order before the first element
MATRIX, COMPRESSED = 14, 15
# how numbers of each type are stored
NUMBERS = {
    **{1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4"},
    **{7: "f4", 9: "f8", 12: "i8", 13: "u8"},
}
NUMERIC, COMPLEX = range(6, 16), 0x800  # classes of arrays, and a flag beside the class


def table(path: Path, variable: str, origin: str) -> np.ndarray:
    """One variable as int64 in MATLAB's orientation (on disk uint8 … double: cast first).

    Args:
        path: the file.
        variable: its name in the file.
        origin: where one gets the file from, for the error message.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is broken, or holds no such table of whole numbers.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing: {origin}")
    try:
        return whole_numbers(_read(path, variable))
    except Exception as error:  # h5py and zlib raise a dozen kinds for a broken file
        reason = "there is none" if isinstance(error, KeyError) else " ".join(str(error).split())
        raise ValueError(
            f"{path} holds no table {variable!r} ({reason or type(error).__name__}): {origin}"
        ) from None


def _read(path: Path, variable: str) -> np.ndarray:
    size = path.stat().st_size
    if size > LARGEST:
        raise ValueError(f"{size} bytes are too many, expected at most {LARGEST}")
    data = path.read_bytes()
    if any(data[offset:].startswith(HDF5) for offset in HDF5_OFFSETS):
        return _read_hdf5(data, variable)
    if not data.startswith(VERSION_5) or data[126:128] not in (b"IM", b"MI"):
        raise ValueError("it is no MATLAB file of version 5 or 7.3")
    order = "<" if data[126:128] == b"IM" else ">"
    for kind, element in _elements(data[HEADER:], order):
        if kind == COMPRESSED:
            kind, element = next(_elements(_inflated(element), order), (0, b""))
        if kind == MATRIX:
            name, values = _matrix(element, order, variable)
            if name == variable:
                return values
    raise KeyError(variable)


def _inflated(data: bytes) -> bytes:
    found = zlib.decompressobj().decompress(data, LARGEST)
    if len(found) == LARGEST:
        raise ValueError("it unpacks to too many bytes")
    return found


def _elements(data: bytes, order: str) -> Iterator[tuple[int, bytes]]:
    """``(type, bytes)`` of every element; each but the compressed ones is padded to 8 bytes."""
    place = 0
    while place + 8 <= len(data):
        kind, size = np.frombuffer(data, f"{order}u4", 2, place).tolist()
        if kind >> 16:  # a small element: type, size and up to 4 bytes in one word
            kind, size, start, end = kind & 0xFFFF, kind >> 16, place + 4, place + 8
        else:
            start, end = place + 8, place + 8 + size + (0 if kind == COMPRESSED else -size % 8)
        if start + size > len(data) or size > end - start:
            raise ValueError("it is cut short or damaged")
        yield kind, data[start : start + size]
        place = end


def _matrix(data: bytes, order: str, variable: str) -> tuple[str, np.ndarray]:
    """Name and numbers of a matrix; the numbers only if it has the name that is looked for."""
    parts = list(_elements(data, order))
    if len(parts) < 3:
        raise ValueError("it is cut short or damaged")
    (_, flags), (_, shape), (_, name) = parts[:3]
    if name != variable.encode():
        return name.decode("latin-1"), np.empty(0)
    flag = int(np.frombuffer(flags, f"{order}u4", 1)[0])
    if flag & 0xFF not in NUMERIC or flag & COMPLEX or len(parts) != 4:
        raise ValueError("it holds no numbers")
    kind, numbers = parts[3]
    values = np.frombuffer(numbers, f"{order}{NUMBERS[kind]}" if kind in NUMBERS else "V1")
    lengths = np.frombuffer(shape, f"{order}i4").tolist()
    if any(length < 0 for length in lengths):
        raise ValueError(f"a table of shape {lengths} cannot be")
    return variable, values.reshape(lengths, order="F")


def _read_hdf5(data: bytes, variable: str) -> np.ndarray:
    import h5py  # only here: few data sets need it

    with h5py.File(io.BytesIO(data), "r") as file:
        link = file.get(variable, getlink=True)
        if link is None:
            raise KeyError(variable)
        values = file[variable] if isinstance(link, h5py.HardLink) else None
        if not isinstance(values, h5py.Dataset) or values.external or values.is_virtual:
            raise ValueError("it is no table of its own, but leads elsewhere")
        if values.size is None or values.size * values.dtype.itemsize > LARGEST:
            raise ValueError(f"a table of shape {values.shape} is too large")
        return np.asarray(values[()]).T


def whole_numbers(values: object) -> np.ndarray:
    """The array as int64.

    Raises:
        ValueError: it is no array of whole numbers that fit.
    """
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "iuf":
        raise ValueError("it holds no numbers")
    if values.dtype.kind == "f" and not (np.isfinite(values) & (values == np.trunc(values))).all():
        raise ValueError("it holds numbers that are not whole")
    if values.size and (values.max() > EXACT or values.min() < -EXACT):
        raise ValueError("it holds numbers that are too large")
    return values.astype(np.int64)
