"""What people see while torch is loaded, which takes seconds and on a busy machine longer."""

import sys

# commands that run networks
WITH_NETWORKS = (
    *("bench", "train", "tune", "reproduce", "compare", "inspect", "eval", "score", "cost"),
    *("verify", "publish", "convert", "export", "embed", "search", "check"),
)


def load_for(command: str) -> None:
    """Load what a command will load anyway, and say so meanwhile."""
    if command not in WITH_NETWORKS or "timm" in sys.modules:
        return
    from zoo.experiment.live_progress import LiveProgress

    with LiveProgress() as progress:
        progress.advance("loading torch", 0, 1)
        import timm  # noqa: F401 - and torch with it
