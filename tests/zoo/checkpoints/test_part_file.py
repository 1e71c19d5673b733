"""A part is only ever continued with bytes of the same file."""

import pytest

from tests.zoo.checkpoints.pulling import DATA, NAME, OTHER, pull
from tests.zoo.loopback import good, status
from zoo.checkpoints.part_file import PartFile


@pytest.mark.parametrize("note", [b"", b"[]", b"{}", b'{"address": 1, "version": null}', b"\xff"])
def test_a_part_with_a_broken_note_is_started_anew(server, settings, tmp_path, note):
    settings.cache.mkdir()
    (settings.cache / f".{NAME}.part").write_bytes(OTHER[:1000])
    (settings.cache / f".{NAME}.part.json").write_bytes(note)
    assert pull(tmp_path, settings, server.at("/f", good(DATA))).path.read_bytes() == DATA
    assert "Range" not in server.gets()[0]


def test_a_part_that_is_too_long_is_started_anew(server, settings, tmp_path):
    url = server.at("/f", good(DATA, cut=1000), status(404))
    with pytest.raises(OSError, match="answers 404"):
        pull(tmp_path, settings, url)
    with (settings.cache / f".{NAME}.part").open("ab") as part:
        part.write(bytes(len(DATA)))
    server.at("/f", good(DATA))
    assert pull(tmp_path, settings, url).path.read_bytes() == DATA
    assert "Range" not in server.gets()[-1]


URL = "https://me:hunter2@example.org/f?token=SECRET"


@pytest.fixture
def part(tmp_path):
    """A thousand bytes of version "v1" of a file."""
    found = PartFile(tmp_path / "x.part")
    with found.open(0) as file:
        found.begin(URL, '"v1"')
        file.write(bytes(1000))
    return found


def test_a_part_of_the_same_address_can_be_continued(part):
    assert part.resumable(URL, 5000) == (1000, '"v1"')
    assert part.resumable(URL, 1000) == (1000, '"v1"')
    assert part.resumable(URL, 999) == (0, None), "it is too long to be of that file"
    assert part.resumable(URL + "2", 5000) == (0, None)


def test_a_part_without_a_version_is_never_continued(part):
    part.begin(URL, None)
    assert part.resumable(URL, 5000) == (0, None)


def test_the_note_holds_no_secret_of_the_address(part):
    assert "hunter2" not in part.note.read_text() and "SECRET" not in part.note.read_text()


def test_writing_goes_on_from_a_byte_and_forgets_what_was_behind_it(part):
    with part.open(10) as file:
        file.write(b"end")
    assert part.path.read_bytes() == bytes(10) + b"end" and part.length == 13


def test_a_link_in_its_place_is_deleted_and_not_followed(tmp_path):
    victim = tmp_path / "victim"
    victim.write_bytes(b"mine")
    part = PartFile(tmp_path / "x.part")
    part.path.symlink_to(victim)
    with part.open(0) as file:
        file.write(b"data")
    assert victim.read_bytes() == b"mine" and not part.path.is_symlink()


def test_part_and_note_are_deleted_together(part):
    part.delete()
    assert part.length == 0 and not part.note.exists()
    part.delete()
