"""The families of methods: a page each, the papers that it tells of, and the methods on it."""

from typing import NamedTuple

from benchmark.published.bibliography import PAPERS, Paper

# page -> keys of the papers; a baseline's paper stands with the family that compares with it
PAGES = {
    "stenvan": ("stenvan",),
    "sta": ("sta",),
    "nlam": ("nlam",),
    "resnet3d": ("resnet3d",),
    "ap3d": ("ap3d",),
    "cosam": ("cosam",),
    "tclnet": ("tclnet",),
    "bicnet": ("bicnet",),
    "psta": ("psta",),
    "sinet": ("sinet", "sanet"),
    "tf_clip": ("tf_clip", "clip"),
}


class Family(NamedTuple):
    """One page."""

    key: str
    papers: tuple[Paper, ...]

    @property
    def methods(self) -> tuple[str, ...]:
        """Names of its methods."""
        return tuple(method for paper in self.papers for method in paper.methods)


def families() -> list[Family]:
    """Every page with its papers.

    Raises:
        ValueError: a paper stands on no page.
    """
    by_key = {paper.key: paper for paper in PAPERS}
    homeless = by_key.keys() - {key for keys in PAGES.values() for key in keys}
    if homeless:
        raise ValueError(f"papers without a page: {sorted(homeless)}; add them to {__name__}.PAGES")
    return [Family(page, tuple(by_key[key] for key in keys)) for page, keys in PAGES.items()]


def page_of(method: str) -> str | None:
    """The page that tells of a method; None for one that is not ours."""
    name = method.partition("[")[0]
    return next((one.key for one in families() if name in one.methods), None)
