"""The commands of a page of the docs, and a service that one of them starts."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

ADDRESS = "http://127.0.0.1:8080"
PRORANK = str(Path(sys.executable).with_name("prorank"))


def fenced(page: str, language: str) -> list[str]:
    """Return the examples of a page in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


@contextmanager
def started(command: str, folder: Path | None = None) -> Iterator[str]:
    """Run a page's `prorank serve ...` at a free port, until it is ready; give its address."""
    program = [PRORANK, *shlex.split(command)[1:], "--port", "0"]
    with subprocess.Popen(program, cwd=folder, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            address = process.stderr.readline().partition(" ")[0]
            with httpx.Client(base_url=address, timeout=60) as http:
                while http.get("/ready").status_code != httpx.codes.OK:
                    time.sleep(0.05)
        except BaseException:
            process.kill()  # nobody waits for it
            raise
        reading = threading.Thread(target=process.stderr.read)
        reading.start()  # lest a service that says much waits for a reader
        try:
            yield address
        finally:
            process.terminate()
            reading.join()
        assert process.wait() == 0
