"""The engines as a backend that is searched. Sends nothing but reads."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from prorank_search.backends.engines import catalog
from prorank_search.backends.engines.connection import RETRIED, Engine, path, pause_s
from prorank_search.backends.engines.faults import error_of
from prorank_search.backends.engines.hits import Passages, hits_of, id_of, is_outdated, marked_words, parent_of
from prorank_search.backends.engines.mappings import IndexMapping, mapping_of
from prorank_search.backends.engines.passages import best_passages, counted
from prorank_search.backends.engines.queries import body_of, fields_of, highlight_body, params_of, passages_body
from prorank_search.backends.engines.walk import documents
from prorank_search.errors import EngineError, IndexNotFoundError, InputError, ProRankError
from prorank_search.passages import stored_id
from prorank_search.protocols import IndexInfo
from prorank_search.types import Document, Ranking, SearchRequest

BAD_REQUEST = 400
AT_ONCE = 50
"""Searches in one `_msearch`."""
_MAPPING_KEPT_S = 30.0


class EngineSearch:
    """An engine's indexes; see `prorank_search.protocols.SearchBackend`. Safe from many threads.

    Attributes:
        engine: The connected engine.
    """

    def __init__(self, engine: Engine) -> None:
        """Search the indexes of a connected engine."""
        self.engine = engine
        self._mappings: dict[str, tuple[float, IndexMapping]] = {}

    def search(self, request: SearchRequest) -> Ranking:
        """Return the best `request.top_k` documents: BM25 of each field, summed, or what the request's body asks for.

        Raises:
            IndexNotFoundError: The index does not exist.
            InputError: A field does not exist, or the engine cannot make sense of the request.
            AuthError: The user may not search there.
            BackendError: The engine failed, or did not answer.
        """
        return self.search_many([request])[0]

    def search_many(self, requests: Sequence[SearchRequest]) -> list[Ranking]:
        """Return one ranking for each request, in the same order; many are sent at once (`_msearch`)."""
        for request in requests:
            body_of(request, self.mapping(request.index))  # raises
        wanted = [number for number, request in enumerate(requests) if request.query.text.strip()]
        rankings = [Ranking(request.query, ()) for request in requests]
        for start in range(0, len(wanted), AT_ONCE):
            some = wanted[start : start + AT_ONCE]
            for number, ranking in zip(some, self._rankings([requests[number] for number in some]), strict=True):
                rankings[number] = ranking
        return rankings

    def highlights(self, request: SearchRequest, documents: Sequence[Document]) -> list[tuple[str, ...]]:
        """Return for each document its words that match, as the engine marks them; none for nested fields."""
        if not documents or not request.query.text.strip():
            return [()] * len(documents)
        mapping = self.mapping(request.index)
        body = highlight_body(request, mapping, documents, self.engine.name)
        answer = self._answer(request, body)
        fields = list(fields_of(request, mapping))
        by_id = {id_of(hit, request.source): marked_words(hit, fields) for hit in answer["hits"]["hits"]}
        return [by_id.get(stored_id(document), ()) for document in documents]

    def indexes(self) -> list[IndexInfo]:
        """List the indexes that can be searched, by name: ours by their alias, those of others by their own name."""
        return catalog.indexes(self.engine)

    def published(self, index: str) -> IndexInfo | None:
        """Return what `indexes` says of one index; None: there is none. Needs no right to others."""
        return catalog.published(self.engine, index)

    def count(self, index: str) -> int:
        """Count the documents of an index."""
        self._mappings.pop(index, None)  # whether it holds passages must be true now
        query = counted(in_passages=self.mapping(index).in_passages)
        count: int = self.engine.request("GET", path(index, "_count"), query)["count"]
        return count

    def scan(self, index: str) -> Iterator[Document]:
        """Yield every document of an index as it is when the first one is asked for, whatever is written meanwhile."""
        return documents(self.engine, self.mapping(index))

    def sample(self, index: str, size: int) -> list[Mapping[str, Any]]:
        """Return the `_source` of some documents of an index."""
        answer = self.engine.request("POST", path(index, "_search"), {"size": size})
        return [hit["_source"] for hit in answer["hits"]["hits"] if "_source" in hit]

    def mapping(self, index: str) -> IndexMapping:
        """Return what is known of an index; asked for again after half a minute.

        Raises:
            IndexNotFoundError: There is no such index.
        """
        read, mapping = self._mappings.get(index, (0.0, None))
        if mapping is None or time.monotonic() - read > _MAPPING_KEPT_S:
            if not index:
                raise InputError("the name of the index is empty")
            mapping = mapping_of(index, self.engine.request("GET", path(index, "_mapping")))
            self._mappings[index] = (time.monotonic(), mapping)
        return mapping

    def _rankings(self, requests: Sequence[SearchRequest]) -> list[Ranking]:
        """Search; again, where an index became another one meanwhile: it may hold passages, or whole documents."""
        found = self._found(requests)
        moved = {mapping.index for mapping, answer in found if is_outdated(mapping, answer)}
        if moved:
            for index in moved:
                self._mappings.pop(index, None)
            found = self._found(requests)
        passages = self._passages(requests, found)
        return [
            Ranking(request.query, hits_of(answer, mapping, request.source, passages.get(number, {})))
            for number, (request, (mapping, answer)) in enumerate(zip(requests, found, strict=True))
        ]

    def _found(self, requests: Sequence[SearchRequest]) -> list[tuple[IndexMapping, Mapping[str, Any]]]:
        mappings = [self.mapping(request.index) for request in requests]
        searches = [(request, body_of(request, mapping)) for request, mapping in zip(requests, mappings, strict=True)]
        return list(zip(mappings, self._answers(searches), strict=True))

    def _passages(
        self, requests: Sequence[SearchRequest], found: Sequence[tuple[IndexMapping, Mapping[str, Any]]]
    ) -> dict[int, Passages]:
        """Return, by the number of a request that wants several passages of a document, those of what it found."""
        searches = {}
        for number, (request, (mapping, answer)) in enumerate(zip(requests, found, strict=True)):
            hits = answer["hits"]["hits"]
            if hits and mapping.in_passages and request.passages_per_hit > 1:
                searches[number] = request, passages_body(request, mapping, [parent_of(hit) for hit in hits])
        answers = self._answers(list(searches.values()))
        return {number: best_passages(answer) for number, answer in zip(searches, answers, strict=True)}

    def _answers(self, searches: Sequence[tuple[SearchRequest, dict[str, Any]]]) -> list[Mapping[str, Any]]:
        return self._many(searches) if len(searches) > 1 else [self._answer(*search) for search in searches]

    def _answer(self, request: SearchRequest, body: dict[str, Any]) -> Mapping[str, Any]:
        try:
            answer: Mapping[str, Any] = self.engine.request(
                "POST", path(request.index, "_search"), body, params=params_of(request)
            )
        except (EngineError, IndexNotFoundError) as error:
            self._mappings.pop(request.index, None)  # it may be another index by now
            raise _input_error(error) from error
        return answer

    def _many(self, searches: Sequence[tuple[SearchRequest, dict[str, Any]]]) -> list[Mapping[str, Any]]:
        """Send searches at once; those that the engine had no room for are sent again."""
        answers: dict[int, Mapping[str, Any]] = {}
        left = list(range(len(searches)))
        for attempt in range(self.engine.attempts):
            if attempt:
                time.sleep(pause_s(attempt))
            rows = [row for number in left for row in _rows(*searches[number])]
            found = self.engine.request("POST", "/_msearch", rows)["responses"]
            answers |= dict(zip(left, found, strict=True))
            left = [number for number in left if answers[number].get("status") in RETRIED]
            if not left:
                break
        for number, answer in answers.items():
            if "error" in answer:
                index = searches[number][0].index
                self._mappings.pop(index, None)
                raise _input_error(error_of(answer["status"], answer, f"a search of {index!r}", self.engine.where))
        return [answers[number] for number in range(len(searches))]


def _rows(request: SearchRequest, body: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"index": request.index, **params_of(request)}, body]


def _input_error(error: ProRankError) -> ProRankError:
    """Return an error as it is; where the engine could make no sense of a search, as an error of what was given."""
    unusable = isinstance(error, EngineError) and (
        error.status == BAD_REQUEST or error.error_type.startswith("too_many_")
    )
    return InputError(str(error)) if unusable else error
