"""Long work as a process of its own with a run folder, which outlives whoever started it.

A folder holds `job.json` (what it is), `output.txt` (what the command printed), `ended.json` (how it ended), and what
the command writes there. A process beside the command, `python -m prorank_search.jobs FOLDER`, waits for its end. Both
keep the file `alive` locked: the lock goes with them, however they die, so a job whose machine was switched off shows
as interrupted and can be resumed.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Literal

from prorank_search.errors import ConfigError, InputError
from prorank_search.storage.file_lock import hold

JobState = Literal["running", "finished", "failed", "stopped", "interrupted"]
"""Still at work; ended well; ended with an exit code; stopped by somebody; died without a word."""

RESUMABLE: frozenset[JobState] = frozenset({"failed", "stopped", "interrupted"})
"""States of a job that did not come to its end: it can be resumed."""

_JOB, _OUTPUT, _ENDED, _ALIVE, _PUT_AWAY = "job.json", "output.txt", "ended.json", "alive", "put-away"
_INTERRUPTED_EXIT = 130
_TAIL_BYTES = 64_000
_MOMENT_S = 1.0
_LOOK_S = 0.02
"""Far longer than somebody who asks whether a job runs holds its lock."""


@dataclass(frozen=True, slots=True)
class Job:
    """A piece of long work.

    Attributes:
        job_id: Name of its folder.
        kind: What sort of work it is: "train", "evaluate", "ingest".
        title: What a list shows.
        command: What is run; giving it again in the same folder goes on where it stopped.
        created: When it was first started, ISO 8601 in UTC.
        about: What whoever started it wants to know of it again, as JSON.
        folder: Where it lies.
    """

    job_id: str
    kind: str
    title: str
    command: tuple[str, ...]
    created: str
    about: Mapping[str, object]
    folder: Path


@dataclass(frozen=True, slots=True)
class JobStatus:
    """How a job is.

    Attributes:
        state: One of `JobState`.
        exit_code: The command's; None where it did not end by itself.
        ended: When, ISO 8601 in UTC; empty where it has not, or nobody knows.
    """

    state: JobState
    exit_code: int | None = None
    ended: str = ""


def prorank(*arguments: str) -> tuple[str, ...]:
    """Return the command that runs `prorank` with the Python that runs now.

    Example:
        >>> prorank("index", "list")[1:]
        ('-P', '-m', 'prorank_search.cli', 'index', 'list')
    """
    return (sys.executable, "-P", "-m", "prorank_search.cli", *arguments)  # -P: no file of the working directory


def start(
    jobs_folder: Path,
    kind: str,
    title: str,
    command: Sequence[str],
    about: Mapping[str, object] | None = None,
    files: Mapping[str, str] | None = None,
) -> Job:
    """Start a job, which goes on when this process ends.

    Args:
        jobs_folder: The folder of all jobs.
        kind: What sort of work it is.
        title: What a list shows.
        command: What is run, without a shell; "{folder}" in an argument is the job's folder.
        about: What to keep of it, as JSON.
        files: Texts by file name that the command finds in the folder.

    Raises:
        ConfigError: The folder cannot be written to.
    """
    now = datetime.now(UTC)
    job_id = f"{now:%Y%m%d-%H%M%S-%f}-{secrets.token_hex(3)}"
    folder = jobs_folder / job_id
    filled = tuple(argument.replace("{folder}", str(folder)) for argument in command)
    job = Job(job_id, kind, title, filled, now.isoformat(timespec="seconds"), dict(about or {}), folder)
    written = asdict(job)
    del written["folder"]
    with _writable(folder):
        folder.mkdir(parents=True)
        for name, text in (files or {}).items():
            (folder / name).write_text(text, encoding="utf-8")
        (folder / _JOB).write_text(json.dumps(written, ensure_ascii=False, indent=1), encoding="utf-8")
    _run(job)
    return job


def resume(job: Job) -> None:
    """Run a job's command again in its folder.

    Raises:
        InputError: It is running.
        ConfigError: The folder cannot be written to.
    """
    if status(job).state == "running":
        raise InputError(f"the job {job.title!r} ({job.job_id}) is running: stop it first")
    with _writable(job.folder):
        (job.folder / _ENDED).unlink(missing_ok=True)
        (job.folder / _PUT_AWAY).unlink(missing_ok=True)
    _run(job)


def stop(job: Job) -> None:
    """Tell a job's command to end (SIGTERM): it keeps what it has. Returns at once; nothing where it is not running."""
    until = time.monotonic() + _MOMENT_S
    while status(job).state == "running":
        for pid in (job.folder / _ALIVE).read_text(encoding="ascii").split():
            if _told_to_end(int(pid)):
                return
        if time.monotonic() >= until:
            return
        time.sleep(_LOOK_S)  # it has only begun: its processes are not written down yet


