"""What a model proposes of a query set's pooled hits: grades by its probabilities, never counted as a person's."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from prorank_search.errors import InputError
from prorank_search.judgments.store import GRADES, Judgment, JudgmentStore
from prorank_search.profiles import Profile
from prorank_search.protocols import Rescorer
from prorank_search.rescore import probability_of
from prorank_search.types import ScoreRequest

Progress = Callable[[str, int, int], None]
"""Told which model scores, how many hits are done, and of how many."""


def proposed_grade(probability: float) -> int:
    """Return the grade that a model's probability of relevance comes to: each has an equal part of 0 to 1.

    Example:
        >>> [proposed_grade(probability) for probability in (0.0, 0.3, 0.5, 0.74, 0.99, 1.0)]
        [0, 1, 2, 2, 3, 3]
    """
    return min(int(probability * len(GRADES)), len(GRADES) - 1)


def grades_in_words() -> str:
    """Say which probabilities come to which grade.

    Example:
        >>> grades_in_words()
        'not relevant below 0.25, marginal from 0.25, relevant from 0.5, perfect from 0.75'
    """
    lowest, *others = GRADES
    part = 1 / len(GRADES)
    return ", ".join([f"{lowest} below {part:g}", *(f"{name} from {at * part:g}" for at, name in enumerate(others, 1))])


def propose(
    store: JudgmentStore, query_set: str, rescorer: Rescorer, profile: Profile, progress: Progress
) -> tuple[int, int]:
    """Let a model grade every pooled hit of a query set; what it says of a query is kept before the next one.

    Args:
        store: The judgment store.
        query_set: Name of the query set.
        rescorer: The model, whose scores have to be calibrated. Its name is the judge's.
        profile: How the set's index is searched: what a model sees of a document, and its instruction.
        progress: Told how far it is.

    Returns:
        How many hits it graded, and of how many it had not said the same before.

    Raises:
        InputError: There is no such set, none of its queries has a pool, or the scores are not calibrated.
        RescorerError: The model failed.
    """
    model, calibration = rescorer.info.model, rescorer.info.calibration
    queries, pools = store.queries(query_set), store.pools(query_set)
    if calibration is None:
        raise InputError(
            f"the scores of {model!r} are no calibrated probabilities, and grades are made of those: "
            "take a ProRank model that was trained"
        )
    if not pools:
        raise InputError(f"no query of {query_set!r} has hits to be judged yet: `prorank ui` finds them on Judge")
    known = said_before(store.judgments(query_set), model)
    total, graded, new = sum(map(len, pools.values())), 0, 0
    for query_id in pools:
        hits = store.pooled(query_set, query_id)
        texts = [profile.text_of(hit.document) for hit in hits.values()]
        scored = rescorer.score(ScoreRequest(queries[query_id].text, texts, profile.instruction))
        probabilities = {
            doc_id: probability_of(one.score, calibration) for doc_id, one in zip(hits, scored, strict=True)
        }
        proposed = proposals(query_set, query_id, model, probabilities, known)
        store.judge(*proposed)
        graded, new = graded + len(hits), new + len(proposed)
        progress(model, graded, total)
    return graded, new


def proposals(
    query_set: str,
    query_id: str,
    model: str,
    probabilities: Mapping[str, float | None],
    known: Collection[tuple[str, str, int | None]],
) -> list[Judgment]:
    """Return a model's judgments of documents that it gave a probability, but for those that it has made already.

    Args:
        query_set: Name of the query set.
        query_id: The query.
        model: Name of the model.
        probabilities: Calibrated, by `doc_id`; None: it gave none.
        known: What it said of the set, see `said_before`.
    """
    grades = {doc_id: proposed_grade(one) for doc_id, one in probabilities.items() if one is not None}
    return [
        Judgment(query_set, query_id, doc_id, model, grade, origin="model")
        for doc_id, grade in grades.items()
        if (query_id, doc_id, grade) not in known
    ]


def said_before(said: Collection[Judgment], model: str) -> set[tuple[str, str, int | None]]:
    """Return query, document and grade of all that a model proposes, out of what counts of a set."""
    return {(one.query_id, one.doc_id, one.relevance) for one in said if one.judge == model and one.origin == "model"}
