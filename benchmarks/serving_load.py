"""`prorank serve` under load, on loopback: times, throughput, refusals, memory, overload, recovery, shared passes.

python benchmarks/serving_load.py [--rescorer overlap] [--model NAME] [--clients 50] [--seconds 20] [--texts 10]
                                  [--tokens 30] [--timeout-s 10] [--paired 24]

Clients and service share the machine's cores. Every query is another one, so that no score is remembered. First the
clients ask one request after the other; then requests come at twice the rate that this gave, whoever waits; then the
service is asked alone until an answer is whole again; last the same requests one at a time and all at once.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles

import httpx

WORDS = """
river engine harvest student measure museum light because under early twelve window culture system paper market the of
and in to is a that which was by for with
"""

MOST_WAITING_S = 120.0
LOOK_S = 0.5


@dataclass
class Seen:
    """What the clients saw: seconds of each answer, how often each outcome, the worst overrun of the deadline."""

    seconds: list[float] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    overrun_s: float = 0.0
    lasted_s: float = 0.0

    def line(self) -> str:
        """Return it as one line of a table."""
        cuts = quantiles(self.seconds, n=100) if len(self.seconds) > 1 else [0.0] * 99
        times = "  ".join(f"p{at} {1e3 * cuts[at - 1]:7.0f} ms" for at in (50, 95, 99))
        said = ", ".join(f"{count} {outcome}" for outcome, count in sorted(self.outcomes.items()))
        rate = len(self.seconds) / self.lasted_s
        return f"{times}  {rate:7.1f} answers/s  past the deadline by {self.overrun_s:.2f} s at most  ({said})"


class Load:
    """Sends requests to a service.

    Args:
        http: The service.
        texts: Documents of each request.
        tokens: Words of each.
        timeout_s: Its deadline.
    """

    def __init__(self, http: httpx.AsyncClient, texts: int, tokens: int, timeout_s: float) -> None:
        self._http, self._texts, self._tokens, self._timeout_s = http, texts, tokens, timeout_s
        self._numbers = random.Random(0)

    def body(self) -> dict[str, object]:
        """Return a request that nobody sent before."""
        query = " ".join(self._numbers.choices(WORDS.split(), k=6)) + f" {self._numbers.random()}"
        documents = [" ".join(self._numbers.choices(WORDS.split(), k=self._tokens)) for _ in range(self._texts)]
        return {"query": query, "documents": documents, "prorank": {"timeout_s": self._timeout_s}}

    async def ask(self, seen: Seen, body: dict[str, object] | None = None) -> str:
        """Send one request; return how it was answered."""
        began = time.monotonic()
        response = await self._http.post("/v2/rerank", json=body or self.body())
        seconds = time.monotonic() - began
        outcome: str = response.headers.get("x-prorank-status", str(response.status_code))
        seen.outcomes[outcome] += 1
        if response.is_success:
            seen.seconds.append(seconds)
            seen.overrun_s = max(seen.overrun_s, seconds - self._timeout_s)
        else:
            await asyncio.sleep(min(1.0, float(response.headers.get("retry-after", 0))))
        return outcome

    async def closed(self, clients: int, seconds: float) -> Seen:
        """Let clients ask one request after the other."""
        seen, began = Seen(), time.monotonic()

        async def client() -> None:
            while time.monotonic() < began + seconds:
                await self.ask(seen)

        await asyncio.gather(*(client() for _ in range(clients)))
        seen.lasted_s = time.monotonic() - began
        return seen

    async def open(self, rate: float, seconds: float) -> Seen:
        """Send requests at a rate, whoever waits."""
        seen, began = Seen(), time.monotonic()
        tasks = []
        for number in range(int(rate * seconds)):
            await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
            tasks.append(asyncio.create_task(self.ask(seen)))
        await asyncio.gather(*tasks)
        seen.lasted_s = time.monotonic() - began
        return seen

    async def recovery_s(self) -> float:
        """Return the seconds until a request that comes alone is answered whole."""
        began = time.monotonic()
        while await self.ask(Seen()) != "ok":
            if time.monotonic() - began > MOST_WAITING_S:
                raise SystemExit("the service did not recover")
        return time.monotonic() - began

    async def paired(self, requests: int) -> tuple[float, float]:
        """Return the seconds of the same requests one at a time, and all at once."""
        bodies: Sequence[dict[str, object]] = [self.body() for _ in range(2 * requests)]
        began = time.monotonic()
        for body in bodies[:requests]:
            await self.ask(Seen(), body)
        between = time.monotonic()
        await asyncio.gather(*(self.ask(Seen(), body) for body in bodies[requests:]))
        return between - began, time.monotonic() - between


def rss_mb(pid: int) -> float:
    """Return the memory of a process."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


@contextmanager
def served(options: Sequence[str]) -> Iterator[tuple[str, int]]:
    """Run a service until the end; its address and process id. Its log goes to /dev/null."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    program = [str(Path(sys.executable).with_name("prorank")), "serve", "--port", str(port), *options]
    with subprocess.Popen(program, stderr=subprocess.DEVNULL) as process:
        try:
            yield f"http://127.0.0.1:{port}", process.pid
        finally:
            process.terminate()


async def ready(http: httpx.AsyncClient) -> None:
    """Wait until the model is loaded."""
    began = time.monotonic()
    while time.monotonic() - began < MOST_WAITING_S:
        try:
            if (await http.get("/ready")).is_success:
                return
        except httpx.TransportError:
            pass
        await asyncio.sleep(LOOK_S)
    raise SystemExit("the service is not ready")


async def measure(url: str, pid: int, given: argparse.Namespace) -> None:
    """Print a line for each part."""
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=url, timeout=MOST_WAITING_S, limits=limits) as http:
        await ready(http)
        load = Load(http, given.texts, given.tokens, given.timeout_s)
        await load.closed(4, 2.0)
        memory = [rss_mb(pid)]
        calm = await load.closed(given.clients, given.seconds)
        memory.append(rss_mb(pid))
        print(f"{given.clients} clients     {calm.line()}")
        rate = 2 * len(calm.seconds) / calm.lasted_s
        print(f"2x overload    {(await load.open(rate, given.seconds)).line()}")
        print(f"recovery       {await load.recovery_s():.2f} s until a request alone is answered whole")
        memory.append(rss_mb(pid))
        alone, together = await load.paired(given.paired)
        ratio = f"{alone / together:.2f} x"
        print(f"{given.paired} requests    one at a time {alone:.2f} s, all at once {together:.2f} s: {ratio}")
        print("memory         " + " -> ".join(f"{each:.0f} MB" for each in [*memory, rss_mb(pid)]))


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rescorer", default="overlap")
    parser.add_argument("--model")
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--texts", type=int, default=10, help="documents of a request")
    parser.add_argument("--tokens", type=int, default=30, help="words of a document")
    parser.add_argument("--timeout-s", type=float, default=10.0)
    parser.add_argument("--paired", type=int, default=24, help="requests that are sent one at a time and all at once")
    given = parser.parse_args()
    options = ["--rescorer", given.rescorer, *(["--model", given.model] if given.model else [])]
    with served(options) as (url, pid):
        asyncio.run(measure(url, pid, given))


if __name__ == "__main__":
    main()
