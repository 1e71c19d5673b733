"""Pictures of inspected queries that a report shows."""

import re
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import NamedTuple

from matplotlib.figure import Figure

from reports.figures import film_strips
from reports.figures.pictures import Picture
from reports.read import inspection
from reports.read.results import Results

MOST = 30  # inspected queries in a report


def read(results: Results) -> tuple[list[tuple[Path, inspection.Inspection]], list[str]]:
    """Inspected queries with their files, at most `MOST`; problems in words."""
    found, problems = [], []
    for path in results.inspections[:MOST]:
        try:
            found.append((path, inspection.load(path)))
        except ValueError as error:
            short = "/".join(path.parts[-4:])
            problems.append(" ".join(str(error).replace(str(path), short).split()))
    return found, problems


class InspectedPicture(NamedTuple):
    """One picture of an inspected query."""

    picture: Picture
    source: Path  # where `zoo inspect` drew it
    draw: Callable[[], Figure]


def pictures(found: Sequence[tuple[Path, inspection.Inspection]]) -> list[InspectedPicture]:
    """The pictures of inspected queries."""
    made = []
    for path, one in found:
        for end, caption, draw in film_strips.drawn(one):
            protocol = path.parent.name.partition("@")[0]
            others = {other.parent.name for other, _ in found if other.parts[-4] == path.parts[-4]}
            label = path.parent.name if _is_shared(protocol, others) else protocol
            name = f"{path.parts[-4]}-{label}-{path.stem}{end}"
            name = re.sub(r"[^\w.+@()-]", "-", name)
            picture = Picture("inspected", None, f"inspected/{name}.png", caption)
            made.append(InspectedPicture(picture, path.with_name(f"{path.stem}{end}.png"), draw))
    return made


def _is_shared(protocol: str, labels: Collection[str]) -> bool:
    """Whether several labels of a run have one protocol."""
    return sum(label.partition("@")[0] == protocol for label in labels) > 1
