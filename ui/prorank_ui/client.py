"""What the pages ask for, and who answers: one client, in this process."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import islice
from pathlib import Path
from threading import Lock

from prorank_search import models, plugins, promotions
from prorank_search.judgments import FILE_NAME, JudgmentStore
from prorank_search.profiles import Profile, profile_for
from prorank_search.protocols import IndexBackend, IndexInfo, Rescorer
from prorank_search.search import load_backend, load_rescorer, search
from prorank_search.settings import Settings, load_settings
from prorank_search.types import Scored, ScoreRequest, SearchResult
from prorank_ui import training_runs
from prorank_ui.choices import Choice, Side, blend_of
from prorank_ui.scoring import Scoring

_KEPT_RESULTS = 500
_THREADS = 8
_EXAMPLES = 3
_LOOKED_THROUGH = 60
_TITLE_WORDS = range(2, 12)


class LocalClient:
    """Answers the pages' questions in this process.

    Models are loaded once, settings read once an index, by whoever asks first.
    Every method raises a `ProRankError` where it cannot.
    """

    def __init__(self) -> None:
        own = load_settings()
        self.home: Path = own.home
        self.config: Path | None = own.config
        self.store = JudgmentStore(own.home / FILE_NAME)
        self.backend: IndexBackend = load_backend(own)
        self._profiles: dict[tuple[str, str | None], tuple[Settings, Profile]] = {}
        self._rescorers: dict[tuple[object, ...], Rescorer] = {}
        self._loading = Lock()
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="prorank-ui")
        self._results: OrderedDict[tuple[object, ...], SearchResult] = OrderedDict()
        self._keeping = Lock()

    def indexes(self) -> list[IndexInfo]:
        """List the indexes that can be searched."""
        return self.backend.indexes()

    def settings(self, index: str) -> Settings:
        """Return what is in force for searches of an index."""
        return self._profile(index)[0]

    def rescorers(self) -> list[str]:
        """List the second stages that are installed."""
        return list(plugins.installed("rescorers"))

    def models(self, rescorer: str) -> list[str]:
        """List the models that a second stage can use here."""
        found = models.list_models(load_settings())
        own = training_runs.checkpoints(self.home) if rescorer == "prorank" else {}
        return [*(model.name for model in found if model.rescorer == rescorer and model.ready), *own]

    def examples(self, index: str) -> list[str]:
        """Return titles of an index's first documents, which are words that it has something for."""
        titles = (document.title.strip() for document in islice(self.backend.scan(index), _LOOKED_THROUGH))
        distinct = dict.fromkeys(title for title in titles if len(title.split()) in _TITLE_WORDS)
        return list(islice(distinct, _EXAMPLES))

    def depends_on(self, index: IndexInfo) -> tuple[object, ...]:
        """Return what answers depend on beside the choice: what the index holds, and the default model."""
        return index.version, index.documents, self.settings(index.name).model

    def start(self, choice: Choice, index: IndexInfo) -> Scoring:
        """Start a search of an index as it is now; one that was done before is there at once.

        An answer whose second stage failed or ran out of time is not kept: the next time it is tried again.
        """
        key = (choice, *self.depends_on(index))

        def answer(cancelled: Callable[[], bool]) -> SearchResult:
            with self._keeping:
                known = self._results.get(key)
            if known is not None:
                return known
            result = self._search(choice, cancelled)
            if result.status.state not in {"partial", "degraded"}:
                with self._keeping:
                    self._results[key] = result
                    while len(self._results) > _KEPT_RESULTS:
                        self._results.popitem(last=False)
            return result

        return Scoring(self._threads, answer)

    def score(self, choice: Choice, texts: Sequence[str]) -> list[Scored]:
        """Score texts as the choice's second stage does."""
        settings, profile = self._profile(choice.index)
        instruction = choice.side.instruction or profile.instruction
        return self._rescorer(choice.side, settings).score(ScoreRequest(choice.query, texts, instruction))

    def _search(self, choice: Choice, cancelled: Callable[[], bool]) -> SearchResult:
        settings, profile = self._profile(choice.index)
        side = choice.side
        rescorer = self._rescorer(side, settings) if side.rescorer else None
        window = side.window or str(settings.window_size)
        return search(
            choice.query,
            index=choice.index,
            backend=self.backend,
            rescorer=rescorer,
            top_k=choice.top_k,
            window_size=int(window) if window.isdecimal() else None,
            timeout_s=settings.timeout_s,
            profile=replace(
                profile,
                blend=blend_of(side.blend) or profile.blend,
                instruction=side.instruction or profile.instruction,
            ),
            whole_window=True,
            cancelled=cancelled,
        )

    def _profile(self, index: str) -> tuple[Settings, Profile]:
        key = (index, promotions.promoted_model(self.home))
        if key not in self._profiles:
            settings = load_settings(index=index)
            self._profiles[key] = settings, profile_for(settings, index)
        return self._profiles[key]

    def _rescorer(self, side: Side, settings: Settings) -> Rescorer:
        if side.model:
            settings = settings.model_copy(update={"model": side.model})
        with self._loading:
            key = (side.rescorer, settings.model, settings.device, settings.dtype, settings.max_length_tokens)
            if key not in self._rescorers:
                self._rescorers[key] = load_rescorer(side.rescorer, settings)
            return self._rescorers[key]
