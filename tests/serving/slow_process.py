"""A service in a process of its own, whose model waits until it is told to go on."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx

PROGRAM = """
import sys
from prorank_search.rescorers import from_function
from prorank_search.serving.server import serve
from prorank_search.settings import Settings

def score(query, texts):
    print("scoring", flush=True)
    sys.stdin.readline()
    return [float(query in text) for text in texts]

serve(Settings(port=int(sys.argv[1]), timeout_s=120), lambda: from_function(score), lambda url: print(url, flush=True))
"""


@dataclass(frozen=True)
class SlowProcess:
    """It."""

    process: subprocess.Popen[str]
    url: str

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.url.rpartition(":")[2])

    def wait_until_it_scores(self) -> None:
        """Return once its model is at work."""
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "scoring\n"

    def go_on(self) -> None:
        """Let its model answer once."""
        assert self.process.stdin is not None
        self.process.stdin.write("go on\n")
        self.process.stdin.flush()


@contextmanager
def slow_process(port: int = 0) -> Iterator[SlowProcess]:
    """Run it until it is ready; it is killed afterwards, unless it has ended."""
    command = [sys.executable, "-c", PROGRAM, str(port)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=dict(os.environ)) as process:
        try:
            assert process.stdout is not None
            slow = SlowProcess(process, process.stdout.readline().strip())
            with httpx.Client(base_url=slow.url, timeout=120) as http:
                while http.get("/ready").status_code != httpx.codes.OK:
                    time.sleep(0.05)
            yield slow
        finally:
            process.kill()
