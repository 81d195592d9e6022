"""The nouns of two-stage search: queries, documents, hits, rankings, results.

Standard library only: every layer may import this module, and it imports none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Literal, NamedTuple

State = Literal["ok", "partial", "degraded", "skipped"]
"""How the second stage went: all of the window scored, some of it, none of it (failure), not asked for."""


BM25: Mapping[str, float] = {"k1": 1.2, "b": 0.75}
"""How words are weighed in an index that was not made with other values."""


class Qrel(NamedTuple):
    """A judgment: how relevant a document is to a query (0 = not relevant). Goes into ir_measures as it is."""

    query_id: str
    doc_id: str
    relevance: int


class ScoredDoc(NamedTuple):
    """A line of a run: a document's score for a query; higher is better. Goes into ir_measures as it is."""

    query_id: str
    doc_id: str
    score: float


@dataclass(frozen=True, slots=True)
class Query:
    """What somebody searched for."""

    query_id: str
    text: str


@dataclass(frozen=True, slots=True)
class Document:
    """A text that can be found.

    `parent_id` is set on passages only, `passage_offsets` (start and end character in the whole document's text) on
    these, and on the document of a hit that shows one of its passages.
    """

    doc_id: str
    text: str
    title: str = ""
    metadata: Mapping[str, object] = field(default_factory=dict)
    parent_id: str | None = None
    passage_offsets: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """A document that the first stage found.

    Attributes:
        document: The document, with its stored text; of an index of passages, with the text and the offsets of the one
            that was found best.
        score: Higher is better; comparable only within one `Ranking`.
        passages: The document's passages that were found, the best first; none of a document that is whole.
    """

    document: Document
    score: float
    passages: tuple[Document, ...] = ()


@dataclass(frozen=True, slots=True)
class Ranking:
    """The first stage's answer, in the engine's own order: a hit's rank is its position + 1."""

    query: Query
    hits: tuple[Hit, ...]


@dataclass(frozen=True, slots=True)
class SourcePaths:
    """Where an index that somebody else built keeps what a document has; dots go into objects and lists of objects.

    Attributes:
        doc_id: Path of the id; None: the engine's `_id`.
        title: Path of the title; None: documents have none.
        text: Path of the text; several values become paragraphs.
    """

    doc_id: str | None = None
    title: str | None = None
    text: str = "text"


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """What a backend is asked for.

    Attributes:
        index: Name of the index.
        query: The query; its text is plain text, never query syntax.
        top_k: Hits wanted.
        fields: Field name to boost; None means the backend's default (title and text, 1.0 each).
        filter: Metadata field to the value (or any of the values) it must have.
        body: A query body of the caller's own, in the engine's language, with `{{query}}` for the text.
        source: Where the index keeps id, title and text; None: as indexes of ours do.
        dfs: Whether scores use word counts of the whole index, not of each shard (`dfs_query_then_fetch`).
        passages_per_hit: Passages that are wanted of each document, in an index of passages.
    """

    index: str
    query: Query
    top_k: int = 10
    fields: Mapping[str, float] | None = None
    filter: Mapping[str, object] | None = None
    body: Mapping[str, object] | None = None
    source: SourcePaths | None = None
    dfs: bool = False
    passages_per_hit: int = 1


@dataclass(frozen=True, slots=True)
class ScoreRequest:
    """What a rescorer is asked for.

    Attributes:
        query: The query's text.
        texts: Documents as the model is to see them, uncut, in first-stage order.
        instruction: What counts as relevant, where a model takes such a thing.
        deadline: `time.monotonic()` seconds; what is not scored by then comes back as None.
        cancelled: Asked between batches; True means that nobody waits any longer.
    """

    query: str
    texts: Sequence[str]
    instruction: str | None = None
    deadline: float | None = None
    cancelled: Callable[[], bool] | None = None


@dataclass(frozen=True, slots=True)
class Scored:
    """A rescorer's answer for one text.

    Attributes:
        score: Higher is better; for ProRank the log-odds of relevance in nats. None: not scored in time.
        truncated: The text was too long and its end was not read.
        query_truncated: The query was too long and its end was not read.
        parts: Of a chain, the score of each rescorer that saw the text, in the chain's order.
        left_out: A chain's earlier rescorer did not let the text through: it has no score, and is not late either.
    """

    score: float | None
    truncated: bool = False
    query_truncated: bool = False
    parts: Mapping[str, float] = field(default_factory=dict)
    left_out: bool = False

    @property
    def reached(self) -> tuple[int, float]:
        """How far the text came in a chain, and its score there: what texts without a score are ordered by.

        Example:
            >>> Scored(None, parts={"bge": 0.7, "prorank": -2.0}).reached, Scored(None).reached
            ((2, -2.0), (0, 0.0))
        """
        return len(self.parts), [0.0, *self.parts.values()][-1]


Normalize = Literal["none", "zscore", "minmax"]
ScoreMode = Literal["replace", "total", "multiply", "avg", "max", "min", "rrf"]


