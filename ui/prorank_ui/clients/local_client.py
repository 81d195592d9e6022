"""The client that answers in this process, with the models, indexes and files of this machine."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

from prorank_search import jobs, models, plugins, promotions
from prorank_search.cli.demo_corpus import QUESTIONS
from prorank_search.evaluation.evaluate import FirstStage, first_stage_of
from prorank_search.evaluation.score_cache import remembering
from prorank_search.jobs import Job
from prorank_search.models import promotion
from prorank_search.profiles import Profile, profile_for
from prorank_search.protocols import IndexBackend, IndexInfo, Rescorer
from prorank_search.search import load_backend, load_rescorer, search
from prorank_search.settings import Settings, load_settings
from prorank_search.storage.memory_cache import MemoryCache
from prorank_search.types import Document, Scored, ScoreRequest, SearchResult
from prorank_ui.choices import Choice, Side, blend_of
from prorank_ui.client import Asking
from prorank_ui.clients.home_client import HomeClient, role_for
from prorank_ui.clients.kept_results import KeptResults
from prorank_ui.clients.loaded_models import LoadedModels
from prorank_ui.documents import index_care, ingesting, uploads
from prorank_ui.documents.uploads import Upload, Uploaded
from prorank_ui.evaluate import evaluating
from prorank_ui.running_search import RunningSearch
from prorank_ui.status import checkup
from prorank_ui.status.checkup import Examined
from prorank_ui.train import held_back, training_runs
from prorank_ui.train.held_back import HeldBack, Pair

_EXAMPLES = 3
_LOOKED_THROUGH = 60
_TITLE_WORDS = range(2, 12)


class LocalClient(HomeClient):
    """Answers the pages' questions in this process.

    Models are loaded, settings read once an index, by whoever asks first; so is the first stage opened: where its
    engine is down, the pages that ask it nothing work. Scores are remembered: another blend of the same hits, or a link
    to a search that was done before, asks no model.
    Every method raises a `ProRankError` where it cannot.

    Args:
        settings: Of this process.
        asking: Tells who asks.
    """

    service = ""

    def __init__(self, settings: Settings, asking: Asking) -> None:
        super().__init__(settings, asking)
        self._settings = settings
        self._of_index: dict[tuple[str, str | None], tuple[Settings, Profile]] = {}
        self._examples: dict[tuple[str, str, int], list[str]] = {}
        self._models = LoadedModels()
        self._scores = MemoryCache(settings.score_memory_mb)
        self._results = KeptResults()

    def indexes(self) -> list[IndexInfo]:
        """List the indexes that can be searched."""
        return self._backend.indexes()

    def stages(self, index: str) -> list[str]:
        """List the second stages that are installed, the index's own first."""
        settings, _ = self._in_force(index)
        return list(dict.fromkeys([settings.rescorer, *plugins.installed("rescorers")]))

    def models(self, stage: str) -> dict[str, str]:
        """Return the models that a second stage can use here, and what each is called."""
        found = models.list_models(load_settings())
        own = training_runs.checkpoints(self.home) if stage == "prorank" else {}
        return {model.name: model.name for model in found if model.rescorer == stage and model.ready} | own

    def top_k(self, index: str) -> int:
        """Return how many hits of an index are seen at first."""
        settings, _ = self._in_force(index)
        return settings.top_k

    def examples(self, index: IndexInfo) -> list[str]:
        """Return the demo's questions that an index answers, else titles of its first documents; looked for once."""
        key = (index.name, index.version, index.documents)
        if key not in self._examples:
            self._examples[key] = self._look_for_examples(index.name)
        return self._examples[key]

    def depends_on(self, index: IndexInfo) -> tuple[object, ...]:
        """Return what answers depend on beside the choice: what the index holds, and the default model."""
        settings, _ = self._in_force(index.name)
        return index.version, index.documents, settings.model

    def start(self, choice: Choice, index: IndexInfo) -> RunningSearch:
        """Start a search of an index as it is now; one that was done before is there at once."""
        return self._results.start((choice, *self.depends_on(index)), lambda cancelled: self._search(choice, cancelled))

    def text_of(self, index: str, document: Document) -> str:
        """Return the text that a second stage sees of a hit's document."""
        _, profile = self._in_force(index)
        return profile.text_of(document)

    def score(self, choice: Choice, texts: Sequence[str]) -> list[Scored]:
        """Score texts as the choice's second stage does."""
        settings, profile = self._in_force(choice.index)
        instruction = choice.side.instruction or profile.instruction
        return self._rescorer(choice.side, settings).score(ScoreRequest(choice.query, texts, instruction))

    def first_stage(self, index: str) -> FirstStage:
        """Return the first stage of an index alone."""
        _, profile = self._in_force(index)
        return first_stage_of(self._backend, index, profile)

    def examine(self) -> Examined:
        """Run `prorank doctor`, and ask the service of these settings, where one runs."""
        return checkup.examine()

    def start_evaluation(self, wish: evaluating.EvaluationWish) -> Job:
        """Start an evaluation as a job."""
        self._require("judge", "measuring")
        settings, profile = self._in_force(wish.index)
        return evaluating.start(self.home, wish, settings, profile)

    def start_job(self, kind: str, title: str, command: Sequence[str], about: Mapping[str, object]) -> Job:
        """Start any other job."""
        self._require(role_for(kind), f"starting {title!r}")
        return jobs.start(self.home / "jobs", kind, title, command, about)

    def start_held_back_test(self, of: HeldBack, pair: Pair, limit: int) -> Job:
        """Start a test of two models on held-back judgments, as a job."""
        self._require("operator", "testing a model")
        settings, profile = self._in_force(of.index)
        return held_back.start(self.home, of, pair, limit, settings, profile)

    def promote(self, checkpoint: Path) -> None:
        """Make a checkpoint the default model, once it was seen to load."""
        self._require("operator", "making a model the default")
        settings = load_settings()
        load_rescorer("prorank", settings.model_copy(update={"model": str(checkpoint)}))
        promotion.promote(str(checkpoint), settings)

    def demote(self) -> None:
        """Take the last promotion back."""
        self._require("operator", "taking a default model back")
        promotions.demote(self.home)

    def keep_upload(self, files: Sequence[Uploaded]) -> Upload:
        """Put what was uploaded on disk."""
        self._require("operator", "uploading")
        return uploads.keep(files, self.home)

    def delete_uploads(self, upload_ids: Collection[str]) -> None:
        """Delete uploads."""
        self._require("operator", "deleting uploads")
        uploads.delete(self.home, upload_ids)

    def dry_run(self, wish: ingesting.IngestWish) -> Mapping[str, Any]:
        """Return what a dry run of an ingest shows."""
        self._require("operator", "a dry run")
        return ingesting.dry_run(wish, self._settings.config)

    def start_ingest(self, wish: ingesting.IngestWish) -> Job:
        """Start an ingest as a job."""
        self._require("operator", "putting documents into an index")
        return ingesting.start(self.home / "jobs", wish, self._settings.config)

    def versions(self, index: str) -> list[str]:
        """List the versions of an index, the oldest first."""
        return self._backend.versions(index)

    def rollback(self, index: str) -> None:
        """Take an index back to its version before."""
        self._require("operator", "rolling an index back")
        self._backend.rollback(index)

    def prune(self, index: str) -> None:
        """Delete all versions of an index but the one that is searched."""
        self._require("operator", "deleting versions of an index")
        self._backend.prune(index)

    def delete_index(self, index: str, typed: str) -> None:
        """Delete an index, once its name was typed."""
        self._require("operator", "deleting an index")
        index_care.delete(self._backend, index, typed)

    @cached_property
    def _backend(self) -> IndexBackend:
        return load_backend(self._settings)

    def _look_for_examples(self, index: str) -> list[str]:
        asked = [one.text for one in QUESTIONS if self._backend.existing(index, one.answers)]
        if asked:
            return asked
        titles = (document.title.strip() for document in islice(self._backend.scan(index), _LOOKED_THROUGH))
        distinct = dict.fromkeys(title for title in titles if len(title.split()) in _TITLE_WORDS)
        return list(islice(distinct, _EXAMPLES))

    def _search(self, choice: Choice, cancelled: Callable[[], bool]) -> SearchResult:
        settings, profile = self._in_force(choice.index)
        side = choice.side
        rescorer = self._rescorer(side, settings) if side.rescorer else None
        window = side.window or str(settings.window_size)
        return search(
            choice.query,
            index=choice.index,
            backend=self._backend,
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

    def _in_force(self, index: str) -> tuple[Settings, Profile]:
        key = (index, promotions.promoted_model(self.home))
        if key not in self._of_index:
            settings = load_settings(index=index)
            self._of_index[key] = settings, profile_for(settings, index)
        return self._of_index[key]

    def _rescorer(self, side: Side, settings: Settings) -> Rescorer:
        if side.model:
            settings = settings.changed({"model": side.model})
        key = (side.rescorer, settings.model, settings.device, settings.dtype, settings.max_length_tokens)
        return self._models.get(key, lambda: remembering(load_rescorer(side.rescorer, settings), self._scores))
