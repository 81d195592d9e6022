"""What the page Status shows, as rows and HTML: pure, but for the list of what is installed."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from prorank_search.doctor.check import State
from prorank_search.doctor.installation import Checked
from prorank_search.jobs import Job, JobStatus
from prorank_search.models import ModelInfo
from prorank_ui.documents.ingest_output import state_in_words
from prorank_ui.drawing.markup import escape
from prorank_ui.drawing.wording import count, minute

STYLES = Path(__file__).with_suffix(".css")
_SIGNS: Mapping[State, tuple[str, str]] = {
    "ok": ("✓", "works"),
    "warn": ("!", "to note"),
    "fail": ("✕", "fails"),
    "skipped": ("–", "not looked at"),
}
_PACKAGES = {
    "prorank-search": "",
    "torch": "model",
    "tantivy": "",
    "opensearch-py": "opensearch",
    "elasticsearch": "elasticsearch",
    "streamlit": "ui",
    "fastapi": "serve",
    "trl": "train",
}
"""Packages whose versions matter, with the extra that brings them."""


def headline(checks: Sequence[Checked]) -> str:
    """Return how an installation is, in one sentence.

    Example:
        >>> headline([Checked("model", "ok", "", ""), Checked("engine", "fail", "", "")])
        '1 of 2 checks fails: engine'
    """
    failed = [check.name for check in checks if check.state == "fail"]
    if failed:
        verb = "fails" if len(failed) == 1 else "fail"
        return f"{len(failed)} of {count(len(checks), 'check')} {verb}: {', '.join(failed)}"
    warned = [check.name for check in checks if check.state == "warn"]
    return f"Nothing fails; look at: {', '.join(warned)}" if warned else "Everything works"


def checklist(checks: Sequence[Checked]) -> str:
    """Return the checks as HTML; what fails says what to do."""
    return f'<div class="ps-board"><ul class="ps-checks">{"".join(map(_check, checks))}</ul></div>'


def printed(output: str) -> str:
    """Return what a job printed, as HTML that scrolls, by keyboard too."""
    return f'<pre class="ps-printed" role="region" aria-label="Output" tabindex="0" dir="auto">{escape(output)}</pre>'


def job_row(job: Job, status: JobStatus) -> list[str]:
    """Return a job as a line of a table."""
    times = (job.created, status.ended)
    return [job.title, job.kind, state_in_words(job, status), *map(minute, times)]


def model_row(model: ModelInfo, default: str) -> list[str]:
    """Return a model as a line of a table.

    Example:
        >>> model_row(ModelInfo("tiny", "available", False, "prorank", "", "MIT", 1200, "a wheel"), "tiny")
        ['tiny (default)', 'not on this machine: prorank models pull tiny', 'prorank', '1,200 MB', 'MIT']
    """
    name = f"{model.name} (default)" if model.name == default else model.name
    missing = f"not on this machine: prorank models pull {model.base or model.name}"
    return [name, "ready" if model.ready else missing, model.rescorer, f"{model.size_mb:,} MB", model.license]


def service_facts(service: Mapping[str, Any]) -> str:
    """Return what a running service says of its queue and its requests; empty where none runs.

    Example:
        >>> own = {"queued_tokens": 900, "max_queued_tokens": 40000, "tokens_per_second": 4010.2}
        >>> service_facts({"model_id": "tiny", "prorank": own})
        'tiny · queue: 900 of 40,000 tokens · 4,010 tokens a second'
    """
    if not service:
        return ""
    own = service["prorank"]
    queue = f"queue: {own.get('queued_tokens') or 0:,} of {own.get('max_queued_tokens') or 0:,} tokens"
    version = f" · version {own['version']}" if own.get("version") else ""
    speed = f"{own.get('tokens_per_second') or 0:,.0f} tokens a second"
    requests = f" · {service['requests']}" if service.get("requests") else ""
    return f"{service.get('model_id')} · {queue} · {speed}{requests}{version}"


def installed() -> list[list[str]]:
    """Return the versions of what matters, as lines of a table."""
    return [
        ["Python", platform.python_version()],
        *([name, _version(name, extra)] for name, extra in _PACKAGES.items()),
    ]


def _version(package: str, extra: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return f"not installed: pip install 'prorank-search[{extra}]'" if extra else "not installed"


def _check(check: Checked) -> str:
    sign, word = _SIGNS[check.state]
    advice = f'<div class="ps-advice" dir="auto">→ {escape(check.advice)}</div>' if check.advice else ""
    return (
        f'<li class="ps-check ps-{check.state}"><span class="ps-sign" aria-hidden="true">{sign}</span>'
        f'<span class="ps-name">{escape(check.name)}<span class="ps-word"> {word}</span></span>'
        f'<div class="ps-seen"><div dir="auto">{escape(check.seen)}</div>{advice}</div></li>'
    )
