"""The canvas and the drawings of ideas."""

import xml.etree.ElementTree as ET

import pytest
from generate.drawing import Drawing
from generate.families import families
from generate.ideas import IDEAS


def test_every_family_has_a_drawing():
    assert set(IDEAS) == {family.key for family in families()}


@pytest.mark.parametrize("name", sorted(IDEAS))
def test_a_drawing_is_sound_and_stays_on_its_canvas(name):
    drawing = IDEAS[name]()
    root = ET.fromstring(drawing.svg())  # noqa: S314, our own
    for rect in root.iter("rect"):
        x, y, width, height = (float(rect.get(key)) for key in ("x", "y", "width", "height"))
        assert x >= 0 and x + width <= drawing.width, rect.attrib
        assert y >= 0 and y + height <= drawing.height, rect.attrib
    for text in root.iter("text"):
        assert 0 < float(text.get("y")) <= drawing.height, text.text


def test_colours_are_the_theme_s():
    drawing = Drawing(10, 10, "two < three")
    drawing.rectangle(0, 0, 5, 5, "hot", 0.5)
    assert 'class="hot"' in drawing.svg() and "#" not in drawing.svg().replace("#head", "")
    assert "two &lt; three" in drawing.svg()
