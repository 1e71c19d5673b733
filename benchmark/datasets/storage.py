"""A data root's files, whether they are loose or packed: found, listed and read in one way.

A path says where an image is: ``mars/bbox_test/0002/0002C1T0001F001.jpg`` is a file,
``mars.pack/bbox_test/0002/0002C1T0001F001.jpg`` an entry of a pack. Data sets keep paths as text,
so that nothing that passes tracklets on, to other processes too, need know which it is.
"""

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from benchmark.datasets.pack import MANIFEST, SUFFIX, forget, locate
from benchmark.datasets.packed_path import PackedPath
from benchmark.files import open_regular


def data_root(root: Path | str) -> Path:
    """What a data set is opened at; a pack is opened anew, and stands for what was packed.

    Raises:
        OSError: the pack is cut short or none.
        ValueError: it is a pack under a name that none has.
    """
    forget(str(root))
    found = locate(str(root))
    if found is None:
        if os.path.isfile(os.path.join(root, MANIFEST)):
            raise ValueError(f"{root} is a pack: let its name end in {SUFFIX}, then it is read")
        return Path(root)
    pack, name = found
    return PackedPath(root) if name or not pack.root else PackedPath(root, pack.root)


def path_of(text: str) -> Path:
    """The path that a tracklet's folder or frame is written as."""
    return Path(text) if locate(text) is None else PackedPath(text)


def open_file(path: Path | str) -> BinaryIO:
    """A file, or an entry of a pack, to read bytes from.

    Raises:
        OSError: there is none, it is no regular file, or it cannot be read; of a pack, its bytes
            are checked.
    """
    found = locate(str(path))
    if found is None:
        return open_regular(Path(path))
    return PackedPath(path).open("rb")


def file_sizes(folder: Path, wanted: Callable[[str], bool]) -> list[tuple[str, int]]:
    """``(name, bytes)`` of the files in a folder whose names are wanted, sorted.

    Raises:
        ValueError: a folder, a pipe or a device has such a name.
    """
    if isinstance(folder, PackedPath):
        found = folder.children()
        return [(name, size) for name, size in found if size is not None and wanted(name)]
    found = []
    with os.scandir(folder) as entries:
        for entry in (one for one in entries if wanted(one.name)):
            about = entry.stat()
            if not stat.S_ISREG(about.st_mode):
                raise ValueError(
                    f"{entry.path} is named like an image and is no regular file: rename it or "
                    "take it away"
                )
            found.append((entry.name, about.st_size))
    return sorted(found)


def walk(folder: Path) -> Iterator[tuple[str, list[str], list[str]]]:
    """As `os.walk`: a folder, the folders in it, its files; folders taken away are passed over."""
    if not isinstance(folder, PackedPath):
        yield from os.walk(folder)
        return
    children = list(folder.children())
    below = [name for name, size in children if size is None]
    yield str(folder), below, [name for name, size in children if size is not None]
    for name in below:
        yield from walk(folder / name)
