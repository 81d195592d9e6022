"""Who is let in: requests wait as long as the tokens in line can be scored in time; the next one is told when to come.

Tokens are guessed from the texts' bytes, so that nobody waits for a tokenizer to learn that there is no place.
"""

from __future__ import annotations

import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Literal

from prorank_search.errors import OverloadedError

_BYTES_A_TOKEN = 4
"""Of English text; Chinese has about one token for the three bytes of a character."""

_UNMEASURED_TOKENS, _LEAST_TOKENS = 16_384, 4_096
"""That many may wait where the limit is `auto`: as long as nothing was measured, and however slow the machine is."""

_SHARE_OF_PATIENCE = 0.7
"""What of the patience the line may take: the speed is a guess, and what comes too late helps nobody."""

_MEMORY = 0.9
"""What the past still counts after each request, in the measured speed."""

_LONGEST_RETRY_S = 60.0


def tokens_of(query: str, texts: Iterable[str], most: int) -> int:
    """Guess the tokens that scoring takes: the query's once, and each text's as far as it is read.

    Example:
        >>> tokens_of("how fast is a fox", ["A fox runs 50 km/h.", "x" * 10_000], 512)
        522
    """
    return sum(min(most, 1 + len(text.encode("utf-8", "replace")) // _BYTES_A_TOKEN) for text in (query, *texts))


class Admission:
    """Counts the tokens in line. Safe from many threads.

    Args:
        limit: Tokens that may be in line; `auto`: what is scored in most of `patience_s` at the measured speed. A
            request that finds nobody in line is let in however large it is.
        patience_s: Seconds that a request may wait.
        clock: `time.monotonic`, or a test's.
    """

    def __init__(
        self, limit: int | Literal["auto"], patience_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._limit, self._patience_s, self._clock = limit, patience_s, clock
        self._lock = threading.Lock()
        self._queued = 0
        self._times_scored: Counter[str] = Counter()
        self._due: dict[float, int] = {}
        self._busy_since = clock()
        self._scored, self._seconds = 0.0, 0.0

    @property
    def queued_tokens(self) -> int:
        """Tokens in line, those in the model among them."""
        return self._queued

    def times_scored(self, revision: str) -> int:
        """How many requests a model scored texts of: where that grows, a request that has none is only late."""
        return self._times_scored[revision]

    @property
    def tokens_a_second(self) -> float:
        """The measured speed; 0 as long as nothing was scored."""
        return self._scored / self._seconds if self._seconds else 0.0

    @property
    def limit(self) -> int:
        """Tokens that may be in line now."""
        if self._limit != "auto":
            return self._limit
        if not self._seconds:
            return _UNMEASURED_TOKENS
        return max(_LEAST_TOKENS, int(self.tokens_a_second * self._patience_s * _SHARE_OF_PATIENCE))

    def enter(self, tokens: int, deadline: float | None = None) -> None:
        """Take a place in line.

        Args:
            tokens: How many will be scored.
            deadline: The clock's seconds; whose comes first is scored first.

        Raises:
            OverloadedError: There is none, or what is scored before takes the request's time; `retry_after_s` tells
                when to try again.
        """
        due = math.inf if deadline is None else deadline
        with self._lock:
            self._see_that_there_is_time(due)
            over = self._queued + tokens - self.limit
            if self._queued and over > 0:
                raise OverloadedError(
                    f"{self._queued} tokens are in line and {tokens} more would exceed {self.limit}: try again later",
                    retry_after_s=self._retry_after(min(over, self._queued)),
                )
            if not self._queued:
                self._busy_since = self._clock()
            self._queued += tokens
            self._due[due] = self._due.get(due, 0) + tokens

    def leave(self, tokens: int, scored: int, deadline: float | None = None, revision: str = "") -> None:
        """Give the place back.

        Args:
            tokens: As many as `enter` was told.
            scored: How many of them were scored, for the measured speed.
            deadline: As `enter` was told.
            revision: Of the model that scored them.
        """
        due = math.inf if deadline is None else deadline
        with self._lock:
            self._queued -= tokens
            self._times_scored[revision] += scored > 0
            self._due[due] -= tokens
            if not self._due[due]:
                del self._due[due]
            now = self._clock()
            self._scored = self._scored * _MEMORY + scored
            self._seconds = self._seconds * _MEMORY + now - self._busy_since
            self._busy_since = now

    def _see_that_there_is_time(self, due: float) -> None:
        before = {other: tokens for other, tokens in self._due.items() if other <= due}
        if not before or due == math.inf or not self.tokens_a_second:
            return
        left_s = due - self._clock()
        if left_s <= 0:
            return  # is answered at once, with nothing scored
        waits_s = min(sum(before.values()) / self.tokens_a_second, max(before) - self._clock())
        if waits_s > _SHARE_OF_PATIENCE * left_s:
            raise OverloadedError(
                f"what is in line takes {waits_s:.1f} s of the {left_s:.1f} s that a request has: try again later, or "
                "give it more time (timeout_s)",
                retry_after_s=max(1.0, math.ceil(waits_s)),
            )

    def _retry_after(self, tokens: int) -> float:
        speed = self.tokens_a_second
        return min(_LONGEST_RETRY_S, max(1.0, math.ceil(tokens / speed))) if speed else 1.0
