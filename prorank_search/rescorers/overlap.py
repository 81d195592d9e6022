"""A lexical stand-in that needs no model: the share of the query's words that a text contains.

It exists so that everything around the second stage can be tried and tested on a machine without torch.
"""

from __future__ import annotations

import re

from prorank_search.scoring.deadline import is_over
from prorank_search.settings import Settings
from prorank_search.types import RescorerInfo, Scored, ScoreRequest

_WORD = re.compile(r"\w+")


class OverlapRescorer:
    """Score = share of the query's distinct words that stand in the text, 0..1.

    Example:
        >>> [scored.score for scored in OverlapRescorer().score(ScoreRequest("red fox", ["a red fox", "blue"]))]
        [1.0, 0.0]
    """

    revision = "overlap-1"
    info = RescorerInfo(
        model="overlap",
        reason="overlap only counts shared words: it shows the plumbing, not ProRank",
        window_size=100,
        passages_per_hit=3,
    )

    def score(self, request: ScoreRequest) -> list[Scored]:
        """Score each text; texts that the deadline overtakes come back unscored."""
        wanted = set(_words(request.query))
        return [self._scored(wanted, text, request) for text in request.texts]

    @staticmethod
    def _scored(wanted: set[str], text: str, request: ScoreRequest) -> Scored:
        if is_over(request):
            return Scored(None)
        return Scored(len(wanted.intersection(_words(text))) / len(wanted) if wanted else 0.0)


def open_rescorer(settings: Settings) -> OverlapRescorer:  # noqa: ARG001 (every rescorer factory takes the settings)
    """Return the rescorer."""
    return OverlapRescorer()


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())
