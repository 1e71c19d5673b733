"""Every code block of docs/ is run on small data, or says why not; commands are parsed anyway.

Blocks of a page run in their order, in a folder that holds what pages speak of: ``people``, which
are tracklets, and ``results/mine`` with a run of `sta`, which is RUN, and one of `stenvan`.
A block that is not run has a comment in the line before it: ``<!-- not run: reason -->``. Cells of
tutorials are run when the site is built.
"""

import re
import shlex
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest
import typer

from benchmark.metrics import METRICS
from tests.conftest import TINY_SET, command
from zoo import plugins
from zoo.cli.app import build

DOCS = Path(__file__).parent.parent / "docs"
PAGES = sorted(
    path
    for path in DOCS.rglob("*.md")
    if path.relative_to(DOCS).parts[0] not in ("example", "_generated", "_build")
)
RUN_HERE = ("sh", "python")
SHOWN_ONLY = (
    *("", "text", "bibtex"),
    *("{code-cell}", "{toctree}", "{include}", "{raw}", "{eval-rst}"),
)
BLOCK = re.compile(
    r"(?:<!-- not run: (?P<reason>[^\n]*) -->\n)?"
    r"^(?P<fence>```+)(?P<language>[^\n]*)\n(?P<text>.*?)^(?P=fence)$",
    re.MULTILINE | re.DOTALL,
)
LINK = re.compile(r"\]\((?!https?:|#|mailto:)(?P<path>[^)#\s]+)")


class Block(NamedTuple):
    """A fenced block of a page."""

    language: str
    text: str
    reason: str | None


def blocks_of(page):
    """The fenced blocks of a page, in order."""
    text = page.read_text(encoding="utf-8")
    return [
        Block(found["language"].partition(" ")[0].strip(), found["text"], found["reason"])
        for found in BLOCK.finditer(text)
    ]


def commands_of(block):
    """Every command line of ours in a shell block, as words."""
    joined = block.text.replace("\\\n", " ")
    lines = [shlex.split(line, comments=True) for line in joined.splitlines() if "zoo " in line]
    for words in lines:
        if "zoo" in words and "|" not in words:
            yield words[words.index("zoo") + 1 :]


def name_of(page):
    return str(page.relative_to(DOCS))


WITH_COMMANDS = [
    page
    for page in PAGES
    if any(b.language == "sh" and any(commands_of(b)) for b in blocks_of(page))
]
WITH_CODE = [
    page
    for page in PAGES
    if any(block.language in RUN_HERE and block.reason is None for block in blocks_of(page))
]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_block_is_run_or_says_why_not(page):
    for block in blocks_of(page):
        first = block.text.partition("\n")[0]
        known = block.language in (*RUN_HERE, *SHOWN_ONLY) or block.reason
        assert known, f"{block.language!r} is neither run nor explained: {first}"
        assert block.reason is None or len(block.reason.split()) > 1, first


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_between_files_lead_to_files_so_that_they_work_unbuilt(page):
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for found in LINK.finditer(text):
        assert (page.parent / found["path"]).exists(), found["path"]


@pytest.mark.parametrize("page", WITH_COMMANDS, ids=name_of)
def test_commands_and_options_exist(page):
    program = typer.main.get_command(build())
    for block in blocks_of(page):
        if block.language != "sh":
            continue
        for words in commands_of(block):
            assert not unknown(program, words), (
                f"zoo {shlex.join(words)}: {unknown(program, words)}"
            )


def unknown(program, words):
    """What a command line says that the program does not know; None where it knows all of it."""
    here, words = program, [word for word in words if word != "…"]
    while hasattr(here, "commands"):
        if not words or words[0] not in here.commands:
            return f"no command {words[:1]}"
        here, words = here.commands[words[0]], words[1:]
    known = {option for parameter in here.params for option in parameter.opts}
    given = {word.partition("=")[0] for word in words if re.match(r"-[-a-z]", word)}
    return sorted(given - known - {"--help"}) or None


@pytest.fixture(scope="module")
def small_world(people, tmp_path_factory):
    """The folder that pages speak of."""
    root = tmp_path_factory.mktemp("world")
    shutil.copytree(people, root / "people")
    words = ["--dataset", "folder", "--data-root", root / "people", "--recipe", "quick", *TINY_SET]
    places = ["--out", root / "results" / "mine", "--workers", "0", "--set", "epochs=1"]
    assert command("bench", "--methods", "sta,stenvan", *words, *places) == 0
    return root


@pytest.fixture
def nothing_stays_registered():
    """What a page registers is gone when it ends."""
    homes = [(home, dict(home)) for home in (METRICS, plugins.CALLS)]
    yield
    for home, before in homes:
        home.clear()
        home.update(before)


@pytest.mark.slow
@pytest.mark.usefixtures("nothing_stays_registered")
@pytest.mark.parametrize("page", WITH_CODE, ids=name_of)
def test_blocks_run_in_the_order_of_their_page(page, small_world, tmp_path, monkeypatch):
    shutil.copytree(small_world, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ZOO_CACHE", str(small_world / "cache"))
    names = {}
    for block in blocks_of(page):
        if block.reason is not None or block.language not in RUN_HERE:
            continue
        if block.language == "python":
            exec(compile(block.text, f"{name_of(page)}", "exec"), names)  # noqa: S102, our own pages
            continue
        lines = [line for line in block.text.replace("\\\n", " ").splitlines() if line.strip()]
        assert all(line.lstrip().startswith(("zoo ", "#")) for line in lines), block.text
        for words in commands_of(block):
            assert command(*prepared(words)) == 0, shlex.join(words)


def prepared(words):
    """RUN as a folder that is there, and no processes of loaders."""
    (run,) = Path("results/mine/runs").glob("sta-*")
    words = [str(run) if word == "RUN" else word for word in words]
    loads = words[0] in ("bench", "eval", "embed", "search")
    return [*words, "--workers", "0"] if loads else words


def test_a_block_without_a_reason_is_found_and_one_with_a_reason_keeps_it(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("```sh\nzoo list\n```\n\n<!-- not run: needs MARS -->\n```sh\nzoo bench\n```\n")
    assert [(b.language, b.reason) for b in blocks_of(page)] == [("sh", None), ("sh", "needs MARS")]


def test_an_option_that_is_gone_is_noticed():
    program = typer.main.get_command(build())
    assert unknown(program, ["bench", "--methods", "sta"]) is None
    assert unknown(program, ["bench", "--metods", "sta"]) == ["--metods"]
    assert unknown(program, ["benhc"])
    assert unknown(program, ["data", "check", "mars", "--deep"]) is None
