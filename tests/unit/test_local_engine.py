"""What `prorank engine` refuses and tells, without a server."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import pytest
from typer.testing import CliRunner

from prorank_search.cli import app
from prorank_search.errors import ConfigError
from prorank_search.local import engine, state
from prorank_search.local.account import Account, java_for, server_home
from prorank_search.local.lock import known_versions, lock_of

COMMANDS = CliRunner()


@pytest.fixture
def home(prorank_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home that is used as it is, also by root."""
    monkeypatch.setattr(engine, "server_account", lambda: None)
    return prorank_home


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.7", "::"])  # noqa: S104 (it has to be refused)
@pytest.mark.usefixtures("home")
def test_an_address_that_others_can_reach_is_refused(host: str) -> None:
    refused = COMMANDS.invoke(app, ["engine", "up", "opensearch", "--host", host])

    assert refused.exit_code == 2
    assert f"refused to listen at '{host}'" in refused.output
    assert "no password and no TLS" in refused.output


@pytest.mark.usefixtures("home")
def test_an_unknown_version_is_told_with_the_known_ones() -> None:
    refused = COMMANDS.invoke(app, ["engine", "fetch", "opensearch", "--version", "1.0"])

    assert refused.exit_code == 2
    assert "2.19.1, 3.6.0" in refused.output


def test_a_taken_port_is_told_before_anything_is_fetched(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"port {port} of this machine is taken by another program"):
            engine.up(home, lambda _step, _done: None, port=port)


def test_what_never_ran_is_told_so(home: Path) -> None:
    assert engine.status(home) == engine.Status()
    assert not engine.down(home)
    assert "was never started" in COMMANDS.invoke(app, ["engine", "logs", "opensearch"]).output


@pytest.mark.parametrize(
    "started",
    [
        pytest.param(state.Started(os.getpid(), 1.0, 9200, "2.19.1", with_ml=False, folder="x"), id="pid used again"),
        pytest.param(state.Started(2**22, 1.0, 9200, "2.19.1", with_ml=False, folder="x"), id="no such process"),
    ],
)
def test_a_server_that_was_killed_does_not_run_whoever_has_its_pid(home: Path, started: state.Started) -> None:
    path = home / "engines" / "opensearch.json"
    path.parent.mkdir(parents=True)
    state.write(path, started)

    found = json.loads(COMMANDS.invoke(app, ["engine", "status", "opensearch", "--json"]).stdout)

    assert not found["running"]
    assert found["ended_by_itself"]
    assert found["pid"] is None
    assert not engine.down(home)  # and whoever has the pid now lives on


@pytest.mark.parametrize("version", known_versions())
def test_every_artifact_of_a_version_is_pinned_by_a_sha256(version: str) -> None:
    lock = lock_of(version)

    assert lock.version == version
    assert {len(sha256) for sha256 in lock.pinned(with_ml=True).values()} == {64}
    assert len(lock.pinned(with_ml=True)) > len(lock.pinned(with_ml=False)) > 80


def test_root_runs_it_elsewhere_where_its_home_is_closed(tmp_path: Path) -> None:
    nobody = Account(65534, 65534)
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)

    assert server_home(closed, nobody) == Path("/var/lib/prorank")
    assert server_home(closed, None) == closed


def test_a_java_that_nobody_can_reach_is_copied(tmp_path: Path) -> None:
    java = tmp_path / "closed" / "runtime" / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.write_text("java", encoding="utf-8")
    (tmp_path / "closed").chmod(0o700)

    copied = java_for(java, tmp_path, Account(65534, 65534))

    assert copied != java
    assert copied.read_text(encoding="utf-8") == "java"
    assert java_for(java, tmp_path, None) == java
