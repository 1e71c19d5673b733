import pytest

from reports.analysis.groups import groups
from reports.analysis.summary import lead, sentences, spread_of
from reports.read.results import collect


@pytest.fixture
def tested(empty, fake):
    """Writes records with per-query files, from the AP of each query, and gives their group."""

    def tested(**ap):
        for method, of_seeds in ap.items():
            for seed, values in enumerate(of_seeds):
                fake.scored(empty, method, seed, values)
        (found,) = groups(collect([empty]).frame, resamples=500)
        return found

    return tested


LOW, HIGH = [0.25, 0.3125, 0.375, 0.25] * 10, [0.75, 0.8125, 0.875, 0.75] * 10
MIXED = [0.25, 0.8125, 0.375, 0.875] * 10


def test_the_best_is_computed_and_named_with_its_interval(tested):
    text = " ".join(sentences(tested(sta=[LOW, LOW], nvan=[HIGH, HIGH])))
    assert "By mAP `nvan` is best at 79.7 % (78.9 to 80.5); the next is `sta`, 50.0 points" in text
    assert "By R1 `nvan` is best at 100.0 %; the next is `sta`, 100.0 points lower (every" in text


def test_a_difference_that_may_be_none_is_said_to_be_not_distinguishable(tested):
    almost = [value + (0.0625, -0.125)[i // 2 % 2] for i, value in enumerate(MIXED)]
    found = tested(sta=[almost] * 2, nvan=[MIXED] * 2, stenvan=[LOW] * 2)
    told = lead(found.rows, "mAP")
    assert (told.best, *told.close[0][:1], *told.beaten[0][:1]) == (("nvan",), "sta", "stenvan")
    assert told.close[0].low <= 0 < told.close[0].by < told.close[0].high
    text = sentences(found)[0]
    assert "not distinguishable from" in text and "the nearest that is behind is `stenvan`" in text


def test_with_one_seed_near_equals_are_not_ranked(tested):
    almost = [value + (0.0625, -0.125)[i // 2 % 2] for i, value in enumerate(MIXED)]
    text = sentences(tested(sta=[almost], nvan=[MIXED], stenvan=[LOW]))[0]
    assert text.startswith(
        "By mAP no best method is named: `nvan` and `sta` cannot be told apart, and with one seed "
        "each they are not ranked; the highest is 57.8 %"
    )
    assert "the nearest that is behind `nvan` is `stenvan`" in text and "is best" not in text
    mixed = sentences(tested(nvan=[MIXED, MIXED]))[0]  # now `sta` alone ran once
    assert "and with one seed of `sta` they are not ranked" in mixed


def test_what_did_not_converge_is_named_with_the_reason_and_on_no_front(group, fake, empty):
    found = group(fake.record("sta", score=0.6), fake.record("nvan", score=0.8))
    rows = found.rows.assign(
        convergence=[("collapsed", "still rising"), ()], on_fronts=[False, True]
    )
    text = " ".join(sentences(found._replace(rows=rows)))
    assert (
        "Not converged, so left out of the Pareto fronts: `nvan` (collapsed, still rising)." in text
    )
    assert "On the Pareto front of mAP against GMACs and against latency: `sta`." in text
    kept = " ".join(sentences(found._replace(rows=rows.assign(on_fronts=True))))
    assert "Not converged: `nvan`" in kept and "latency: `nvan`." in kept


def test_without_per_query_files_nothing_is_said_to_be_tested(group, fake):
    found = group(*fake.seeds("sta", [0.70, 0.74]), *fake.seeds("nvan", [0.71, 0.745]))
    assert lead(found.rows, "mAP").unknown == ("sta",)
    text = sentences(found)[0]
    assert text == "By mAP `nvan` is best at 72.8 %; not tested against it: `sta`."


def test_best_by_map_and_by_r1_may_be_two_methods(group, fake):
    found = group(
        fake.record("sta", metrics={"mAP": 0.8, "R1": 0.8}),
        fake.record("nvan", metrics={"mAP": 0.7, "R1": 0.9}),
    )
    text = " ".join(sentences(found))
    assert "By mAP `sta` is best at 80.0 %" in text and "By R1 `nvan` is best at 90.0 %" in text


def test_with_one_seed_nothing_is_said_of_others(group, fake):
    text = " ".join(sentences(group(fake.record("sta", score=0.6), fake.record("nvan"))))
    assert "With one seed nothing is known of other seeds" in text


def test_a_method_run_once_among_others_is_named(group, fake):
    found = group(*fake.seeds("sta", [0.60, 0.61]), fake.record("nvan"))
    assert "nothing is known of other seeds: `nvan`." in " ".join(sentences(found))


def test_exact_equals_are_both_named(group, fake):
    found = group(*fake.seeds("sta", [0.7, 0.7]), *fake.seeds("nvan", [0.7, 0.7]))
    assert "By mAP `nvan` and `sta` are best, exactly equal, at 70.0 %" in sentences(found)[0]


def test_one_method_alone_is_compared_with_nothing(group, fake):
    text = " ".join(sentences(group(fake.record("sta"))))
    assert "Only `sta` was scored, mAP 70.0 %" in text and "best" not in text


def test_the_pareto_front_is_named(group, fake):
    slow, fast = ({"latency_ms": ms, "latency_iqr_ms": 0.1} for ms in (9.0, 5.0))
    found = group(
        fake.record("sta", score=0.6, cost={**fake.cost, "gmacs": 5.0, **slow}),
        fake.record("nvan", score=0.8, cost={**fake.cost, "gmacs": 9.0, **fast}),
    )
    text = " ".join(sentences(found))
    assert "On the Pareto front of mAP against GMACs: `nvan` and `sta`." in text
    assert "On the Pareto front of mAP against latency: `nvan`." in text


def test_own_recipes_are_said_to_be_part_of_the_ranking(group, fake):
    found = group(fake.record("sta", recipe="paper/sta"), fake.record("nvan", recipe="paper/nvan"))
    assert "ranks method and recipe as one" in sentences(found)[0]


@pytest.mark.parametrize(
    ("cells", "between"),
    [
        ([(0, 0)], "between seeds"),
        ([(0, 0), (0, 1)], "between seeds"),
        ([(0, 0), (1, 0)], "between splits"),
        ([(0, 0), (1, 1)], "between splits and seeds"),
    ],
)
def test_the_spread_is_named_after_what_varies(group, fake, cells, between):
    assert spread_of(group(*(fake.record(split=s, seed=n) for s, n in cells))) == between
