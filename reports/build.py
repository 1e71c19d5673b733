"""From result folders to a report and its figures, in an order that never leaves a dead link."""

import dataclasses
import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmark.files import write_text, write_whole
from benchmark.progress import SILENT, Progress
from reports.analysis.convergence import with_verdicts
from reports.analysis.groups import Group, groups
from reports.figures import inspected as inspections
from reports.figures.film_strips import save
from reports.figures.pictures import GENERATED, Picture, all_figures
from reports.formats import exports, html, latex, markdown
from reports.read.inspection import Inspection
from reports.read.results import Failure, Results, collect

FORMATS = ("md", "html", "tex", "csv", "json")
DEFAULT = ("md", "html")
_PICTURES = {"md": ".png", "tex": ".pdf"}  # what the figures of a format are written as


@dataclass(frozen=True, kw_only=True)
class Report:
    """What was made.

    Attributes:
        path: the report in the first format.
        reports: the report in every format.
        written: every file written, the reports last.
        problems: a line for each file that could not be used.
        failures: runs that failed.
        tables: what is ranked, as every format shows it.
    """

    path: Path
    reports: tuple[Path, ...]
    written: tuple[Path, ...]
    problems: tuple[str, ...]
    failures: tuple[Failure, ...]
    tables: tuple[Group, ...]


def build(
    folders: Sequence[Path],
    out: Path,
    formats: Sequence[str] = DEFAULT,
    *,
    keep_unconverged: bool = False,
    progress: Progress = SILENT,
) -> Report:
    """Read the result folders and write the report into ``out``.

    Figures come first and what links to them last; what an earlier report drew and this one does
    not is removed after that. The same records give the same bytes.

    Args:
        folders: result folders; several are merged.
        out: where to write.
        formats: of `FORMATS`.
        keep_unconverged: let methods that did not converge stand on Pareto fronts.
        progress: told of intervals and figures.

    Raises:
        ValueError: there is neither a record, a failed run nor a study, or no such format.
    """
    unknown = [name for name in formats if name not in FORMATS]
    if unknown or not formats:
        raise ValueError(f"format {', '.join(unknown) or 'missing'}: expected {', '.join(FORMATS)}")
    results = with_verdicts(collect(folders))
    if results.frame.empty and not results.failures and not results.studies:
        where = ", ".join(str(folder) for folder in folders) or "no folder"
        problems = "".join(f"; {problem}" for problem in results.problems[:3])
        raise ValueError(f"no records to report on below {where}{problems}")
    out = Path(out)
    progress.advance("intervals", 0, 1)
    tables = groups(results.frame, keep_unconverged=keep_unconverged)
    progress.advance("intervals", 1, 1)
    inspected, problems = inspections.read(results)
    results = dataclasses.replace(results, problems=(*results.problems, *problems))
    pictures, written = _draw(results, tables, inspected, out, formats, progress)
    texts: dict[str, Callable[[], str]] = {
        "csv": lambda: exports.to_csv(exports.frame(tables)),
        "json": lambda: exports.to_json(tables),
        "tex": lambda: latex.render(results, tables, pictures),
        "html": lambda: html.render(results, tables, inspected),
        "md": lambda: markdown.render(results, tables, pictures),
    }
    written += _write({n: text for n, text in texts.items() if n in formats}, out, progress)
    if "csv" in formats:
        written.append(out / "published.csv")
        write_text(written[-1], exports.to_csv(exports.published(tables)))
    _remove_outdated(out, written, formats)
    return Report(
        path=out / f"report.{formats[0]}",
        reports=tuple(out / f"report.{name}" for name in dict.fromkeys(formats)),
        written=tuple(written),
        problems=results.problems,
        failures=results.failures,
        tables=tuple(tables),
    )


def _write(texts: dict[str, Callable[[], str]], out: Path, progress: Progress) -> Iterator[Path]:
    """Write the report in each format; yields the files."""
    for name, text in texts.items():
        progress.advance(f"report.{name}", 0, 1)
        write_text(out / f"report.{name}", text())
        progress.advance(f"report.{name}", 1, 1)
        yield out / f"report.{name}"


def _draw(
    results: Results,
    tables: Sequence[Group],
    inspected: Sequence[tuple[Path, Inspection]],
    out: Path,
    formats: Sequence[str],
    progress: Progress,
) -> tuple[list[Picture], list[Path]]:
    """Draw what the formats need: PNG for Markdown, PDF for LaTeX."""
    endings = [end for name, end in _PICTURES.items() if name in formats]
    pictures: list[Picture] = []
    written: list[Path] = []
    if not endings:
        return pictures, written

    figures = list(all_figures(results, tables))
    for done, (picture, draw) in enumerate(figures, start=1):
        figure = draw()
        for end in endings:
            written.append((out / picture.file).with_suffix(end))
            save(figure, written[-1])
        pictures.append(picture)
        progress.advance("figures", done, len(figures))
    for one in inspections.pictures(inspected) if "md" in formats else ():
        written.append(out / one.picture.file)
        _copy(one, written[-1])
        pictures.append(one.picture)
    return pictures, written


def _copy(one: inspections.InspectedPicture, path: Path) -> None:
    """What `zoo inspect` drew already is not drawn again."""
    if one.source.is_file():
        data = one.source.read_bytes()
        write_whole(path, lambda part: part.write_bytes(data))
    else:
        save(one.draw(), path)


def _remove_outdated(out: Path, written: Iterable[Path], formats: Sequence[str]) -> None:
    """Remove pictures of an earlier report in these formats."""
    made = set(written)
    endings = {end for name, end in _PICTURES.items() if name in formats}
    for old in _generated(out, endings):
        if old not in made:
            old.unlink()
            if old.parent != out and not any(old.parent.iterdir()):
                old.parent.rmdir()


def _generated(out: Path, endings: Collection[str]) -> list[Path]:
    """Pictures in ``out`` that a report wrote, this one or an earlier one."""
    found = [*out.glob("*.*"), *out.glob("*/*.*")] if out.is_dir() else []
    return sorted(
        path
        for path in found
        if path.suffix in endings
        and GENERATED.fullmatch(path.relative_to(out).as_posix())
        and path.is_file()
    )


def stale(
    folders: Sequence[Path],
    out: Path,
    formats: Sequence[str] = DEFAULT,
    *,
    keep_unconverged: bool = False,
) -> list[str]:
    """What of the report in ``out`` is not what these records give now, one line each.

    The report is made again in a temporary folder and compared, byte by byte.

    Raises:
        ValueError: as `build`.
    """
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder) / "report"
        made = build(folders, fresh, formats, keep_unconverged=keep_unconverged).written
        out, found = Path(out), []
        for path in made:
            old = out / path.relative_to(fresh)
            if not old.is_file():
                found.append(f"{old} is missing")
            elif old.read_bytes() != path.read_bytes():
                found.append(f"{old} is not what the records give now")
        wanted = {out / path.relative_to(fresh) for path in made}
        endings = {path.suffix for path in made} & set(_PICTURES.values())
        found += [
            f"{old} belongs to an older report"
            for old in _generated(out, endings)
            if old not in wanted
        ]
    return found
