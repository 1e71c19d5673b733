"""What a user added goes where the work is: plugins by their source, functions by value."""

import importlib
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from zoo import plugins
from zoo.experiment.faults import one_line

_UNPACKED: set[tuple[str, str]] = set()


@dataclass(frozen=True, kw_only=True)
class Piece:
    """Something that was added.

    Attributes:
        kind: ``plugin``, or what `zoo.register` was told.
        name: of the plugin, as it was given, or of the thing.
        data: source of a plugin's file, or the thing itself, pickled; None for a module by name.
    """

    kind: str
    name: str
    data: bytes | None


def pack() -> tuple[Piece, ...]:
    """Everything that was added in this process.

    Raises:
        ValueError: something cannot be sent; the message says what to do.
    """
    return tuple(_packed(*key, thing) for key, thing in plugins.CALLS.items())


def unpack(pieces: tuple[Piece, ...]) -> None:
    """Add what is not there yet.

    Raises:
        ValueError, LookupError: something cannot be added here.
    """
    for piece in pieces:
        if (piece.kind, piece.name) not in _UNPACKED:
            _add(piece)
            _UNPACKED.add((piece.kind, piece.name))


def _packed(kind: str, name: str, thing: object) -> Piece:
    if kind == "plugin":
        file = Path(name).expanduser()
        if file.suffix != ".py":
            return Piece(kind=kind, name=name, data=None)
        return Piece(kind=kind, name=str(file.absolute()), data=file.read_bytes())
    from ray import cloudpickle

    try:
        with _by_value(thing):
            return Piece(kind=kind, name=name, data=cloudpickle.dumps(thing))
    except Exception as error:  # whatever a foreign object raises when it is pickled
        raise ValueError(
            f"{kind} {name!r} cannot be sent to workers ({one_line(error)}): put it into a file, "
            "and name that by --plugin"
        ) from None


@contextmanager
def _by_value(thing: object) -> Iterator[None]:
    """A module of the user's own, which is installed nowhere, is sent with the function."""
    from ray import cloudpickle

    module = sys.modules.get(getattr(thing, "__module__", None) or "")
    file = getattr(module, "__file__", None)
    if module is None or file is None or _is_installed(module.__name__, file):
        yield
        return
    cloudpickle.register_pickle_by_value(module)
    try:
        yield
    finally:
        cloudpickle.unregister_pickle_by_value(module)


def _is_installed(name: str, file: str) -> bool:
    ours = ("zoo", "benchmark", "methods", "reports")
    places = {sysconfig.get_paths()[key] for key in ("stdlib", "purelib", "platlib")}
    return name.partition(".")[0] in ours or any(file.startswith(place) for place in places)


def _add(piece: Piece) -> None:
    if piece.kind == "plugin":
        plugins.add_plugin(piece.name if piece.data is None else str(_file(piece)))
        return
    from ray import cloudpickle

    try:
        thing = cloudpickle.loads(piece.data)  # sent by the user's own driver
    except Exception as error:  # what it refers to may be missing here
        raise ValueError(
            f"{piece.kind} {piece.name!r} cannot be read there ({one_line(error)}): put it into a "
            "file and name that by --plugin"
        ) from None
    plugins.register(piece.kind, thing, piece.name)


def _file(piece: Piece) -> Path:
    """The plugin's own file where this machine has it, else a copy."""
    own = Path(piece.name)
    if own.is_file() and own.read_bytes() == piece.data:
        return own
    copy = Path(tempfile.mkdtemp(prefix="zoo-plugin-")) / own.name
    copy.write_bytes(piece.data)
    importlib.invalidate_caches()
    return copy
