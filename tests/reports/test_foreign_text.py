"""Text of records stays text in every format, whatever it holds."""

import csv
import dataclasses
import io
import json
import re
from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt

from benchmark.files import write_json
from reports.build import build

EVIL = "x`<script>evil()</script><img src=x onerror=evil()>``|\\</td>{{7*7}}\\input{evil}$^^5c%&#_~"
TEXTS = (
    "method",
    "recipe",
    "dataset",
    "fingerprint",
    "checkpoint",
    "commit",
    "command",
    "selection",
)


@pytest.fixture(scope="module")
def made(tmp_path_factory, fake):
    """Every format's text, of records whose every text field is a trap."""
    folder, out = tmp_path_factory.mktemp("evil") / "results", tmp_path_factory.mktemp("out")
    fields = {name: f"{EVIL} {name}" for name in TEXTS}
    environment = {name: f"{EVIL} {name}" for name in (*fake.environment, EVIL)}
    cost = {**fake.cost, "device": EVIL, "precision": EVIL, "left_out": {EVIL: 3}}
    for seed, backbone in enumerate((EVIL, "resnet50")):
        record = fake.record(seed=seed, score=0.5 + seed / 10, cost=cost, environment=environment)
        arguments = {"backbone": backbone, EVIL: EVIL}
        record = dataclasses.replace(
            record,
            **fields,
            run=f"{EVIL}{seed}",
            arguments=arguments,
            notes=[EVIL, f"{EVIL} {seed}"],
        )
        run = folder / "runs" / f"sta-{seed}"
        write_json(run / "records" / "x.json", dataclasses.asdict(record))
        training = {"persons": EVIL, "tracklets": EVIL, "epochs": EVIL, "seconds": EVIL}
        write_json(run / "run.json", {"training": training})
    fake.fail(folder, method=EVIL, recipe=EVIL, dataset=EVIL, split=EVIL, seed=EVIL)
    write_json(folder / "runs" / "y-1" / "failure.json", {"stage": EVIL, "reason": EVIL})
    (folder / "runs" / "z<script>-2").mkdir()
    trial = {"number": 0, "state": "complete", "values": {EVIL: EVIL}, "validation_mAP": 0.5}
    method = {"trials": [trial], "chosen": {EVIL: EVIL}, "default_validation_mAP": 0.5}
    method |= {"chosen_validation_mAP": 0.6, "spent": {"trials": 1, "clips": 1, "hours": 1}}
    space = {"name": EVIL, "parameters": {EVIL: {"kind": "log", "low": 1, "high": 2}}}
    study = {"study": EVIL, "space": space, "budget": {EVIL: EVIL}, "methods": {EVIL: method}}
    write_json(folder / "tuning" / "one.json", study)
    points = [{"value": v, "dataset": "x", "fingerprint": "y"} for v in (1, 2)]
    write_json(run / "sweeps" / "evil.json", {"knob": EVIL, "points": points})
    report = build([folder], out, ("md", "html", "tex", "csv", "json"))
    assert not report.problems
    return {path.suffix: path.read_text() for path in report.reports}


def test_the_traps_are_in_every_format(made):
    for text in made.values():
        assert "evil" in text


def test_markdown_holds_no_foreign_element_link_or_picture(made):
    tokens = MarkdownIt("commonmark").enable("table").parse(made[".md"])
    html = [t.content for t in tokens if t.type == "html_block"]
    for token in tokens:
        for child in token.children or ():
            assert child.type != "link_open"
            if child.type == "image":
                assert re.fullmatch(r"(?:[\w.+%-]+/)?[\w.+%-]+\.png", child.attrs["src"])
            html += [child.content] if child.type == "html_inline" else []
    assert html and all(
        re.fullmatch(r"(</?(sub|details|summary|code)>|[^<>])*", line.strip()) for line in html
    )
    assert not any("evil" in line for line in html)


def test_markdown_s_tables_keep_their_columns(made):
    tokens = MarkdownIt("commonmark").enable("table").parse(made[".md"])
    widths, width = [], 0
    for token in tokens:
        if token.type == "tr_open":
            width = 0
        elif token.type in ("td_open", "th_open"):
            width += 1
        elif token.type == "tr_close":
            widths[-1].add(width)
        elif token.type == "table_open":
            widths.append(set())
    assert widths and all(len(of_table) == 1 for of_table in widths)


def test_the_page_has_no_foreign_script_picture_or_handler(made):
    class Reader(HTMLParser):
        found: list = []  # noqa: RUF012

        def handle_starttag(self, tag, attrs):
            self.found.append((tag, dict(attrs)))

    reader = Reader()
    reader.feed(made[".html"])
    assert len([tag for tag, _ in reader.found if tag == "script"]) == 3
    images = [attrs["src"][:16] for tag, attrs in reader.found if tag == "img"]
    assert images == ["data:image/webp;"] * 2  # of tuning, light and dark
    assert not [name for _, attrs in reader.found for name in attrs if name.startswith("on")]


def test_latex_runs_no_foreign_command(made):
    for line in made[".tex"].splitlines():
        if line.startswith(("%", r"\resizebox")):
            continue
        assert r"\input" not in line and "^^" not in line
        bare = re.sub(r"\\[&%$#_{}]|\$(\\[a-z]+|-)\$", "", line)  # escaped, and signs of ours
        assert not re.search(r"[$^~#%]", bare), line


def test_csv_and_json_give_the_text_back(made):
    rows = list(csv.DictReader(io.StringIO(made[".csv"])))
    wanted = " ".join(f"{EVIL} method".split())
    assert {row["method"] for row in rows} == {wanted}
    assert {row["method"] for row in json.loads(made[".json"])["results"]} == {wanted}
