"""Tracklets embedded in parts, each a job: what is finished stays until all of it is.

Parts are cut where a batch ends and a tracklet begins, so that they hold the bits of the whole.
"""

import shutil
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmark import embed
from benchmark.clips import frame_rule
from benchmark.datasets.base import Dataset, Tracklet, fingerprint
from benchmark.files import write_whole
from benchmark.progress import SILENT, Progress
from benchmark.recipe import DISTANCES
from benchmark.samplers import EvaluationClips
from zoo.checkpoints.checkpoint import Checkpoint
from zoo.checkpoints.config import Settings
from zoo.checkpoints.load import Loaded, open_checkpoint
from zoo.experiment.engines.job import Engine, Job, Place, Source
from zoo.experiment.engines.local import LOCAL
from zoo.experiment.execute import lock
from zoo.experiment.options import ExecutionOptions
from zoo.experiment.processes import together
from zoo.experiment.stages import Embedding, embed_by

PARTS, LEAST, MOST = 64, 256, 8192  # wanted parts, and tracklets of one
_LOADED: dict[tuple[str, str], Loaded] = {}


@dataclass(frozen=True, kw_only=True)
class PartWork:
    """Some tracklets embedded into a file.

    Attributes:
        checkpoint: whose network; ``sha256``: of its file, as the driver has it.
        settings: where checkpoints are kept.
        rows: fingerprint of the tracklets.
        name: of the file.
    """

    checkpoint: Checkpoint
    sha256: str
    settings: Settings
    rows: str
    name: str

    def __call__(self, place: Place) -> None:
        """Embed them, unless the file is there.

        Raises:
            ImageError: an image cannot be read.
            ValueError: the checkpoint here has other bits.
        """
        if (place.out / self.name).is_file():
            return
        loaded = _open(self.checkpoint, self.sha256, self.settings, place.progress)
        work = Embedding(
            dataset=place.datasets[self.rows],
            rule=frame_rule(self.checkpoint.frames),
            key={"frames_rule": self.checkpoint.frames},
            height=self.checkpoint.height,
            width=self.checkpoint.width,
            resize=self.checkpoint.resize,
        )
        found = together(embed_by, loaded.model, work, place.options, progress=place.progress)
        vectors = found.pooled(DISTANCES[self.checkpoint.distance][1]).vectors.numpy()
        write_whole(place.out / self.name, lambda part: np.save(part, vectors))


def _open(checkpoint: Checkpoint, sha256: str, settings: Settings, progress: Progress) -> Loaded:
    """The checkpoint, verified when this process first needs it."""
    key = checkpoint.name, sha256
    if key not in _LOADED:
        loaded = open_checkpoint(checkpoint, settings, progress)
        if loaded.file.sha256 != sha256:
            raise ValueError(
                f"{checkpoint.name} has sha256 {loaded.file.sha256[:12]}… there, {sha256[:12]}… "
                "here: remove it there, and it is fetched again"
            )
        _LOADED[key] = loaded
    return _LOADED[key]


def embed_in_parts(
    rows: Sequence[Tracklet],
    checkpoint: Checkpoint,
    sha256: str,
    settings: Settings,
    *,
    folder: Path,
    options: ExecutionOptions,
    engine: Engine = LOCAL,
    progress: Progress = SILENT,
) -> np.ndarray:
    """A vector of each tracklet, [N, D] float32.

    Args:
        rows: tracklets, at least one.
        checkpoint: whose network.
        sha256: of its file.
        settings: where checkpoints are kept.
        folder: keeps what is finished, and is removed at the end.
        options: device and workers.
        engine: what carries the parts out.
        progress: who is told.

    Raises:
        RuntimeError: a part failed; the message says why.
        OSError: the folder cannot be written, or another process is writing into it.
    """
    jobs = _jobs(rows, checkpoint, sha256, settings)
    failed = ""
    with lock(folder):
        with closing(engine.carry_out(jobs, folder, options, progress)) as outcomes:
            for outcome in outcomes:
                failed = failed or outcome.reason
        if failed:
            raise RuntimeError(failed)
        vectors = np.concatenate([np.load(folder / job.work.name) for job in jobs])
    shutil.rmtree(folder)
    return vectors


def _jobs(
    rows: Sequence[Tracklet], checkpoint: Checkpoint, sha256: str, settings: Settings
) -> list[Job]:
    """A job for each part."""
    jobs = []
    starts = cut(rows, checkpoint)
    for first, last in zip(starts, [*starts[1:], len(rows)], strict=True):
        part = tuple(rows[first:last])
        names = (f"{row.folder}/{frame}" for row in part for frame in row.frames)
        print_ = fingerprint([sha256, checkpoint.frames, *names])
        dataset = Dataset(
            name="own",
            train=(),
            test=part,
            query=(),
            fingerprint=print_,
            protocol="open",
            cameras=False,
        )
        name = f"part-{first}-{print_}.npy"
        work = PartWork(
            checkpoint=checkpoint, sha256=sha256, settings=settings, rows=print_, name=name
        )
        source = Source(fingerprint=print_, name=None, root=None, dataset=dataset)
        title = f"[{len(jobs) + 1}/{len(starts)}] tracklets {first + 1} to {last}"
        jobs.append(Job(title=title, work=work, sources=(source,), files=(name,)))
    return jobs


def cut(rows: Sequence[Tracklet], checkpoint: Checkpoint) -> list[int]:
    """The first tracklet of each part."""
    rule = frame_rule(checkpoint.frames)
    clips = EvaluationClips(tuple(rows), rule, checkpoint.height, checkpoint.width)
    size = min(max(len(rows) // PARTS, LEAST), MOST)
    starts = [0]
    for chunk in embed.chunks(clips):
        row = clips.clips[chunk[0]][0]
        begins = chunk[0] == 0 or clips.clips[chunk[0] - 1][0] != row
        if begins and row - starts[-1] >= size:
            starts.append(row)
    return starts
