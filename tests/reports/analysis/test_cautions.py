import dataclasses

from reports.analysis.cautions import cautions, conditions, shortened
from reports.analysis.groups import groups
from reports.analysis.summary import sentences
from reports.read.results import collect


def test_latencies_of_two_machines_are_not_compared(group, fake):
    other = {**fake.environment, "processor": "another"}
    found = group(fake.record("sta"), fake.record("nvan", environment=other))
    assert len(conditions(found)) == 2
    assert any("do not compare them" in line for line in cautions(found))
    assert "against latency" not in " ".join(sentences(found))


def test_fewer_than_thirty_test_persons_are_a_caution(empty, fake):
    for persons, told in ((29, True), (30, False)):
        fake.scored(empty, "sta", 0, [0.5, 0.75] * persons)
        (found,) = groups(collect([empty]).frame, 50)
        words = f"Only {persons} test persons: below 30, scores and intervals say little."
        assert (cautions(found) == [words]) == told


def test_a_smoke_test_is_a_caution(group, fake):
    (line,) = cautions(group(fake.record(dataset="mars:5persons")))
    assert line == "A smoke test on 5 identities (`--limit`): these numbers are not results."


def test_uneven_seeds_are_a_caution_and_even_ones_are_not(group, fake):
    even = [*fake.seeds("sta", [0.6, 0.7]), *fake.seeds("nvan", [0.65, 0.72])]
    assert cautions(group(*even)) == []
    (line,) = cautions(group(fake.record("late", seed=5)))
    assert "`late`: seed 5" in line and "seeds 0, 1" in line


def test_two_runs_of_one_seed_are_a_caution(group, fake):
    twin = dataclasses.replace(fake.record("sta"), run="feedfeedfeed")
    assert "Several runs share one seed" in cautions(group(fake.record("sta"), twin))[0]


def test_clips_of_two_sizes_are_a_caution(group, fake):
    short = fake.record("nvan", cost={**fake.cost, "frames": 4})
    assert any("clips differ in size" in line for line in cautions(group(fake.record(), short)))


def test_conditions_name_device_machine_threads_and_clip_as_text(group, fake):
    cost = {**fake.cost, "device": "cuda"}
    environment = {**fake.environment, "gpu": "H200"}
    found = group(
        fake.record("sta", cost=cost, environment=environment),
        fake.record("nvan", environment={**fake.environment, "processor": "<b>_x"}),
    )
    clip = "clips of 8 × 256 × 128 (frames × height × width)"
    assert conditions(found) == {
        rf"cpu, \<b\>\_x, 2 threads, fp32, {clip}": ["nvan"],
        f"cuda, H200, fp32, {clip}": ["sta"],
    }


def test_a_gpu_that_was_not_used_is_no_condition(group, fake):
    other = {**fake.environment, "gpu": "H200"}
    assert len(conditions(group(fake.record("sta"), fake.record("nvan", environment=other)))) == 1


def test_an_unsteady_latency_is_a_caution_and_on_no_front(group, fake):
    busy = {**fake.cost, "latency_ms": 100.0, "latency_iqr_ms": 40.0}
    found = group(fake.record("sta", cost=busy), fake.record("nvan", score=0.6))
    (line,) = cautions(found)
    assert "Latency is unsteady" in line and "`sta`" in line and "over 10 % of the median" in line
    assert "against latency: `nvan`" in " ".join(sentences(found))


def test_two_names_with_exactly_the_same_results_are_a_caution(group, fake):
    records = [r for name in ("sta_avg", "sta_baseline") for r in fake.seeds(name, [0.6, 0.7])]
    assert cautions(group(*records)) == ["Exactly the same results: `sta_avg` and `sta_baseline`."]


def test_the_largest_of_several_is_called_the_others():
    found = [("x", list("abcd")), ("y", ["e"])]
    assert shortened(found) == [("y", "`e`"), ("x", "the other 4")]
    assert shortened(found[1:]) == [("y", "`e`")]
