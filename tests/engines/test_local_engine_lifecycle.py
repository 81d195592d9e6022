"""`prorank engine` from the first start to a kill."""

from __future__ import annotations

import fcntl
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from prorank_search.cli import app
from prorank_search.local import engine
from prorank_search.local.lock import DEFAULT_VERSION
from prorank_search.local.node import free_port
from tests.engines.asking import asked
from tests.engines.servers import missing, open_folder

COMMANDS = CliRunner()


@pytest.fixture
def home(shared_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home of the test's own, with the server that was fetched into the shared one."""
    if not engine.is_prepared(DEFAULT_VERSION, shared_home):
        missing("OpenSearch is not here: prorank engine fetch opensearch")
    with open_folder() as folder:
        engines = folder / "engines"
        engines.mkdir()
        tree = f"opensearch-{DEFAULT_VERSION}"
        (engines / tree).symlink_to(engine.engines_folder(shared_home) / tree)
        monkeypatch.setenv("PRORANK_HOME", str(folder))
        yield folder
        engine.down(folder)


def told(*arguments: str) -> str:
    """Run `prorank engine` and return what it prints; it has to succeed."""
    result = COMMANDS.invoke(app, ["engine", *arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


def state() -> Any:  # noqa: ANN401 (JSON)
    return json.loads(told("status", "opensearch", "--json"))


@pytest.mark.usefixtures("home")
def test_a_server_is_started_killed_started_again_with_its_data_and_stopped() -> None:
    port = free_port()

    assert state()["version"] is None

    told("up", "opensearch", "--port", str(port))
    first = state()

    assert first["running"]
    assert first["answers"]
    asked(first["url"], "/kept/_doc/1?refresh=true", {"text": "a"})

    told("up", "opensearch", "--port", str(port))  # it runs already

    assert state()["pid"] == first["pid"]

    refused = COMMANDS.invoke(app, ["engine", "up", "opensearch", "--port", str(free_port())])

    assert refused.exit_code == 2
    assert "runs already" in refused.output

    os.kill(first["pid"], signal.SIGKILL)
    os.waitpid(first["pid"], 0)
    killed = state()

    assert not killed["running"]
    assert killed["ended_by_itself"]
    assert killed["url"] is None
    assert "without 'prorank engine down'" in told("status", "opensearch")

    told("up", "opensearch", "--port", str(port))

    assert asked(state()["url"], "/kept/_count")["count"] == 1
    assert "kept" in told("logs", "opensearch", "--lines", "500")

    told("down", "opensearch")
    stopped = state()

    assert not stopped["running"]
    assert not stopped["ended_by_itself"]


def test_two_starts_at_once_are_told_apart(home: Path) -> None:
    with (home / "engines" / "opensearch.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        refused = COMMANDS.invoke(app, ["engine", "up", "opensearch", "--port", str(free_port())])

    assert refused.exit_code == 2
    assert "another 'prorank engine' is starting or stopping" in refused.output
