"""What the pages ask for: one client, which answers in this process or asks a service over HTTP.

Whoever asks is known to the client, not only to the page: each method that writes or runs something sees first whether
they may (`roles`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from prorank_search.evaluation.evaluate import FirstStage
from prorank_search.jobs import Job
from prorank_search.judgments import Judgment, Origin, QuerySet
from prorank_search.judgments.exchange import Judged
from prorank_search.judgments.pooling import Pooled
from prorank_search.protocols import IndexInfo
from prorank_search.types import Document, Qrel, Query, Scored
from prorank_ui.choices import Choice
from prorank_ui.evaluate.evaluating import EvaluationWish
from prorank_ui.roles import Person
from prorank_ui.running_search import RunningSearch
from prorank_ui.status.checkup import Examined

Asking = Callable[[], Person]
"""Tells who asks now."""


class Judgments(Protocol):
    """What can be read in the judgment store; see `JudgmentStore`."""

    def query_sets(self) -> list[QuerySet]:
        """List the query sets by name."""
        ...

    def queries(self, query_set: str) -> dict[str, Query]:
        """Return the queries of a set by `query_id`."""
        ...

    def pools(self, query_set: str) -> dict[str, list[str]]:
        """Return the documents in each query's pool."""
        ...

    def pooled(self, query_set: str, query_id: str) -> dict[str, Pooled]:
        """Return a query's pool by `doc_id`."""
        ...

    def judgments(self, query_set: str) -> list[Judgment]:
        """Return what counts of a set."""
        ...

    def qrels(self, query_set: str, origin: Origin = "person") -> list[Qrel]:
        """Return one judgment a document."""
        ...

    def comparison(self, name: str) -> dict[str, object]:
        """Return what a saved comparison shows."""
        ...


class Client(Protocol):
    """Answers the pages' questions. Every method raises a `ProRankError` where it cannot."""

    @property
    def home(self) -> Path:
        """Folder of this machine's judgments, jobs and collections."""
        ...

    @property
    def service(self) -> str:
        """Address of the service that is asked; empty: this process searches itself."""
        ...

    @property
    def store(self) -> Judgments:
        """The judgments, for reading."""
        ...

    def person(self) -> Person:
        """Return who asks.

        Raises:
            AuthError: They may not even look.
        """
        ...

    def indexes(self) -> list[IndexInfo]:
        """List the indexes that can be searched."""
        ...

    def stages(self, index: str) -> list[str]:
        """List the second stages that can be used, the index's own first."""
        ...

    def models(self, stage: str) -> Mapping[str, str]:
        """Return the models that a second stage can use, and what each is called."""
        ...

    def top_k(self, index: str) -> int:
        """Return how many hits of an index are seen at first."""
        ...

    def examples(self, index: IndexInfo) -> Sequence[str]:
        """Return some queries that an index has something for; none where nobody can tell."""
        ...

    def depends_on(self, index: IndexInfo) -> tuple[object, ...]:
        """Return what answers depend on beside the choice."""
        ...

    def start(self, choice: Choice, index: IndexInfo) -> RunningSearch:
        """Start a search of an index as it is now; one that was done before is there at once."""
        ...

    def text_of(self, index: str, document: Document) -> str:
        """Return the text that a second stage sees of a hit's document, as far as that is known here."""
        ...

    def score(self, choice: Choice, texts: Sequence[str]) -> list[Scored]:
        """Score texts as the choice's second stage does."""
        ...

    def first_stage(self, index: str) -> FirstStage:
        """Return the first stage of an index alone."""
        ...

    def examine(self) -> Examined:
        """Look at everything that has to work. Blocks for some seconds."""
        ...

    def start_evaluation(self, wish: EvaluationWish) -> Job:
        """Start an evaluation as a job. Judges may."""
        ...

    def resume_job(self, job: Job) -> None:
        """Go on with a job. Who may start such a job may."""
        ...

    def stop_job(self, job: Job) -> None:
        """Tell a job to end. Who may start such a job may."""
        ...

    def put_job_away(self, job: Job) -> None:
        """Let a page no longer show that a job did not end well. Who may start such a job may."""
        ...

    def add_queries(self, query_set: str, index: str, queries: Iterable[Query]) -> int:
        """Add queries to a set; return how many were new. Judges may."""
        ...

    def pool(self, query_set: str, query_id: str, hits: Iterable[Pooled]) -> int:
        """Put hits into a query's pool; return how many were new. Judges may."""
        ...

    def judge(self, *judgments: Judgment) -> None:
        """Write judgments down. Judges may, each under the name that a proxy gives them."""
        ...

    def undo(self, query_set: str, judge: str) -> Judgment | None:
        """Take back the last thing that a judge said in a set. Judges may, of their own."""
        ...

    def take_in(self, judged: Judged, *, query_set: str, index: str, judge: str, origin: Origin) -> tuple[int, int]:
        """Put the judgments of a file into a set; return how many queries and judgments are new.

        Judges may, a person's under the name that a proxy gives them, or one that begins with `imported`.
        """
        ...

    def save_comparison(self, address: Mapping[str, object]) -> str:
        """Keep a comparison; return its short id. Judges may."""
        ...
