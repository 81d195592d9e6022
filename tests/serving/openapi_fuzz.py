"""Requests made from the OpenAPI description, right and wrong ones: each is answered as described, none with a 5xx.

python -m tests.serving.openapi_fuzz --examples 200                                 (before an embedded index)
python -m tests.serving.openapi_fuzz --examples 200 --url http://127.0.0.1:9200     (before that engine)

The index `openapi-fuzz` is made for it, and is gone afterwards. The short form is test_openapi.py.
"""

from __future__ import annotations

import argparse
import collections
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.core.failures import FailureGroup
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from prorank_search.backends.engines.analysis import plan
from prorank_search.backends.engines.detection import connect
from prorank_search.settings import Settings
from prorank_search.types import Document
from tests.engines.indexes import our_index
from tests.serving.docs_page import started
from tests.serving.embedded import make_index
from tests.serving.ndjson import allow_lines

INDEX = "openapi-fuzz"
CANARY = "zxqcanaryqxz"
DOCUMENTS = [Document(f"d{number}", f"A fox {CANARY} in wood {number}.") for number in range(50)]
CLIENT_ERROR, SERVER_ERROR = 400, 500
NOT_CHECKED: list[Any] = [positive_data_acceptance, negative_data_rejection]
"""What is well formed may still be refused, as an unknown model is; what a shape does not know it ignores."""


@dataclass
class Tally:
    """What became of the requests of one kind to one operation.

    Attributes:
        statuses: How often each HTTP status came.
        faults: What must not be, by its kind, the last of each.
        slowest_s: Seconds of the slowest answer.
    """

    statuses: collections.Counter[int] = field(default_factory=collections.Counter)
    faults: dict[str, str] = field(default_factory=dict)
    slowest_s: float = 0.0

    def ask(self, case: schemathesis.Case[Any]) -> None:
        """Send a request, and look at its answer."""
        began = time.monotonic()
        answer = case.call(timeout=60)
        self.slowest_s = max(self.slowest_s, time.monotonic() - began)
        self.statuses[answer.status_code] += 1
        said = f"{case.as_curl_command()[:1000]}\n{answer.text[:500]}"
        if answer.status_code >= SERVER_ERROR:
            self.faults[str(answer.status_code)] = said
        if answer.status_code >= CLIENT_ERROR and CANARY in answer.text:
            self.faults["leak"] = said
        try:
            case.validate_response(answer, excluded_checks=NOT_CHECKED)
        except FailureGroup as group:
            self.faults |= {type(failure).__name__: f"{said}\n{failure}"[:2000] for failure in group.exceptions}


def run(url: str, examples: int) -> int:
    """Ask each operation so many right and so many wrong requests; return how many kinds of faults there were."""
    allow_lines()
    schema, tallies = schemathesis.openapi.from_url(f"{url}/openapi.json"), []
    operations: list[Any] = [result.ok() for result in schema.get_all_operations()]  # type: ignore[union-attr]
    for operation in operations:
        for mode in GenerationMode:
            httpx.put(f"{url}/_prorank/gateway", json={"rescoring": True}, timeout=60).raise_for_status()
            tally = asked(operation, mode, examples)
            tallies.append(tally)
            _say(f"{operation.label:24} {mode.value:8} {dict(sorted(tally.statuses.items()))} {tally.slowest_s:.2f} s")
            for kind, fault in tally.faults.items():
                _say(f"FAULT {kind}: {fault}")
    statuses = sum((tally.statuses for tally in tallies), collections.Counter[int]())
    faults = sum(len(tally.faults) for tally in tallies)
    slowest_s = max(tally.slowest_s for tally in tallies)
    _say(f"{statuses.total()} requests, {dict(sorted(statuses.items()))}, {faults} faults, slowest {slowest_s:.2f} s")
    return faults


def asked(operation: Any, mode: GenerationMode, examples: int) -> Tally:  # noqa: ANN401 (schemathesis names no type)
    """Ask one operation; of an index in its path half of the right requests name the one that is there."""
    tally = Tally()
    known = "{index}" in operation.path and mode is GenerationMode.POSITIVE
    for path_parameters in (None, {"index": INDEX}) if known else (None,):
        requests = operation.as_strategy(generation_mode=mode, path_parameters=path_parameters)
        asking: Callable[[], None] = settings(
            max_examples=examples,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )(given(requests)(tally.ask))  # type: ignore[no-untyped-call]
        with suppress(Unsatisfiable):  # what has no parameters cannot be asked wrongly
            asking()
    return tally


@contextmanager
def _served(url: str | None) -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="prorank-openapi-") as home:
        os.environ["PRORANK_HOME"] = home
        made: Any = nullcontext()
        if url is None:
            make_index(Path(home), INDEX, DOCUMENTS)
        else:
            made = our_index(connect(Settings(url=url)), INDEX, plan("english", smartcn=False), DOCUMENTS)
        engine = "" if url is None else f" --url {url}"
        with made, started(f"prorank serve --rescorer overlap{engine}") as address:
            yield address


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--examples", type=int, default=200)
    parser.add_argument("--url")
    wanted = parser.parse_args()
    with _served(wanted.url) as address:
        faults = run(address, wanted.examples)
    sys.exit(faults > 0)