@dataclass(frozen=True, slots=True)
class Blend:
    """How a first-stage score and a rescore score become one (see `prorank_search.blend`).

    `score_mode`, `query_weight` and `rescore_query_weight` are the engines' own words for the `rescore` block.

    Raises:
        ValueError: `multiply` with `zscore`: two scores below the mean would come out above it.
    """

    score_mode: ScoreMode = "replace"
    normalize: Normalize = "none"
    query_weight: float = 1.0
    rescore_query_weight: float = 1.0

    def __post_init__(self) -> None:
        if self.score_mode == "multiply" and self.normalize == "zscore":
            raise ValueError("none or minmax as normalize for multiply: two z-scores below zero make one above it")


@dataclass(frozen=True, slots=True)
class Calibration:
    """probability = sigmoid(a * score + b), fitted on held-out judgments."""

    a: float
    b: float


@dataclass(frozen=True, slots=True)
class RescorerInfo:
    """What a rescorer says of itself.

    Attributes:
        model: Name a person would recognise.
        calibration: Turns its scores into probabilities; None: they have none.
        blend: The blend that it was tuned for; None: its scores replace the first stage's.
        reason: Why its scores should not be trusted ("untrained"), in plain words; empty: nothing to say.
        window_size: The window `auto` stands for with this rescorer, as long as the deadline leaves time for it.
        seconds_a_text: What one text takes on this machine, as far as was seen; 0: too little to plan with.
        passages_per_hit: Passages that are scored of each document, where documents have passages.
        texts_apart: Whether a text's score does not depend on the texts beside it; otherwise no cache keeps it.
    """

    model: str
    calibration: Calibration | None = None
    blend: Blend | None = None
    reason: str = ""
    window_size: int = 30
    seconds_a_text: float = 0.0
    passages_per_hit: int = 1
    texts_apart: bool = True


@dataclass(frozen=True, slots=True)
class RescoredHit:
    """A hit of the final list.

    Attributes:
        document: The document.
        score: The number the list is ordered by, as far as the window was scored; falls strictly along the list.
        rank: Position in the final list, from 1.
        first_stage_rank: Position in the first stage's list, from 1.
        first_stage_score: The engine's score.
        rescore_score: The rescorer's score; None: outside the window or not scored.
        probability: Calibrated probability of relevance; None without calibration or score.
        truncated: The rescorer did not read all of the text.
        passage: The passage that earned the score, where documents have passages; it is the document's text too.
        passage_rank: Its rank by the first stage among those of the document, from 1; None where there are none.
        highlights: Words of the document that matched the query, as they stand in the text; on hits that are shown.
        parts: Of a chain, the score of each rescorer that saw the hit, in the chain's order.
    """

    document: Document
    score: float
    rank: int
    first_stage_rank: int
    first_stage_score: float
    rescore_score: float | None = None
    probability: float | None = None
    truncated: bool = False
    passage: str | None = None
    passage_rank: int | None = None
    highlights: tuple[str, ...] = ()
    parts: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Status:
    """What became of the second stage.

    Attributes:
        state: See `State`.
        reason: Why it is not plainly "ok", or what to beware of; of an answer without hits, why nothing was found.
            Empty when there is nothing to say.
        window_size: First-stage hits that were to be rescored.
        model: The rescorer's model; None when none was used.
        model_revision: Changes whenever a score may change.
        query_truncated: The model did not read all of the query.
        blend: How both scores became one; None where nothing was rescored.
        parts: Of a chain, how many hits each rescorer scored, in the chain's order.
    """

    state: State
    reason: str = ""
    window_size: int = 0
    model: str | None = None
    model_revision: str | None = None
    query_truncated: bool = False
    blend: Blend | None = None
    parts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The one answer: what `prorank search --json` and `/v1/search` print, and the UI's wire form.

    Attributes:
        query: The query.
        hits: The final list, best first.
        status: What became of the second stage.
        took_ms: Milliseconds of `first_stage`, `rescore` and `total`.
    """

    query: Query
    hits: tuple[RescoredHit, ...]
    status: Status
    took_ms: Mapping[str, float]

    def to_json(self) -> dict[str, object]:
        """Return the wire form: plain values, each hit flat (the document's fields beside ranks and scores)."""
        return {
            "query": self.query.text,
            "hits": [_hit_json(hit) for hit in self.hits],
            "status": {
                "state": self.status.state,
                "reason": self.status.reason,
                "window_size": self.status.window_size,
                "model": self.status.model,
                "model_revision": self.status.model_revision,
                "query_truncated": self.status.query_truncated,
                "blend": None if self.status.blend is None else asdict(self.status.blend),
                "parts": dict(self.status.parts),
            },
            "took_ms": dict(self.took_ms),
        }


def _hit_json(hit: RescoredHit) -> dict[str, object]:
    document = hit.document
    return {
        "rank": hit.rank,
        "doc_id": document.doc_id,
        "score": hit.score,
        "first_stage_rank": hit.first_stage_rank,
        "first_stage_score": hit.first_stage_score,
        "rescore_score": hit.rescore_score,
        "probability": hit.probability,
        "truncated": hit.truncated,
        "title": document.title,
        "text": document.text,
        "metadata": dict(document.metadata),
        "parent_id": document.parent_id,
        "passage": hit.passage,
        "passage_rank": hit.passage_rank,
        "passage_offsets": document.passage_offsets,
        "highlights": list(hit.highlights),
        "parts": dict(hit.parts),
    }
