"""Work on texts of any length that never keeps the event loop long."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")

_AT_ONCE = 1 << 13
"""Characters: about a tenth of a millisecond of JSON, and little enough for what is looked for in it."""


async def off_loop(length: int, work: Callable[[], Result]) -> Result:
    """Return what the work comes to: done at once where it reads few characters, else in a thread.

    To go to a thread and back takes 0.1 to 0.2 ms, as long as it takes to read some 10,000 characters of JSON.

    Args:
        length: Characters that it reads, about.
        work: What is to be done; safe in a thread.
    """
    return work() if length <= _AT_ONCE else await asyncio.to_thread(work)
