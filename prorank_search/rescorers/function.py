"""A rescorer made of a plain function, for those who have three lines of their own."""

from __future__ import annotations

import math
import uuid
from collections.abc import Callable, Sequence

from prorank_search.errors import RescorerError
from prorank_search.protocols import Rescorer
from prorank_search.scoring.deadline import is_over
from prorank_search.types import RescorerInfo, Scored, ScoreRequest

ScoreFunction = Callable[[str, Sequence[str]], Sequence[float]]
"""Takes a query and texts, returns one score for each text; higher is better."""


def from_function(score: ScoreFunction, *, name: str = "function", revision: str | None = None) -> Rescorer:
    """Make a rescorer of `score(query, texts) -> scores`.

    Args:
        score: Must be safe to call from many threads where the rescorer is.
        name: What results call the model.
        revision: Must change whenever a score may change: the score cache trusts it. None: a new one each time,
            so that nothing that an earlier version of the function said is ever used again.

    Example:
        >>> shortest = from_function(lambda query, texts: [-len(text) for text in texts])
        >>> [scored.score for scored in shortest.score(ScoreRequest("any", ["four", "two"]))]
        [-4.0, -3.0]
    """
    return _FunctionRescorer(score, name, revision or f"{name}-{uuid.uuid4().hex}")


class _FunctionRescorer:
    def __init__(self, function: ScoreFunction, name: str, revision: str) -> None:
        self._function = function
        self.revision = revision
        self.info = RescorerInfo(model=name, window_size=100)

    def score(self, request: ScoreRequest) -> list[Scored]:
        """Score all texts in one call; a deadline that has passed leaves them all unscored."""
        if is_over(request):
            return [Scored(None)] * len(request.texts)
        scores = [float(score) for score in self._function(request.query, request.texts)]
        if len(scores) != len(request.texts) or not all(map(math.isfinite, scores)):
            raise RescorerError(
                f"{self.info.model!r} must return a finite number for each of {len(request.texts)} texts, "
                f"got {len(scores)}: {scores[:5]}"
            )
        return [Scored(score) for score in scores]
