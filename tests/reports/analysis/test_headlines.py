import pytest

from reports.analysis.groups import groups
from reports.analysis.headlines import headline, plain_headline, title_of
from reports.read.results import collect


@pytest.mark.parametrize(
    ("recipe", "selection", "words"),
    [
        ("quick", None, "shared recipe `quick`"),
        ("paper/sta", None, "each method's own recipe"),
        ("quick[lr=0.1]", "tuned: study one", "tuned for each method, from `quick`"),
    ],
)
def test_the_level_of_comparison_stands_in_the_heading(empty, fake, recipe, selection, words):
    fake.write(empty, fake.record(recipe=recipe, selection=selection))
    (group,) = tables = groups(collect([empty]).frame)
    assert headline(group.key, tables) == f"`synthetic` · {words} · `{fake.label}`"
    assert "`" not in plain_headline(group.key, tables)


def test_default_and_tuned_records_are_never_in_one_table(empty, fake):
    fake.write(empty, fake.record("sta"))
    fake.write(empty, fake.record("sta", recipe="quick[lr=0.1]", selection="tuned: one"))
    fake.write(empty, fake.record("nvan", recipe="quick[lr=0.2]", selection="tuned: one"))
    found = groups(collect([empty]).frame)
    assert [(g.key.level, sorted(g.rows["method"])) for g in found] == [
        ("shared", ["sta"]),
        ("tuned", ["nvan", "sta"]),
    ]


def test_a_report_is_called_after_its_methods_and_data_sets(empty, fake):
    assert title_of([]) == "No results"
    fake.write(empty, fake.record("a`b"))
    assert title_of(groups(collect([empty]).frame)) == "``a`b`` on `synthetic`"
    fake.write(empty, fake.record("c", dataset="mars"))
    assert title_of(groups(collect([empty]).frame)) == "2 methods on `mars` and `synthetic`"
