"""Work that ends with the client that waits for it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from fastapi import Request

Result = TypeVar("Result")


async def while_somebody_waits(
    request: Request, work: Callable[[Callable[[], bool]], Coroutine[Any, Any, Result]]
) -> Result | None:
    """Return what the work comes to; None once the client has hung up.

    Args:
        request: Whose client waits; its body was read.
        work: Made of a function that is true once nobody waits any longer; its task is cancelled then as well.
    """
    gone = threading.Event()
    task = asyncio.create_task(work(gone.is_set))
    watch = asyncio.create_task(_hang_up(request))
    try:
        await asyncio.wait({task, watch}, return_when=asyncio.FIRST_COMPLETED)
        return await task if task.done() else None
    finally:
        gone.set()
        task.cancel()
        watch.cancel()


async def _hang_up(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
