"""Names with arguments."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.variants import (
    Variant,
    canonical,
    choose,
    coerce,
    expand,
    format_value,
    parse,
    parse_value,
    split_list,
)


def some_method(
    backbone="x", *, blocks: int = 4, rate: float = 0.5, after: tuple[int, ...] = (4, 5)
):
    pass


@pytest.mark.parametrize(
    ("text", "name", "arguments"),
    [
        ("sta", "sta", {}),
        ("sta[blocks=8]", "sta", {"blocks": 8}),
        ("nlam[after=4+5,scale=1e-3]", "nlam", {"after": (4, 5), "scale": 1e-3}),
        (
            "a[on=true,off=false,no=none,word=mean]",
            "a",
            dict(on=True, off=False, no=None, word="mean"),
        ),
        ("a[b=resnet50[x=1+2,y=3]]", "a", {"b": "resnet50[x=1+2,y=3]"}),
        ("paper/sta", "paper/sta", {}),
    ],
)
def test_names_and_arguments_are_read(text, name, arguments):
    assert parse(text) == Variant(name, arguments)


@pytest.mark.parametrize("text", ["", "a[", "a[b]", "a[b=1", "a]b", "a[b=1,b=2]", "a b", "a[=1]"])
def test_what_is_no_variant_is_refused_in_one_line(text):
    with pytest.raises(ValueError, match=r".") as error:
        parse(text)
    assert "\n" not in str(error.value)


def test_lists_are_split_outside_brackets_only():
    assert split_list("a[x=1,y=2], b,c[z=[1,2]]") == ["a[x=1,y=2]", "b", "c[z=[1,2]]"]


values = st.one_of(
    st.integers(-1000, 1000),
    st.floats(-1e6, 1e6).map(lambda x: float(f"{x:.6g}")),
    st.booleans(),
    st.none(),
    st.lists(st.integers(0, 99), min_size=2, max_size=4).map(tuple),
)


@given(values)
def test_a_value_survives_being_written_and_read(value):
    assert parse_value(format_value(value)) == value


@given(st.dictionaries(st.sampled_from("abcdef"), values, max_size=4))
def test_a_variant_survives_being_written_and_read_and_has_a_file_name(arguments):
    variant = Variant("name", arguments)
    assert parse(str(variant)) == variant
    assert set(variant.slug) <= set(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.+-"
    )


def test_canonical_form_drops_defaults_and_sorts_keys():
    assert (
        str(canonical(parse("some_method[rate=1,blocks=4]"), some_method)) == "some_method[rate=1]"
    )
    assert str(canonical(parse("some_method[after=3,blocks=8]"), some_method)) == (
        "some_method[after=3,blocks=8]"
    )
    assert str(canonical(parse("some_method[after=4+5]"), some_method)) == "some_method"


def test_an_unknown_argument_lists_near_misses():
    with pytest.raises(LookupError, match="did you mean blocks"):
        canonical(parse("some_method[block=4]"), some_method)


@pytest.mark.parametrize("text", ["blocks=1.5", "blocks=true", "rate=fast", "after=1+x"])
def test_a_value_of_the_wrong_type_is_refused(text):
    with pytest.raises(ValueError, match="expected"):
        canonical(parse(f"some_method[{text}]"), some_method)


def test_unions_take_any_of_their_types():
    assert coerce("soft", float | str | None, "x") == "soft"
    assert coerce(1, float | None, "x") == 1.0
    assert coerce(None, int | tuple[int, ...] | None, "x") is None


def test_an_unknown_name_says_what_there_is():
    with pytest.raises(LookupError, match=r"unknown method 'stanvan': did you mean stenvan"):
        choose("stanvan", {"stenvan": 1, "nvan": 2}, "method")


def test_a_grid_expands_to_every_combination():
    assert expand("a[x=1|2,y=3|4]") == ["a[x=1,y=3]", "a[x=1,y=4]", "a[x=2,y=3]", "a[x=2,y=4]"]
    assert expand("a[x=1+2|3, y=b]") == ["a[x=1+2,y=b]", "a[x=3,y=b]"]
    assert expand("a[x=1]") == ["a[x=1]"] and expand("a") == ["a"] and expand("a[]") == ["a[]"]


@pytest.mark.parametrize("text", ["-0.0", "-0", "-0e5", "-1e-400", "+.0"])
def test_minus_nothing_is_nothing(text):
    assert format_value(parse_value(text)) == "0"


def test_a_path_is_no_list():
    assert parse_value("runs/a-3+5/weights.safetensors") == "runs/a-3+5/weights.safetensors"
    assert parse_value("3+5") == (3, 5)
