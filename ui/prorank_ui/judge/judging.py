"""What a judge has to do: which query, which hits of its pool, in which order. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from prorank_search.judgments import Judgment
from prorank_search.judgments.pooling import shuffled
from prorank_search.judgments.proposals import proposals as of_probabilities
from prorank_search.judgments.proposals import said_before
from prorank_search.types import RescoredHit

MINE, NOBODY, SKIPPED = "mine", "nobody", "skipped"
"""Which hits a judge wants to see: those that they have not judged, that nobody has, that they skipped."""

IMPORTED = "imported"
"""What the judge of a file is called where nobody says who it was; anybody may add to it, such as `imported by ada`."""

PROPOSING = "propose"
"""The kind of job in which a model grades hits."""


@dataclass(frozen=True, slots=True)
class Work:
    """A query set as a judge finds it.

    Attributes:
        order: Its queries by `query_id`, in the set's order.
        pools: The pooled documents of each query; a query without a pool is not there.
        said: The judge's own word on a document, skips too.
        waiting: What they still have to judge of each query.
        unpooled: Queries whose hits have to be found first.
        graded: Query and document of what has a grade: their own, or anybody's where they look for what nobody judged.
        done: The same, and what they skipped.
    """

    order: Sequence[str]
    pools: Mapping[str, Collection[str]]
    said: Mapping[tuple[str, str], Judgment]
    waiting: Mapping[str, Collection[str]]
    unpooled: Collection[str]
    graded: Collection[tuple[str, str]]
    done: Collection[tuple[str, str]]

    def next_query(self, at: str | None, empty: Collection[str] = ()) -> str | None:
        """Return the first query from one on, round to it again, that has something to judge or no pool yet.

        Args:
            at: Where to begin; None: at the first query.
            empty: Queries for which nothing is found, so that they never have a pool.
        """
        start = self.order.index(at) if at in self.order else 0
        round_trip = [*self.order[start:], *self.order[:start]]
        return next((query for query in round_trip if self._has_work(query) and query not in empty), None)

    def next_unpooled(self, after: str, empty: Collection[str] = ()) -> str | None:
        """Return the first query behind one that has no pool yet."""
        behind = self.order[self.order.index(after) + 1 :]
        return next((query for query in behind if query in self.unpooled and query not in empty), None)

    def hits(self, query_id: str, judge: str) -> list[str]:
        """Return what waits of a query's pool, in this judge's order."""
        return shuffled(self.waiting.get(query_id, ()), query_id, judge)

    def judged(self, query_id: str) -> int:
        """Count the documents of a query's pool that have a grade."""
        return sum((query_id, doc_id) in self.graded for doc_id in self.pools.get(query_id, ()))

    @property
    def finished(self) -> int:
        """Queries all of whose pool has a grade or was skipped."""
        return sum(all((query, doc) in self.done for doc in pool) for query, pool in self.pools.items())

    @property
    def judged_of_all(self) -> tuple[int, int]:
        """Pooled documents that have a grade, and all of them."""
        return sum(map(self.judged, self.pools)), sum(map(len, self.pools.values()))

    def _has_work(self, query_id: str) -> bool:
        return query_id in self.waiting or query_id in self.unpooled


def work(
    order: Sequence[str],
    pools: Mapping[str, Collection[str]],
    judgments: Sequence[Judgment],
    judge: str,
    which: str = MINE,
) -> Work:
    """Tell what a judge has to do in a query set.

    Args:
        order: Its queries, by `query_id`.
        pools: The pooled documents of each query.
        judgments: All that counts of the set. Models' proposals take no work away.
        judge: Name of the judge.
        which: The hits they want to see.
    """
    persons = [one for one in judgments if one.origin == "person"]
    said = {(one.query_id, one.doc_id): one for one in persons if one.judge == judge}
    counting = persons if which == NOBODY else said.values()
    graded = {(one.query_id, one.doc_id) for one in counting if one.relevance is not None}
    done = graded | said.keys()
    skipped = done - graded
    waiting = {
        query: [doc for doc in pool if ((query, doc) in skipped if which == SKIPPED else (query, doc) not in done)]
        for query, pool in pools.items()
    }
    return Work(
        order,
        pools,
        said,
        waiting={query: docs for query, docs in waiting.items() if docs},
        unpooled=set() if which == SKIPPED else set(order) - pools.keys(),
        graded=graded,
        done=done,
    )


def proposals(
    query_set: str, query_id: str, model: str, hits: Sequence[RescoredHit], said: Collection[Judgment]
) -> list[Judgment]:
    """Return a model's judgments of hits that it gave a probability, but for those that it has made already.

    Args:
        query_set: Name of the query set.
        query_id: The query.
        model: Name of the model.
        hits: Its hits.
        said: All that counts of the set.
    """
    probabilities = {hit.document.doc_id: hit.probability for hit in hits}
    return of_probabilities(query_set, query_id, model, probabilities, said_before(said, model))
