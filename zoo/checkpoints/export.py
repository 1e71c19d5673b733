"""``zoo export``: a checkpoint as one file that runs without this project, compared by numbers.

Frames, height and width are fixed; the batch is free, where the exporter manages that.
"""

import logging
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from benchmark.clips import frame_rule
from benchmark.extras import require
from benchmark.files import write_whole
from zoo.checkpoints.checkpoint import Checkpoint

FORMATS = {"torch": ".pt2", "onnx": ".onnx"}
EXTRA = ("onnx", "onnxruntime", "onnxscript")
LIMIT = 1e-3  # relative difference
BATCHES = (2, 3, 1)  # the first one is exported with
Runner = Callable[[Tensor], Tensor]


@dataclass(frozen=True, kw_only=True)
class Exported:
    """What was written, and how far its embeddings are from the network's.

    Attributes:
        batch: ``any``, or the one that it takes.
        max_abs: largest difference of a number of an embedding.
        relative: norm of the difference over the norm, at the worst batch.
    """

    path: Path
    format: str
    clip: str
    batch: str
    max_abs: float
    relative: float


class _Embed(nn.Module):
    """Clips to embeddings, nothing else."""

    def __init__(self, model: nn.Module):
        super().__init__()
        self.model = model

    def forward(self, clips: Tensor) -> Tensor:
        """[B, T, 3, H, W] -> [B, D]."""
        return self.model(clips).embedding


def export(model: nn.Module, checkpoint: Checkpoint, kind: str, path: Path) -> Exported:
    """Write the file, run it, and compare its embeddings with the network's.

    Args:
        model: in evaluation mode, on the CPU.
        checkpoint: says what a clip is.
        kind: ``torch`` or ``onnx``.
        path: where to write.

    Raises:
        RuntimeError: a package is missing, or the embeddings differ; then no file is left.
    """
    if kind == "onnx":
        require("ONNX files", *EXTRA)
    shape = frame_rule(checkpoint.frames).frames, 3, checkpoint.height, checkpoint.width
    embed = _Embed(model)
    with tempfile.TemporaryDirectory(prefix="zoo-export-") as work:
        draft = Path(work) / path.name
        batches = BATCHES if _try(kind, embed, shape, draft, free=True) else (1,)
        if len(batches) == 1:
            _write(kind, embed, torch.zeros(1, *shape), draft, free=False)
        worst = _compare(embed, _runner(kind, draft), shape, batches)
        if not worst[1] <= LIMIT:
            raise RuntimeError(f"the exported file is off by {worst[1]:.1e}, {LIMIT:.0e} allowed")
        write_whole(path, lambda part: part.write_bytes(draft.read_bytes()))
    return Exported(
        path=path,
        format=kind,
        clip="x".join(map(str, shape)),
        batch="any" if len(batches) > 1 else "1",
        max_abs=worst[0],
        relative=worst[1],
    )


def _try(kind: str, embed: nn.Module, shape: tuple[int, ...], path: Path, *, free: bool) -> bool:
    """Export with a free batch; False if the exporter does not manage it."""
    try:
        _write(kind, embed, torch.zeros(BATCHES[0], *shape), path, free=free)
        run = _runner(kind, path)
        return all(len(run(torch.zeros(b, *shape))) == b for b in BATCHES)
    except Exception as error:  # exporters raise whatever they meet
        logging.getLogger(__name__).info("no free batch: %s", str(error).splitlines()[:1])
        return False


def _write(kind: str, embed: nn.Module, clips: Tensor, path: Path, *, free: bool) -> None:
    dynamic = {"clips": {0: torch.export.Dim("batch")}} if free else None
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")
        if kind == "torch":
            program = torch.export.export(embed, (clips,), dynamic_shapes=dynamic)
            torch.export.save(program, path)
            return
        torch.onnx.export(
            embed,
            (clips,),
            path,
            dynamo=True,
            dynamic_shapes=dynamic,
            external_data=False,
            input_names=["clips"],
            output_names=["embedding"],
            verbose=False,
        )


def _runner(kind: str, path: Path) -> Runner:
    """Runs the file as it was written a moment ago."""
    if kind == "torch":
        return torch.export.load(path).module()
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(
        path.read_bytes(), options, providers=["CPUExecutionProvider"]
    )
    return lambda clips: torch.from_numpy(session.run(None, {"clips": clips.numpy()})[0])


def _compare(
    embed: nn.Module, run: Runner, shape: tuple[int, ...], batches: tuple[int, ...]
) -> tuple[float, float]:
    """Largest absolute and largest relative difference, over batches of every size."""
    rng = np.random.default_rng(0)
    most_abs, most_relative = 0.0, 0.0
    with torch.inference_mode():
        for batch in batches:
            clips = torch.from_numpy(rng.standard_normal((batch, *shape), dtype=np.float32))
            ours, theirs = embed(clips), run(clips)
            if ours.shape != theirs.shape or not theirs.isfinite().all():
                return float("inf"), float("inf")
            gap = theirs - ours
            most_abs = max(most_abs, gap.abs().max().item())
            most_relative = max(most_relative, (gap.norm() / ours.norm()).item())
    return most_abs, most_relative
