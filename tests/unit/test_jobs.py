from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from prorank_search import jobs
from prorank_search.errors import ConfigError, InputError
from prorank_search.jobs import Job, JobState

SLEEPS = (sys.executable, "-c", "import time; print('at work', flush=True); time.sleep(60)")


def _wait(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < until, "waited too long"
        time.sleep(0.02)


def _wait_for(job: Job, state: JobState) -> None:
    _wait(lambda: jobs.status(job).state == state)


def test_a_job_runs_in_a_folder_of_its_own_and_keeps_what_it_printed(tmp_path: Path) -> None:
    code = "import sys, pathlib; pathlib.Path(sys.argv[1], 'result.txt').write_text('42'); print('1\\r2\\rdone')"
    job = jobs.start(tmp_path, "train", "a run", (sys.executable, "-c", code, "{folder}"), {"base": "tiny"})
    _wait_for(job, "finished")
    assert (job.folder / "result.txt").read_text() == "42"
    assert jobs.output(job) == "done\n"
    assert jobs.status(job).exit_code == 0
    assert jobs.jobs(tmp_path) == [job] == [jobs.job(tmp_path, job.job_id)]
    assert job.about == {"base": "tiny"}


def test_a_job_finds_the_files_that_were_given_with_it(tmp_path: Path) -> None:
    code = "import pathlib, sys; print(pathlib.Path(sys.argv[1]).read_text())"
    command = (sys.executable, "-c", code, "{folder}/suite.toml")
    job = jobs.start(tmp_path, "evaluate", "a suite", command, files={"suite.toml": "name"})
    _wait_for(job, "finished")
    assert jobs.output(job) == "name\n"


def test_a_file_of_the_working_directory_is_none_of_a_jobs_modules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "select.py").write_text("raise SystemExit(9)")
    monkeypatch.chdir(tmp_path)
    job = jobs.start(tmp_path, "train", "asks for help", jobs.prorank("--help"))
    _wait_for(job, "finished")
    assert "Usage" in jobs.output(job)


def test_a_job_that_fails_says_so_with_its_exit_code(tmp_path: Path) -> None:
    job = jobs.start(tmp_path, "train", "fails", (sys.executable, "-c", "import sys; sys.exit('no room')"))
    _wait_for(job, "failed")
    assert jobs.status(job).exit_code == 1
    assert "no room" in jobs.output(job)


def test_a_job_whose_watcher_was_killed_is_stopped_all_the_same(tmp_path: Path) -> None:
    job = jobs.start(tmp_path, "train", "long", SLEEPS)
    watcher, _ = map(int, (job.folder / "alive").read_text().split())
    os.kill(watcher, signal.SIGKILL)
    _wait(lambda: Path(f"/proc/{watcher}/stat").read_text().rpartition(")")[2].split()[0] == "Z")
    jobs.stop(job)
    _wait_for(job, "interrupted")


def test_a_job_is_stopped_and_resumed_with_the_same_command(tmp_path: Path) -> None:
    job = jobs.start(tmp_path, "train", "long", SLEEPS)
    assert jobs.status(job).state == "running"
    with pytest.raises(InputError, match="is running"):
        jobs.resume(job)
    _wait(lambda: "at work" in jobs.output(job))
    jobs.stop(job)
    _wait_for(job, "stopped")
    jobs.stop(job)
    jobs.put_away(job)
    assert jobs.is_put_away(job)
    jobs.resume(job)
    assert not jobs.is_put_away(job)
    assert jobs.status(job).state == "running"
    _wait(lambda: jobs.output(job).count("at work") == 2)
    jobs.stop(job)
    _wait_for(job, "stopped")


def test_a_job_that_died_without_a_word_is_interrupted(tmp_path: Path) -> None:
    job = jobs.start(tmp_path, "train", "killed", SLEEPS)
    for pid in (job.folder / "alive").read_text().split():
        os.kill(int(pid), signal.SIGKILL)
    _wait_for(job, "interrupted")
    assert jobs.status(job).exit_code is None


def test_a_command_that_lost_the_process_beside_it_is_running_and_can_be_stopped(tmp_path: Path) -> None:
    job = jobs.start(tmp_path, "train", "orphan", SLEEPS)
    beside = int((job.folder / "alive").read_text().split()[0])
    os.kill(beside, signal.SIGKILL)
    os.waitpid(beside, 0)
    assert jobs.status(job).state == "running"
    jobs.stop(job)
    _wait_for(job, "interrupted")


def test_jobs_are_listed_by_kind_the_newest_first_and_broken_folders_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "junk").mkdir()
    (tmp_path / "junk" / "job.json").write_text("{")
    quick = (sys.executable, "-c", "")
    first, second = (jobs.start(tmp_path, kind, kind, quick) for kind in ("train", "ingest"))
    assert [job.job_id for job in jobs.jobs(tmp_path)] == [second.job_id, first.job_id]
    assert [job.job_id for job in jobs.jobs(tmp_path, "ingest")] == [second.job_id]
    with pytest.raises(InputError, match="no job 'none'"):
        jobs.job(tmp_path, "none")


def test_a_folder_that_cannot_be_written_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be used"):
        jobs.start(tmp_path / "file", "train", "nowhere", SLEEPS)
