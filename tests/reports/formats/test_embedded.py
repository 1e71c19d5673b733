import base64
import io

import numpy as np
from PIL import Image

from reports.figures.style import new_figure
from reports.formats import embedded


def opened(source):
    return Image.open(io.BytesIO(base64.b64decode(source.partition("base64,")[2])))


def test_a_figure_is_drawn_for_a_light_and_for_a_dark_page():
    made = embedded.drawn("what it shows", lambda: new_figure((4, 3), 1, "title")[0])
    light, dark = (np.asarray(opened(made[theme]).convert("L")) for theme in ("light", "dark"))
    assert light.shape == dark.shape and light[-1, -1] > 250 and dark[-1, -1] < 40
    assert (made["width"], made["height"], made["caption"]) == (400, 300, "what it shows")


def test_a_strip_holds_its_frames_and_says_whose_they_are(fake):
    made = embedded.strip(fake.strip("wrong", rank=2, pid=9, distance=0.25))
    assert opened(made["source"]).size == (4 * 8 + 3 * 2, 16)
    assert made["kind"] == "wrong" and made["alt"] == "4 frames of person 9"
