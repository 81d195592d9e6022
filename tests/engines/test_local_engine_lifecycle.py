"""`prorank engine` from the first start to a kill."""

from __future__ import annotations

import fcntl
import json
import os
import shlex
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
    """Run `prorank` and return what it prints; it has to succeed."""
    result = COMMANDS.invoke(app, arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def refused(*arguments: str) -> str:
    """Run `prorank` and return what it prints; it has to refuse."""
    result = COMMANDS.invoke(app, arguments)
    assert result.exit_code == 2, result.output
    return result.output


def state() -> Any:  # noqa: ANN401 (JSON)
    return json.loads(told("engine", "status", "opensearch", "--json"))


def as_the_page_says(page: str, port: int) -> list[list[str]]:
    """Return the commands of the page, at another port."""
    lines = [line for line in page.splitlines() if line.startswith("prorank ")]
    at = f"127.0.0.1:{port}"
    found = [shlex.split(line.replace("127.0.0.1:9200", at))[1:] for line in lines]
    return [[*command, "--port", str(port)] if command[:2] == ["engine", "up"] else command for command in found]


@pytest.mark.usefixtures("home")
def test_a_server_is_started_used_killed_started_again_with_its_data_and_stopped(repository: Path) -> None:
    port = free_port()
    up, *use, down = as_the_page_says((repository / "docs" / "local-engine.md").read_text(encoding="utf-8"), port)

    assert state()["version"] is None

    told(*up)
    first = state()

    assert first["running"]
    assert first["answers"]
    for command in use:
        told(*command)
    documents = asked(first["url"], "/python-json/_count")["count"]

    told(*up)  # it runs already

    assert state()["pid"] == first["pid"]
    assert "runs already" in refused("engine", "up", "opensearch", "--port", str(free_port()))

    os.kill(first["pid"], signal.SIGKILL)
    os.waitpid(first["pid"], 0)
    killed = state()

    assert not killed["running"]
    assert killed["ended_by_itself"]
    assert killed["url"] is None
    assert "without 'prorank engine down'" in told("engine", "status", "opensearch")

    told(*up)

    assert asked(state()["url"], "/python-json/_count")["count"] == documents > 0
    assert "python-json" in told("engine", "logs", "opensearch", "--lines", "500")

    told(*down)
    stopped = state()

    assert not stopped["running"]
    assert not stopped["ended_by_itself"]


def test_two_starts_at_once_are_told_apart(home: Path) -> None:
    with (home / "engines" / "opensearch.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)

        assert "another 'prorank engine' is starting or stopping" in refused("engine", "up", "opensearch")
