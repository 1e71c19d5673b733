"""A benchmark from Python: the same plan, runs, bits and report as the command's."""

import pandas as pd
import pytest
from torch import nn

import zoo
from benchmark.datasets.base import Dataset
from methods.head import Head
from tests.conftest import TINY, TINY_SET, command
from zoo import plugins
from zoo.experiment.bench import load_records
from zoo.experiment.data import open_dataset
from zoo.experiment.paper_recipes import make_recipe

QUICK = make_recipe("quick", **TINY | {"epochs": 1})


class Colour(nn.Module):
    """Mean colour through one layer."""

    distance = "cosine"

    def __init__(self, num_classes: int, width: int):
        super().__init__()
        self.linear = nn.Linear(3, width)
        self.head = Head(width, num_classes)

    @property
    def neck(self):
        return self.head.neck

    def forward(self, clips):
        return self.head(self.linear(clips.mean((1, 3, 4))))


def colour(num_classes: int = 0, *, width: int = 8):
    """A method of one's own."""
    return Colour(num_classes, width)


@pytest.fixture(autouse=True)
def nothing_added(monkeypatch):
    monkeypatch.setattr(plugins, "_ADDED", {"METHODS": {}, "DATASETS": {}})


@pytest.fixture(scope="module")
def result(people, tmp_path_factory):
    """Two methods with two seeds, one of them a function."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plugins, "_ADDED", {"METHODS": {}, "DATASETS": {}})
        out = tmp_path_factory.mktemp("result")
        methods = ["resnet50_avg", colour]
        places = {"data_root": people, "out": out, "workers": 0, "device": "cpu"}
        yield zoo.bench(methods, dataset="folder", recipe=QUICK, seeds=2, **places)


def test_the_table_has_the_report_s_rows_with_intervals(result):
    assert sorted(result.table["name"]) == ["colour", "resnet50_avg"]
    row = result.table.set_index("name").loc["colour"]
    assert row["runs"] == 2 and row["params_m"] < 0.001
    assert 0 <= row["mAP"] <= 1 and {"mAP_low", "mAP_high"} <= set(result.table)
    assert not result.failures


def test_records_are_those_of_the_runs(result):
    assert len(result.records) == len(result.runs) == 4
    assert {entry.run for entry in result.records} == {run.spec.id for run in result.runs}
    assert {entry.command for entry in result.records} == {"zoo.bench(…)"}
    assert load_records(result.out)["mAP"].between(0, 1).all()


def test_a_run_can_be_scored_on_from_there(result):
    from benchmark.recipe import Evaluation
    from zoo.experiment.options import Scoring

    run = result.runs[0]
    scoring = Scoring(evaluation=Evaluation(distance="cos-raw"), protocols=("mars-ap3d",))
    (entry,) = run.score(scoring)
    assert entry.label == "mars-ap3d@1/cos-raw/chunk-first4"
    assert entry in result.records


def test_the_report_is_the_command_s(result, tmp_path):
    made = result.report(tmp_path, ["md", "csv"])
    assert [path.name for path in made.reports] == ["report.md", "report.csv"]
    assert not (result.out / "report.md").exists()
    stored = pd.read_csv(tmp_path / "report.csv")
    assert sorted(stored["name"]) == sorted(result.table["name"])


def test_in_a_notebook_it_is_tables_and_figures(result):
    found = result._repr_html_()
    assert "<table" in found and "colour" in found and found.count("data:image/png") >= 2
    assert result._repr_html_() == found and not list(result.out.glob("*.png"))


def test_the_same_request_from_the_command_line_has_the_same_runs_bit_for_bit(people, tmp_path):
    places = ["--data-root", people, "--workers", "0", "--device", "cpu"]
    words = ["bench", "--methods", "sta[blocks=2]", "--dataset", "folder", "--recipe", "quick"]
    assert command(*words, *TINY_SET, "--set", "epochs=1", *places, "--out", tmp_path / "a") == 0
    places = {"data_root": people, "workers": 0, "device": "cpu", "out": tmp_path / "b"}
    zoo.bench("sta[blocks=2]", dataset=open_dataset("folder", people), recipe=QUICK, **places)
    a, b = (sorted((tmp_path / name / "runs").iterdir()) for name in "ab")
    assert [run.name for run in a] == [run.name for run in b]
    for name in ("weights.safetensors", "embeddings-chunk-first4.safetensors", "spec.json"):
        assert (a[0] / name).read_bytes() == (b[0] / name).read_bytes()


def test_a_failure_is_told_and_costs_no_other_run(people, tmp_path):
    def fails(num_classes: int = 0, *, width: int = 8):
        model = Colour(num_classes, width)
        model.linear.register_forward_hook(lambda *_: 1 / 0 if model.training else None)
        return model

    def raises(num_classes: int = 0):
        model = Colour(num_classes, 8)

        def hook(*_):
            if model.training:
                raise ValueError("on <purpose>")

        model.linear.register_forward_hook(hook)
        return model

    places = {"data_root": people, "out": tmp_path, "workers": 0, "device": "cpu"}
    found = zoo.bench([raises, colour], dataset="folder", recipe=QUICK, **places)
    assert [failure.method for failure in found.failures] == ["raises"]
    assert "raises, seed 0, failed: ValueError: on &lt;purpose&gt;" in found._repr_html_()
    assert list(found.table["name"]) == ["colour"]
    (failure,) = zoo.bench(fails, dataset="folder", recipe=QUICK, **places).failures
    assert failure.reason.startswith(f"ZeroDivisionError: division by zero ({__file__}:")


def test_a_function_that_takes_no_classes_is_refused(people, tmp_path):
    def mine(width: int = 8):
        return Colour(0, width)

    with pytest.raises(ValueError, match="it does not take num_classes"):
        zoo.bench(mine, dataset="folder", data_root=people, out=tmp_path)


def test_records_of_a_folder_that_is_not_there_are_an_error(tmp_path):
    with pytest.raises(FileNotFoundError, match="name what `zoo bench --out` wrote"):
        load_records(tmp_path / "x")


def test_data_may_be_joined_sets_or_made_up_on_the_spot(people, tmp_path):
    data = open_dataset("folder", people)
    mine = Dataset(
        name="mine", train=data.train, test=data.test, query=data.query[:2], fingerprint="1",
        protocol="open",
    )  # fmt: skip
    found = zoo.bench(colour, dataset=mine, recipe=QUICK, out=tmp_path, workers=0, device="cpu")
    assert [(r.dataset, r.queries) for r in found.records] == [("mine", 2)]


def test_transformers_run_under_quick_and_say_how_they_started(people, tmp_path):
    places = {"data_root": people, "out": tmp_path, "workers": 0, "device": "cpu"}
    methods, changes = ["tf_clip", "clip_vit_avg"], TINY | {"epochs": 1, "init": "synthetic"}
    found = zoo.bench(methods, dataset="folder", recipe=make_recipe("quick", **changes), **places)
    assert sorted(found.table["name"]) == sorted(methods) and not found.failures
    assert all("no packaged start" in " ".join(record.notes) for record in found.records)
