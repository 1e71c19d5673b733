"""Re-rankings as text, and which tracks take part."""

import numpy as np
import pytest

from benchmark import rerank


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("kr", "kr(20,6,0.3)"),
        ("kr(20, 6, .3)", "kr(20,6,0.3)"),
        ("kr-torchreid(15,1,0)", "kr-torchreid(15,1,0)"),
        ("kr-dup(20,6,1.0)", "kr-dup(20,6,1)"),
    ],
)
def test_a_text_has_one_canonical_form(text, canonical):
    assert str(rerank.parse(text)) == canonical
    assert rerank.parse(canonical) == rerank.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        *["", "k", "kr()", "kr(20,6)", "kr(0,6,0.3)", "kr(20,0,0.3)", "kr(20,6,1.5)"],
        *["kr(20,6,-1)", "kr(20,6,.)", "kr(2.5,6,0.3)", "kr(20,6,0.3", "kr-fast(20,6,0.3)"],
        *["kr(20,6,0.3)x", "kr-(20,6,0.3)", "KR(20,6,0.3)", "kr[20,6,0.3]"],
    ],
)
def test_a_text_that_is_no_re_ranking_is_refused_in_one_line(text):
    with pytest.raises(ValueError, match=r"expected kr, kr-torchreid or kr-dup") as error:
        rerank.parse(text)
    assert "\n" not in str(error.value)


def test_numbers_that_are_not_given_are_the_papers():
    found = rerank.parse("kr-dup")
    assert (found.kind, found.k1, found.k2, found.share) == ("kr-dup", 20, 6, 0.3)


def test_a_pool_is_the_queries_and_then_the_gallery_in_its_order():
    query, gallery = np.array([5, 2]), np.array([4, 2, 0, 5, 1])
    assert rerank.pool(query, gallery, "kr").tolist() == [5, 2, 4, 0, 1]
    assert rerank.pool(query, gallery, "kr-torchreid").tolist() == [5, 2, 4, 0, 1]
    assert rerank.pool(query, gallery, "kr-dup").tolist() == [5, 2, 4, 2, 0, 5, 1]
