"""From embeddings to records."""

import dataclasses

import pandas as pd
import pytest
import torch

from benchmark import embed
from benchmark.recipe import Evaluation
from zoo.experiment.options import Scoring
from zoo.experiment.scores import clip_cost, write_records


def test_there_is_a_record_for_each_protocol_without_and_with_re_ranking(finished_run):
    (common,) = finished_run.read_records()
    (file,) = finished_run.all_embeddings()
    scoring = Scoring(
        evaluation=Evaluation(distance="l2sq-raw"),
        protocols=("open", "mars-ap3d"),
        rerank="kr(4,2,0.3)",
    )
    made = write_records(finished_run, embed.load(file), scoring, common, "--else")
    labels = [f"{p}@1/l2sq-raw/chunk-first4" for p in ("open", "mars-ap3d")]
    assert [one.label for one in made] == [*labels, *(f"{label}/kr(4,2,0.3)" for label in labels)]
    for one in made:
        table = pd.read_csv(finished_run.records / one.per_query)
        assert one.per_query.endswith("--else.csv") and len(table) == one.queries
        assert one.metrics["mAP"] == pytest.approx(table["AP"].mean())
        assert (one.run, one.command, one.cost) == (common.run, common.command, common.cost)
    assert {r.label for r in finished_run.read_records()} == {
        common.label,
        *(m.label for m in made),
    }


def test_a_clip_is_measured_once_for_each_length(finished_run, monkeypatch):
    spec, cpu = finished_run.spec(), torch.device("cpu")
    stored = clip_cost(spec, finished_run, Evaluation(), cpu)
    assert stored == finished_run.read_records()[0].cost
    with monkeypatch.context() as patch:
        patch.setattr("zoo.experiment.scores.measure", None)
        assert clip_cost(spec, finished_run, Evaluation(frames="even"), cpu) == stored
    longer = clip_cost(spec, finished_run, Evaluation(frames="even8"), cpu)
    assert longer["frames"] == 8 and longer["gmacs"] > 1.9 * stored["gmacs"]
    whole = dataclasses.replace(spec, settings=spec.settings | {"height": 128})
    assert clip_cost(whole, finished_run, Evaluation(), cpu)["height"] == 128
