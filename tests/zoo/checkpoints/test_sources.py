"""Where a file may come from, and in which order."""

import pytest

from zoo.checkpoints.sources import Hub, LocalFile, Manual, Web, in_order, parse, shown


def test_sources_are_read(tmp_path):
    assert parse("weights/x.safetensors", tmp_path) == LocalFile(tmp_path / "weights/x.safetensors")
    assert parse("hf://me/r.x/a/b.st@v1", tmp_path) == Hub("me/r.x", "a/b.st", "v1")
    assert parse("https://x.org/f?t=1", tmp_path) == Web("https://x.org/f?t=1")


def test_mirrors_come_first_unless_the_origin_is_named(tmp_path):
    own = (LocalFile(tmp_path / "f"), Web("https://own/f"), Hub("me/r", "f", "v"))
    mirrors = ("https://m/zoo/", str(tmp_path / "shared"))
    first = [
        LocalFile(tmp_path / "f"),
        Web("https://m/zoo/f"),
        LocalFile(tmp_path / "shared" / "f"),
    ]
    assert in_order(own, mirrors, "f") == [*first, *own[1:]]
    found = in_order(own, ("origin", *mirrors), "f")
    assert found == [own[0], *own[1:], *first[1:]]
    with pytest.raises(ValueError, match="no https:// address"):
        in_order(own, ("ftp://m",), "f")


def test_nothing_is_looked_for_where_only_a_person_can_fetch_it(tmp_path):
    assert parse("manual", tmp_path) == Manual()
    assert in_order((Manual(),), (), "f") == []


@pytest.mark.parametrize("text", ["../x", "/etc/x", "ftp://x/f", "hf://me/repo/f", "https:///f"])
def test_what_is_no_source_is_refused(tmp_path, text):
    with pytest.raises(ValueError):
        parse(text, tmp_path)


def test_an_address_is_shown_without_its_secrets():
    assert shown("https://me:pw@x.org:8443/a/b?sig=1#part") == "https://x.org:8443/a/b"
    assert shown("http://[::1]:80/f") == "http://[::1]:80/f"
    assert shown("http://x:port/") == "an address that cannot be read"
