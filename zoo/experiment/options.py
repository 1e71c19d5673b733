"""Where and how runs are carried out, and what their results are scored under."""

from dataclasses import dataclass

from benchmark.recipe import Evaluation

ENGINES = ("local", "ray")


@dataclass(frozen=True, kw_only=True)
class ExecutionOptions:
    """Where and how a run is carried out; none of this changes its result but for rounding.

    Attributes:
        device: ``cpu``, ``cuda`` or ``mps``.
        workers: processes that load clips.
        compile: training steps are compiled by torch.compile.
        cudnn_benchmark: cuDNN times its kernels and takes the fastest, on a GPU.
        command: what the user typed, or called.
        engine: name of what carries it out.
    """

    device: str = "cpu"
    workers: int = 2
    compile: bool = False
    cudnn_benchmark: bool = False
    command: str = ""
    engine: str = "local"


@dataclass(frozen=True, kw_only=True)
class EngineOptions:
    """What carries runs out, and with how much of a cluster each.

    Attributes:
        name: ``local``: this process, one run after the other; ``ray``: a Ray cluster.
        address: ``local`` starts Ray on this machine while it is needed; ``auto`` joins the cluster
            that runs here, ``HOST:PORT`` another one.
        gpus_per_run: of a run on GPUs; 0.5 lets two runs share one.
        cpus_per_run: and threads; None is a GPU's share of its node's, or 1 without GPUs.
        at_once: runs at a time, at most; None: as many as find room.
        processes_per_run: that share a run, each with so many GPUs and CPUs; of the local engine
            they are those that a launcher started.

    Raises:
        LookupError: no such engine.
        ValueError: a number is out of range, or an option is for another engine.
    """

    name: str = "local"
    address: str = "local"
    gpus_per_run: float = 1.0
    cpus_per_run: int | None = None
    at_once: int | None = None
    processes_per_run: int = 1

    def __post_init__(self):
        if self.name not in ENGINES:
            raise LookupError(f"there is no engine {self.name!r}: expected {' or '.join(ENGINES)}")
        here = EngineOptions.__dataclass_fields__
        of_ray = [name for name in here if name != "processes_per_run"]
        given = [name for name in of_ray if getattr(self, name) != here[name].default]
        if self.name == "local" and given:
            option = "--" + given[0].replace("_", "-")
            raise ValueError(f"{option} is for --engine ray: the local engine is this process")
        for name in ("cpus_per_run", "at_once", "processes_per_run"):
            if getattr(self, name) is not None and getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}, expected 1 or more")
        shares = self.gpus_per_run
        if shares <= 0 or (shares > 1 and shares != int(shares)):
            raise ValueError(f"gpus_per_run is {shares}, expected a share of one GPU, or 1, 2, …")


@dataclass(frozen=True, kw_only=True)
class Scoring:
    """What results are scored under: a record for each protocol, and again for each re-ranking.

    Attributes:
        evaluation: frames and distance.
        protocols: names.
        rerank: canonical re-ranking; None for plain scores alone.
        chosen_by: how the settings were chosen, where they are not a recipe's as it stands.
    """

    evaluation: Evaluation
    protocols: tuple[str, ...]
    rerank: str | None = None
    chosen_by: str | None = None
