"""Any rerank server as the second stage: Cohere, Jina, vLLM, text-embeddings-inference, or another ProRank service.

docs/remote.md tells what each of them is sent.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from pydantic import TypeAdapter, ValidationError

from prorank_search.errors import ConfigError
from prorank_search.models import promotion
from prorank_search.outbound import check_url
from prorank_search.rescorers.remote.calls import Calls, TooManyTextsError
from prorank_search.rescorers.remote.shapes import SHAPES, Json, Place, body, place_of, revision_in, scores
from prorank_search.scoring.deadline import is_over
from prorank_search.settings import Settings
from prorank_search.types import RescorerInfo, Scored, ScoreRequest

_WINDOW_SIZE = 100
_INFO_S = 5.0
"""How long a server has to say what it is."""

_LEAST_TEXTS = 8
"""A batch that was too large is remembered down to so many: below, it was the texts' length."""

_LONGEST_TIMEOUT_S = 3600.0
_WAY_BACK_S = 0.1
"""What a partial answer of a ProRank service needs to be here in time."""

_INFO = TypeAdapter(RescorerInfo)


@dataclass(frozen=True, slots=True)
class Facts:
    """What a server says of itself at `/info`.

    Attributes:
        info: Of a ProRank service, what its own rescorer says.
        revision: Of its model; empty where it tells none.
        most_texts: Texts that it takes at once; None: it does not say.
        ours: Whether it is a ProRank service.
    """

    info: RescorerInfo
    revision: str = ""
    most_texts: int | None = None
    ours: bool = False


class RemoteRescorer:
    """Scores texts with the model behind a rerank URL. Safe from many threads, which share its connections.

    The scores are the server's own numbers; of a ProRank service, and where a shape has a word for it, log-odds.

    Args:
        place: Where, and in which shape.
        model: What the server is to call its model; None: its only one.
        api_key: Sent as a bearer token.
    """

    def __init__(self, place: Place, model: str | None = None, api_key: str | None = None) -> None:
        self._place, self._model = place, model
        self._shape = SHAPES[place.shape]
        self._calls = Calls(place.shown, api_key)
        self._facts = Facts(RescorerInfo(model or place.shown, window_size=_WINDOW_SIZE))
        self._asked = False
        self._most_texts = self._shape.most_texts
        self._ask_what_it_is(ScoreRequest("", []))

    @property
    def revision(self) -> str:
        """The server's address, the model, and the server's own revision as far as it was told."""
        return f"{self._place.shape}-{self._place.shown}-{self._model or ''}-{self._facts.revision}"

    @property
    def info(self) -> RescorerInfo:
        """What the server says of its model; little, where it is no ProRank service."""
        return self._facts.info

    def score(self, request: ScoreRequest) -> list[Scored]:
        """Score each text; those that the deadline overtakes come back unscored.

        An empty query is not sent, since every server refuses it: all texts score 0.

        Raises:
            RescorerError: The server cannot be reached, failed, or gave an answer that is none.
        """
        if not request.query.strip():
            return [Scored(None if is_over(request) else 0.0)] * len(request.texts)
        done: list[Scored] = []
        if request.texts and not is_over(request):
            self._ask_what_it_is(request)
        size = self._most_texts
        while len(done) < len(request.texts) and not is_over(request):
            part = request.texts[len(done) : len(done) + size]
            try:
                answered = self._calls.run(self._answer(request, part), request)
            except TooManyTextsError:
                if len(part) == 1:
                    raise
                size = (len(part) + 1) // 2
                self._most_texts = max(_LEAST_TEXTS, size)
                continue
            if answered is None:
                break
            done += answered
        return done + [Scored(None)] * (len(request.texts) - len(done))

    def close(self) -> None:
        """Close the connections."""
        self._calls.close()

    async def _answer(self, request: ScoreRequest, texts: Sequence[str]) -> list[Scored]:
        seconds = None if request.deadline is None else request.deadline - time.monotonic()
        extension = _extension(request, seconds) if self._place.shape == "prorank" or self._facts.ours else None
        sent = body(self._shape, request.query, texts, self._model, extension)
        answer = await self._calls.post(self._place.url, sent, seconds)
        revision = revision_in(answer)
        if revision is not None and revision != self._facts.revision:
            self._facts = replace(self._facts, revision=revision)
            self._asked = False  # another model than before: what it says of itself is asked for again
        return scores(self._shape, answer, len(texts), self._place.shown)

    def _ask_what_it_is(self, request: ScoreRequest) -> None:
        if self._asked:
            return
        query = f"?{urlencode({'model': self._model})}" if self._model else ""
        said = self._calls.run(self._calls.get(self._place.info_url + query, _INFO_S), request)
        self._asked = said is not None
        if isinstance(said, dict):
            self._facts = _facts(said, self._facts.info)
            self._most_texts = self._facts.most_texts or self._most_texts


def open_rescorer(settings: Settings) -> RemoteRescorer:
    """Return the rescorer that asks the settings' `remote_url`; `model` is sent where it was set.

    Raises:
        ConfigError: There is no address, or none that may be asked, or its path tells no shape.
    """
    if settings.remote_url is None:
        raise ConfigError("the rescorer remote needs remote_url: the address of a rerank server, with its path")
    check_url(settings.remote_url, "the rescorer remote")
    key = settings.remote_api_key
    return RemoteRescorer(
        place_of(settings.remote_url, settings.remote_shape),
        None if promotion.follows(settings) else settings.model,  # this machine's default is not the server's
        None if key is None else key.get_secret_value(),
    )


def _extension(request: ScoreRequest, seconds: float | None) -> Json:
    """Return what a ProRank service is told beside query and texts."""
    timeout_s = _LONGEST_TIMEOUT_S if seconds is None else max(seconds - _WAY_BACK_S, seconds / 2)
    extension: Json = {"timeout_s": min(_LONGEST_TIMEOUT_S, max(timeout_s, 0.001))}
    return extension if request.instruction is None else {**extension, "instruction": request.instruction}


def _facts(said: Json, before: RescorerInfo) -> Facts:
    """Read what a server says of itself; whatever is missing stays as it was."""
    most, revision, own = said.get("max_client_batch_size"), said.get("model_sha"), said.get("prorank")
    try:
        info = _INFO.validate_python(own.get("rescorer") if isinstance(own, dict) else None)
    except ValidationError:
        info = before
    return Facts(
        info=info,
        revision=revision if isinstance(revision, str) else "",
        most_texts=most if isinstance(most, int) and most > 0 else None,
        ours=isinstance(own, dict),
    )
