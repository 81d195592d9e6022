"""What a commit into an engine waits for: the answers to the requests that were sent for it."""

from __future__ import annotations

from concurrent.futures import Future

from prorank_search.backends.engines.bulk import Refusal
from prorank_search.errors import DocumentsRefusedError

Answer = Future[dict[str, Refusal]]
"""Of one request: what was refused of it, by `doc_id`."""


class EngineCommit:
    """Requests that become durable together; see `prorank_search.protocols.Commit`."""

    def __init__(self) -> None:
        """Begin with none."""
        self._flying: list[Answer] = []
        self._refused: dict[str, Refusal] = {}

    def include(self, request: Answer) -> None:
        """Wait for a request too; one that was answered is kept in memory no longer.

        Raises:
            BackendError: A request failed.
        """
        self._land([each for each in self._flying if each.done()])
        self._flying.append(request)

    def done(self) -> bool:
        """Tell whether the engine has answered for all of it."""
        return all(each.done() for each in self._flying)

    def wait(self) -> None:
        """Wait until it has.

        Raises:
            BackendError: A request failed.
        """
        self._land(list(self._flying))

    def result(self) -> None:
        """Wait until it has, and tell what it does not take.

        Raises:
            DocumentsRefusedError: Some documents; all the others are in.
            BackendError: A request failed.
        """
        self.wait()
        if self._refused:
            reasons = {doc_id: refusal.reason for doc_id, refusal in self._refused.items()}
            raise DocumentsRefusedError(
                reasons, {doc_id: refusal._asdict() for doc_id, refusal in self._refused.items()}
            )

    def _land(self, requests: list[Answer]) -> None:
        for each in requests:
            self._refused |= each.result()
            self._flying.remove(each)
