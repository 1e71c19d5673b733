"""Where and how runs are carried out, and what their results are scored under."""

from dataclasses import dataclass

from benchmark.recipe import Evaluation


@dataclass(frozen=True, kw_only=True)
class ExecutionOptions:
    """Where and how a run is carried out; none of this changes its result but for rounding.

    Attributes:
        device: ``cpu``, ``cuda`` or ``mps``.
        workers: processes that load clips.
        compile: training steps are compiled by torch.compile.
        cudnn_benchmark: cuDNN times its kernels and takes the fastest, on a GPU.
        command: what the user typed, or called.
    """

    device: str = "cpu"
    workers: int = 2
    compile: bool = False
    cudnn_benchmark: bool = False
    command: str = ""


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
