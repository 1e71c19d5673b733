"""How messages are cut into lines, and where comments stand, over all our files."""

import io
import re
import tokenize
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = ("methods", "benchmark", "reports", "zoo", "speed", "tests")
FILES = sorted(p for name in FOLDERS for p in (ROOT / name).rglob("*.py"))
COLUMNS = 100
ABBREVIATIONS = ("e.g.", "i.e.")
SKIPPED = (tokenize.NL, tokenize.COMMENT)
F_START = getattr(tokenize, "FSTRING_START", None)  # f-strings are STRING before Python 3.12
F_END = getattr(tokenize, "FSTRING_END", None)


@dataclass(frozen=True)
class Piece:
    """One string of several that Python joins, as it stands in the source."""

    row: int
    column: int
    text: str

    @property
    def prefix(self) -> str:
        return self.text[: re.search(r"['\"]", self.text).start()].lower()

    @property
    def quote(self) -> str:
        return self.text[-1]

    @property
    def body(self) -> str:
        return self.text[len(self.prefix) + 1 : -1]


def tokens_of(source: str) -> list[tokenize.TokenInfo]:
    """Tokens; an f-string is one STRING under every Python."""
    found, starts = [], []
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == F_START:
            starts.append(token)
        elif token.type == F_END:
            first = starts.pop()
            if not starts:
                lines = source.splitlines(keepends=True)[first.start[0] - 1 : token.end[0]]
                text = "".join(lines)[first.start[1] :]
                text = text[: len(text) - len(lines[-1]) + token.end[1]]
                found.append(
                    tokenize.TokenInfo(tokenize.STRING, text, first.start, token.end, first.line)
                )
        elif not starts:
            found.append(token)
    return found


def messages(source: str) -> list[list[Piece]]:
    """Strings that are joined without an operator, over several lines, each on its own.

    Examples of commands are a list, one a line; they are left as they stand.
    """
    groups, group = [], []
    for token in tokens_of(source):
        if token.type == tokenize.STRING:
            group.append(Piece(*token.start, token.string))
        elif token.type not in SKIPPED:
            groups.append(group)
            group = []
    groups = [g for g in groups if len(g) > 1 and not g[0].body.startswith("Example")]
    return [g for g in groups if len({piece.row for piece in g}) == len(g)]


def atoms(body: str, *, fields: bool) -> list[str]:
    """Words with the spaces after them; what stands in braces or backticks is not cut."""
    found, word, depth, code, i = [], "", 0, False, 0
    while i < len(body):
        c = body[i]
        if fields and not depth and body[i : i + 2] in ("{{", "}}"):
            word, i = word + body[i : i + 2], i + 2
            continue
        depth += fields * ((c == "{") - (c == "}"))
        code ^= c == "`" and not depth
        ends = word.endswith(" ") and c != " "
        if ends and not depth and not code and not word.strip().endswith(ABBREVIATIONS):
            found.append(word)
            word = ""
        word, i = word + c, i + 1
    return [*found, word] if word else found


def breaks(piece: Piece, after: Piece) -> str | None:
    """What is wrong with the place where a message goes on in the next line."""
    if piece.body.rstrip().endswith(ABBREVIATIONS):
        return "an abbreviation is cut off from what it stands before"
    plain = {piece.prefix, after.prefix} <= {"", "f"} and '"""' not in piece.text + after.text
    if not plain or piece.body.endswith("\\n") or piece.quote != after.quote:
        return None  # a line that is meant to end here, or another kind of text
    first = atoms(after.body, fields=after.prefix == "f")
    if not first:
        return None
    becomes_f = piece.prefix == "" and after.prefix == "f" and re.search(r"[{}]", first[0])
    width = piece.column + len(piece.text) + len(first[0]) + bool(becomes_f)
    return None if width > COLUMNS else "the next line's first word would have fitted"


def faults(source: str) -> list[str]:
    """Every fault of a file's text, with its line."""
    found = []
    for group in messages(source):
        for piece, after in pairwise(group):
            if fault := breaks(piece, after):
                found.append(f"{piece.row}: {fault}: {piece.text}")
    tokens = tokens_of(source)
    for token, after in pairwise(tokens):
        tool = re.match(r"#\s*(noqa|type:|pragma)", after.string)
        if token.string in ("(", "[", "{") and after.type == tokenize.COMMENT and not tool:
            found.append(f"{token.start[0]}: the comment belongs above the line: {after.string}")
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_messages_fill_their_lines_and_comments_stand_above_them(path):
    assert faults(path.read_text(encoding="utf-8")) == []


# ---- the check itself ----------------------------------------------------------------------------

LONG = "x" * 85


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ('f(\n    "one "\n    "two"\n)\n', "would have fitted"),
        ('f(\n    "one "\n    f"{two} three"\n)\n', "would have fitted"),
        (f'f(\n    "{LONG} "\n    f"{{two}} three"\n)\n', "would have fitted"),
        (f'f(\n    "{LONG} "\n    f"{{a, bcde}} three"\n)\n', None),  # a field is not cut
        (f'f(\n    "{LONG} "\n    "`zoo list all` three"\n)\n', None),  # and code neither
        (f'f(\n    "{LONG} "\n    "e.g. seventeen"\n)\n', None),
        (f'f(\n    "{LONG} e.g. "\n    "seventeen"\n)\n', "an abbreviation is cut off"),
        ('f(\n    "one\\n"\n    "two"\n)\n', None),
        ('f(\n    "Examples: zoo list | "\n    "zoo bench"\n)\n', None),
        ('f(\n    r"one"\n    r"two"\n)\n', None),
        ('f(\n    "one",\n    "two",\n)\n', None),
        ("f(  # why\n    1\n)\n", "belongs above"),
        ("f(  # noqa: E501\n    1\n)\n", None),
        ("f(\n    1  # why\n)\n", None),
    ],
)
def test_a_fault_is_seen_and_nothing_else(source, fault):
    found = faults(source)
    assert bool(found) == (fault is not None)
    assert fault is None or fault in found[0]
