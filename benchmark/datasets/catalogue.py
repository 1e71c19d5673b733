"""Opens a data set by name: ``open_dataset("synthetic[occlusion=0.6]")``.

A data set is a function ``name(root, *, knobs)`` that returns a `Dataset`; its name is the
function's.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from benchmark import variants
from benchmark.datasets.base import Dataset
from benchmark.datasets.duke_video import duke_video
from benchmark.datasets.folder import folder
from benchmark.datasets.ilids_vid import ilids_vid
from benchmark.datasets.lsvid import lsvid
from benchmark.datasets.mars import mars
from benchmark.datasets.prid2011 import prid2011
from benchmark.datasets.synthetic.dataset import synthetic
from benchmark.datasets.tabular import csv

DATASETS = (mars, duke_video, ilids_vid, prid2011, lsvid, folder, csv, synthetic)
SELF_MADE = ("synthetic",)  # these need no data root
FILES = ("csv",)  # these may lie in one file
OnProgress = Callable[[str, int, int], None]  # what is done, how much of it, of how much


def open_dataset(
    text: str,
    root: Path | None = None,
    *,
    on_progress: OnProgress | None = None,
    extra: Sequence[Callable] = (),
) -> Dataset:
    """Open the data set that ``text`` names.

    Args:
        text: a variant, e.g. ``mars`` or ``synthetic[occlusion=0.6,seed=3]``.
        root: where the data lie; the synthetic set renders itself into a cache if none is given.
        on_progress: told of long work.
        extra: data set functions of plugins.

    Raises:
        LookupError: no data set, or no knob, of that name.
        ValueError: a knob's value does not fit, or no root was given where one is needed.
        FileNotFoundError: data are missing; the message names the first missing thing.
    """
    function, variant = resolve(text, root, extra)
    is_file = variant.name in FILES and root is not None and Path(root).is_file()
    if root is not None and variant.name not in SELF_MADE and not (is_file or Path(root).is_dir()):
        raise FileNotFoundError(
            f"{root} is no folder: --data-root must name the folder that holds {variant.name!r}"
        )
    takes_progress = "on_progress" in variants.parameters(function)
    progress = {"on_progress": on_progress} if takes_progress else {}
    found = function(None if root is None else Path(root), **variant.arguments, **progress)
    if found.splits > 1:  # the splits of a data set go by one name; which one, `split` says
        kept = {key: value for key, value in variant.arguments.items() if key != "split"}
        variant = variants.Variant(variant.name, kept)
    return replace(found, name=str(variant))


def resolve(
    text: str, root: Path | None = None, extra: Sequence[Callable] = ()
) -> tuple[Callable, variants.Variant]:
    """The function and the canonical variant of a data set, without looking at any file.

    Raises:
        LookupError: no data set, or no knob, of that name.
        ValueError: a knob's value does not fit, or no root was given where one is needed.
    """
    known = {function.__name__: function for function in (*DATASETS, *extra)}
    asked = variants.parse(text)
    function = variants.choose(asked.name, known, "data set")
    knobs = variants.parameters(function)
    for name in ("root", "on_progress"):  # no knobs of the data
        knobs.pop(name, None)
    if root is None and asked.name not in SELF_MADE:
        raise ValueError(f"data set {asked.name!r} needs --data-root DIR: the folder that holds it")
    checked = variants.checked(asked.arguments, knobs, asked.name)
    return function, variants.Variant(asked.name, checked)
