import dataclasses
import re

import pytest

from reports.comparison import write


def test_the_pages_and_their_pictures_are_written_and_every_link_leads_to_one(compared, tmp_path):
    written = write(compared, tmp_path / "out", resamples=50)
    assert [path.name for path in written[-2:]] == ["compare.md", "compare.html"]
    links = re.findall(r"\]\(([^)]+)\)", written[-2].read_text())
    assert links and all((tmp_path / "out" / link).read_bytes()[:4] == b"\x89PNG" for link in links)


def test_pictures_of_an_earlier_comparison_go_and_other_files_stay(compared, tmp_path):
    write(compared, tmp_path, ("md",), resamples=50)
    (tmp_path / "compare" / "my-own.png").write_bytes(b"mine")
    write(dataclasses.replace(compared, films=()), tmp_path, ("md",), resamples=50)
    found = {path.name for path in (tmp_path / "compare").iterdir()}
    assert "my-own.png" in found and not any(name.startswith("query-") for name in found)


def test_an_unknown_format_is_refused(compared, tmp_path):
    with pytest.raises(ValueError, match="expected md, html"):
        write(compared, tmp_path / "out", ("pdf",))
    assert not (tmp_path / "out").exists()