def put_away(job: Job) -> None:
    """Note that a job needs nobody's attention any more; it keeps what it has, and can be resumed.

    Raises:
        ConfigError: The folder cannot be written to.
    """
    with _writable(job.folder):
        (job.folder / _PUT_AWAY).touch()


def is_put_away(job: Job) -> bool:
    """Tell whether a job was put away, and not resumed since."""
    return (job.folder / _PUT_AWAY).exists()


def status(job: Job) -> JobStatus:
    """Tell how a job is."""
    if _locked(job.folder / _ALIVE):
        return JobStatus("running")
    try:
        ended = json.loads((job.folder / _ENDED).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return JobStatus("interrupted")
    code = int(ended["exit_code"])
    if code == 0:
        return JobStatus("finished", code, ended["at"])
    stopped = bool(ended["told_to_stop"]) or code == _INTERRUPTED_EXIT
    return JobStatus("stopped" if stopped else "failed", code, ended["at"])


def jobs(jobs_folder: Path, kind: str | None = None) -> list[Job]:
    """List the jobs, the newest first; what is no job's folder is left out.

    Args:
        jobs_folder: The folder of all jobs.
        kind: Only this sort.
    """
    found = [job for file in jobs_folder.glob(f"*/{_JOB}") if (job := _read(file)) is not None]
    return sorted((job for job in found if kind in {None, job.kind}), key=lambda job: job.job_id, reverse=True)


def job(jobs_folder: Path, job_id: str) -> Job:
    """Return one job.

    Raises:
        InputError: There is none of that id.
    """
    found = next((job for job in jobs(jobs_folder) if job.job_id == job_id), None)
    if found is None:
        raise InputError(f"there is no job {job_id!r} in {jobs_folder}")
    return found


def output(job: Job) -> str:
    """Return the end of what a job's command printed, 64,000 bytes at most; of a line drawn anew the last state."""
    try:
        with (job.folder / _OUTPUT).open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL_BYTES))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ""
    return "\n".join(line.rpartition("\r")[2] for line in text.replace("\r\n", "\n").split("\n"))


def _run(job: Job) -> None:
    """Start the process beside the command, and wait until it holds its lock."""
    with _writable(job.folder):
        beside = subprocess.Popen(
            [sys.executable, "-P", "-m", "prorank_search.jobs", str(job.folder)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    if beside.stdout is None or not beside.stdout.readline():
        raise ConfigError(f"the job {job.title!r} could not be started: is {job.folder} writable?")
    beside.stdout.close()


def _supervise(folder: Path) -> None:
    """Run the command of a job's folder, and write down how it ended: the process beside the command."""
    job = _read(folder / _JOB)
    if job is None:
        raise ConfigError(f"{folder} holds no job")
    with hold(folder / _ALIVE, _MOMENT_S) as alive, (folder / _OUTPUT).open("ab") as printed:
        alive.truncate(0)  # the processes of the run before are strangers by now
        told = False
        command: subprocess.Popen[bytes] | None = None

        def pass_on(sig: int, frame: FrameType | None) -> None:
            nonlocal told
            del frame
            told = True
            if command is not None:
                command.send_signal(sig)

        signal.signal(signal.SIGTERM, pass_on)
        command = subprocess.Popen(
            job.command,
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=subprocess.STDOUT,
            pass_fds=(alive.fileno(),),
        )
        if told:  # before there was anything to tell
            command.send_signal(signal.SIGTERM)
        alive.write(f"{os.getpid()} {command.pid}")  # the first one that lives is told to stop
        alive.flush()
        sys.stdout.write("started\n")
        sys.stdout.flush()
        code = command.wait()
        ended = {"exit_code": code, "told_to_stop": told, "at": datetime.now(UTC).isoformat(timespec="seconds")}
        (folder / _ENDED).write_text(json.dumps(ended), encoding="utf-8")


def _read(file: Path) -> Job | None:
    try:
        written = json.loads(file.read_text(encoding="utf-8"))
        return Job(**{**written, "command": tuple(written["command"]), "folder": file.parent})
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _told_to_end(pid: int) -> bool:
    """Send a process SIGTERM, if it lives; one that only waits for its parent to ask how it ended does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:  # the signal tells
        stat = ""
    if stat.rpartition(")")[2].split()[:1] == ["Z"]:
        return False
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        return False
    return True


def _locked(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


@contextmanager
def _writable(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ConfigError(f"the job's folder {folder} cannot be used: {error}") from error


if __name__ == "__main__":
    _supervise(Path(sys.argv[1]))
