"""Orders that were given out, kept for a while, so that the next page goes on where the last one ended."""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from weakref import WeakValueDictionary

from prorank_search.serving.gateway.order import Order

MOST_BYTES = 32 << 20
"""Of all orders together, about: 100,000 hits without passages."""

_HIT_BYTES = 300
"""What a hit takes beside its block."""


class Pages:
    """The orders. Safe from many threads, but for `turn`, which is for one event loop.

    Args:
        ttl_s: Seconds that an order is kept, from when it was made.
        clock: `time.monotonic`, or a test's.
        most_bytes: Bound of all orders together; what was not asked for longest goes first.
    """

    def __init__(self, ttl_s: float, clock: Callable[[], float] = time.monotonic, most_bytes: int = MOST_BYTES) -> None:
        self._ttl_s, self._clock, self._most_bytes = ttl_s, clock, most_bytes
        self._orders: OrderedDict[str, tuple[float, Order]] = OrderedDict()
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._lock = threading.RLock()
        self._bytes = 0

    def __len__(self) -> int:
        """Return how many orders there are."""
        return len(self._orders)

    def turn(self, key: str) -> AbstractAsyncContextManager[object]:
        """Return what lets one search at a time make an order."""
        return self._locks.setdefault(key, asyncio.Lock())

    def get(self, key: str) -> Order | None:
        """Return an order; None where there is none (any longer)."""
        with self._lock:
            until, order = self._orders.get(key, (0.0, None))
            if order is None:
                return None
            if until <= self._clock():
                self.drop(key)
                return None
            self._orders.move_to_end(key)
            return order

    def keep(self, key: str, order: Order) -> None:
        """Keep an order, in place of the one that was there."""
        with self._lock:
            self.drop(key)
            self._orders[key] = (self._clock() + self._ttl_s, order)
            self._bytes += _size(order)
            while self._bytes > self._most_bytes:
                self.drop(next(iter(self._orders)))

    def drop(self, key: str) -> None:
        """Forget an order, if it is there."""
        with self._lock:
            _, order = self._orders.pop(key, (0.0, None))
            if order is not None:
                self._bytes -= _size(order)


def _size(order: Order) -> int:
    """Return the bytes of an order, about; one without any hits takes room too."""
    return _HIT_BYTES * (1 + order.window_size) + sum(sys.getsizeof(place.block) for place in order.places)


def key_of(parts: Mapping[str, object]) -> str:
    """Return the key of an order: a hash of everything that the order depends on.

    Args:
        parts: Index, body without `from` and `size`, plan, model revision, caller.

    Example:
        >>> key_of({"index": "a", "body": {"x": 1, "y": 2}}) == key_of({"body": {"y": 2, "x": 1}, "index": "a"})
        True
    """
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
