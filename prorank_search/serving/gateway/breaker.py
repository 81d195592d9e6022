"""A circuit breaker: after repeated failures of the rescorer searches stop waiting for it, but for one now and then."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal

FAILURES = 5
"""In a row, before it opens."""

PAUSE_S = 30.0
"""Before a search tries the rescorer again."""

BreakerState = Literal["closed", "open", "half_open"]


class Breaker:
    """Counts failures in a row. For one event loop.

    Args:
        clock: `time.monotonic`, or a test's.

    Example:
        >>> breaker = Breaker()
        >>> for _ in range(FAILURES):
        ...     breaker.failed()
        >>> breaker.state, breaker.lets_in()
        ('open', False)
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures = 0
        self._tried_at = 0.0

    @property
    def state(self) -> BreakerState:
        """Whether searches are rescored: `closed` all, `open` none, `half_open` the next one."""
        if self._failures < FAILURES:
            return "closed"
        return "half_open" if self.retry_after_s <= 0 else "open"

    @property
    def retry_after_s(self) -> float:
        """Seconds until a search tries the rescorer again; 0 or less: the next one does."""
        return 0.0 if self._failures < FAILURES else self._tried_at + PAUSE_S - self._clock()

    def lets_in(self) -> bool:
        """Return whether a search may use the rescorer; while it is open, one in each pause may."""
        state = self.state
        if state == "half_open":
            self._tried_at = self._clock()
        return state != "open"

    def failed(self) -> None:
        """Count a failure."""
        self._failures += 1
        self._tried_at = self._clock()

    def worked(self) -> None:
        """Close it."""
        self._failures = 0
