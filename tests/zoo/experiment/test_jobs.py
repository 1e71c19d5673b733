"""The jobs of a plan."""

import dataclasses

from benchmark.progress import SILENT
from tests.zoo.conftest import ask
from zoo.experiment.engines.job import Place
from zoo.experiment.folder import RunFolder
from zoo.experiment.jobs import cost_groups, cost_job, run_jobs, share_costs
from zoo.experiment.plan import plan


def test_a_run_that_is_scored_in_two_ways_is_one_job(people, tmp_path):
    planned = plan(ask(people, tmp_path, methods="sta,nvan"))
    first = planned.runs[0]
    other = dataclasses.replace(first.scoring, rerank="kr(20,6,0.3)")
    twice = (*planned.runs, dataclasses.replace(first, scoring=other))
    jobs = run_jobs(dataclasses.replace(planned, runs=twice))
    assert [job.title for _, job in jobs] == ["[1/2] sta, seed 0", "[2/2] nvan, seed 0"]
    assert jobs[0][1].work.scorings == (first.scoring, other)
    assert jobs[0][1].files == (f"runs/{first.spec.folder}/**/*",)


def test_a_job_that_only_trains_scores_nothing(people, tmp_path):
    ((_, job),) = run_jobs(plan(ask(people, tmp_path, train_only=True)))
    assert job.work.scorings == () and [source.name for source in job.sources] == ["folder"]


def test_a_data_set_knows_how_another_machine_opens_it(people, tmp_path):
    ((_, job),) = run_jobs(plan(ask(people, tmp_path, limit=3, also_test=(f"folder={people}",))))
    assert {(s.name, s.root) for s in job.sources} == {("folder:3persons", people)}
    own = plan(ask(people, tmp_path)).runs[0].dataset
    ((_, job),) = run_jobs(plan(ask(people, tmp_path, dataset=own)))
    assert [(s.name, s.dataset) for s in job.sources] == [(None, own)]


def test_a_cost_is_measured_once_for_all_seeds_and_given_to_each(people, tmp_path):
    planned = plan(ask(people, tmp_path, methods="sta,nvan", seeds=3))
    assert [len(group) for group in cost_groups(planned)] == [3, 3]
    job = cost_job(planned)
    assert job.alone and len(job.work.items) == 2
    job.work(Place(out=tmp_path, datasets={}, options=planned.options, progress=SILENT))
    share_costs(planned)
    costs = [list(RunFolder.of(run.spec, tmp_path).path.glob("cost-*")) for run in planned.runs]
    assert [len(found) for found in costs] == [1] * 6
    assert len({found[0].read_bytes() for found in costs}) == 2
    assert cost_job(planned) is None
