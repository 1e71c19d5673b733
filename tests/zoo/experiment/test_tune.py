"""`zoo.tune`: from a request to tuned settings, their runs and a report."""

import shutil

import pytest
import torch

import zoo
from benchmark import pixels
from benchmark.progress import SILENT
from methods.sta import STA
from tests.zoo.experiment.tuning import QUICK, SPACE, request, score_by, without_times
from zoo import plugins
from zoo.experiment import tune
from zoo.experiment.request import TuneRequest
from zoo.experiment.tune import carry_out


def served(spec):
    """`sta` is not served by the recipe's rate, `resnet50_avg` is."""
    own = spec.settings["lr"] == QUICK.lr
    return 0.9 if own == spec.method.startswith("resnet50_avg") else 0.5


@pytest.fixture(scope="module")
def result(crowd, tmp_path_factory):
    """Two methods, one of which is better off with other settings."""
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        score_by(patch, served)
        return zoo.tune(
            ["sta", "resnet50_avg"],
            dataset="folder",
            recipe=QUICK,
            trials=2,
            space=SPACE,
            folds=2,
            data_root=crowd,
            out=tmp_path_factory.mktemp("tuned"),
            device="cpu",
            workers=0,
            progress=SILENT,
        )


def test_the_choice_of_each_method_is_told(result):
    assert set(result.chosen) == {"sta", "resnet50_avg"} and result.failures == ()
    assert result.chosen["sta"]["lr"] != QUICK.lr
    assert result.chosen["resnet50_avg"] == {"lr": QUICK.lr, "random_crop": 0.5}
    assert result.summary["methods"]["sta"]["default_validation_mAP"] == 0.5
    assert result.summary["methods"]["sta"]["chosen_validation_mAP"] == 0.9


def test_the_final_runs_are_trained_on_all_training_persons(result):
    runs = {run.spec.method: run.folder.summary() for run in result.bench.runs}
    assert len(runs) == 3  # what `resnet50_avg` chose is the recipe itself
    assert all(run["training"]["persons"] == 10 for run in runs.values())


def test_only_records_of_chosen_settings_say_that_they_are_tuned(result):
    told = {entry.method: entry.selection for entry in result.bench.records}
    (tuned,) = (text for name, text in told.items() if name.startswith("sta["))
    assert tuned.startswith(f"tuned: study {result.study}, space small@1, 2 trials, 32 clips, ")
    assert "lr=" in tuned and "random_crop=" in tuned and tuned.endswith("; last epoch")
    assert told["sta"] == told["resnet50_avg"] == "last epoch"


def test_the_table_keeps_tuned_and_shared_apart(result):
    levels = result.table.set_index("method")["level"]
    assert levels["sta"] == levels["resnet50_avg"] == "shared"
    assert levels.drop(["sta", "resnet50_avg"]).tolist() == ["tuned"]


def test_the_report_has_the_section_on_tuning(result, tmp_path):
    report = result.report(tmp_path)
    text = report.path.read_text()
    assert report.problems == ()
    assert "## Tuning" in text and "| `sta` | 50.0 | 90.0 | +40.0 |" in text
    assert "not served by the shared recipe" in text and "space small@1" in text
    assert "Chosen settings" in text and list(tmp_path.glob("studies/**/*.png"))


def test_a_notebook_shows_the_final_runs(result):
    assert "sta" in result._repr_html_() and result.out == result.bench.out


def test_the_same_request_again_trains_nothing(result, crowd, monkeypatch):
    monkeypatch.setattr("zoo.experiment.stages.train", lambda *_, **__: pytest.fail("trained"))
    again = carry_out(
        request(crowd, result.out, methods="sta,resnet50_avg", trials=2), SILENT
    )  # fmt: skip
    assert again.summary == result.summary and again.failures == ()


# ---- the test part -------------------------------------------------------------------------------


def test_the_test_part_is_not_opened_before_the_choice_is_made(crowd, tmp_path, monkeypatch):
    data = shutil.copytree(crowd, tmp_path / "data")
    for part in ("query", "gallery"):
        for image in (data / part).rglob("*.jpg"):
            image.write_bytes(image.read_bytes()[:20])
    read, original = [], pixels.open_file
    monkeypatch.setattr(pixels, "open_file", lambda path: read.append(path) or original(path))
    monkeypatch.setattr(tune, "execute", lambda plan, *_: [])
    result = carry_out(request(data, tmp_path / "out", trials=2), SILENT)
    assert result.failures == () and len(result.summary["methods"]["sta"]["trials"]) == 2
    assert read
    parts = {str(path).removeprefix(f"{data}/").partition("/")[0] for path in read}
    assert parts <= {"train"}


def test_a_broken_training_image_is_found_before_the_first_trial(crowd, tmp_path):
    data = shutil.copytree(crowd, tmp_path / "data")
    image = next((data / "train").rglob("*.jpg"))
    image.write_bytes(image.read_bytes()[:20])
    with pytest.raises(pixels.ImageError, match="put the image back"):
        carry_out(request(data, tmp_path / "out"), SILENT)
    assert not (tmp_path / "out" / "tuning").exists()


# ---- what fails ----------------------------------------------------------------------------------


class Broken(STA):
    def forward(self, clips):
        if self.training:
            raise RuntimeError("broken on purpose")
        return super().forward(clips)


def broken(backbone="resnet50", num_classes=0):
    return Broken(backbone, num_classes)


@pytest.fixture
def with_broken(monkeypatch):
    monkeypatch.setattr(plugins, "_ADDED", {"METHODS": {}, "DATASETS": {}})
    plugins.register("method", broken)


def test_one_method_that_fails_does_not_lose_the_others(with_broken, crowd, tmp_path, monkeypatch):
    score_by(monkeypatch, served)
    result = carry_out(request(crowd, tmp_path, methods="broken,sta", trials=1), SILENT)
    place = f"{__file__}:{Broken.forward.__code__.co_firstlineno + 2}"
    assert [(one.method, one.reason) for one in result.failures] == [
        ("broken", f"RuntimeError: broken on purpose ({place})")
    ]
    assert set(result.chosen) == {"sta"} and len(result.bench.records) == 1


def test_a_search_without_any_choice_writes_no_study(with_broken, crowd, tmp_path):
    with pytest.raises(RuntimeError, match=r"^broken: RuntimeError: broken on purpose \(.*:\d+\)$"):
        carry_out(request(crowd, tmp_path, methods="broken"), SILENT)
    assert not list(tmp_path.rglob("tuning/*.json")) and not (tmp_path / "report.md").exists()


def test_a_killed_tune_goes_on_with_the_same_choice(crowd, tmp_path, result, monkeypatch):
    score_by(monkeypatch, served)
    asked = request(crowd, tmp_path, methods="sta,resnet50_avg", trials=2)
    with monkeypatch.context() as patch:
        patch.setattr(tune, "write_json", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            carry_out(asked, SILENT)
    again = carry_out(asked, SILENT)
    parts = result.summary["methods"]
    assert {k: without_times(v) for k, v in again.summary["methods"].items()} == {
        k: without_times(v) for k, v in parts.items()
    }
    weights = {one.method: one.checkpoint for one in result.bench.records}
    assert {one.method: one.checkpoint for one in again.bench.records} == weights


def test_python_and_request_have_the_same_defaults():
    assert TuneRequest.__dataclass_fields__["trials"].default == 20
    assert zoo.tune.__kwdefaults__["trials"] == 20 and zoo.tune.__kwdefaults__["folds"] == 5
    assert "tune" in dir(zoo)
