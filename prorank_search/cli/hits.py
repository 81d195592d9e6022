"""How hits look in a terminal, and in a pipe: the same words, without colours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prorank_search.snippets import any_of, one_line, snippet

if TYPE_CHECKING:
    from rich.text import Text

    from prorank_search.types import RescoredHit, SearchResult

SNIPPET_LENGTH = 160


def card(hit: RescoredHit, rank: int, moved: str, facts: str) -> Text:
    """Return a hit as a few lines: rank, movement and title; a snippet; scores. Matched words stand out."""
    from rich.text import Text

    title = one_line(hit.document.title or hit.document.doc_id)
    text = snippet(hit.passage or hit.document.text, hit.highlights, SNIPPET_LENGTH)
    lines = [
        Text.assemble((f"{rank:>2}. ", "bold"), (f"{moved} " if moved else "", _style(moved)), (title, "bold")),
        Text(text),
        Text(facts, style="dim"),
    ]
    pattern = any_of(hit.highlights)
    if pattern is not None:
        for line in lines[:2]:
            line.highlight_regex(pattern, "yellow")
    return Text("\n").join(line for line in lines if line.plain)


def scores(hit: RescoredHit) -> str:
    """Return a hit's scores of both stages in words, and whether the model read all of it."""
    facts = [f"score {hit.rescore_score:.3f}" if hit.rescore_score is not None else "not rescored"]
    if hit.probability is not None:
        facts.append(f"probability {hit.probability:.2f}")
    facts += [f"BM25 {hit.first_stage_score:.2f}", *passage_place(hit)]
    if hit.truncated and hit.rescore_score is not None:
        facts.append("cut: the model did not read the end")
    return ", ".join(facts)


def passage_place(hit: RescoredHit) -> list[str]:
    """Return where the passage that is shown stands in its document, and the rank that BM25 gave it there."""
    offsets = hit.document.passage_offsets
    if hit.passage_rank is None or offsets is None:
        return []
    by_rank = f", BM25's number {hit.passage_rank} there" if hit.passage_rank > 1 else ""
    return [f"passage at characters {offsets[0]:,} to {offsets[1]:,}{by_rank}"]


def status_line(result: SearchResult) -> str:
    """Return window, model and milliseconds of each stage in one line."""
    status, took = result.status, result.took_ms
    stages = [f"BM25 {took['first_stage']:.0f} ms"]
    if status.model is not None:
        hits = "1 hit" if status.window_size == 1 else f"{status.window_size} hits"
        stages.append(f"rescoring {hits} with {status.model} {took['rescore']:.0f} ms")
    cut = ", query cut" if status.query_truncated else ""
    return f"{status.state}: {', '.join(stages)}, total {took['total']:.0f} ms{cut}"


def _style(moved: str) -> str:
    return {"▲": "green", "▼": "red", "n": "cyan"}.get(moved[:1], "dim")
