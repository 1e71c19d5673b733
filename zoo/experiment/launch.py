"""One command on several processes of this machine, started by torch's own launcher."""

import logging
import os
from collections.abc import Sequence

from torch.distributed import run
from torch.distributed.elastic.multiprocessing.api import SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError


def launch(processes: int, words: Sequence[str]) -> int:
    """Start ``zoo`` with these words as so many processes, as torchrun does, and wait for them.

    Their first process prints what one would, and why it failed if it did; the launcher's own
    report is left out.

    Args:
        processes: how many.
        words: what follows ``zoo``.

    Returns:
        The exit status: of the process that failed first, or 128 and the signal that ended all.
    """
    if not os.environ.get("ZOO_DEBUG"):
        logging.disable(logging.CRITICAL)
    here = ["--standalone", "--local-addr", "127.0.0.1", "--nproc-per-node", str(processes)]
    try:
        run.run(run.parse_args([*here, "-m", "zoo", *words]))
    except ChildFailedError as error:
        status = error.get_first_failure()[1].exitcode
        return status if status > 0 else 1  # below 0 it was killed
    except SignalException as error:
        return 128 + error.sigval
    return 0
