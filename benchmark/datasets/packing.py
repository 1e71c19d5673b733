"""Packs a data set's folder: every file's own bytes in a few large files (see `pack`).

Packing goes on where it was interrupted: it fills ``.NAME.unfinished.pack`` beside the pack, file
by file, each written whole and read back, and gives it the pack's name when all is there and the
data set reads as it did from the folder.
"""

import os
import shutil
import zlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from filelock import FileLock, Timeout

from benchmark.datasets import index
from benchmark.datasets.arrow_file import PackError, arrow, batches_of
from benchmark.datasets.base import Dataset
from benchmark.datasets.catalogue import Brought, open_dataset, parse_name, resolve
from benchmark.datasets.pack import FORMAT, MANIFEST, SUFFIX
from benchmark.datasets.pack_files import Entry, Writer, cut, entries_below
from benchmark.datasets.packed_path import PackedPath
from benchmark.datasets.storage import data_root
from benchmark.files import remove_parts, write_json, write_whole
from benchmark.progress import SILENT, Progress

FILE_BYTES = 512 * 2**20  # of a pack's file, about: what an interruption may cost
LOCK_TIMEOUT_S = 8.0


def pack(
    text: str,
    root: Path,
    out: Path,
    *,
    progress: Progress = SILENT,
    extra: Sequence[Brought] = (),
) -> None:
    """Pack the folder that holds a data set; does nothing where that is done.

    Hidden files, and files other than images above 64 MiB, are left out.

    Args:
        text: the data set, e.g. ``mars``; it must open.
        root: the folder (or table) that it lies in.
        out: the pack, called ``*.pack``.
        progress: advances with the files.
        extra: data sets of plugins.

    Raises:
        LookupError: no data set, or no knob, of that name.
        ValueError: it is a part of a data set, or several; ``out`` is not called ``*.pack``; a
            file's name is no text.
        FileExistsError: something else is called as ``out`` is.
        RuntimeError: pyarrow is not installed.
        OSError: the disk is full, a file cannot be read or has changed meanwhile, or another
            process packs into ``out``.
    """
    name, root, out = parse_name(text), Path(root), Path(out)
    if name.suffixes or len(name.variants) > 1:
        raise ValueError(f"{text!r} is a part of a data set, or several: pack each whole one alone")
    if out.suffix != SUFFIX or out.stem in ("", SUFFIX):
        raise ValueError(f"{out} must end in {SUFFIX}")
    if resolve(text, root, extra)[1].arguments.get("absolute"):
        raise ValueError(f"{text!r} reads images from anywhere, and a pack holds one folder's")
    arrow()  # missing, it is told before anything is read
    if isinstance(data_root(root), PackedPath):
        raise ValueError(f"{root} is a pack already: copy it as it is")
    dataset = open_dataset(text, root, progress=progress, extra=extra, trust_index=False)
    if out.exists():
        _refuse_another(text, dataset, out, extra)
        progress.note(f"{out} holds {dataset.name} already")
        return
    part = out.with_name(f".{out.stem}.unfinished{SUFFIX}")
    part.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(part / ".lock", timeout=LOCK_TIMEOUT_S):
            remove_parts(part)
            _fill(part, root, progress)
            _settle(text, dataset, root, part, extra)
            (part / ".lock").unlink()
            part.rename(out)
    except Timeout:
        raise OSError(f"another process is packing into {out}: wait for it") from None


def _refuse_another(text: str, dataset: Dataset, out: Path, extra: Sequence[Brought]) -> None:
    reason = "holds something else"
    try:
        if open_dataset(text, out, extra=extra).fingerprint == dataset.fingerprint:
            return
    except (OSError, ValueError) as error:
        reason = f"is there already ({error})"
    raise FileExistsError(f"{out} {reason}: delete it, or give another name")


def _fill(part: Path, root: Path, progress: Progress) -> None:
    """Write what is missing of the pack's files, and ``pack.json`` last."""
    home = root if root.is_dir() else root.parent
    entries = entries_below(home, progress)
    plan = {f"files-{i:05}.arrow": rows for i, rows in enumerate(cut(entries, FILE_BYTES))}
    (part / MANIFEST).unlink(missing_ok=True)
    for path in part.iterdir():
        if path.name != ".lock" and not _is_whole(path, plan.get(path.name, ())):
            path.unlink()
    _check_room(part, plan)
    done = 0
    for name, rows in plan.items():
        if not (part / name).exists():
            writer = Writer(home, rows, done, len(entries), progress)
            write_whole(part / name, writer.write)
        done += len(rows)
        progress.advance("packing files", done, len(entries))
    about = {
        "format": FORMAT,
        "root": "" if root.is_dir() else root.name,
        "entries": len(entries),
        "crc32": zlib.crc32(b"".join(b"%s %d\n" % (e.name, e.size) for e in entries)),
        "files": {name: (part / name).stat().st_size for name in plan},
    }
    write_json(part / MANIFEST, about)


def _is_whole(path: Path, rows: Sequence[Entry]) -> bool:
    """True if the file holds just these entries, none of which has changed since it was written."""
    written = path.stat().st_mtime_ns
    if not rows or max(entry.changed_ns for entry in rows) > written:
        return False
    try:
        there = [(b.name(row), b.size(row)) for b in batches_of(path) for row in range(b.count)]
    except PackError:
        return False
    return there == [(entry.name, entry.size) for entry in rows]


def _check_room(part: Path, plan: dict[str, Sequence[Entry]]) -> None:
    missing = [rows for name, rows in plan.items() if not (part / name).exists()]
    needed = sum(entry.size + len(entry.name) + 16 for rows in missing for entry in rows)
    free = shutil.disk_usage(part).free
    if needed > free:
        raise OSError(
            f"the pack needs {needed / 1e6:,.0f} MB more, {free / 1e6:,.0f} MB are free in "
            f"{part.parent}: make room and type the same command again"
        )


def _settle(text: str, dataset: Dataset, root: Path, part: Path, extra: Sequence[Brought]) -> None:
    """Check that the data set in the pack is that of the folder, and keep how it was read."""
    found = open_dataset(text, part, extra=extra, trust_index=False)
    home = root if root.is_dir() else root.parent
    if _moved(found, part) != _moved(dataset, home):
        raise OSError(
            f"{root} has changed while it was packed, or holds files that are not packed (hidden "
            "ones): type the command again"
        )
    index.keep_in_pack(data_root(part), str(resolve(text, root, extra)[1]), found)


def _moved(dataset: Dataset, home: Path) -> Dataset:
    """The data set with folders relative to ``home``."""

    def below(tracklets):
        return tuple(replace(t, folder=os.path.relpath(t.folder, home)) for t in tracklets)

    return replace(dataset, train=below(dataset.train), test=below(dataset.test))
