"""All scores of a suite: each rescorer is opened once, asked for the largest window that any system needs, and closed.

First every window is scored, then what the pickers of cascades kept. Through the score cache, so that work which was
cut off goes on where it stopped; and through files of scores, where a folder for them is named.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from prorank_search.errors import RescorerError
from prorank_search.evaluation.ordering import ScoreTable, narrowed
from prorank_search.evaluation.score_files import ScoreFile
from prorank_search.evaluation.suite_candidates import Candidates
from prorank_search.evaluation.suite_file import Suite, SuiteRescorer, rescorers_of
from prorank_search.protocols import Rescorer
from prorank_search.types import Hit, Query, Ranking, ScoreRequest

Open = Callable[[SuiteRescorer, str | None], Rescorer]
"""Opens a rescorer with a model."""

Remember = Callable[[Rescorer], Rescorer]
"""Puts a rescorer behind the score cache, or leaves it as it is."""

Progress = Callable[[str, int, int], None]
"""Told what is scored, how many texts are done, and of how many."""

AllTables = dict[str, dict[str, ScoreTable]]
"""Scores by the names of collection and rescorer."""


@dataclass(frozen=True, slots=True)
class _Work:
    """What one rescorer is to score of one collection."""

    candidates: Candidates
    rescorer: str
    model: str | None
    instruction: str | None
    wanted: list[tuple[Query, list[Hit]]]

    @property
    def texts(self) -> int:
        return sum(len(hits) for _, hits in self.wanted)


def check_rescorers(suite: Suite, open_rescorer: Open) -> None:
    """Open every rescorer and model that the suite uses, one after another, and drop it.

    So a model that is missing is told before the others have scored for hours.

    Raises:
        ConfigError: A rescorer, its model or its extra is missing.
    """
    used = {name for system in suite.systems for name in rescorers_of(system)}
    for name in sorted(used):
        rescorer = suite.rescorers[name]
        models = {rescorer.model_for(collection.language): None for collection in suite.collections}
        for model in models:
            open_rescorer(rescorer, model)


def score_all(
    suite: Suite,
    everything: Sequence[Candidates],
    open_rescorer: Open,
    remember: Remember,
    progress: Progress,
    files: Path | None = None,
) -> AllTables:
    """Score all candidates that a system of the suite needs.

    Args:
        suite: The suite.
        everything: The candidates of its collections.
        open_rescorer: Opens a rescorer.
        remember: Puts it behind the score cache.
        progress: Told how far the work is.
        files: Folder of score files, see `score_files`; None: none are read or written.

    Raises:
        RescorerError: A rescorer failed.
        InputError: A score file cannot be used.
    """
    tables: AllTables = {candidates.name: {} for candidates in everything}
    done = 0
    for work in (_windows(suite, everything), _picked(suite, everything, tables)):
        of_model: dict[tuple[str, str | None], list[_Work]] = {}
        for part in work:
            of_model.setdefault((part.rescorer, part.model), []).append(part)
        total = done + sum(part.texts for parts in of_model.values() for part in parts)
        for (name, model), parts in of_model.items():
            rescorer = open_rescorer(suite.rescorers[name], model)
            remembering = remember(rescorer)
            for part in parts:
                table = tables[part.candidates.name].setdefault(name, ScoreTable(rescorer.info, rescorer.revision))
                file = ScoreFile(files and files / f"{part.candidates.name}.{name}.jsonl", rescorer.revision)
                for texts in _score(part, remembering, table, file):
                    done += texts
                    progress(f"{name} on {part.candidates.name}", done, total)
                if suite.timed_queries and table.seconds_a_text is None:
                    table.seconds_a_text = _seconds_a_text(part, rescorer, suite.timed_queries)
    return tables


def _windows(suite: Suite, everything: Sequence[Candidates]) -> Iterator[_Work]:
    for name, rescorer in suite.rescorers.items():
        for candidates in everything:
            window = _window(suite, name, candidates.window_size)
            if window:
                wanted = [(ranking.query, list(ranking.hits[:window])) for ranking in candidates.rankings]
                yield _work(candidates, name, rescorer, wanted)


def _window(suite: Suite, rescorer: str, window_size: int) -> int:
    """Return the largest window that a rescorer scores whole; 0: none."""
    picks = [system.pick.window_size for system in suite.systems if system.pick and system.pick.rescorer == rescorer]
    whole = [
        system.window_size or window_size
        for system in suite.systems
        if system.pick is None and rescorer in system.rescorers
    ]
    return max([0, *picks, *whole])


def _picked(suite: Suite, everything: Sequence[Candidates], tables: AllTables) -> Iterator[_Work]:
    for name, rescorer in suite.rescorers.items():
        for candidates in everything:
            wanted = [
                (ranking.query, missing)
                for ranking in candidates.rankings
                if (missing := _missing(suite, name, ranking, tables[candidates.name]))
            ]
            if wanted:
                yield _work(candidates, name, rescorer, wanted)


def _work(candidates: Candidates, name: str, rescorer: SuiteRescorer, wanted: list[tuple[Query, list[Hit]]]) -> _Work:
    instruction = rescorer.instruction or candidates.profile.instruction
    return _Work(candidates, name, rescorer.model_for(candidates.collection.language), instruction, wanted)


def _missing(suite: Suite, rescorer: str, ranking: Ranking, tables: dict[str, ScoreTable]) -> list[Hit]:
    """Return the hits that some picker kept for a rescorer which did not see them yet."""
    kept: dict[str, Hit] = {}
    for system in suite.systems:
        if system.pick is not None and rescorer in system.rescorers:
            seen, keep = narrowed(system, ranking, 0, tables)
            kept |= {hit.document.doc_id: hit for hit in seen.hits[:keep]}
    table = tables.get(rescorer)
    return list(kept.values()) if table is None else table.missing(ranking.query, list(kept.values()))


def _score(work: _Work, rescorer: Rescorer, table: ScoreTable, file: ScoreFile) -> Iterator[int]:
    """Score query by query what the file does not know, and yield how many texts were."""
    for query, hits in work.wanted:
        request = _request(work, query, hits)
        scores = file.known(query.query_id, _ids(hits), request)
        missing = [hit for hit in hits if hit.document.doc_id not in scores]
        if missing and not rescorer.info.texts_apart:
            missing = hits
        if missing:
            if len(missing) < len(hits):
                request = _request(work, query, missing)
            started = time.monotonic()
            answers = rescorer.score(request)
            table.seconds += time.monotonic() - started
            fresh = {
                doc_id: answer.score
                for doc_id, answer in zip(_ids(missing), answers, strict=True)
                if answer.score is not None
            }
            if len(fresh) < len(missing):
                raise RescorerError(f"{work.rescorer!r} gave a text of query {query.query_id!r} no score")
            scores |= fresh
            file.add(query.query_id, request, fresh)
        table.scores |= {(query.query_id, doc_id): score for doc_id, score in scores.items()}
        yield len(hits)


def _ids(hits: Sequence[Hit]) -> list[str]:
    return [hit.document.doc_id for hit in hits]


def _seconds_a_text(work: _Work, rescorer: Rescorer, queries: int) -> float:
    """Score some queries once more, past the score cache."""
    chosen = work.wanted[:queries]
    started = time.monotonic()
    for query, hits in chosen:
        rescorer.score(_request(work, query, hits))
    return (time.monotonic() - started) / max(1, sum(len(hits) for _, hits in chosen))


def _request(work: _Work, query: Query, hits: Sequence[Hit]) -> ScoreRequest:
    profile = work.candidates.profile
    return ScoreRequest(query.text, [profile.text_of(hit.document) for hit in hits], work.instruction)
