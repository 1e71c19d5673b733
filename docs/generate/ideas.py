"""A drawing of each family's idea; none of them is a measurement."""

from collections.abc import Callable
from math import exp

from generate.drawing import CELL, COLUMNS, ROWS, Drawing, Heat
from generate.later_ideas import LATER

WIDE, HIGH = CELL * COLUMNS, CELL * ROWS  # of a frame


def blob(row: float, column: float, *, spread: float = 2.0, most: float = 0.75) -> Heat:
    """Heat that falls off around a cell."""

    def heat(r: int, c: int) -> float:
        value = most * exp(-((r - row) ** 2 + (c - column) ** 2) / (2 * spread))
        return value if value > 0.04 else 0

    return heat


def stenvan() -> Drawing:
    """Non-local attention, and its two reductions."""
    d = Drawing(
        720,
        290,
        "A cell of one frame takes a weighted sum over all cells of all frames (left). STE-NVAN "
        "lets horizontal stripes stand for cells, and merges neighbouring frames (right).",
    )
    heats = [blob(3, 1), blob(3, 2), blob(3, 1), blob(4, 2)]
    for place in range(4):
        d.frame(20 + 72 * place, 60, heat=heats[place])
        d.text(42 + 72 * place, 168, f"frame {place + 1}", kind="small")
    cell = (20 + 72 + 1.5 * CELL, 60 + 3.5 * CELL)
    for x, y in ((42, 99), (187, 99), (264, 108)):
        d.arrow(x, y, *cell, "accent")
    d.text(165, 35, "softmax(θᵀφ) over T·H·W cells")
    d.text(165, 200, "then W, batch norm from zero, and + x", kind="small")
    d.arrow(345, 104, 395, 104)
    for place in range(4):
        x = 410 + 72 * place
        d.frame(x, 60)
        for stripe in range(4):
            d.rectangle(x, 60 + 2 * CELL * stripe, WIDE, 2 * CELL, "hot", 0.12 + 0.14 * stripe)
            d.rectangle(x, 60 + 2 * CELL * stripe, WIDE, 2 * CELL, "edge")
    d.text(540, 35, "stripes: S of them a frame, not H·W cells")
    for pair in range(2):
        left = 432 + 144 * pair
        d.arrow(left, 152, left + 34, 196)
        d.arrow(left + 72, 152, left + 38, 196)
        d.box(left - 14, 200, 100, 28, "max of a pair")
    d.arrow(468, 232, 536, 256)
    d.arrow(612, 232, 544, 256)
    d.text(540, 276, "T → T/2 → T/4 frames", kind="small")
    return d


def sta() -> Drawing:
    """Blocks scored by their energy, and the two ways in which they are fused."""
    d = Drawing(
        720,
        250,
        "Each frame is cut into horizontal blocks, and a block is scored by its share of the "
        "features' energy. One half of the result takes each block from its best frame, the other "
        "is the weighted sum.",
    )
    scores = [
        (0.6, 0.1, 0.2, 0.1),
        (0.1, 0.6, 0.1, 0.3),
        (0.2, 0.1, 0.1, 0.5),
        (0.1, 0.2, 0.6, 0.1),
    ]
    for place, blocks in enumerate(scores):
        x = 20 + 92 * place
        d.frame(x, 70)
        for block, score in enumerate(blocks):
            y = 70 + 2 * CELL * block
            d.rectangle(x, y, WIDE, 2 * CELL, "hot", score)
            d.rectangle(x, y, WIDE, 2 * CELL, "edge")
            d.text(x + WIDE + 5, y + 15, f".{round(10 * score)}", anchor="start", kind="small")
        d.text(x + 22, 178, f"frame {place + 1}", kind="small")
    d.text(180, 40, "scores S(n, k): over the frames, each block sums to 1")
    d.arrow(392, 95, 440, 75)
    d.arrow(392, 135, 440, 160)
    d.frame(450, 20)
    for block in range(4):
        d.rectangle(450, 20 + 2 * CELL * block, WIDE, 2 * CELL, "hot", 0.6)
        d.rectangle(450, 20 + 2 * CELL * block, WIDE, 2 * CELL, "edge")
        d.text(
            502,
            35 + 2 * CELL * block,
            f"of frame {(1, 2, 4, 3)[block]}",
            anchor="start",
            kind="small",
        )
    d.frame(450, 130, heat=lambda r, c: 0.3)
    d.text(502, 178, "Σ S · f", anchor="start", kind="small")
    d.arrow(580, 64, 620, 100)
    d.arrow(560, 174, 620, 130)
    d.box(622, 95, 88, 40, "pool, FC")
    d.text(472, 235, "F₁ above, F₂ below", kind="small")
    return d


