"""What every client has beside its searches: judgments and jobs in the home of this machine, each deed checked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from prorank_search import jobs
from prorank_search.errors import AuthError
from prorank_search.jobs import Job
from prorank_search.judgments import FILE_NAME, Judgment, JudgmentStore, Origin, exchange
from prorank_search.judgments.exchange import Judged
from prorank_search.judgments.pooling import Pooled
from prorank_search.settings import Settings
from prorank_search.types import Query
from prorank_ui.client import Asking, Judgments
from prorank_ui.evaluate import evaluating
from prorank_ui.judge.judging import IMPORTED, PROPOSING
from prorank_ui.roles import Person, Role, require


class HomeClient:
    """Keeps judgments and runs jobs for whoever may.

    Args:
        settings: Of this process.
        asking: Tells who asks; called with every deed.
    """

    def __init__(self, settings: Settings, asking: Asking) -> None:
        self.home: Path = settings.home
        self._store = JudgmentStore(settings.home / FILE_NAME)
        self._asking = asking

    @property
    def store(self) -> Judgments:
        """The judgments, for reading."""
        return self._store

    def person(self) -> Person:
        """Return who asks.

        Raises:
            AuthError: They may not even look.
        """
        return self._asking()

    def add_queries(self, query_set: str, index: str, queries: Iterable[Query]) -> int:
        """Add queries to a set; return how many were new."""
        self._require("judge", "making a query set")
        return self._store.add_queries(query_set, index, queries)

    def pool(self, query_set: str, query_id: str, hits: Iterable[Pooled]) -> int:
        """Put hits into a query's pool; return how many were new."""
        self._require("judge", "putting hits before the judges")
        return self._store.pool(query_set, query_id, hits)

    def judge(self, *judgments: Judgment) -> None:
        """Write judgments down.

        Raises:
            AuthError: A person's judgment stands under another name than the proxy gives.
        """
        person = self._require("judge", "judging")
        for one in judgments:
            if one.origin == "person":
                _see_own_name(person, one.judge)
        self._store.judge(*judgments)

    def undo(self, query_set: str, judge: str) -> Judgment | None:
        """Take back the last thing that a judge said in a set."""
        _see_own_name(self._require("judge", "taking a judgment back"), judge)
        return self._store.undo(query_set, judge)

    def take_in(self, judged: Judged, *, query_set: str, index: str, judge: str, origin: Origin) -> tuple[int, int]:
        """Put the judgments of a file into a set; return how many queries and judgments are new.

        Raises:
            AuthError: A proxy names who asks, and the judgments would stand under somebody else's name.
        """
        person = self._require("judge", "importing judgments")
        if origin == "person" and not judge.startswith(IMPORTED):
            _see_own_name(person, judge)
        return exchange.take_in(self._store, judged, query_set=query_set, index=index, judge=judge, origin=origin)

    def save_comparison(self, address: Mapping[str, object]) -> str:
        """Keep a comparison; return its short id."""
        self._require("judge", "saving a comparison")
        return self._store.save_comparison(address)

    def resume_job(self, job: Job) -> None:
        """Go on with a job."""
        self._require(role_for(job.kind), f"going on with {job.title!r}")
        jobs.resume(job)

    def stop_job(self, job: Job) -> None:
        """Tell a job to end."""
        self._require(role_for(job.kind), f"stopping {job.title!r}")
        jobs.stop(job)

    def put_job_away(self, job: Job) -> None:
        """Let a page no longer show that a job did not end well."""
        self._require(role_for(job.kind), f"dismissing {job.title!r}")
        jobs.put_away(job)

    def _require(self, role: Role, deed: str) -> Person:
        person = self._asking()
        require(person, role, deed)
        return person


def role_for(kind: str) -> Role:
    """Return the role that a kind of job needs.

    Example:
        >>> role_for("evaluate"), role_for("train")
        ('judge', 'operator')
    """
    return "judge" if kind in {evaluating.KIND, PROPOSING} else "operator"


def _see_own_name(person: Person, judge: str) -> None:
    """See that whom a proxy names judges under no other name."""
    if person.name and judge != person.name:
        raise AuthError(f"you are {person.name!r} here, and judge under no other name than that: not {judge[:80]!r}")
