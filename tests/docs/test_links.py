"""Links of the built site."""

import pytest
from generate.links import broken


@pytest.fixture
def site(tmp_path):
    """Two pages that link each other."""
    (tmp_path / "a.html").write_text('<a href="b.html#place">to b</a><img src="picture.png">')
    (tmp_path / "b.html").write_text(
        '<h2 id="place">here</h2><a href="#place">up</a><a href="https://x.org">x</a>'
    )
    (tmp_path / "picture.png").write_bytes(b"")
    return tmp_path


def test_a_site_whose_links_lead_somewhere_has_no_faults(site):
    assert broken(site) == []


def test_a_page_a_place_and_a_picture_that_are_not_there_are_named(site):
    (site / "a.html").write_text(
        '<a href="c.html">c</a><a href="b.html#gone">b</a><img src="no.png">'
    )
    assert broken(site) == [
        "a.html: c.html leads nowhere",
        "a.html: b.html#gone names no place on its page",
        "a.html: no.png leads nowhere",
    ]


def test_what_a_browser_would_fetch_from_the_network_is_named(site):
    (site / "a.html").write_text('<script src="https://cdn.example/x.js"></script>')
    assert broken(site) == ["a.html: loads https://cdn.example/x.js from the network"]