def nlam() -> Drawing:
    """Attention between the blocks, and between whole frames."""
    d = Drawing(
        720,
        240,
        "NLAM: attention over all cells of the clip, then one weight a channel. NLTP: frames "
        "compared as whole vectors, and a mean of what each takes from the others.",
    )
    for place in range(3):
        d.frame(16 + 56 * place, 60, heat=blob(2 + 2 * place, 1.5, spread=3))
    d.text(95, 40, "a clip's maps")
    d.arrow(182, 104, 212, 104)
    d.box(216, 78, 96, 52, "NLAM", "cells")
    d.arrow(314, 104, 340, 104)
    d.box(344, 78, 96, 52, "NLAM", "channels")
    for channel in range(8):
        d.rectangle(
            350 + 11 * channel, 144, 9, 26, "hot", (0.8, 0.2, 0.5, 0.1, 0.9, 0.3, 0.6, 0.2)[channel]
        )
    d.text(392, 190, "weight a channel", kind="small")
    d.arrow(442, 104, 474, 104)
    for row in range(4):
        for column in range(4):
            near = 0.75 - 0.2 * abs(row - column)
            d.rectangle(480 + 22 * row, 62 + 22 * column, 22, 22, "hot", near)
            d.rectangle(480 + 22 * row, 62 + 22 * column, 22, 22, "edge")
    d.text(524, 40, "NLTP: T × T frames")
    d.arrow(574, 104, 606, 104)
    d.box(610, 84, 100, 40, "mean")
    d.text(264, 190, "softmax over T·H·W", kind="small")
    d.text(524, 190, "dot product, no softmax", kind="small")
    return d


def resnet3d() -> Drawing:
    """The factorised kernel, and non-local blocks behind every other block."""
    d = Drawing(
        720,
        230,
        "A 3 × 3 × 3 kernel as a kernel in time followed by one in space, started from the 2D "
        "network's; behind every other block of stages 2 and 3 stands a non-local one.",
    )
    for place in range(3):
        d.frame(30 + 60 * place, 50, heat=lambda r, c: 0.5 if 2 <= r <= 4 and 0 < c < 4 else 0)
    d.text(112, 34, "3 × 3 × 3")
    d.text(222, 100, "=")
    for place in range(3):
        d.frame(246 + 60 * place, 50, heat=lambda r, c: 0.6 if (r, c) == (3, 2) else 0)
    d.text(328, 34, "3 × 1 × 1 in time")
    d.text(436, 100, "then")
    d.frame(470, 50, heat=lambda r, c: 0.5 if 2 <= r <= 4 and 0 < c < 4 else 0)
    d.text(492, 34, "1 × 3 × 3")
    for place, name in enumerate(("block", "NL", "block", "block", "NL")):
        d.box(30 + 98 * place, 178, 70, 34, name)
        if place:
            d.arrow(2 + 98 * place, 195, 28 + 98 * place, 195)
    d.arrow(494, 195, 530, 195)
    d.text(536, 199, "bottleneck, 512 dimensions", anchor="start", kind="small")
    return d


def ap3d() -> Drawing:
    """Neighbours aligned cell by cell before a filter in time."""
    d = Drawing(
        720,
        250,
        "People move between frames, so that a filter in time mixes different things. AP3D first "
        "builds each neighbour anew from its own most similar cells, cell by cell, then filters.",
    )
    d.frame(30, 60, heat=blob(2, 0))
    d.frame(130, 60, heat=lambda r, c: 0.8 if (r, c) == (3, 2) else 0)
    d.frame(230, 60, heat=blob(4, 3))
    for place, name in enumerate(("t − 1", "t", "t + 1")):
        d.text(52 + 100 * place, 170, name, kind="small")
    d.arrow(45, 88, 152, 98, "accent")
    d.arrow(265, 110, 162, 100, "accent")
    d.text(152, 36, "softmax(4 · cosine) over a neighbour's cells")
    d.arrow(296, 104, 340, 104)
    for place in range(3):
        d.frame(356 + 66 * place, 60, heat=lambda r, c: 0.8 if (r, c) == (3, 2) else 0)
    d.text(444, 36, "aligned, and gated")
    d.text(444, 170, "now one cell is one thing", kind="small")
    d.arrow(546, 104, 580, 104)
    d.box(584, 74, 120, 60, "3 × 1 × 1", "starts at zero")
    d.text(644, 170, "added to the frame's map", kind="small")
    d.text(360, 222, "the ladder: c2d → i3d, p3d → ap_i3d, ap3d → ap3d_nl", kind="small")
    return d


IDEAS: dict[str, Callable[[], Drawing]] = {
    "stenvan": stenvan,
    "sta": sta,
    "nlam": nlam,
    "resnet3d": resnet3d,
    "ap3d": ap3d,
    **LATER,
}
