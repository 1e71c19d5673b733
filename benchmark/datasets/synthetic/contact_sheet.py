"""A picture of the synthetic data set to look at: film strips of persons and of each nuisance."""

import dataclasses
import json
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from benchmark.datasets.base import DISTRACTOR, JUNK, Dataset, Tracklet
from benchmark.datasets.storage import open_file, path_of
from benchmark.datasets.synthetic.dataset import MANIFEST
from benchmark.datasets.synthetic.people import people
from benchmark.datasets.synthetic.render import PASSERS
from benchmark.datasets.synthetic.scene import film
from benchmark.datasets.synthetic.tracks import Knobs, shots_of
from benchmark.files import write_whole

PEOPLE_SHOWN, STRIPS, FRAMES_SHOWN = 10, 4, 5
SEVERITIES = (
    ("occlusion", 0.0),
    ("occlusion", 0.4),
    ("occlusion", 0.8),
    ("misalignment", 0.8),
    ("noise", 0.8),
)


def contact_sheet(dataset: Dataset, path: Path) -> None:
    """Write one PNG of film strips: persons by camera, strangers, bad boxes, and each nuisance.

    Args:
        dataset: a synthetic one with at least three test persons.
        path: of the picture.
    """
    folder = path_of(dataset.test[0].folder).parents[1]
    knobs = Knobs(**json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["knobs"])
    rows = {}
    for pid in list(dict.fromkeys(dataset.test[row].pid for row in dataset.query))[:PEOPLE_SHOWN]:
        rows[f"person {pid}"] = [t for t in dataset.test if t.pid == pid]
    rows["distractor"] = [t for t in dataset.test if t.pid == DISTRACTOR][::7]
    rows["junk"] = [t for t in dataset.test if t.pid == JUNK]
    strips = [
        [(f"{who}, camera {t.camid}", _frames_of(t)) for t in sorted(found, key=len)[-STRIPS:]]
        for who, found in rows.items()
    ]
    shots = sorted(shots_of(knobs)["test"], key=lambda shot: (shot.pid > 0, shot.length))[-STRIPS:]
    passers = people(knobs.seed, "passers", PASSERS)
    for knob, value in SEVERITIES:
        clean = dataclasses.replace(knobs.settings, occlusion=0.0, misalignment=0.0, noise=0.0)
        filmed = dataclasses.replace(clean, **{knob: value})
        strips.append([(f"{knob} {value}", list(film(shot, filmed, passers))) for shot in shots])
    write_whole(path, lambda part: _draw_strips(strips, knobs.size).save(part, "PNG"))


def _frames_of(tracklet: Tracklet) -> list[Image.Image]:
    frames = (open_file(tracklet.path(frame)) for frame in range(len(tracklet)))
    return [Image.open(frame).convert("RGB") for frame in frames]


def _draw_strips(rows: list[list[tuple[str, list[Image.Image]]]], size: int) -> Image.Image:
    width, caption = FRAMES_SHOWN * (size // 2) + 8, max(9, size // 9)
    sheet = Image.new("RGB", (STRIPS * width, len(rows) * (size + caption + 4)), "white")
    draw = ImageDraw.Draw(sheet)
    for y, strips in enumerate(rows):
        top = y * (size + caption + 4)
        for x, (text, frames) in enumerate(strips):
            draw.text((x * width, top), text, "black", ImageFont.load_default(caption - 2))
            shown = np.linspace(0, len(frames) - 1, min(FRAMES_SHOWN, len(frames))).round()
            for place, frame in enumerate(shown.astype(int)):
                sheet.paste(frames[frame], (x * width + place * (size // 2), top + caption))
    return sheet
