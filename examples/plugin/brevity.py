"""A rescorer that prefers short texts: all that a plugin needs."""

from __future__ import annotations

import time

from prorank_search.settings import Settings
from prorank_search.types import RescorerInfo, Scored, ScoreRequest


class BrevityRescorer:
    """Score = -(characters of the text)."""

    revision = "brevity-1"  # change it whenever a score may change: caches rely on it
    info = RescorerInfo(model="brevity", window_size=100)

    def score(self, request: ScoreRequest) -> list[Scored]:
        """Score each text of the request, in the same order; none where it is too late, or nobody waits."""
        return [Scored(None if _in_vain(request) else -float(len(text))) for text in request.texts]


def open_rescorer(settings: Settings) -> BrevityRescorer:
    """Return the rescorer; `settings` names model, device and the rest for those that need them."""
    del settings
    return BrevityRescorer()


def _in_vain(request: ScoreRequest) -> bool:
    late = request.deadline is not None and time.monotonic() >= request.deadline
    return late or (request.cancelled is not None and request.cancelled())
