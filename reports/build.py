"""From result folders to report.md and its figures, in an order that never leaves a dead link."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure

from benchmark.record import hash_of, write_text, write_whole
from reports import figures
from reports.markdown import Picture, headline, render
from reports.summary import conditions, records_by_name
from reports.tables import Failure, Group, Key, Results, collect, groups

_OURS = re.compile(r"(map-gmacs|map-latency|cmc|training)-[\w.+-]*-[0-9a-f]{12}\.png")


@dataclass(frozen=True, kw_only=True)
class Report:
    """What was made.

    Attributes:
        path: report.md.
        written: every file written, report.md last.
        problems: a line for each file that could not be used.
        failures: runs that failed.
    """

    path: Path
    written: tuple[Path, ...]
    problems: tuple[str, ...]
    failures: tuple[Failure, ...]


def build(folders: Sequence[Path], out: Path) -> Report:
    """Read the result folders and write report.md with its figures into ``out``.

    Figures come first and report.md last; what an earlier report drew and this one does not is
    removed after that. The same records give the same bytes.

    Raises:
        ValueError: there is neither a record nor a failed run.
    """
    results = collect(folders)
    if results.frame.empty and not results.failures:
        where = ", ".join(str(folder) for folder in folders) or "no folder"
        problems = "".join(f"; {problem}" for problem in results.problems[:3])
        raise ValueError(f"no records to report on below {where}{problems}")
    out, pictures = Path(out), []
    for picture, figure in _drawn(results):
        _save(figure, out / picture.file)
        pictures.append(picture)
    path = out / "report.md"
    write_text(path, render(results, pictures))
    made = {picture.file for picture in pictures}
    for old in out.iterdir():
        if _OURS.fullmatch(old.name) and old.name not in made and old.is_file():
            old.unlink()
    return Report(
        path=path,
        written=(*(out / picture.file for picture in pictures), path),
        problems=results.problems,
        failures=results.failures,
    )


def _save(figure: Figure, path: Path) -> None:
    """PNG without the name and version of what drew it, so that equal figures are equal files."""
    metadata = {"Software": None}
    write_whole(path, lambda part: figure.savefig(part, format="png", metadata=metadata))


def _drawn(results: Results) -> Iterator[tuple[Picture, Figure]]:
    """Every figure that has something to show, one at a time."""
    tables = groups(results.frame)
    looks = figures.styles(name for group in tables for name in group.rows["name"])
    for group in tables:
        rows, title = group.rows, headline(group.key, tables).replace("`", "")
        for cost, short, words in (
            ("gmacs", "map-gmacs", "computation"),
            ("latency_ms", "map-latency", "latency"),
        ):
            shown = rows[rows[cost].notna() & rows["mAP"].notna()]
            alike = cost != "latency_ms" or len(conditions(group)) == 1
            if len(shown) > 1 and alike:
                caption = f"mAP against {words}.{_absent(group, shown['name'])}"
                yield (
                    Picture(group.key, _file(short, group.key), caption),
                    figures.tradeoff(rows, cost, looks, title),
                )
        shown = rows[rows["cmc"].notna()]
        if len(shown):
            mean = ", mean over runs" * bool((rows["runs"] > 1).any())
            caption = f"CMC curves{mean}.{_absent(group, shown['name'])}"
            picture = Picture(group.key, _file("cmc", group.key), caption)
            yield picture, figures.cmc(rows, looks, title)
    yield from _curves(results, tables, looks)


def _absent(group: Group, shown: Sequence[str]) -> str:
    absent = [name for name in group.rows["name"] if name not in set(shown)]
    return f" Not measured, so not shown: {', '.join(absent)}." if absent else ""


def _curves(
    results: Results, tables: Sequence[Group], looks: dict[str, figures.Style]
) -> Iterator[tuple[Picture, Figure]]:
    """One figure a data set and recipe: training knows nothing of labels."""
    for key in dict.fromkeys(group.key._replace(label="") for group in tables):
        runs: dict[str, str] = {}
        for group in tables:
            if group.key._replace(label="") == key:
                for name, records in records_by_name(group):
                    runs |= {run: runs.get(run, name) for run in records["run"]}
        logs: dict[str, list] = {}
        for run, name in runs.items():
            log = results.log(run)
            if len(log):
                logs.setdefault(name, []).append(log)
        if logs:
            title = headline(key, tables).replace("`", "")
            several = any(len(of_one) > 1 for of_one in logs.values())
            caption = (
                f"Training, {title}. " + "Thick: mean over runs; thin: single runs. " * several
            )
            caption += "Losses have other parts in other methods, so only their course compares."
            picture = Picture(key, _file("training", key), caption)
            yield picture, figures.training(logs, looks, title)


def _file(kind: str, key: Key) -> str:
    """A name that is the same for the same table, and another for another."""
    words = re.sub(r"[^\w.+]+", "-", "-".join((key.dataset, key.training, key.label))).strip("-")
    return f"{kind}-{words[:70].strip('-')}-{hash_of(list(key))}.png"
