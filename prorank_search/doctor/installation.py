"""All checks, in order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from prorank_search.doctor import first_stage, model, pipelines, rerank_service
from prorank_search.doctor.check import Check, Finding, Installation, State
from prorank_search.errors import ProRankError

CHECKS = (
    Check("model", model.contract),
    Check("device", model.device),
    Check("engine", first_stage.engine),
    Check("index", first_stage.indexes, needs="engine"),
    Check("analysis", first_stage.analysis, needs="index"),
    Check("service", rerank_service.service),
    Check("ml-commons", rerank_service.for_ml_commons, needs="service"),
    Check("pipeline", pipelines.pipeline, needs="engine"),
)


class Checked(NamedTuple):
    """A check and what it found."""

    name: str
    state: State
    seen: str
    advice: str


def examine(installation: Installation) -> Iterator[Checked]:
    """Yield what each check finds, as soon as it does."""
    states: dict[str, State] = {}
    for check in CHECKS:
        if check.needs is not None and states[check.needs] in {"fail", "skipped"}:
            finding = Finding("skipped", f"the check of the {check.needs} comes first")
        else:
            finding = _looked(check, installation)
        states[check.name] = finding.state
        yield Checked(check.name, *finding)


def _looked(check: Check, installation: Installation) -> Finding:
    try:
        return check.look(installation)
    except ProRankError as error:
        return Finding("fail", str(error))
