"""A search that takes seconds: one small space, few trials, the tiny network."""

import torch

from tests.conftest import TINY
from tests.zoo.conftest import ask
from zoo.experiment import validate
from zoo.experiment.paper_recipes import recipe
from zoo.experiment.request import Budget, TuneRequest
from zoo.experiment.space import Parameter, Space
from zoo.experiment.tune_plan import TunePlan

QUICK = recipe("quick", TINY | {"warmup": 0})  # its values lie in the space
SPACE = Space(
    name="small@1",
    parameters={
        "lr": Parameter(kind="log", low=1e-4, high=1e-1),
        "random_crop": Parameter(kind="choice", choices=(0.0, 0.5)),
        "sta.regularisation": Parameter(kind="log", low=0.1, high=10.0),
    },
)


def request(crowd, out, *, space=SPACE, trials=4, budget=None, **changes):
    """A search of `sta` on half of the crowd's training persons."""
    bench = ask(crowd, out, **{"recipe": QUICK, **changes})
    return TuneRequest(bench=bench, space=space, trials=trials, budget=Budget.read(budget), folds=2)


def search(crowd, out, method="sta", **changes):
    """Search one method, without final runs; its part of the summary."""
    torch.set_num_threads(1)  # fixtures that outlive a test come before the one that says so
    return TunePlan(request(crowd, out, methods=method, **changes)).search(method)


def score_by(patch, mAP):
    """Let the held-out persons be scored by a function of the run's specification."""

    def scored(self, model):
        return {"mAP": mAP(self.spec), "R1": 0.5}

    patch.setattr(validate._Scorer, "__call__", scored)


def without_times(part):
    """A part of a summary without what the clock says."""
    trials = [{k: v for k, v in one.items() if k != "seconds"} for one in part["trials"]]
    spent = {k: v for k, v in part["spent"].items() if k != "hours"}
    return part | {"trials": trials, "spent": spent}
