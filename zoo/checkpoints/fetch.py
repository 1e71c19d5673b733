"""From a checkpoint's sources to a verified file: every source in turn, and never half a file."""

import os
import shutil
import stat
from pathlib import Path

from benchmark.files import sha256
from benchmark.progress import Progress
from zoo.checkpoints import hub
from zoo.checkpoints.checkpoint import Checkpoint
from zoo.checkpoints.config import Settings
from zoo.checkpoints.http import Unavailable, download
from zoo.checkpoints.part_file import PartFile
from zoo.checkpoints.retry import RetryPolicy
from zoo.checkpoints.sources import Hub, LocalFile, Source, Web, in_order


def fetch(
    checkpoint: Checkpoint, path: Path, settings: Settings, progress: Progress, retry: RetryPolicy
) -> None:
    """Make ``path`` the checkpoint's file; a wrong file is fetched once more from the same source.

    Args:
        checkpoint: whose file.
        path: where it is to lie; the caller holds its lock.
        settings: mirrors, and whether the network may be used.
        progress: shown what happens.
        retry: how long to try each address.

    Raises:
        OSError: it cannot be had; the message says what every source answered.
    """
    part = path.with_name(f".{checkpoint.name}.part")
    answers = []
    for source in sources_to_try(checkpoint, settings):
        for _ in range(2):
            try:
                _fetch_from(source, checkpoint, part, progress, retry)
            except Unavailable as error:
                answers.append(f"{source} {error}")
                break
            found = sha256(part)
            if found == checkpoint.sha256:
                _put_in_place(part, path)
                return
            _delete_part(part)
            answers.append(
                f"{source} gives sha256 {found[:12]}…, expected {checkpoint.sha256[:12]}…"
            )
            progress.note(f"  {answers[-1]}: deleted")
    reasons = "; ".join(dict.fromkeys(answers)) or "no source is left to try"
    raise OSError(f"{checkpoint.name} cannot be had: {reasons}")


def sources_to_try(checkpoint: Checkpoint, settings: Settings) -> list[Source]:
    """Mirrors and own sources in their order, without those that need a network if there is none.

    The packaged file is not among them: it has been looked at before anything is fetched.
    """
    own = checkpoint.places
    sources = in_order(own, settings.mirrors, checkpoint.file)
    sources = [s for s in sources if not (isinstance(s, LocalFile) and s in own)]
    return [s for s in sources if isinstance(s, LocalFile) or not settings.offline]


def _fetch_from(
    source: Source, checkpoint: Checkpoint, part: Path, progress: Progress, retry: RetryPolicy
) -> None:
    size = checkpoint.bytes
    if shutil.disk_usage(part.parent).free < size:
        raise OSError(f"{part.parent} has no room for the {size} bytes of {checkpoint.name}")

    def on_bytes(there: int) -> None:
        progress.advance(f"pull {checkpoint.name} (kB)", -(-there // 1000), -(-size // 1000))

    progress.note(f"{checkpoint.name} from {source}")
    if isinstance(source, Web):
        download(source.url, part, size, on_bytes=on_bytes, note=progress.note, retry=retry)
        return
    PartFile(part).delete()  # what is left of an address is of no use to other sources
    if isinstance(source, Hub):
        hub.download(source, part)
    elif isinstance(source, LocalFile):
        _copy(source.path, part, size)
    on_bytes(size)


def _copy(source: Path, part: Path, size: int) -> None:
    """From a mirror that is a folder."""
    try:
        found = source.stat()
        if not stat.S_ISREG(found.st_mode) or found.st_size != size:
            raise Unavailable(f"is no file of {size} bytes")
        shutil.copyfile(source, part)
    except FileNotFoundError:
        raise Unavailable("is not there") from None
    except PermissionError:
        raise Unavailable("cannot be read") from None


def _put_in_place(part: Path, path: Path) -> None:
    """The one step that makes the file appear."""
    with part.open("rb") as file:
        os.fsync(file.fileno())
    part.replace(path)
    _delete_part(part)
    if hasattr(os, "O_DIRECTORY"):
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _delete_part(part: Path) -> None:
    PartFile(part).delete()
    hub.delete_staging(part)
