import pytest

from benchmark.clips import frame_rule
from benchmark.label import Label
from benchmark.protocols import PROTOCOLS
from benchmark.recipe import DISTANCES
from reports.analysis.label_text import explain, frames_of, order, without_number


def a_label(protocol):
    return Label(protocol.name, protocol.version, "cos-bn", "even4")


# what the page must say for each value of a protocol's fields, and of no other value
SAID = {
    "queries": {
        "inside": ("the queries too", "which holds the queries"),
        "first": ("the queries stay, before the others",),
        "outside": (
            "Queries and tracks of id −1 (junk) leave the gallery",
            "no query",
            "the queries are camera",
        ),
    },
    "ap": {"trap": ("by trapezoids",), "std": ("mean precision at the matches",)},
    "unmatched": {
        "skip": ("without a match is dropped",),
        "error": ("without a match is an error",),
    },
    "cut": {10_000: ("beyond place 10,000 is never found",), None: ()},
}


@pytest.mark.parametrize("protocol", PROTOCOLS.values(), ids=lambda p: p.name)
@pytest.mark.parametrize("field", SAID)
def test_the_words_for_a_protocol_say_what_its_fields_say(protocol, field):
    (_, words), *_ = explain(a_label(protocol))
    for value, phrases in SAID[field].items():
        said = any(phrase in words for phrase in phrases)
        assert said == (value == getattr(protocol, field) and bool(phrases)), (value, words)


@pytest.mark.parametrize("protocol", PROTOCOLS.values(), ids=lambda p: p.name)
def test_junk_that_leaves_the_gallery_is_said_to(protocol):
    (_, words), *_ = explain(a_label(protocol))
    assert ("tracks of id −1 (junk) leave" in words.replace("Tracks", "tracks")) != protocol.junk


def test_every_label_that_can_be_had_is_told_in_words():
    rules = ("chunk-first8", "even15", "begin4", "dense4", "dense-wrap8", "spread4")
    rules += ("interval8", "all32", "all-mean", "all-max")
    for protocol in PROTOCOLS.values():
        for distance in DISTANCES:
            for rule in rules:
                label = protocol.label(distance, str(frame_rule(rule)), "kr(20,6,0.3)")
                assert not [part for part, words in explain(label) if "not described" in words]


def test_the_order_is_that_of_the_protocols_and_strangers_come_last():
    labels = [a_label(protocol) for protocol in PROTOCOLS.values()]
    assert sorted(labels, key=order) == labels
    assert order(Label("mine", 1, "cos-bn", "even4")) == len(labels)


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
    parts = explain(Label.parse(label))
    assert "/".join(part for part, _ in parts) == label
    for (_, told), word in zip(parts, words, strict=True):
        assert word in told and "not described" not in told


@pytest.mark.parametrize(
    "label",
    [
        Label("mine", 1, "mine-bn", "mine8", "mine"),
        Label("mars-official", 2, "cos", "chunk-first", "kr(1"),
        Label("mars-official", 0, "cos-neck", "all-max8", "kr(20,6,0.3)/more"),
    ],
    ids=str,
)
def test_what_is_not_known_is_said_to_be_not_described(label):
    parts = explain(label)
    assert len(parts) == 4
    assert all("not described here" in told for _, told in parts)


@pytest.mark.parametrize(
    ("frames", "number", "rest"),
    [("chunk-first8", 8, "chunk-firstT"), ("even15", 15, "evenT"), ("all-mean", None, "all-mean")],
)
def test_the_frames_of_a_clip_are_the_number_at_the_end_of_the_rule(frames, number, rest):
    label = Label("open", 1, "cos-bn", frames)
    found = frames_of(label)
    assert (found == number) if number else (found != found)
    assert without_number(label) == f"open@1/cos-bn/{rest}"
