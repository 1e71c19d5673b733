"""Labels: read as they are written, and good for file names."""

import itertools

import pytest

from benchmark.label import Label

PLAIN = Label("mars-official", 1, "cos-bn", "chunk-first8")
RERANKED = Label("mars-official", 2, "l2sq-raw", "all32", "kr(20,6,0.3)")


@pytest.mark.parametrize(
    ("label", "text"),
    [
        (PLAIN, "mars-official@1/cos-bn/chunk-first8"),
        (RERANKED, "mars-official@2/l2sq-raw/all32/kr(20,6,0.3)"),
        (
            Label("open", 10, "cos-raw", "dense-wrap4", "kr-torchreid(9,4,1)"),
            "open@10/cos-raw/dense-wrap4/kr-torchreid(9,4,1)",
        ),
    ],
)
def test_a_label_is_written_as_it_is_read(label, text):
    assert str(label) == text
    assert Label.parse(text) == label


@pytest.mark.parametrize(
    "text",
    [
        *[
            "",
            "mars-official",
            "mars-official/cos-bn/chunk-first8",
            "m@x/cos-bn/all4",
            "m@1/cos-bn",
        ],
        *["m@1/cos-bn/all4/", "m@1/cos-bn/all4/kr", "m@1/cos-bn/all4/kr()", "m@1/cos-bn/all4/x(1)"],
        *["m@1/cos-bn/all4/kr(20,6,0.3)/kr(20,6,0.3)", "m@1/cos bn/all4", " m@1/cos-bn/all4"],
    ],
)
def test_what_is_no_label_is_refused_in_one_line(text):
    with pytest.raises(ValueError, match="is no label: expected PROTOCOL@VERSION") as error:
        Label.parse(text)
    assert "\n" not in str(error.value)


def test_labels_of_different_rules_differ_and_sort():
    parts = [
        ("a", "b"),
        (1, 2),
        ("cos-bn", "l2sq-bn"),
        ("all4", "even4"),
        (None, "kr(1,1,0)", "kr(11,1,0)"),
    ]
    labels = [Label(*values) for values in itertools.product(*parts)]
    assert len(set(map(str, labels))) == len(labels) == len({label.slug for label in labels})
    plain = [label for label in labels if label.rerank is None]
    assert [label.protocol for label in sorted(plain)] == ["a"] * 8 + ["b"] * 8


def test_a_slug_is_safe_in_a_file_name():
    assert RERANKED.slug == "mars-official@2_l2sq-raw_all32_kr-20-6-0.3"
    assert not set(RERANKED.slug) & set('/\\(),:*?"<>| ')
