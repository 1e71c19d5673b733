import pytest

from reports.rules import explain


@pytest.mark.parametrize(
    ("label", "words"),
    [
        ("mars-official@1/cos-bn/chunk-first8", ["the queries too", "Cosine", "8 chunks"]),
        ("mars-torchreid@1/l2sq-raw/even15", ["leave the gallery", "Euclidean", "15 evenly"]),
        ("open@1/cos-raw/dense4", ["no query", "before the batch-norm", "clips of 4 frames"]),
        ("open@1/cos-bn/all-max/kr(20,6,0.3)", ["", "after", "maximum", "λ = 20, 6, 0.3"]),
    ],
)
def test_every_part_of_a_label_is_told_in_words(label, words):
    parts = explain(label)
    assert [part for part, _ in parts] == label.split("/")
    for (_, told), word in zip(parts, words, strict=True):
        assert word in told and "not described" not in told


@pytest.mark.parametrize(
    "label",
    [
        "mine@1/mine-bn/mine8/mine",
        "mars-official@2/cos/chunk-first/kr(1",
        "mars-official/cos-neck/all-max8/kr(20,6,0.3)/more",
    ],
)
def test_what_is_not_known_is_said_to_be_not_described(label):
    parts = explain(label)
    assert len(parts) == 4
    assert all("not described here" in told for _, told in parts)
