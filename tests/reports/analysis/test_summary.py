import dataclasses

import pytest

from reports.analysis.groups import collect, groups
from reports.analysis.summary import cautions, conditions, lead, sentences, spread_of


@pytest.fixture
def group(empty, fake):
    """Writes records and gives their only group."""

    def group(*records):
        for record in records:
            fake.write(empty, record)
        (found,) = groups(collect([empty]).frame)
        return found

    return group


def seeds(fake, method, scores, **changes):
    return [fake.record(method, seed=i, score=score, **changes) for i, score in enumerate(scores)]


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
    assert "By R1 `nvan` is best at 100.0 % (100.0 to 100.0)" in text


def test_a_difference_that_may_be_none_is_said_to_be_not_distinguishable(tested):
    almost = [value + (0.0625, -0.125)[i // 2 % 2] for i, value in enumerate(MIXED)]
    found = tested(sta=[almost], nvan=[MIXED], stenvan=[LOW])
    told = lead(found.rows, "mAP")
    assert (told.best, *told.close[0][:1], *told.beaten[0][:1]) == (("nvan",), "sta", "stenvan")
    assert told.close[0].low <= 0 < told.close[0].by < told.close[0].high
    text = sentences(found)[0]
    assert "not distinguishable from" in text and "the nearest that is behind is `stenvan`" in text


def test_without_per_query_files_nothing_is_said_to_be_tested(group, fake):
    found = group(*seeds(fake, "sta", [0.70, 0.74]), *seeds(fake, "nvan", [0.71, 0.745]))
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
    found = group(*seeds(fake, "sta", [0.60, 0.61]), fake.record("nvan"))
    assert "nothing is known of other seeds: `nvan`." in " ".join(sentences(found))


def test_exact_equals_are_both_named(group, fake):
    found = group(fake.record("sta"), fake.record("nvan"))
    assert "By mAP `nvan` and `sta` are best, exactly equal, at 70.0 %" in sentences(found)[0]


def test_one_method_alone_is_compared_with_nothing(group, fake):
    text = " ".join(sentences(group(fake.record("sta"))))
    assert "Only `sta` was scored, mAP 70.0 %" in text and "best" not in text


def test_the_pareto_front_is_named(group, fake):
    found = group(
        fake.record("sta", score=0.6, cost={**fake.cost, "gmacs": 5.0, "latency_ms": 9.0}),
        fake.record("nvan", score=0.8, cost={**fake.cost, "gmacs": 9.0, "latency_ms": 5.0}),
    )
    text = " ".join(sentences(found))
    assert "On the Pareto front of mAP against GMACs: `nvan` and `sta`." in text
    assert "On the Pareto front of mAP against latency: `nvan`." in text


def test_latencies_of_two_machines_are_not_compared(group, fake):
    other = {**fake.environment, "processor": "another"}
    found = group(fake.record("sta"), fake.record("nvan", environment=other))
    assert len(conditions(found)) == 2
    assert any("compare them not at all" in line for line in cautions(found))
    assert "against latency" not in " ".join(sentences(found))


def test_own_recipes_are_said_to_be_part_of_the_ranking(group, fake):
    found = group(fake.record("sta", recipe="paper/sta"), fake.record("nvan", recipe="paper/nvan"))
    assert "ranks method and recipe as one" in sentences(found)[0]


def test_uneven_seeds_are_a_caution_and_even_ones_are_not(group, fake):
    even = [*seeds(fake, "sta", [0.6, 0.7]), *seeds(fake, "nvan", [0.6, 0.7])]
    assert cautions(group(*even)) == []
    (line,) = cautions(group(fake.record("late", seed=5)))
    assert "`late`: seed 5" in line and "seeds 0, 1" in line


def test_two_runs_of_one_seed_are_a_caution(group, fake):
    twin = dataclasses.replace(fake.record("sta"), run="feedfeedfeed")
    assert "Several runs share one seed" in cautions(group(fake.record("sta"), twin))[0]


def test_clips_of_two_sizes_are_a_caution(group, fake):
    short = fake.record("nvan", cost={**fake.cost, "frames": 4})
    assert any("clips differ in size" in line for line in cautions(group(fake.record(), short)))


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
