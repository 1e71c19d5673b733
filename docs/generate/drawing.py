"""A small canvas for the drawings of ideas: SVG that takes its colours from the page's theme."""

from collections.abc import Callable
from html import escape

CELL = 11  # edge of a frame's cell, in units of the drawing
ROWS, COLUMNS = 8, 4

Heat = Callable[[int, int], float]


class Drawing:
    """An SVG that grows by calls; x to the right, y down.

    Args:
        width: of the drawing.
        height: of the drawing.
        title: what it shows, for readers who do not see it.
    """

    def __init__(self, width: int, height: int, title: str):
        self.width, self.height, self.title = width, height, title
        self._parts: list[str] = []

    def text(
        self, x: float, y: float, words: str, *, anchor: str = "middle", kind: str = ""
    ) -> None:
        """Words on the line y; ``kind`` is ``small``, ``accent`` or nothing."""
        self._parts.append(
            f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" class="{kind}">'
            f"{escape(words)}</text>"
        )

    def rectangle(
        self, x: float, y: float, width: float, height: float, kind: str = "box", heat: float = 1
    ) -> None:
        """``kind`` is ``box``, ``hot`` (filled as strongly as ``heat``), ``edge`` or ``gone``."""
        strength = f' fill-opacity="{heat:.2f}"' if kind == "hot" else ""
        self._parts.append(
            f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" class="{kind}"'
            f"{strength}/>"
        )

    def box(self, x: float, y: float, width: float, height: float, *lines: str) -> None:
        """A step of the computation, its name in the middle."""
        self._parts.append(
            f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="5" class="box"/>'
        )
        first = y + height / 2 + 4 - 8 * (len(lines) - 1)
        for place, line in enumerate(lines):
            self.text(x + width / 2, first + 16 * place, line)

    def arrow(self, x1: float, y1: float, x2: float, y2: float, kind: str = "") -> None:
        """From the first point to the second; ``kind`` is ``accent``, ``faint`` or nothing."""
        head = "" if kind == "faint" else ' marker-end="url(#head)"'
        self._parts.append(
            f'<line x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}" class="line {kind}"{head}/>'
        )

    def frame(
        self,
        x: float,
        y: float,
        *,
        heat: Heat | None = None,
        cell: float = CELL,
        rows: int = ROWS,
        columns: int = COLUMNS,
    ) -> tuple[float, float]:
        """A person in an image, under the cells of its map; ``heat`` fills cells, from 0 to 1.

        Returns:
            Width and height of what was drawn.
        """
        width, height = columns * cell, rows * cell
        middle, unit = x + width / 2, height / 16
        self._parts.append(
            f'<g class="person"><circle cx="{middle:g}" cy="{y + 2.2 * unit:g}" '
            f'r="{1.5 * unit:g}"/>'
            f'<rect x="{middle - 2.1 * unit:g}" y="{y + 4 * unit:g}" width="{4.2 * unit:g}" '
            f'height="{5.5 * unit:g}" rx="{unit:g}"/>'
            f'<rect x="{middle - 1.8 * unit:g}" y="{y + 9 * unit:g}" width="{1.5 * unit:g}" '
            f'height="{6.4 * unit:g}"/><rect x="{middle + 0.3 * unit:g}" y="{y + 9 * unit:g}" '
            f'width="{1.5 * unit:g}" height="{6.4 * unit:g}"/></g>'
        )
        for row in range(rows):
            for column in range(columns):
                value = heat(row, column) if heat else 0
                at = (x + column * cell, y + row * cell, cell, cell)
                if value > 0:
                    self.rectangle(*at, "hot", value)
                self.rectangle(*at, "cell")
        self.rectangle(x, y, width, height, "edge")
        return width, height

    def svg(self) -> str:
        """The whole drawing, to stand in a page."""
        return (
            f'<figure class="idea"><svg viewBox="0 0 {self.width} {self.height}" role="img" '
            f'aria-label="{escape(self.title)}"><defs><marker id="head" viewBox="0 0 8 8" refX="7" '
            'refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0 L8 4 L0 8 z" '
            f'class="head"/></marker></defs>{"".join(self._parts)}</svg>'
            f"<figcaption>{escape(self.title)}</figcaption></figure>\n"
        )
