"""Links of the built site: each leads to a page, a file or a place that is there.

python docs/generate/links.py docs/_build/html
"""

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

EXTERNAL = {"http", "https", "mailto", "data", "javascript"}


class Page(HTMLParser):
    """The links and places of one page.

    Attributes:
        links: addresses that it leads to.
        loads: addresses that a browser fetches to show it.
        places: ids that links can name.
    """

    def __init__(self, text: str):
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.places: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what a tag names."""
        found = {name: value for name, value in attrs if value}
        self.places |= {found[name] for name in ("id", "name") if name in found}
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        if tag == "link" and "stylesheet" in found.get("rel", ""):
            self.loads.append(found["href"])
        if tag in ("img", "script", "source", "iframe") and "src" in found:
            self.loads.append(found["src"])


def broken(site: Path) -> list[str]:
    """Links that lead nowhere and what is loaded from elsewhere, a line each.

    Args:
        site: folder of the built pages; reports that were copied into it are no pages of ours.
    """
    paths = [path for path in sorted(site.rglob("*.html")) if "example" not in path.parts]
    pages = {path.resolve(): Page(path.read_text(encoding="utf-8")) for path in paths}
    faults = []
    for path, page in pages.items():
        name = path.relative_to(site.resolve())
        for address in page.loads:
            if urlsplit(address).scheme in EXTERNAL - {"data"} or address.startswith("//"):
                faults.append(f"{name}: loads {address} from the network")
        for address in (*page.links, *page.loads):
            if fault := _fault(address, path, pages):
                faults.append(f"{name}: {fault}")
    return faults


def _fault(address: str, path: Path, pages: dict[Path, Page]) -> str | None:
    parts = urlsplit(address)
    if parts.scheme in EXTERNAL or parts.netloc:
        return None
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if target.is_dir():
        target /= "index.html"
    if not target.exists():
        return f"{address} leads nowhere"
    place = unquote(parts.fragment)
    if place and target in pages and place not in pages[target].places:
        return f"{address} names no place on its page"
    return None


if __name__ == "__main__":
    found = broken(Path(sys.argv[1]))
    print("\n".join(found) or "every link inside the site leads somewhere")
    sys.exit(bool(found))
