"""Drawings of the ideas of COSAM, TCLNet, BiCnet-TKS, PSTA, SINet and TF-CLIP."""

from collections.abc import Callable

from generate.drawing import CELL, COLUMNS, ROWS, Drawing, Heat

WIDE, HIGH = CELL * COLUMNS, CELL * ROWS


def _body(r: int, c: int) -> float:
    return 0.6 if 1 <= r <= 5 and 1 <= c <= 2 else 0


def _cosam() -> Drawing:
    d = Drawing(
        720,
        230,
        "Every cell is compared with all cells of the other frames. What the frames have in common "
        "passes, the background of one of them does not; then each channel is weighted.",
    )
    for place in range(4):
        d.frame(20 + 64 * place, 55, heat=_body)
        d.rectangle(20 + 64 * place, 55, CELL, CELL * (1 + place), "gone")
    d.text(140, 35, "in common, and not")
    d.arrow(272, 99, 306, 99)
    d.box(310, 66, 128, 66, "correlation with", "(T − 1)·H·W cells")
    d.arrow(440, 99, 468, 99)
    d.box(472, 76, 96, 46, "mask a", "a cell")
    d.arrow(570, 99, 596, 99)
    d.box(600, 76, 110, 46, "1 + w", "a channel")
    d.text(374, 170, "standardised, float32", kind="small")
    d.text(520, 170, "sigmoid: about ½ at first", kind="small")
    return d


def _rows(first: int) -> Heat:
    return lambda r, c: 0.6 if first <= r < first + 2 else 0


def _tclnet() -> Drawing:
    d = Drawing(
        720,
        230,
        "Frames go in pairs. The rows that the first frame's feature answers to are taken out of "
        "the second frame, so that the second learner has to find something else.",
    )
    d.frame(40, 60, heat=_rows(2))
    d.text(62, 40, "first frame")
    d.arrow(92, 104, 150, 104)
    d.box(154, 84, 90, 40, "learner 1")
    d.arrow(246, 104, 300, 104, "accent")
    d.text(273, 92, "where?", kind="accent")
    d.frame(316, 60, heat=_rows(2))
    d.text(338, 40, "second frame")
    d.arrow(368, 104, 424, 104)
    d.text(396, 92, "erase", kind="small")
    d.frame(436, 60, heat=_rows(5))
    d.rectangle(436, 60 + 2 * CELL, WIDE, 2 * CELL, "gone")
    d.arrow(488, 104, 532, 104)
    d.box(536, 84, 90, 40, "learner 2")
    d.arrow(199, 128, 199, 176)
    d.arrow(581, 128, 581, 176)
    d.box(154, 180, 472, 34, "two halves of the embedding, a head each")
    return d


def _bicnet() -> Drawing:
    d = Drawing(
        720,
        240,
        "One frame in four keeps its size, the others go through the same network at half of it. "
        "Paths hand details from large to small; in time, kernels of two lengths compete.",
    )
    d.frame(30, 44, cell=15)
    d.text(60, 184, "1 large", kind="small")
    for place in range(3):
        d.frame(130 + 52 * place, 84, cell=8)
        d.text(146 + 52 * place, 166, "small", kind="small")
    d.arrow(280, 104, 320, 104)
    for stage in range(3):
        x = 324 + 92 * stage
        d.box(x, 50, 74, 34, f"stage {stage + 1}")
        d.box(x, 124, 74, 34, f"stage {stage + 1}")
        d.arrow(x + 37, 86, x + 37, 122, "accent")
        if stage:
            d.arrow(x - 16, 67, x - 2, 67)
            d.arrow(x - 16, 141, x - 2, 141)
    d.text(452, 34, "the same weights, twice")
    d.text(452, 184, "paths from large to small", kind="small")
    d.arrow(584, 104, 612, 104)
    d.box(616, 70, 94, 68, "time: 3 taps", "or 3 wide ones,", "softmax")
    return d


