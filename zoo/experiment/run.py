"""One run: a method trained once, and every result that is made of it.

Whatever a stage needs, it makes; whatever is already in the run's folder, it takes from there. So a
run goes on after any interruption, with the same bits as if there had been none, and scoring it
anew, under other frames, distances, protocols or on other data, trains nothing.
"""

import dataclasses
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch

from benchmark import embed, files
from benchmark.clips import FrameRule
from benchmark.datasets.base import Dataset
from benchmark.device import commit
from benchmark.progress import SILENT, Progress
from benchmark.recipe import Evaluation, Recipe
from benchmark.record import Record
from zoo.experiment.folder import RunFolder, suffix_of
from zoo.experiment.options import ExecutionOptions, Scoring
from zoo.experiment.processes import together
from zoo.experiment.provenance import common_record, where
from zoo.experiment.scores import clip_cost, write_records
from zoo.experiment.spec import RunSpec
from zoo.experiment.stages import Embedding, embed_run, train_network
from zoo.weights import save_weights


class Run:
    """A run and its folder.

    Args:
        spec: what the run is.
        dataset: the one that the specification names; None for a trained run that is scored on
            others.
        options: device and workers.
        folder: the run's own.
        progress: who is told.
        fetch: gives the file of the weights, for a run that takes them from a checkpoint.

    Raises:
        ValueError: the data set is not the specified one.
    """

    def __init__(
        self,
        spec: RunSpec,
        dataset: Dataset | None,
        options: ExecutionOptions,
        folder: RunFolder,
        progress: Progress = SILENT,
        fetch: Callable[[], Path] | None = None,
    ):
        if dataset is not None and dataset.fingerprint != spec.fingerprint:
            raise ValueError(
                f"{dataset.name} has fingerprint {dataset.fingerprint}, the run was specified on "
                f"{spec.fingerprint}"
            )
        self.spec, self._dataset, self.options = spec, dataset, options
        self.folder, self.progress, self._fetch = folder, progress, fetch
        self.device = torch.device(options.device)

    @property
    def dataset(self) -> Dataset:
        """The one that it is trained on.

        Raises:
            ValueError: it was not opened.
        """
        if self._dataset is None:
            raise ValueError(f"{self.folder} is not trained: {self.spec.dataset} is not open")
        return self._dataset

    @property
    def recipe(self) -> Recipe:
        """How it is trained, as the run stored it."""
        return self.spec.trained_by()

    def rule(self, evaluation: Evaluation) -> FrameRule:
        """The frame rule of an evaluation, with this run's clip length where it names none."""
        return self.recipe.rule_of(evaluation)

    # ---- stages ----------------------------------------------------------------------------------

    def train(self, after_validation: Callable[[int, float], None] | None = None) -> Path:
        """Train to the end, or take the checkpoint; returns the file of the weights.

        Args:
            after_validation: told epoch and validation mAP; what it raises ends the training.

        Raises:
            Diverged: training produced NaN.
            OSError: an image cannot be read or a file cannot be written.
            ValueError: the checkpoint is not the specified one.
        """
        self.folder.begin(self.spec)
        if self.spec.checkpoint:
            return self._take_checkpoint(self.spec.checkpoint)
        if self._is_trained():
            return self.folder.weights
        training, state = together(
            train_network,
            self.spec,
            self.dataset,
            self.options,
            self.folder.path,
            progress=self.progress,
            after=after_validation,
        )
        about = {"method": self.spec.method, "backbone": self.spec.backbone, "run": self.spec.id}
        save_weights(state, self.folder.weights, about)
        self._write_summary(dataclasses.asdict(training), _selection(training.best_epoch))
        return self.folder.weights

    def embed(self, evaluation: Evaluation, dataset: Dataset | None = None) -> embed.ClipEmbeddings:
        """Embed the test tracklets of its own data set, or of another one.

        Raises:
            ImageError: an image cannot be read.
        """
        weights, dataset, recipe = self.train(), dataset or self.dataset, self.recipe
        rule = self.rule(evaluation)
        key: dict[str, str | int] = {
            "weights": files.sha256(weights),
            "method": self.spec.method,
            "fingerprint": dataset.fingerprint,
            "frames_rule": str(rule),
            "height": recipe.height,
            "width": recipe.width,
            "precision": self.spec.precision,
        }
        if recipe.resize != "bilinear":
            key["resize"] = recipe.resize
        path = self.folder.embeddings(rule, suffix_of(self.spec, dataset))
        found = embed.load_if(path, key)
        if found is None:
            work = Embedding(
                dataset=dataset,
                rule=rule,
                key=key,
                height=recipe.height,
                width=recipe.width,
                resize=recipe.resize,
                precision=self.spec.precision,
            )
            found = together(
                embed_run,
                self.spec,
                work,
                self.options,
                weights=weights,
                progress=self.progress,
            )
            embed.save(found, path)
        return found

    def cost(self, evaluation: Evaluation) -> dict:
        """What one clip of that evaluation costs, as `benchmark.cost.timing.Cost` has it."""
        return clip_cost(self.spec, self.folder, evaluation, self.device, self.progress)

    def score(self, scoring: Scoring, dataset: Dataset | None = None) -> list[Record]:
        """Write and return a record for each protocol, without and with re-ranking.

        Args:
            scoring: evaluation, protocols and re-ranking.
            dataset: whose test part is scored; None for the run's own.

        Raises:
            ImageError: an image cannot be read.
            ValueError: a protocol cannot score this data set.
        """
        dataset = dataset or self.dataset
        embeddings = self.embed(scoring.evaluation, dataset)
        summary = self.folder.summary() or {}
        common = common_record(
            self.spec,
            dataset,
            self.options,
            cost=self.cost(scoring.evaluation),
            checkpoint=files.sha256(self.folder.weights),
            selection=_joined(scoring.chosen_by, summary["selection"]),
            training=summary["training"],
        )
        suffix = suffix_of(self.spec, dataset)
        records = write_records(self.folder, embeddings, scoring, common, suffix)
        self.progress.advance("score", 1, 1)
        return records

    # ---- parts -----------------------------------------------------------------------------------

    def _is_trained(self) -> bool:
        """Whether the weights are there, with the hash that the run wrote; others are set aside."""
        summary, weights = self.folder.summary(self.progress), self.folder.weights
        if summary is None or not weights.is_file():
            return False
        wanted = summary.get("weights")  # runs of earlier versions have none
        if wanted in (None, files.sha256(weights)):
            return True
        why = f"its sha256 is not {str(wanted)[:12]}…, which the run wrote"
        self.progress.note(f"  {files.set_aside(weights, why)}")
        return False

    def _take_checkpoint(self, checkpoint: str) -> Path:
        weights, (name, _, expected) = self.folder.weights, checkpoint.rpartition("@")
        if not (weights.is_file() and files.sha256(weights) == expected):
            source = None if self._fetch is None else self._fetch()
            if source is None or files.sha256(source) != expected:
                raise ValueError(f"{source} is not the run's checkpoint, {checkpoint}")
            files.write_whole(weights, partial(shutil.copyfile, source))
        if self.folder.summary(self.progress) is None:
            self._write_summary({"checkpoint": checkpoint}, f"of checkpoint {name}")
        return weights

    def _write_summary(self, training: dict, selection: str) -> None:
        self.folder.write_summary(
            {
                "id": self.spec.id,
                "spec": self.spec.as_dict(),
                "training": training,
                "weights": files.sha256(self.folder.weights),
                "environment": where(self.options, self.spec.precision),
                "commit": commit(),
                "command": self.options.command,
                "selection": selection,
            }
        )


def _joined(chosen_by: str | None, epoch: str) -> str:
    return epoch if chosen_by is None else f"{chosen_by}; {epoch}"


def _selection(best_epoch: int | None) -> str:
    if best_epoch is None:
        return "last epoch"
    return f"epoch {best_epoch}, the best on held-out training persons"
