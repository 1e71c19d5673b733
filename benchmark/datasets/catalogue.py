"""Opens a data set by name: ``open_dataset("synthetic[occlusion=0.6]")``.

A name is ``name[knobs]``, several joined by ``+`` (see `benchmark.datasets.joined`), and then, each
after a colon, which part of it is meant: ``mars:5persons`` (`Dataset.limited`),
``mars:held-out-0-of-5`` (`Dataset.held_out`, also ``…-seed-3``) or ``synthetic:test``, the test
part alone of a set that makes itself.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from benchmark import variants
from benchmark.datasets.base import Dataset
from benchmark.datasets.duke_video import DUKE_VIDEO
from benchmark.datasets.folder import FOLDER
from benchmark.datasets.ilids_vid import ILIDS_VID
from benchmark.datasets.index import in_pack, indexed
from benchmark.datasets.joined import join
from benchmark.datasets.kind import DatasetKind, as_kind
from benchmark.datasets.lsvid import LSVID
from benchmark.datasets.mars import MARS
from benchmark.datasets.pack import SUFFIX
from benchmark.datasets.packed_path import PackedPath
from benchmark.datasets.prid2011 import PRID2011
from benchmark.datasets.storage import data_root
from benchmark.datasets.synthetic.dataset import SYNTHETIC
from benchmark.datasets.tabular import CSV
from benchmark.progress import SILENT, Progress
from benchmark.variants import Variant

DATASETS = (MARS, DUKE_VIDEO, ILIDS_VID, PRID2011, LSVID, FOLDER, CSV, SYNTHETIC)
Brought = DatasetKind | Callable[..., Dataset]  # what a plugin brings
Root = Path | Mapping[str, Path] | None
TEST = "test"
_LIMITED = re.compile(r"(\d+)persons")
_HELD_OUT = re.compile(r"held-out-(\d+)-of-(\d+)(?:-seed-(\d+))?")


class Name(NamedTuple):
    """A data set's name, taken apart: joined variants, and what is left of them."""

    variants: tuple[Variant, ...]
    suffixes: tuple[str, ...]

    def __str__(self) -> str:
        return ":".join(["+".join(map(str, self.variants)), *self.suffixes])


def open_dataset(
    text: str,
    root: Root = None,
    *,
    progress: Progress = SILENT,
    extra: Sequence[Brought] = (),
    trust_index: bool = True,
    render: bool = True,
) -> Dataset:
    """Open the data set that ``text`` names.

    Args:
        text: e.g. ``mars``, ``synthetic[occlusion=0.6,seed=3]``, ``mars+ilids_vid`` or
            ``mars:held-out-0-of-5`` or ``synthetic:test``.
        root: where the data lie; the synthetic set renders itself into a cache if none is given.
            Of joined sets it is the folder that holds each, under its name or as its layout says;
            or a mapping from names to folders. Each may be a pack (`benchmark.datasets.packing`).
        progress: advances with long work.
        extra: data sets of plugins.
        trust_index: False reads a large copy anew even if nothing seems to have changed.
        render: False makes nothing: a set that would make itself is an outline, without
            fingerprint and with the note `benchmark.datasets.base.OUTLINE`.

    Raises:
        LookupError: no data set, or no knob, of that name.
        ValueError: a knob's value does not fit, or no root was given where one is needed.
        FileNotFoundError: data are missing; the message names the first missing thing.
    """
    name = parse_name(text)
    several = len(name.variants) > 1
    test_only = name.suffixes[:1] == (TEST,)
    if test_only and name_of_test_part(str(name), extra) is None:
        raise ValueError(f"{text!r}: its test part is not read alone: leave out :{TEST}")
    found = []
    for variant in name.variants:
        where = _root_of(find_kind(variant.name, extra), root, several)
        kind, variant = resolve(str(variant), where, extra)
        opened = _open(kind, variant, where, progress, trust_index, test_only, render)
        found.append(opened)
    dataset = found[0]
    if several:
        others = [name_of_split(one.name, one.split) for one in found[1:]]
        dataset = join(found, "+".join([dataset.name, *others]))
    for suffix in name.suffixes[test_only:]:
        dataset = derive(dataset, suffix)
    return dataset


def resolve(
    text: str, root: Path | None = None, extra: Sequence[Brought] = ()
) -> tuple[DatasetKind, Variant]:
    """The kind and the canonical variant of one data set, without looking at any file.

    Raises:
        LookupError: no data set, or no knob, of that name.
        ValueError: a knob's value does not fit, or no root was given where one is needed.
    """
    kind = find_kind(variants.parse(text).name, extra)
    if root is None and not kind.self_made:
        raise ValueError(f"data set {kind.name!r} needs --data-root DIR: the folder that holds it")
    return kind, canonical(text, extra)