def _psta() -> Drawing:
    d = Drawing(
        720,
        270,
        "Pairs of frames are merged by what they have in common and by what stands out in each; "
        "three times, from eight frames to one. Every level has a head in training.",
    )
    centres = [50 + 80 * place for place in range(8)]
    for x in centres:
        d.frame(x - 16, 14, cell=8)
    y = 84
    for level, count in enumerate((4, 2, 1)):
        merged = [(centres[2 * i] + centres[2 * i + 1]) / 2 for i in range(count)]
        for i, x in enumerate(merged):
            d.arrow(centres[2 * i], y, x - 6, y + 22)
            d.arrow(centres[2 * i + 1], y, x + 6, y + 22)
            d.rectangle(x - 34, y + 26, 68, 28, "hot", 0.25 + 0.2 * level)
            d.rectangle(x - 34, y + 26, 68, 28, "edge")
            d.text(x, y + 45, f"level {level + 1}", kind="small")
        centres, y = merged, y + 60
    d.text(640, 200, "gates from affinities", kind="small")
    d.text(640, 218, "of cells and channels", kind="small")
    return d


def _sinet() -> Drawing:
    d = Drawing(
        720,
        240,
        "Early frames show what is salient; a kernel made of them finds the same in the late "
        "frames and damps it there, so that they look at the rest. Then both learn of each other.",
    )

    def found(r: int, c: int) -> float:
        return 0.8 if 2 <= r <= 3 and 1 <= c <= 2 else 0

    def rest(r: int, c: int) -> float:
        return 0.45 if r in (1, 4, 5, 6) and 1 <= c <= 2 else 0

    for place in range(2):
        d.frame(24 + 60 * place, 60, heat=found)
    d.text(76, 40, "early: salient")
    d.arrow(136, 104, 176, 104)
    d.box(180, 78, 92, 52, "3 × 3", "kernel")
    d.arrow(274, 104, 312, 104, "accent")
    for place in range(2):
        d.frame(318 + 60 * place, 60, heat=found)
    d.text(370, 40, "late: it answers here")
    d.arrow(430, 104, 470, 104)
    d.text(450, 92, "damp", kind="small")
    for place in range(2):
        d.frame(478 + 60 * place, 60, heat=rest)
    d.text(530, 40, "late: broad")
    d.arrow(592, 104, 620, 104)
    d.box(622, 84, 90, 40, "exchange")
    d.text(226, 166, "one for each group of four frames", kind="small")
    d.text(530, 166, "down to e⁻⁵, never up", kind="small")
    return d


def _tf_clip() -> Drawing:
    d = Drawing(
        720,
        250,
        "Each frame goes through CLIP's image tower and gets a memory token. Memories exchange "
        "what they hold between frames, and each is diffused to the tokens of its own frame.",
    )
    for place in range(4):
        x = 30 + 92 * place
        d.frame(x, 30, heat=lambda r, c: 0.15)
        d.arrow(x + 22, 122, x + 22, 142)
        d.rectangle(x + 4, 146, 36, 24, "hot", 0.7)
        d.rectangle(x + 4, 146, 36, 24, "edge")
        if place:
            d.arrow(x - 50, 158, x + 2, 158, "accent")
            d.arrow(x + 2, 164, x - 50, 164, "accent")
    d.text(190, 18, "tokens of the frames")
    d.text(190, 196, "one memory a frame: attention between frames", kind="small")
    d.arrow(368, 158, 410, 130)
    d.arrow(368, 74, 410, 100)
    d.box(414, 88, 130, 54, "memory back", "to the tokens")
    d.arrow(546, 115, 578, 115)
    d.box(582, 88, 128, 54, "f₁, f₂, f₃", "concatenated")
    d.text(560, 196, "in training also against one memory a person", kind="small")
    return d


LATER: dict[str, Callable[[], Drawing]] = {
    "cosam": _cosam,
    "tclnet": _tclnet,
    "bicnet": _bicnet,
    "psta": _psta,
    "sinet": _sinet,
    "tf_clip": _tf_clip,
}
