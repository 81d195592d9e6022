"""The frame of the command line: what is imported, what a third party can add, what an error becomes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from prorank_search import load_backend
from prorank_search.cli import app, main
from prorank_search.settings import load_settings

HEAVY = ["torch", "transformers", "tantivy", "scipy", "ir_measures", "pydantic", "rich.table", "streamlit", "httpx"]
COMMANDS = [
    *("search", "compare", "evaluate", "evaluate-suite", "rescore", "serve", "keys", "plugins", "provision", "doctor"),
    *("judge", "index", "models", "engine", "profile", "config", "demo"),
    *("ingest", "train", "ui"),
]

PLUGIN = """
import typer
from prorank_search.errors import BackendError, MissingModelError
app = typer.Typer()

def open_rescorer(settings):
    raise MissingModelError(f"no model {settings.model!r} here: prorank models pull {settings.model}")

@app.command()
def stop(how: str) -> None:
    "Stop somehow."
    if how == "interrupted":
        raise KeyboardInterrupt
    if how == "unwritable":
        open("/dev/null/home", "w")
    if how == "foreign":
        print("hen \N{ROOSTER}")
        raise typer.Exit()
    raise BackendError("the engine at [::1] is away") if how == "away" else ValueError(how)
"""


def prorank(*arguments: str, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own; `path` holds more packages."""
    return subprocess.run(
        [sys.executable, "-c", "from prorank_search.cli import main; main()", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(path or "")},
    )


@pytest.fixture
def stop_plugin(tmp_path: Path) -> Path:
    """A folder with an installed package of a third party, whose command is `stop`."""
    (tmp_path / "stopper.py").write_text(PLUGIN)
    (tmp_path / "stopper_needs.py").write_text("import a_package_that_nobody_has")
    installed = tmp_path / "stopper-1.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: stopper\nVersion: 1\n")
    (installed / "entry_points.txt").write_text(
        "[prorank_search.commands]\nstop = stopper:app\nfail = stopper_needs:app\n"
        "[prorank_search.rescorers]\nabsent = stopper:open_rescorer\n"
    )
    return tmp_path


def test_help_imports_nothing_heavy() -> None:
    script = f"""
import sys
from prorank_search.cli import app, main
try:
    app(["--help"])
except SystemExit:
    pass
print("imported:", *sorted(set({HEAVY}) & set(sys.modules)))
"""
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert shown.splitlines()[-1] == "imported:"


def test_help_lists_every_command_with_a_line() -> None:
    lines = CliRunner().invoke(app, ["--help"]).output.partition("Commands:")[2].splitlines()
    described = {line.split()[0]: len(line.split()) > 2 for line in lines if line.strip()}
    assert described == dict.fromkeys(COMMANDS, True)


@pytest.mark.parametrize("command", ["search", "compare", "index", "config"])
def test_every_command_explains_itself(command: str) -> None:
    result = CliRunner().invoke(app, [command, "--help"])
    assert (result.exit_code, command in result.output) == (0, True)
    assert "--install-completion" not in result.output


def test_version_names_the_program() -> None:
    assert CliRunner().invoke(app, ["--version"]).output.startswith("prorank 0.")


def test_a_mistyped_command_is_a_usage_error_with_a_suggestion() -> None:
    result = CliRunner().invoke(app, ["serach", "x"])
    assert result.exit_code == 2
    assert "'search'" in result.output


def test_the_command_of_a_third_party_is_listed(stop_plugin: Path) -> None:
    lines = prorank("--help", path=stop_plugin).stdout.splitlines()
    assert ["stop", "From", "the", "package", "stopper."] in [line.split() for line in lines]


@pytest.mark.parametrize(
    ("how", "exit_code", "message"),
    [
        ("away", 4, "error: the engine at [::1] is away\n"),
        ("interrupted", 130, ""),
        ("unwritable", 1, "error: [Errno 20] Not a directory: '/dev/null/home'\n"),
    ],
)
def test_an_error_becomes_a_line_on_stderr_and_its_exit_code(
    stop_plugin: Path, how: str, exit_code: int, message: str
) -> None:
    ended = prorank("stop", how, path=stop_plugin)
    assert (ended.returncode, ended.stdout, ended.stderr) == (exit_code, "", message)


def test_what_the_terminal_cannot_show_becomes_a_question_mark(
    stop_plugin: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    assert prorank("stop", "foreign", path=stop_plugin).stdout == "hen ?\n"


def test_a_bug_shows_its_traceback(stop_plugin: Path) -> None:
    ended = prorank("stop", "bug", path=stop_plugin)
    assert ended.returncode == 1
    assert ended.stderr.startswith("Traceback")
    assert ended.stderr.endswith("ValueError: bug\n")


def test_a_command_whose_package_is_missing_says_what_to_install(stop_plugin: Path) -> None:
    ended = prorank("fail", path=stop_plugin)
    assert ended.returncode == 2
    assert ended.stderr.startswith("error: 'fail' needs the package a_package_that_nobody_has")


def test_a_missing_model_names_the_command_that_gets_it_and_the_way_without(stop_plugin: Path) -> None:
    with load_backend(load_settings()).writer("i", analysis="english", replace=False) as writer:
        writer.publish()
    ended = prorank("search", "x", "--index", "i", "--rescorer", "absent", "--model", "tiny", path=stop_plugin)
    assert ended.returncode == 2
    assert ended.stderr == (
        "error: no model 'tiny' here: prorank models pull tiny; or see the first stage alone: --no-rescore\n"
    )


def test_a_wrong_index_is_told_before_the_second_stage_is_opened(stop_plugin: Path) -> None:
    ended = prorank("search", "x", "--index", "nowhere", "--rescorer", "absent", path=stop_plugin)
    assert ended.returncode == 3
    assert ended.stderr.startswith("error: no index 'nowhere'")


@pytest.mark.parametrize("chosen", [None, "active"])
def test_waiting_threads_sleep_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch, chosen: str | None) -> None:
    monkeypatch.setenv("OMP_WAIT_POLICY", chosen or "")
    if chosen is None:
        monkeypatch.delenv("OMP_WAIT_POLICY")
    monkeypatch.setattr(sys, "argv", ["prorank", "--version"])
    with pytest.raises(SystemExit):
        main()
    assert os.environ["OMP_WAIT_POLICY"] == (chosen or "passive")
