import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from reports.analysis.markup import block, bullets, code, names, plain, table, text


def test_free_text_stays_text():
    hard = "a|b `c` *d* _e_ <script> [f](g) \\ #h\nsecond line"
    (token,) = [t for t in MarkdownIt("commonmark").parse(text(hard)) if t.type == "inline"]
    assert {child.type for child in token.children} <= {"text", "text_special"}
    assert "".join(child.content for child in token.children) == " ".join(hard.split())


@pytest.mark.parametrize("words", ["plain", "a`b", "``", "a|b", "`edge`", "x_y*z"])
def test_code_holds_any_word_in_a_line_and_in_a_cell(words):
    def spans(markdown):
        tokens = MarkdownIt("commonmark").enable("table").parse(markdown)
        children = [child for token in tokens for child in token.children or ()]
        return [child.content for child in children if child.type == "code_inline"]

    assert spans(code(words)) == [words]
    assert spans(table([("title", [code(words)])])) == [words]


def test_a_block_is_not_closed_by_what_is_in_it():
    (token,) = MarkdownIt("commonmark").parse(block(["a", "```", "b"]))
    assert token.content == "a\n```\nb\n"


def test_columns_without_a_single_value_are_left_out():
    assert table([("a", ["1", "2"]), ("b", ["", ""])]) == "| a |\n| --- |\n| 1 |\n| 2 |"


WORDS = st.text(alphabet="ab `*_\\\\<>|[]~#$&.", max_size=12)


@given(WORDS, WORDS)
def test_plain_words_come_back_out_of_markdown(one, two):
    made = f"{text(one)} · {code(two)}"
    assert plain(made) == f"{' '.join(one.split())} · {' '.join(two.split())}"


def test_names_are_joined_as_in_a_sentence():
    assert [names(of) for of in ("a", "ab", "abc")] == ["`a`", "`a` and `b`", "`a`, `b` and `c`"]
    assert bullets(["x", "y"]) == "- x\n- y"
