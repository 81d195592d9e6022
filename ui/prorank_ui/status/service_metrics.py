"""What a service tells Prometheus of its requests, in words: how many, how fast, how many failed."""

from __future__ import annotations

import math
import re
from collections import Counter

from prorank_ui.drawing.wording import count, duration

_REQUESTS = re.compile(
    r'^prorank_requests_total\{shape="(?P<shape>[^"]*)",status="(?P<status>\d+)"\} (?P<number>\S+)$', re.MULTILINE
)
_REFUSED = re.compile(r'^prorank_refused_total\{status="\d+"\} (?P<number>\S+)$', re.MULTILINE)
_WITHIN = re.compile(
    r'^prorank_request_seconds_bucket\{le="(?P<seconds>[^"]*)",shape="[^"]*"\} (?P<number>\S+)$', re.MULTILINE
)
_FAILED = 500
_SHARES = {"half": 0.5, "95 %": 0.95}


def requests_in(metrics: str) -> tuple[str, str]:
    """Return what Prometheus is told of requests, in words, and what to beware of.

    Example:
        >>> requests_in('prorank_requests_total{shape="search",status="200"} 12.0')
        ('12 requests since the start', '')
        >>> requests_in('prorank_requests_total{shape="search",status="502"} 1.0')[1]
        '1 request failed (search 502): the log of the service tells why'
    """
    found = [(one["shape"], int(one["status"]), int(float(one["number"]))) for one in _REQUESTS.finditer(metrics)]
    refused = sum(int(float(one["number"])) for one in _REFUSED.finditer(metrics))
    told = f"{count(sum(number for *_, number in found), 'request')} since the start"
    latency = _latency(metrics)
    if latency:
        told += f", {latency}"
    if refused:
        told += f", {refused:,} more not let in"
    failed = [(f"{shape} {status}", number) for shape, status, number in found if status >= _FAILED]
    if not failed:
        return told, ""
    number, kinds = sum(number for _, number in failed), ", ".join(kind for kind, _ in failed)
    return told, f"{count(number, 'request')} failed ({kinds}): the log of the service tells why"


def _latency(metrics: str) -> str:
    r"""Return within what half of the requests, and nearly all, were answered, as finely as the buckets tell.

    Example:
        >>> bucket = 'prorank_request_seconds_bucket{le="%s",shape="search"} %s'
        >>> _latency("\n".join(bucket % row for row in [("0.25", 6), ("1.0", 9), ("+Inf", 10)]))
        'half within 250 ms, 95 % in more than 1.0 s'
    """
    within: Counter[float] = Counter()
    for one in _WITHIN.finditer(metrics):
        within[float(one["seconds"])] += int(float(one["number"]))
    if not within[math.inf]:
        return ""
    longest = max((seconds for seconds in within if seconds < math.inf), default=0.0)
    told = []
    for name, share in _SHARES.items():
        seconds = min(bound for bound, number in within.items() if number >= share * within[math.inf])
        how = "within" if seconds < math.inf else "in more than"
        told.append(f"{name} {how} {duration(1000 * min(seconds, longest))}")
    return ", ".join(told)
