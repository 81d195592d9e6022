"""What Prometheus reads of the gateway: counts and times, never a text."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from prorank_search.movement import movement
from prorank_search.serving.gateway.order import Order
from prorank_search.types import Document, RescoredHit

_TOP = 10
_NO_DOCUMENT = Document("", "")


class Counts:
    """The gateway's counters.

    Args:
        registry: Where they are added.
        rescoring: Whether the kill switch is on.
        open_breakers: How many models' breakers are not closed.
        orders: How many orders are kept for further pages.
    """

    def __init__(
        self,
        registry: CollectorRegistry,
        rescoring: Callable[[], bool],
        open_breakers: Callable[[], int],
        orders: Callable[[], int],
    ) -> None:
        self._searches = Counter(
            "prorank_gateway_searches",
            "Searches that were to be rescored, by mode and by what became of that.",
            ["mode", "status"],
            registry=registry,
        )
        self._passed = Counter(
            "prorank_gateway_passed", "Requests that passed through, by HTTP status.", ["status"], registry=registry
        )
        self._seconds = Histogram(
            "prorank_gateway_seconds", "Of a rescored search, by stage.", ["stage"], registry=registry
        )
        self._moved = Counter(
            "prorank_gateway_shadow_hits",
            f"First {_TOP} hits of shadowed searches, by how they would have moved.",
            ["movement"],
            registry=registry,
        )
        gauges: dict[tuple[str, str], Callable[[], float]] = {
            ("prorank_gateway_rescoring", "0 when the kill switch is off."): lambda: float(rescoring()),
            ("prorank_gateway_breakers_open", "Models that failed and are left alone for a while."): open_breakers,
            ("prorank_gateway_orders", "Orders that are kept for further pages."): orders,
        }
        for (name, line), value in gauges.items():
            Gauge(name, line, registry=registry).set_function(value)

    def searched(self, mode: str, state: str, stages_ms: dict[str, float]) -> None:
        """Count a search."""
        self._searches.labels(mode, state).inc()
        for stage, took_ms in stages_ms.items():
            self._seconds.labels(stage).observe(took_ms / 1e3)

    def passed(self, status: int) -> None:
        """Count a request that passed through."""
        self._passed.labels(str(status)).inc()

    def shadowed(self, order: Order) -> None:
        """Count how the first hits would have moved."""
        for rank, place in enumerate(order.places[:_TOP], start=1):
            hit = RescoredHit(_NO_DOCUMENT, 0.0, rank, place.first_stage_rank, 0.0)
            self._moved.labels(movement(hit, _TOP)).inc()
