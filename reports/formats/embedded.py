"""Pictures that lie in a page itself: film strips, and figures drawn once for each theme."""

import base64
import io
from collections.abc import Callable

import numpy as np
from matplotlib import image
from matplotlib.figure import Figure

from reports.figures import film_strips
from reports.figures.dark import darken
from reports.read.inspection import Strip

_SHOWN = 128  # pixels of a frame on the page
_QUALITY = 80  # of WebP


def drawn(caption: str, draw: Callable[[], Figure]) -> dict:
    """A figure for light and dark pages, with its width in CSS pixels."""
    figure = draw()
    light = _pixels(figure)
    width = round(light.shape[1] * 100 / figure.dpi)
    sources = {"light": webp(light), "dark": webp(_pixels(darken(figure)))}
    return {"caption": caption, "width": width, "height": _height(light, width), **sources}


def _height(pixels: np.ndarray, width: int) -> int:
    return round(pixels.shape[0] * width / pixels.shape[1])


def _pixels(figure: Figure) -> np.ndarray:
    file = io.BytesIO()
    figure.savefig(file, format="png", facecolor=figure.get_facecolor())
    file.seek(0)
    return image.imread(file)


def strip(of: Strip) -> dict:
    """The frames of a track side by side."""
    frames, height, width, _ = of.frames.shape
    film = np.full((height, frames * (width + 2) - 2, 3), 255, np.uint8)
    for i, frame in enumerate(of.frames):
        film[:, i * (width + 2) : i * (width + 2) + width] = frame
    return {
        "kind": of.kind,
        "caption": film_strips.caption(of),
        "alt": f"{frames} frames of {film_strips.person_text(of)}",
        "source": webp(film),
        "width": round(film.shape[1] * _SHOWN / height),
        "height": _SHOWN,
    }


def webp(pixels: np.ndarray) -> str:
    """A picture as an address that holds it."""
    file = io.BytesIO()
    image.imsave(file, pixels, format="webp", pil_kwargs={"quality": _QUALITY, "method": 4})
    return f"data:image/webp;base64,{base64.b64encode(file.getvalue()).decode()}"
