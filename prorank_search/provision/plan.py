"""What is there and what will be made, as data: a step is one request, and the one that undoes it.

A step may need what an earlier one's answer tells, such as an id: `<connector_id>` stands in its place until then. A
secret stands in a plan the same way, so a plan can be printed.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from prorank_search.backends.engines.connection import Engine
from prorank_search.errors import BackendError, EngineError

_TASK_TIMEOUT_S = 120.0
_TASK_PAUSE_S = 0.2
_NO_KEY_YET = re.compile("master.key")
"""In what ml-commons says until it has made the key that it keeps secrets with: what was asked for was not made."""
_KEY_TIMEOUT_S = 120.0
_KEY_PAUSE_S = 1.0

Progress = Callable[[str], object]


class Call(NamedTuple):
    """One request to an engine."""

    method: str
    path: str
    body: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that an engine has to have.

    Attributes:
        what: Its name, for people.
        there: The engine has it, as it should be.
        make: Makes it.
        undo: Takes it away, or puts back what was there before; None: there is nothing to undo.
        gives: What the answer to `make` tells that later steps need.
    """

    what: str
    there: bool
    make: Call
    undo: Call | None
    gives: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """Steps in the order in which they are made; they are undone the other way round.

    Attributes:
        steps: All of them, those that are there included.
        known: What placeholders stand for, as far as it is known.
        notices: What a person should know.
    """

    steps: tuple[Step, ...]
    known: Mapping[str, str] = field(default_factory=dict)
    notices: tuple[str, ...] = ()

    @property
    def missing(self) -> list[Step]:
        """The steps that are still to be made."""
        return [step for step in self.steps if not step.there]

    @property
    def undone(self) -> list[Step]:
        """The steps that an undo takes back, in its order."""
        return [step for step in reversed(self.steps) if step.there and step.undo is not None]

    def described(self) -> dict[str, object]:
        """Return the plan as JSON, each request with what is known filled in."""
        return {
            "steps": [
                {
                    "what": step.what,
                    "there": step.there,
                    "request": _described(step.make, self.known),
                    "undo": _described(step.undo, self.known),
                }
                for step in self.steps
            ],
            "notices": list(self.notices),
        }


def carry_out(engine: Engine, plan: Plan, secrets: Mapping[str, str], progress: Progress) -> dict[str, str]:
    """Make what is missing; what is there stays untouched. Whoever was stopped half way goes on by doing it again.

    Args:
        engine: Where.
        plan: What.
        secrets: What placeholders stand for that no plan may show.
        progress: Told of each step that was made.

    Returns:
        What the placeholders stand for, without the secrets.

    Raises:
        BackendError: A step failed; those before it stay made.
    """
    known = dict(plan.known)
    for step in plan.missing:
        answer = _made(engine, step.make, {**known, **secrets})
        if "task_id" in answer:
            answer |= _finished(engine, answer["task_id"], step.what)
        if step.gives:
            known[step.gives] = str(answer[step.gives])
        progress(step.what)
    return known


def undo(engine: Engine, plan: Plan, progress: Progress) -> None:
    """Take back what is there, the last thing first.

    Raises:
        BackendError: A step failed; what was taken back before it stays so.
    """
    for step in plan.undone:
        if step.undo is not None:
            _sent(engine, step.undo, plan.known)
            progress(step.what)


def filled(value: Any, known: Mapping[str, str]) -> Any:  # noqa: ANN401 (JSON)
    """Return JSON with its placeholders filled in; those that are not known stay.

    Example:
        >>> filled({"id": "<connector_id>", "key": "<key>"}, {"connector_id": "c1"})
        {'id': 'c1', 'key': '<key>'}
    """
    if isinstance(value, str):
        for name, known_value in known.items():
            value = value.replace(f"<{name}>", known_value)
        return value
    if isinstance(value, Mapping):
        return {key: filled(each, known) for key, each in value.items()}
    if isinstance(value, Sequence):
        return [filled(each, known) for each in value]
    return value


def _described(call: Call | None, known: Mapping[str, str]) -> dict[str, object] | None:
    return None if call is None else filled(call._asdict(), known)


def _made(engine: Engine, call: Call, known: Mapping[str, str]) -> Any:  # noqa: ANN401 (JSON)
    """Have a thing made; a new cluster makes a key of its own first, and refuses until it has it."""
    until = time.monotonic() + _KEY_TIMEOUT_S
    while True:
        try:
            return _sent(engine, call, known)
        except EngineError as error:
            if not _NO_KEY_YET.search(error.reason) or time.monotonic() > until:
                raise
        time.sleep(_KEY_PAUSE_S)


def _sent(engine: Engine, call: Call, known: Mapping[str, str]) -> Any:  # noqa: ANN401 (JSON)
    """Send a request once: made twice, a thing would be there twice."""
    return engine.request(call.method, filled(call.path, known), filled(call.body, known), attempts=1)


def _finished(engine: Engine, task_id: str, what: str) -> dict[str, Any]:
    """Wait for a task of ml-commons, and return it."""
    until = time.monotonic() + _TASK_TIMEOUT_S
    while time.monotonic() < until:
        task: dict[str, Any] = engine.request("GET", f"/_plugins/_ml/tasks/{task_id}")
        if task["state"] == "COMPLETED":
            return task
        if "FAILED" in task["state"] or "ERROR" in task["state"]:
            raise BackendError(f"{engine.where} could not make {what}: {task.get('error', task['state'])}")
        time.sleep(_TASK_PAUSE_S)
    raise BackendError(f"{engine.where} did not make {what} within {_TASK_TIMEOUT_S:g} s: see its log, then try again")
