"""Small data made on the spot, shared by all tests."""

import sys

import numpy as np
import pytest
import torch
from PIL import Image

# the smallest network that every method of the first road accepts, and a recipe that trains it in a
# second
TINY = {
    "init": "none",
    "channels": (4, 8, 8, 8),
    "layers": (1, 2, 3, 1),
    "height": 64,
    "width": 32,
    "ids_per_batch": 2,
    "clips_per_id": 2,
    "epochs": 2,
}
TINY_SET = [
    item
    for key, value in TINY.items()
    for item in (
        "--set",
        f"{key}={'+'.join(map(str, value)) if isinstance(value, tuple) else value}",
    )
]


def command(*words):
    """Run `zoo` with these words in this process; its status."""
    from zoo.cli.app import main

    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as stop:
        patch.setattr(sys, "argv", ["zoo", *map(str, words)])
        main()
    return stop.value.code


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """Tests run side by side, and another number of threads rounds in another way."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def people(tmp_path_factory):
    """A folder data set: 4 training and 3 test persons, 2 cameras, 2 to 9 frames."""
    root = tmp_path_factory.mktemp("people")
    rng = np.random.default_rng(0)
    colours = rng.integers(40, 215, (7, 2, 3))
    for person, (upper, lower) in enumerate(colours):
        for camera in (1, 2):
            part = "train" if person < 4 else ("query" if camera == 1 else "gallery")
            for tracklet in range(2 if person < 4 else 1):
                folder = root / part / f"p{person}" / f"c{camera}_{tracklet}"
                folder.mkdir(parents=True)
                for frame in range(2 + (3 * person + tracklet) % 8):
                    draw_person(folder / f"{frame:03d}.jpg", upper, lower, camera, rng)
    return root


def draw_person(path, upper, lower, camera, rng):
    """Two blocks of colour on a noisy ground, 64×32."""
    image = rng.normal(120, 20, (64, 32, 3))
    image[16:36, 8:24] = upper
    image[36:60, 10:22] = lower
    image += rng.normal(0, 8, image.shape) + np.array([0, 15 * (camera - 1), 0])
    Image.fromarray(image.clip(0, 255).astype(np.uint8)).save(path, quality=90)
