"""What a result says of itself, in plain words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from prorank_search.types import SearchResult
from prorank_ui.choices import blend_name, written_blend

_KB, _MB = 1_000, 1_000_000


def duration(milliseconds: float) -> str:
    """Return a duration rounded so that it can be read.

    Example:
        >>> duration(3.14159), duration(0.2), duration(812.4), duration(2345.6)
        ('3 ms', '< 1 ms', '812 ms', '2.3 s')
    """
    if milliseconds < 1:
        return "< 1 ms"
    seconds = milliseconds / 1000
    return f"{milliseconds:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def minute(time: str) -> str:
    """Return a time, ISO 8601 in UTC, up to its minute; nothing where there is none.

    Example:
        >>> minute("2026-11-24T18:31:05+00:00"), minute("")
        ('2026-11-24 18:31', '')
    """
    return time[:16].replace("T", " ")


def stage_times(result: SearchResult) -> str:
    """Return how long each stage took."""
    stages = {"BM25": "first_stage", "rescoring": "rescore", "total": "total"}
    return " · ".join(f"{name} {duration(result.took_ms[stage])}" for name, stage in stages.items())


def note(result: SearchResult) -> str:
    """Return what stands beside a side's name."""
    if result.status.state == "skipped":
        return f"first stage · {duration(result.took_ms['first_stage'])}"
    scored, window = sum(hit.rescore_score is not None for hit in result.hits), result.status.window_size
    share = f"{scored} of {count(window, 'hit')}" if scored < window else count(window, "hit")
    order = "" if result.status.blend is None else f", by {blend_name(written_blend(result.status.blend))}"
    return f"{share} rescored{order} · {duration(result.took_ms['rescore'])}"


def count(number: int, noun: str) -> str:
    """Return a number with its noun.

    Example:
        >>> count(1, "hit"), count(20958, "document"), count(2, "query")
        ('1 hit', '20,958 documents', '2 queries')
    """
    if number == 1:
        return f"1 {noun}"
    return f"{number:,} {noun[:-1]}ies" if noun.endswith("y") else f"{number:,} {noun}s"


def size(size_bytes: int) -> str:
    """Return a size on disk.

    Example:
        >>> size(0), size(2_400), size(3_440_000), size(1_230_000_000)
        ('0 bytes', '2 kB', '3.4 MB', '1,230.0 MB')
    """
    if size_bytes < _KB:
        return f"{size_bytes} bytes"
    return f"{size_bytes / _KB:.0f} kB" if size_bytes < _MB else f"{size_bytes / _MB:,.1f} MB"


def apart(names: Mapping[str, str]) -> dict[str, str]:
    """Return what ids are called, with a number where several are called the same: a browser sends a name back.

    Args:
        names: By id. The first one in the order of the ids keeps its name, so that later ones change none.

    Example:
        >>> apart({"run-2": "shop (18:31)", "run-1": "shop (18:31)"})
        {'run-2': 'shop (18:31) no. 2', 'run-1': 'shop (18:31)'}
    """
    called: dict[str, str] = {}
    met: Counter[str] = Counter()
    for one in sorted(names):
        met[names[one]] += 1
        number = met[names[one]]
        called[one] = names[one] if number == 1 else f"{names[one]} no. {number}"
    return {one: called[one] for one in names}


def beware(result: SearchResult, top_k: int) -> tuple[str, str] | None:
    """Return a headline and a reason where a result is not plainly what was asked for; None where it is.

    Args:
        result: Of one side.
        top_k: Hits that are looked at first: a window of fewer leaves some of them as they were.
    """
    status = result.status
    if status.state == "partial":
        more = "Choose fewer “Hits rescored”, or a longer timeout_s in prorank.toml."
        return "Only a part was rescored: the rest follows in BM25's order", f"{status.reason}. {more}"
    if status.state == "skipped":
        return None
    if status.query_truncated:
        return "The query is too long: the model did not read its end", status.reason
    if status.reason:
        return "These scores may be unreliable", status.reason
    if status.window_size < min(top_k, len(result.hits)):
        scored = "hit of BM25 was" if status.window_size == 1 else f"{status.window_size} hits of BM25 were"
        more = "An automatic window is what this machine scores in time; “Hits rescored” sets another."
        return f"Only the first {scored} rescored: the rest keeps its order", more
    return None
