"""From a comparison to its files: compare.md, compare.html and a folder of pictures."""

import re
from collections.abc import Sequence
from pathlib import Path

from benchmark.files import write_text
from benchmark.significance import RESAMPLES
from reports.analysis.comparing import differences
from reports.figures.film_strips import save
from reports.formats import comparison as pages
from reports.read.compared import Compared

FORMATS = ("md", "html")
PICTURES = "compare"  # their folder
_OURS = re.compile(
    r"(differences|ap-against-ap|distances|tracklet-length|query-\d{5}|attention-\d{5}-[\w-]+)\.png"
)


def write(
    of: Compared, out: Path, formats: Sequence[str] = FORMATS, resamples: int = RESAMPLES
) -> list[Path]:
    """Write the pages into ``out``; returns the files, the pages last.

    Pictures come first and what links to them last; pictures of an earlier comparison that this one
    does not have are removed after that. The same numbers give the same bytes.

    Args:
        of: what is compared.
        out: where to write.
        formats: of `FORMATS`.
        resamples: of each bootstrap.

    Raises:
        ValueError: no such format.
    """
    unknown = [name for name in formats if name not in FORMATS]
    if unknown or not formats:
        raise ValueError(f"format {', '.join(unknown) or 'missing'}: expected {', '.join(FORMATS)}")
    found = pages.parts(of, differences(of.systems, resamples))
    out, written = Path(out), []
    if "md" in formats:
        for shown in (*found.charts, *found.films, *found.attention):
            written.append(out / PICTURES / f"{shown.name}.png")
            save(shown.draw(), written[-1])
    texts = {"md": lambda: pages.to_markdown(found, PICTURES), "html": lambda: pages.to_html(found)}
    for name in formats:
        written.append(out / f"compare.{name}")
        write_text(written[-1], texts[name]())
    if "md" in formats:
        for old in (out / PICTURES).glob("*.png"):
            if _OURS.fullmatch(old.name) and old not in written:
                old.unlink()
    return written