def canonical(text: str, extra: Sequence[Brought] = ()) -> Variant:
    """One data set's name in its one form; errors are those of `resolve`."""
    asked = variants.parse(text)
    kind = find_kind(asked.name, extra)
    return Variant(kind.name, variants.checked(asked.arguments, kind.knobs, kind.name))


def name_of_test_part(text: str, extra: Sequence[Brought] = ()) -> str | None:
    """What the test part of a data set is called where it is had alone; None where it is not.

    Raises:
        LookupError: no data set of that name.
    """
    name = parse_name(text)
    alone = len(name.variants) == 1 and find_kind(name.variants[0].name, extra).has_test_alone
    return str(name._replace(suffixes=(TEST, *name.suffixes))) if alone else None


def find_kind(name: str, extra: Sequence[Brought] = ()) -> DatasetKind:
    """What is known of the data set of that name, without knobs or suffixes.

    Raises:
        LookupError: there is none.
        ValueError: two have the same name.
    """
    known: dict[str, DatasetKind] = {}
    for kind in (*DATASETS, *map(as_kind, extra)):
        if known.setdefault(kind.name, kind).open is not kind.open:
            raise ValueError(
                f"two data sets are called {kind.name!r}: {kind.open.__module__} must rename its "
                "own"
            )
    return variants.choose(name, known, "data set")


def parse_name(text: str) -> Name:
    """Take a data set's name apart; the inverse of ``str``.

    Raises:
        ValueError: it is no name.
    """
    whole, *suffixes = _split(text.strip(), ":")
    return Name(tuple(map(variants.parse, _split(whole, "+"))), tuple(suffixes))


def name_of_split(name: str, split: int) -> str:
    """The text that opens the given split of the data set called ``name``.

    A `Dataset.name` is the same for all splits: ``prid2011[persons=200]`` and 3 give
    ``prid2011[persons=200,split=3]``; a suffix stays at the end.
    """
    first, *others = parse_name(name).variants
    if split:
        first = Variant(first.name, {**first.arguments, "split": split})
    return str(Name((first, *others), parse_name(name).suffixes))


def is_self_made(name: str) -> bool:
    """True if everything in a data set of this name is rendered here; never so of plugins' sets."""
    ours = {kind.name for kind in DATASETS if kind.self_made}
    return all(variant.name in ours for variant in parse_name(name).variants)


def derive(dataset: Dataset, suffix: str) -> Dataset:
    """The part of a data set that a suffix of its name means.

    Raises:
        ValueError: no such suffix, or there is no such part.
    """
    if limited := _LIMITED.fullmatch(suffix):
        return dataset.limited(int(limited[1]))
    if held_out := _HELD_OUT.fullmatch(suffix):
        return dataset.held_out(*(int(number or 0) for number in held_out.groups()))
    raise ValueError(
        f"{dataset.name}:{suffix} names no part of a data set: expected a suffix like 5persons or "
        "held-out-0-of-5"
    )


def _split(text: str, mark: str) -> list[str]:
    """Split at the marks that stand outside brackets."""
    parts, depth = [""], 0
    for character in text:
        depth += (character == "[") - (character == "]")
        if character == mark and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return parts


def _root_of(kind: DatasetKind, root: Root, several: bool) -> Path | None:
    """Where one of several data sets lies."""
    if root is None:
        return None
    if isinstance(root, Mapping):
        return data_root(root[kind.name]) if kind.name in root else None
    root = data_root(root)
    beside = (root / kind.name, root / f"{kind.name}{SUFFIX}")
    found = next(filter(Path.is_dir, map(data_root, beside)), None) if several else None
    if several and (found or kind.self_made):
        return found
    return root


def _open(
    kind: DatasetKind,
    variant: Variant,
    root: Path | None,
    progress: Progress,
    trust: bool,
    test_only: bool,
    render: bool,
) -> Dataset:
    there = kind.self_made or root.is_dir() or (kind.one_file and root.is_file())
    if not there:
        raise FileNotFoundError(
            f"{root} is no folder: --data-root must name the folder, or pack, that holds "
            f"{kind.name!r}"
        )

    def read() -> Dataset:
        return kind.read(root, variant.arguments, progress, test_only=test_only, render=render)

    if test_only:
        found = read()
    elif isinstance(root, PackedPath):
        found = in_pack(root, str(variant), read, trust=trust)
    elif kind.sources is None or root is None:
        found = read()
    else:
        found = indexed(root, str(variant), kind.sources(root), read, trust=trust)
    if found.splits > 1:  # the splits of a data set go by one name; which one, `split` says
        kept = {key: value for key, value in variant.arguments.items() if key != "split"}
        variant = Variant(variant.name, kept)
    return replace(found, name=f"{variant}:{TEST}" if test_only else str(variant))
