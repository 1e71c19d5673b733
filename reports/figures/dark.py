"""A drawn figure for a dark page: white and grey are turned over, colours and photographs stay.

What lies on the frames of a film is left as it is: it was chosen to be read there.
"""

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import Collection
from matplotlib.colors import to_hex, to_rgba
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.text import Text

PAPER, INK = "#14181d", "#e8ecf1"
_GREY = 0.06  # how far the channels of a grey may lie apart
_DIMMEST = 0.6  # how light a colour is at least


def darken(figure: Figure) -> Figure:
    """Turn a figure over, in place; it is returned."""
    figure.set_facecolor(PAPER)
    for text in figure.texts:
        _turn_text(text)
    for legend in figure.legends:
        for text in legend.get_texts():
            _turn_text(text)
        for handle in legend.legend_handles:
            _turn(handle)
    for axes in figure.axes:
        _darken_axes(axes)
    return figure


def _darken_axes(axes: Axes) -> None:
    axes.set_facecolor(PAPER)
    axes.tick_params(which="both", colors=INK, grid_color="#39424d")
    for text in (axes.xaxis.label, axes.yaxis.label, axes.title, axes._left_title):
        _turn_text(text)
    for spine in axes.spines.values():
        spine.set_edgecolor("#a9b3bf")
    for text in axes.texts:
        if not (axes.images and _is_inside(axes, text)):
            _turn_text(text)
    for line in axes.lines:
        if line.get_label() == "gap":  # between the frames of a film
            line.set_color(PAPER)
    if not axes.images:
        for artist in (*axes.lines, *axes.collections, *axes.patches):
            _turn(artist)


def _is_inside(axes: Axes, text: Text) -> bool:
    """Whether a text lies on the picture of its axes, or has a ground of its own."""
    if text.get_bbox_patch() is not None:
        return True
    if not axes.axison:  # strips with words between them
        return False
    x, y = text.get_position()
    (left, right), (bottom, top) = sorted(axes.get_xlim()), sorted(axes.get_ylim())
    return left <= x <= right and bottom <= y <= top


def _turn_text(text: Text) -> None:
    text.set_color(turned(text.get_color()))


def _turn(artist: Artist) -> None:
    if isinstance(artist, Line2D):
        artist.set_color(turned(artist.get_color()))
        for part in ("markerfacecolor", "markeredgecolor"):
            colour = getattr(artist, f"get_{part}")()
            if not isinstance(colour, str) or colour not in ("none", "auto"):
                getattr(artist, f"set_{part}")(turned(colour))
    elif isinstance(artist, Collection):
        artist.set_facecolor([turned(colour) for colour in artist.get_facecolor()])
    elif isinstance(artist, Patch):
        artist.set_edgecolor(turned(artist.get_edgecolor()))
        artist.set_facecolor(turned(artist.get_facecolor()))


def turned(colour: object) -> str:
    """A grey from white to black as one from the page's ground to its ink; deep colours lighter."""
    red, green, blue, alpha = to_rgba(colour)
    if max(red, green, blue) - min(red, green, blue) > _GREY:
        light = 0.3 * red + 0.6 * green + 0.1 * blue
        up = max(0.0, _DIMMEST - light)  # a deep blue would be lost on a dark ground
        mixed = [one + up * (1 - one) for one in (red, green, blue)]
        return to_hex((*mixed, alpha), keep_alpha=True)
    share = (red + green + blue) / 3  # 1 is white, which becomes the ground
    ends = zip(to_rgba(INK)[:3], to_rgba(PAPER)[:3], strict=True)
    mixed = [ink + share * (paper - ink) for ink, paper in ends]
    return to_hex((*mixed, alpha), keep_alpha=True)
