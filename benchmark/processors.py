"""How many processors this process may use; imports nothing heavy, as its users start processes."""

import os


def processors() -> int:
    """Those that the process is bound to, where the system tells them; else all that there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
