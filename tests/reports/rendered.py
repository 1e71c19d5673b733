"""A report on records as Markdown, and its tables read back by a Markdown parser."""

from markdown_it import MarkdownIt

from reports.analysis.groups import groups
from reports.formats import markdown as page


def render(results):
    return page.render(results, groups(results.frame))


def tables_of(markdown):
    """Every table as a list of rows of cells, read by a Markdown parser."""
    tables, row = [], None
    for token in MarkdownIt("commonmark").enable("table").parse(markdown):
        if token.type == "table_open":
            tables.append([])
        elif token.type == "tr_open":
            row = []
            tables[-1].append(row)
        elif token.type == "inline" and row is not None:
            row.append(token.content)
        elif token.type == "table_close":
            row = None
    return tables


def column(markdown, title, number=0):
    """The cells below a title of the n-th table that has it."""
    head, *rows = [table for table in tables_of(markdown) if title in table[0]][number]
    return [row[head.index(title)] for row in rows]
