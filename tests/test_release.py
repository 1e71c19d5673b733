"""One version everywhere, and a citation that tools can read."""

import configparser
import datetime
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

import zoo

ROOT = Path(__file__).parent.parent
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
SECTIONS = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.M)
RELEASE = re.compile(r"(\d+\.\d+\.\d+) \((\d{4}-\d{2}-\d{2})\)")
# of the schema 1.2.0: what must be there, and what we use of the rest
REQUIRED = {"authors", "cff-version", "message", "title"}
USED = {"abstract", "date-released", "keywords", "license", "type", "version"}


def is_released():
    return re.fullmatch(r"\d+\.\d+\.\d+", zoo.__version__) is not None


def test_the_version_stands_in_one_place_and_the_package_takes_it_from_there():
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    assert setup["metadata"]["version"] == "attr: zoo.__version__"
    assert re.fullmatch(r"\d+\.\d+\.\d+(\.dev0)?", zoo.__version__)


def test_a_release_has_a_dated_section_first_and_work_towards_one_does_not():
    first, *others = SECTIONS
    if is_released():
        assert first.startswith(f"{zoo.__version__} (")
    else:
        assert first == "Unreleased"
    for section in others if not is_released() else SECTIONS:
        found = RELEASE.fullmatch(section)
        assert found, f"{section!r}: expected VERSION (YEAR-MONTH-DAY)"
        datetime.date.fromisoformat(found[2])


def test_every_tag_has_its_section():
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("no git repository here")
    command = [git, "tag", "--list", "v*"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    released = {f"v{section.partition(' ')[0]}" for section in SECTIONS}
    assert set(listed.stdout.split()) <= released


def test_the_citation_is_of_this_version():
    assert CITATION["version"] == zoo.__version__
    assert ("date-released" in CITATION) == is_released()
    if is_released():
        assert f"{zoo.__version__} ({CITATION['date-released']})" == SECTIONS[0]


def test_the_citation_has_the_fields_of_its_schema():
    assert set(CITATION) >= REQUIRED and set(CITATION) <= REQUIRED | USED
    assert CITATION["cff-version"] == "1.2.0" and CITATION["type"] in ("software", "dataset")
    texts = [CITATION[name] for name in ("message", "title", "abstract", "license", "version")]
    assert all(isinstance(text, str) and text.strip() for text in (*texts, *CITATION["keywords"]))
    for author in CITATION["authors"]:
        assert set(author) <= {"name"} or {"family-names"} <= set(author)


def test_the_citation_has_the_licence_of_the_package():
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    assert CITATION["license"] == setup["metadata"]["license"]
