"""What is measured with a clock, on a machine that may be busy."""

import itertools

import pytest
import torch
from torch import nn

from benchmark.cost import timing
from benchmark.cost.timing import best_throughput, latencies, measure, spread, steadiest_latencies
from tests.benchmark.cost.toy import CLIPS, Toy

# five forward passes in seconds, two seconds together
QUIET = [0.4, 0.41, 0.42, 0.41, 0.4]
BUSY = [0.2, 1.0, 0.2, 0.6, 0.3]
BUSIER = [0.1, 1.5, 0.1, 0.8, 0.2]
CPU = torch.device("cpu")


@pytest.fixture
def clock(monkeypatch):
    """Have single forward passes take these seconds, one after the other."""

    def take(*times):
        times, taken = itertools.cycle(times), []

        def timed(model, clips):
            taken.append(next(times))
            return taken[-1]

        monkeypatch.setattr(timing, "_timed", timed)
        return taken

    return take


def test_a_measurement_holds_what_it_was_made_with():
    cost = measure(Toy(nn.Identity()), 4, 32, 16, CPU)
    assert (cost.frames, cost.height, cost.width, cost.precision) == (4, 32, 16, "no")
    assert cost.latency_ms > 0 and cost.clips_per_s > 0 and cost.latency_iqr_ms >= 0


def test_latency_is_the_median_with_the_distance_of_the_quartiles(clock):
    clock(*QUIET)
    cost = measure(Toy(nn.Identity()), 4, 32, 16, CPU)
    assert cost.latency_ms == 410 and cost.latency_iqr_ms == 15
    assert cost.latency_steady


def test_a_busy_moment_is_measured_again(clock):
    taken = clock(*BUSY, *BUSIER, *QUIET)
    assert steadiest_latencies(Toy(nn.Identity()), CLIPS) == QUIET
    assert len(taken) == 15


def test_a_machine_that_stays_busy_leaves_the_steadiest_figure_marked(clock):
    clock(*BUSIER, *BUSY, *BUSIER, *BUSIER, *BUSIER)
    assert steadiest_latencies(Toy(nn.Identity()), CLIPS) == BUSY
    cost = measure(Toy(nn.Identity()), 4, 32, 16, CPU)
    assert not cost.latency_steady
    assert cost.latency_iqr_ms > timing.STEADY * cost.latency_ms


def test_attempts_are_bounded_in_number_and_in_time(clock):
    model = Toy(nn.Identity())
    taken = clock(*(second / 10 for second in BUSY))
    steadiest_latencies(model, CLIPS)
    assert len(taken) <= timing.ATTEMPTS * timing.MOST_RUNS
    taken = clock(*(second * 10 for second in BUSY))
    steadiest_latencies(model, CLIPS)
    assert len(taken) == timing.LEAST_RUNS  # the first series took longer than all may


def test_a_slow_network_is_timed_five_times_and_a_quick_one_a_hundred(clock):
    clock(10.0)
    assert len(latencies(Toy(nn.Identity()), CLIPS)) == 5
    clock(0.001)
    assert len(latencies(Toy(nn.Identity()), CLIPS)) == 100


def test_spread_is_the_share_of_the_median_between_the_quartiles():
    assert spread([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]) == pytest.approx((6 - 2) / 4)


def test_throughput_is_that_of_the_best_batch(monkeypatch):
    seconds = {1: 1.0, 2: 1.1, 4: 1.2, 8: 4.0, 16: 40.0}
    monkeypatch.setattr(timing, "_timed", lambda model, clips: seconds[len(clips)])
    assert best_throughput(Toy(nn.Identity()), CLIPS[:1]) == (pytest.approx(4 / 1.2), 4)


def test_a_network_with_an_uncountable_operator_is_timed_all_the_same():
    cost = measure(Toy(lambda x: torch.cdist(x.flatten(2), x.flatten(2))), 4, 32, 16, CPU)
    assert cost.gmacs is None and cost.uncounted == ("cdist",) and cost.latency_ms > 0


@pytest.mark.parametrize("training", [True, False])
def test_a_measured_network_is_left_in_the_mode_it_was_in(training):
    model = Toy(nn.Identity()).train(training)
    measure(model, 4, 32, 16, CPU)
    assert model.training is training
