r"""report.tex: the same tables for a paper, with booktabs; figures lie beside it as PDF.

The file is to be ``\input`` into a document that loads booktabs and graphicx.
"""

from collections.abc import Sequence
from itertools import groupby

from reports.analysis import paper_sheets, sheets
from reports.analysis.cautions import cautions
from reports.analysis.factors import ablations
from reports.analysis.groups import Group
from reports.analysis.headlines import plain_headline
from reports.analysis.intervals import BEST, TIE
from reports.analysis.markup import plain
from reports.analysis.sheets import Cell, Column, Sheet
from reports.analysis.summary import spread_of
from reports.analysis.tuning_sheets import change_sheet, study_sheets
from reports.figures.pictures import Picture
from reports.read.results import Results

_HEAD = r"""% Made by `zoo report --format tex`. In the preamble:
%   \usepackage[T1]{fontenc} \usepackage{booktabs} \usepackage{graphicx}
% Bold: best in its column. Underlined: not distinguishable from the best.
% Tables are ranked by themselves; numbers from two tables do not compare."""
_SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "±": r"$\pm$",
    "−": r"$-$",
    "–": "--",
    "×": r"$\times$",
    "≈": r"$\approx$",
    "λ": r"$\lambda$",
    "·": r"$\cdot$",
    "…": r"\ldots{}",
    "∞": r"$\infty$",
    "†": r"\textsuperscript{\dag}",
    "‡": r"\textsuperscript{\ddag}",
    **{digit: rf"\textsuperscript{{{i}}}" for i, digit in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")},
    **{character: f"\\{character}" for character in "&%$#_{}"},
}


def escape(words: str) -> str:
    """Text that LaTeX prints as it is."""
    return "".join(_SPECIAL.get(character, character) for character in str(words))


def render(results: Results, tables: Sequence[Group], pictures: Sequence[Picture]) -> str:
    """The whole file; the same results give the same text."""
    parts = [_HEAD]
    for group in tables:
        title = plain_headline(group.key, tables)
        warned = [plain(caution) for caution in cautions(group)]
        notes = [*warned, *sheets.accuracy_notes(group, spread_of(group))]
        parts.append(_table(sheets.accuracy(group), f"Accuracy: {title}.", notes))
        costs = sheets.costs(group)
        if costs:
            columns = [sheets.names_column(group), *costs]
            notes = [*sheets.cost_notes(group), *sheets.legend(group), "blank: not measured"]
            parts.append(_table(columns, f"Cost of one clip: {title}.", notes))
        pairs = sheets.better(group)
        if pairs:
            parts.append(_sheet(pairs, title))
        parts += [_sheet(one, title) for one in ablations(group)]
    for study in results.studies:
        parts += [_sheet(sheet, "tuning") for sheet in study_sheets(study)]
    for group in tables:
        changed = change_sheet(group, tables)
        if changed:
            parts.append(_sheet(changed, plain_headline(group.key, tables)))
    for group in paper_sheets.chosen(tables):
        title = plain_headline(group.key, tables)
        for sheet in paper_sheets.sheets(group):
            parts.append(_sheet(sheet, title))
    parts += [_figure(picture) for picture in pictures if picture.section != "inspected"]
    if results.problems:
        parts.append("\n".join(f"% left out: {problem}" for problem in results.problems))
    return "\n\n".join(parts) + "\n"


def _sheet(sheet: Sheet, title: str) -> str:
    return _table(sheet.columns, f"{sheet.title}: {title}.", sheet.notes)


def _table(columns: Sequence[Column], caption: str, notes: Sequence[str]) -> str:
    spec = "".join("r" if column.kind == "number" else "l" for column in columns)
    lines = [
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{escape(caption)}}}\medskip",
        r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
        rf"\begin{{tabular}}{{@{{}}{spec}@{{}}}}",
        r"\toprule",
        *_headers(columns),
        " & ".join(escape(column.title) for column in columns) + r" \\",
        r"\midrule",
    ]
    rows = zip(*([_cell(cell, c.kind) for cell in c.cells] for c in columns), strict=True)
    lines += [" & ".join(row) + r" \\" for row in rows]
    small = escape("; ".join(_underlined(note) for note in notes))
    return "\n".join(
        [
            *lines,
            r"\bottomrule",
            r"\end{tabular}}",
            rf"\par\smallskip{{\footnotesize {small}.}}",
            r"\end{table}",
        ]
    )


def _underlined(note: str) -> str:
    return note.replace("≈:", "underlined:").removesuffix(".")


def _headers(columns: Sequence[Column]) -> list[str]:
    """What neighbouring columns have in common, with a rule below."""
    if not any(column.header for column in columns):
        return []
    cells, rules, at = [], [], 1
    for header, found in groupby(columns, key=lambda column: column.header):
        width = len(list(found))
        cells.append(rf"\multicolumn{{{width}}}{{c}}{{{escape(header)}}}")
        if header:
            rules.append(rf"\cmidrule(lr){{{at}-{at + width - 1}}}")
        at += width
    return [" & ".join(cells) + r" \\", " ".join(rules)]


def _cell(cell: Cell, kind: str) -> str:
    words = escape(cell.text)
    if kind == "name" and words:
        words = rf"\texttt{{{words}}}"
    words = {BEST: rf"\textbf{{{words}}}", TIE: rf"\underline{{{words}}}"}.get(cell.mark, words)
    return words + escape(cell.sign)


def _figure(picture: Picture) -> str:
    file = picture.file.removesuffix(".png")
    return "\n".join(
        [
            r"\begin{figure}",
            r"\centering",
            rf"\includegraphics[width=\linewidth]{{{file}.pdf}}",
            rf"\caption{{{escape(picture.caption)}}}",
            r"\end{figure}",
        ]
    )
