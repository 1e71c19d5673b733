"""How long to try again: limits, and the wait between two attempts."""

import random
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class RetryPolicy:
    """How long to try to download a file.

    Attributes:
        connect: seconds to wait for a connection.
        silence: seconds to wait for the next byte.
        attempts: how many may fail in a row.
        wait: seconds before the second attempt, doubled for each one after it.
        longest: seconds to wait at most, whatever the server asks for.
        total: seconds to wait in all for one file of one source.
        redirects: how many redirects are followed.
        slowest: bytes a second, over ``window`` seconds, below which a connection counts as
            stalled.
        window: seconds over which the speed is measured.
    """

    connect: float = 10.0
    silence: float = 30.0
    attempts: int = 5
    wait: float = 1.0
    longest: float = 60.0
    total: float = 300.0
    redirects: int = 5
    slowest: float = 1000.0
    window: float = 60.0

    def seconds(self, failed: int, asked: float | None = None) -> float:
        """Seconds to wait after so many failures in a row.

        Args:
            failed: from 1.
            asked: seconds that the server asks for; None doubles the wait each time, up to a
                quarter more or less at random, so that many clients do not come back at once.
        """
        doubled = self.wait * 2 ** max(failed - 1, 0) * random.uniform(0.75, 1.25)
        return min(doubled if asked is None else asked, self.longest)
