"""The rules themselves: who is in a gallery, what a result is called, which names there are."""

import numpy as np
import pytest

from benchmark.label import Label
from benchmark.rules import ALIASES, PROTOCOLS, Protocol
from benchmark.variants import choose

# rows:          0   1  2   3  4  5
PIDS = np.array([1, -1, 0, -1, 2, 1])
QUERY = np.array([4, 1, 0])


def mine(**rules):
    return Protocol(**{"name": "mine", "ap": "std", "unmatched": "skip", "about": "", **rules})


@pytest.mark.parametrize(
    ("queries", "junk", "rows"),
    [
        ("inside", True, [0, 1, 2, 3, 4, 5]),
        ("inside", False, [0, 2, 4, 5]),
        ("outside", True, [2, 3, 5]),
        ("outside", False, [2, 5]),
        ("first", True, [4, 1, 0, 2, 3, 5]),
        ("first", False, [4, 1, 0, 2, 5]),  # a query is kept, even where it is junk
    ],
)
def test_queries_and_junk_stand_in_the_gallery_where_the_rules_say(queries, junk, rows):
    assert mine(queries=queries, junk=junk).gallery_rows(PIDS, QUERY).tolist() == rows


@pytest.mark.parametrize("name", PROTOCOLS)
def test_every_protocol_is_known_by_its_own_name_and_told_in_a_line(name):
    protocol = PROTOCOLS[name]
    assert protocol.name == name and protocol.version >= 1
    assert protocol.about and "\n" not in protocol.about
    assert protocol.queries in ("inside", "first", "outside") and protocol.ap in ("trap", "std")
    assert protocol.unmatched in ("error", "skip")


def test_the_label_ends_with_the_re_ranking_in_full():
    protocol = PROTOCOLS["mars-official"]
    assert protocol.label("cos-bn", "chunk-first8") == Label(
        "mars-official", 1, "cos-bn", "chunk-first8"
    )
    reranked = protocol.label("cos-bn", "all32", "kr")
    assert str(reranked) == "mars-official@1/cos-bn/all32/kr(20,6,0.3)"
    assert Label.parse(str(reranked)) == reranked


def test_a_label_carries_the_protocols_version():
    assert mine(queries="inside", junk=True, version=3).label("cos-bn", "all4").version == 3


def test_a_label_of_no_re_ranking_is_refused():
    with pytest.raises(ValueError, match="is no re-ranking"):
        PROTOCOLS["open"].label("cos-bn", "all4", "k-means")


@pytest.mark.parametrize("alias", ALIASES)
def test_an_alias_finds_its_protocol_and_is_not_listed_beside_it(alias):
    assert alias in PROTOCOLS and choose(alias, PROTOCOLS, "protocol").name == ALIASES[alias]
    assert alias not in list(PROTOCOLS)


def test_an_unknown_protocol_is_no_alias():
    assert "mars" not in PROTOCOLS
    with pytest.raises(KeyError):
        PROTOCOLS["mars"]
