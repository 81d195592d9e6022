"""What Prometheus reads at `/metrics`: counts, times and the line; never a text."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from prorank_search.serving.answers import Answer
from prorank_search.serving.service import Service

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """The service's counters, in a registry of their own.

    Args:
        service: Whose line and state are shown.

    Attributes:
        registry: Where others add theirs.
    """

    def __init__(self, service: Service) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "prorank_requests", "Requests, by shape and HTTP status.", ["shape", "status"], registry=self.registry
        )
        self._seconds = Histogram(
            "prorank_request_seconds", "From the last byte read to the answer.", ["shape"], registry=self.registry
        )
        self._texts = Counter("prorank_texts", "Documents, by what became of them.", ["scored"], registry=self.registry)
        self._refused = Counter(
            "prorank_refused", "Requests that were not let in, by HTTP status.", ["status"], registry=self.registry
        )
        self._gauge("prorank_ready", "1 when the model is loaded.", lambda: float(service.state == "ready"))
        self._gauge("prorank_queued_tokens", "Tokens in line.", lambda: service.admission.queued_tokens)
        self._gauge("prorank_queued_tokens_limit", "Past it, requests are sent away.", lambda: service.admission.limit)
        self._gauge("prorank_tokens_per_second", "Measured speed.", lambda: service.admission.tokens_a_second)

    def saw(self, shape: str, status: int, seconds: float) -> None:
        """Count a request."""
        self._requests.labels(shape, str(status)).inc()
        self._seconds.labels(shape).observe(seconds)

    def refused(self, status: int) -> None:
        """Count a request that was not let in."""
        self._refused.labels(str(status)).inc()

    def answered(self, answers: tuple[Answer, ...]) -> None:
        """Count an answer's documents."""
        for answer in answers:
            left = sum(row.score is None for row in answer.rows)
            self._texts.labels("yes").inc(len(answer.rows) - left)
            self._texts.labels("no").inc(left)

    def text(self) -> bytes:
        """Return all of it, as Prometheus reads it."""
        return generate_latest(self.registry)

    def _gauge(self, name: str, line: str, value: Callable[[], float]) -> None:
        Gauge(name, line, registry=self.registry).set_function(value)
