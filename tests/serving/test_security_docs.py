"""The commands of docs/security.md are run as they stand."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from prorank_search.cli import app
from prorank_search.settings import Settings


@pytest.fixture
def commands(repository: Path) -> list[list[str]]:
    page = (repository / "docs" / "security.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```sh\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    return [shlex.split(line) for block in blocks for line in block.splitlines()]


def test_the_commands_about_keys_work_one_after_the_other(commands: list[list[str]]) -> None:
    about_keys = [command[1:] for command in commands if command[1] == "keys"]
    answers = [CliRunner().invoke(app, command) for command in about_keys]
    assert [answer.exit_code for answer in answers] == [0, 0, 0, 0, 0]
    assert [line.split()[0] for line in answers[3].stdout.splitlines()] == ["name", "search-team", "ci", "operations"]


def test_the_command_that_serves_others_fails_for_nothing_but_its_missing_key_and_files(
    commands: list[list[str]],
) -> None:
    (serve,) = [command[1:] for command in commands if command[1] == "serve"]

    def refusal() -> str:
        program = [sys.executable, "-m", "prorank_search.cli", *serve]
        ran = subprocess.run(program, capture_output=True, text=True, env=dict(os.environ), check=False)
        assert ran.returncode == 2
        return ran.stderr

    assert "make one with `prorank keys create NAME`" in refusal()
    CliRunner().invoke(app, ["keys", "create", "team"])
    assert "tls_cert = '/etc/prorank/cert.pem' cannot be read" in refusal()


def test_every_limit_of_the_page_is_a_setting(repository: Path) -> None:
    page = (repository / "docs" / "security.md").read_text(encoding="utf-8")
    limits = re.findall(r"^\| `(max_\w+)` \|", page, re.MULTILINE)
    assert len(limits) == 6
    assert set(limits) <= set(Settings.model_fields)
