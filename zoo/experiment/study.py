"""One method's search: its trials stand in a journal, and each is an ordinary run.

A search that was killed goes on where it was and ends with the same trials and the same choice:
what trial n tries follows from the seed, its number and what the trials before it found, and how
far it goes from the scores in its run's log.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, Trial, TrialState

from benchmark.progress import SILENT, Progress
from benchmark.samplers import SAMPLERS
from benchmark.train import Diverged
from zoo.experiment.request import Budget
from zoo.experiment.run import Run
from zoo.experiment.space import Parameter, Value
from zoo.experiment.trials import (
    DIVERGED,
    in_words,
    is_stopped,
    read_log,
    sampler_for,
    spent,
    suggest,
)
from zoo.experiment.validate import open_validation


class Stopped(RuntimeError):
    """A trial that successive halving ended."""


class MethodStudy:
    """The search of one method.

    Args:
        journal: its file; the trials that it holds count.
        method: canonical variant, for what people are told.
        parameters: what is chosen from.
        start: values of the recipe as it stands, for trial 0; None where the space does not hold
            them: trial 0 is then the recipe, and no values are told.
        run_of: the run that values stand for.
        trials: budget of trials.
        budget: in clips or hours. The trial that exceeds it is ended as any other.
        seed: of the search.
        progress: who is told.
    """

    def __init__(
        self,
        journal: Path,
        *,
        method: str,
        parameters: Mapping[str, Parameter],
        start: Mapping[str, Value] | None,
        run_of: Callable[[Mapping[str, Value]], Run],
        trials: int,
        budget: Budget,
        seed: int = 0,
        progress: Progress = SILENT,
    ):
        self.method, self.parameters, self.start, self.run_of = method, parameters, start, run_of
        self.trials, self.budget, self.seed, self.progress = trials, budget, seed, progress
        optuna.logging.set_verbosity(optuna.logging.ERROR)  # `progress` says what there is to say
        _drop_cut_line(journal)
        self.study = optuna.create_study(
            storage=JournalStorage(JournalFileBackend(str(journal))),
            study_name=journal.stem,
            direction="maximize",
            load_if_exists=True,
        )

    def search(self) -> list[FrozenTrial]:
        """Carry out what is left of the budget; every trial, in order.

        Raises:
            RuntimeError, ValueError, OSError: as `Run.train`, but for `Diverged`, which is a
                result.
        """
        while (trial := self._next()) is not None:
            self._carry_out(trial)
        return self.study.get_trials(deepcopy=False)

    def _next(self) -> Trial | None:
        """The trial that was interrupted, or a new one; None if the budget is spent."""
        trials = self.study.get_trials(deepcopy=False)
        done = [t for t in trials if t.state.is_finished()]
        self.study.sampler = sampler_for(self.seed, len(done))
        for frozen in trials:
            if frozen.state == TrialState.RUNNING:
                return Trial(self.study, frozen._trial_id)
        if len(done) >= self.trials:
            return None
        if self.budget.is_spent(spent(done)):
            return None
        if not trials and self.start is not None:
            self.study.enqueue_trial(dict(self.start))
        return self.study.ask()

    def _carry_out(self, trial: Trial) -> None:
        values = {}
        if trial.number > 0 or self.start is not None:
            values = suggest(trial, self.parameters, self.seed)
        words = in_words(values) or "the recipe as it stands"
        self.progress.begin(f"{self.method}, trial {trial.number + 1}/{self.trials}: {words}")
        run = self.run_of(values)
        state, value, steps = TrialState.COMPLETE, None, 0
        try:
            self._follow(trial, run)
            run.train(after_validation=lambda *_: self._follow(trial, run))
            value = read_log(run.folder)[-1]["validation_mAP"]
        except Stopped:
            state = TrialState.PRUNED
        except Diverged as error:
            self.progress.note(f"  diverged: {error}")
            value, steps = DIVERGED, error.steps
        self._note_spent(trial, run, steps)
        self.study.tell(trial.number, value, state=state)
        run.folder.training_checkpoint.unlink(missing_ok=True)  # three times the weights' size

    def _follow(self, trial: Trial, run: Run) -> None:
        """Report the epochs in the run's log; what was trained before an interruption counts.

        Raises:
            Stopped: the trial ends here.
        """
        trials = self.study.get_trials(deepcopy=False)
        reported = trials[trial.number].intermediate_values
        earlier = [one.intermediate_values for one in trials[: trial.number]]
        for line in read_log(run.folder):
            epoch, mAP = line["epoch"], line["validation_mAP"]
            if epoch not in reported:
                trial.report(mAP, epoch)
            if is_stopped({epoch: mAP}, earlier, epoch, run.recipe.epochs):
                raise Stopped

    def _note_spent(self, trial: Trial, run: Run, steps: int) -> None:
        """Clips and seconds that this trial used; what an earlier trial of this run used is its.

        Args:
            trial: not yet finished.
            run: its run.
            steps: optimiser steps, where the log does not tell them.
        """
        log, recipe = read_log(run.folder), run.recipe
        dataset, _ = open_validation(run.spec, run.dataset, run.options)
        pids = [tracklet.pid for tracklet in dataset.train]
        sampler = SAMPLERS[recipe.sampler](pids, recipe.ids_per_batch, recipe.clips_per_id, 0)
        steps = steps or (log[-1]["step"] if log else 0)
        before = self.study.get_trials(deepcopy=False)[: trial.number]
        same = [one.user_attrs for one in before if one.user_attrs.get("run") == run.spec.id]
        clips = steps * sampler.ids_per_batch * recipe.clips_per_id
        seconds = log[-1]["seconds"] if log else 0.0
        trial.set_user_attr("run", run.spec.id)
        trial.set_user_attr("clips", max(clips - sum(one["clips"] for one in same), 0))
        left = max(seconds - sum(one["seconds"] for one in same), 0.0)
        trial.set_user_attr("seconds", round(left, 2))


def _drop_cut_line(journal: Path) -> None:
    """Take out a last line that a kill cut off; what is written behind it could not be read."""
    if journal.is_file():
        data = journal.read_bytes()
        if not data.endswith(b"\n"):
            journal.write_bytes(data[: data.rfind(b"\n") + 1])
