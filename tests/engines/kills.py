"""Kill an ingest into a real engine again and again, and see that nothing is lost, doubled or half shown.

    python -m tests.engines.kills URL --kills 100 --seed 1

Half of the kills come at named points (`POINTS`), half at random moments. After each kill the index must show all of
the old documents or all of the new ones; after the last start it must hold every document once, its settings restored.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from prorank_ingest.passages import PassageSize, passages
from prorank_search.backends.engines.connection import Engine, path
from prorank_search.backends.engines.detection import connect
from prorank_search.backends.engines.index import EngineIndexes
from prorank_search.errors import IndexNotFoundError
from prorank_search.settings import Settings
from prorank_search.types import Document
from tests.engines.killed_ingest import SIZE

ROOT = Path(__file__).resolve().parents[2]
PREFIX = "kills-"
SETTINGS = {"index.refresh_interval": "7s", "index.number_of_replicas": "1"}
"""What a template of the cluster gives to indexes of these tests: an ingest must leave it so."""
UPSERTS = ("upsert", "passages")
KINDS = ("first", "upsert", "replace", "passages")
DUPLICATES = 60
BAD_LINES = 5
POINTS = (
    ("opened", 1, ""),
    ("created", 1, "after"),
    ("settings noted", 1, "after"),
    ("settings", 1, "after"),
    ("bulk", 3, "before"),
    ("bulk", 7, "after"),
    ("committed", 2, ""),
    ("saved", 3, ""),
    ("settings", 2, "before"),
    ("settings", 2, "after"),
    ("refresh", 1, "before"),
    ("old passages", 2, "before"),
    ("old passages", 2, "after"),
    ("count", 1, "before"),
    ("count", 1, "after"),
    ("aliases", 1, "before"),
    ("aliases", 1, "after"),
    ("published", 1, ""),
)
"""Point, at which time it comes by, and for requests whether before or after."""
OF_NEW_VERSIONS = ("created", "settings noted", "settings", "count", "aliases")
"""Points that an upsert into a live index never comes by."""
OF_PASSAGES = ("old passages",)
"""Points that only an ingest of passages comes by."""


@dataclass
class Figures:
    """What was done, and how it went."""

    kills: Counter[str] = field(default_factory=Counter)
    missed: int = 0
    starts: int = 0
    resumed: int = 0
    ingests: int = 0
    work_s: float = 1.0
    seconds: float = 0.0


@dataclass
class Case:
    """One ingest that is to be killed."""

    engine: Engine
    url: str
    folder: Path
    index: str
    kind: str
    figures: Figures

    def __post_init__(self) -> None:
        self.backend = EngineIndexes(self.engine, self.folder)
        self.prepared = False
        self.old = {} if self.kind == "first" else texts_of(self.kind, "old", range(3500, 4300), parts=3)
        new = texts_of(self.kind, "new", range(4000), parts=2)
        self.source = write_corpus(self.folder / "new.jsonl", new, doubled=DUPLICATES, bad=BAD_LINES)
        self.expected = new if self.kind not in UPSERTS else self.old | new

    def prepare(self) -> None:
        """Fill the index with the old documents."""
        self.backend.delete(self.index) if self.backend.versions(self.index) else None
        if self.old:
            source = write_corpus(self.folder / "old.jsonl", self.old)
            self.finish(self.start("never", source=source))
        self.prepared = True

    def start(self, point: str, nth: int = 1, when: str = "", *, source: Path | None = None) -> subprocess.Popen[str]:
        flag = "upsert" if self.kind == "first" else self.kind
        arguments = [self.url, str(source or self.source), self.index, str(self.folder), flag, point, str(nth), when]
        self.figures.starts += 1
        command = [sys.executable, "-m", "tests.engines.killed_ingest", *arguments]
        return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def finish(self, process: subprocess.Popen[str]) -> None:
        """Let the process come to its end."""
        assert process.stdout is not None
        process.stdout.readline()
        started = time.monotonic()
        out, errors = process.communicate()
        assert process.returncode == 0, f"{self}: exit {process.returncode}\n{errors}"
        resumed_from = out.split()[-1]
        self.figures.resumed += resumed_from != "None"
        if resumed_from == "None" and self.prepared:
            self.figures.work_s = time.monotonic() - started

    def kill_at(self, point: str, nth: int, when: str) -> None:
        """Let the process kill itself."""
        process = self.start(point, nth, when)
        _, errors = process.communicate()
        if process.returncode == 0:
            self.figures.missed += 1
        elif process.returncode == -signal.SIGKILL:
            self.figures.kills[f"{when} {point}".strip()] += 1
        else:
            raise AssertionError(f"{self} at {point}: exit {process.returncode}\n{errors}")
        self.check_shown()

    def kill_at_random(self, share: float) -> None:
        """Kill the process from outside, after a share of the time that its work takes."""
        process = self.start("never")
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(share * self.figures.work_s)
        process.kill()
        process.communicate()
        if process.returncode == -signal.SIGKILL:
            self.figures.kills["at random"] += 1
        else:
            self.figures.missed += 1
        self.check_shown()

    def check_shown(self) -> None:
        """See that searches have all old or all new documents, and no settings of a shown index were touched."""
        try:
            shown = self.backend.count(self.index)
        except IndexNotFoundError:
            assert not self.old, f"{self}: the index is gone"
            return
        allowed = {len(self.old), len(self.expected)}
        if self.kind in UPSERTS:
            allowed = set(range(len(self.old), len(self.expected) + 1))
        assert shown in allowed, f"{self}: {shown} documents are shown, neither old nor new"
        self.check_settings()

    def check_settings(self) -> None:
        answer = self.engine.request("GET", path(self.index), params={"flat_settings": True})
        [version] = answer.values()
        kept = {key: version["settings"].get(key) for key in SETTINGS}
        assert kept == SETTINGS, f"{self}: the settings are {kept}"

    def check_end(self) -> None:
        """See that every document is there once, and only it."""
        check_stored(self.backend, self.index, self.expected, SIZE if self.kind == "passages" else None)
        self.check_settings()
        assert not list((self.folder / "ingest").glob("*.sqlite")), f"{self}: a checkpoint is left"
        versions = 1 if self.kind != "replace" else 2
        assert len(self.backend.versions(self.index)) == versions, f"{self}: {self.backend.versions(self.index)}"


def texts_of(kind: str, word: str, numbers: range, *, parts: int) -> dict[str, str]:
    """Return texts by id; for passages such as are cut into `parts`."""
    if kind == "passages":
        return {f"{number}": " ".join([f"{word} text {number}."] * parts) for number in numbers}
    return {f"{number}": f"{word} text {number}" for number in numbers}


def check_stored(backend: EngineIndexes, index: str, expected: Mapping[str, str], size: PassageSize | None) -> None:
    """See that an index holds every document once, whole or cut, and only it."""
    entries = dict(expected)
    if size is not None:
        cut = (passage for doc_id, text in expected.items() for passage in passages(Document(doc_id, text), size))
        entries = {passage.doc_id: passage.text for passage in cut}
    stored = [(document.doc_id, document.text) for document in backend.scan(index)]
    assert len(stored) == len(dict(stored)), f"{index}: doubled"
    assert dict(stored) == entries, f"{index}: {_difference(dict(stored), entries)}"
    assert backend.count(index) == len(expected), f"{index}: {backend.count(index)} documents are counted"


def _difference(found: Mapping[str, str], expected: Mapping[str, str]) -> str:
    wrong = [key for key in expected if found.get(key) != expected[key]]
    lost, extra = len(expected.keys() - found.keys()), len(found.keys() - expected.keys())
    return f"{lost} lost, {extra} too many, wrong: {wrong[:9]}"


def write_corpus(file: Path, texts: Mapping[str, str], *, doubled: int = 0, bad: int = 0) -> Path:
    """Write a corpus in which some documents come twice, an outdated one first, and some lines are no records."""
    lines = [json.dumps({"id": doc_id, "text": f"outdated {text}"}) for doc_id, text in list(texts.items())[:doubled]]
    lines += [json.dumps({"id": doc_id, "text": text}) for doc_id, text in texts.items()]
    step = max(1, len(lines) // (bad + 1))
    for number in range(bad):
        lines.insert(step * (number + 1), f"bad line {number}")
    file.write_text("\n".join(lines), encoding="utf-8")
    return file


def run(url: str, home: Path, figures: Figures, *, kind: str, point: tuple[str, int, str] | None, seed: int) -> None:
    """Ingest once, killed at a point (None: up to three times at random), and started again up to the end."""
    moments = random.Random(seed)
    engine = connect(Settings(url=url))
    folder = Path(tempfile.mkdtemp(prefix=f"{kind}-", dir=home))
    case = Case(engine, url, folder, f"{PREFIX}{seed}", kind, figures)
    case.prepare()
    if point is not None:
        case.kill_at(*point)
    else:
        for _ in range(moments.randint(1, 3)):
            case.kill_at_random(moments.uniform(0.0, 0.9))
    case.finish(case.start("never"))
    case.check_end()
    case.backend.delete(case.index)
    figures.ingests += 1


def with_template(url: str) -> None:
    """Let the cluster give the settings to every index of these tests."""
    template = {"index_patterns": [f"{PREFIX}*"], "template": {"settings": SETTINGS}, "priority": 900}
    connect(Settings(url=url)).request("PUT", "/_index_template/kills", template)


def comes_by(kind: str, point: str) -> bool:
    """Tell whether an ingest of a kind comes by a point."""
    if point in OF_PASSAGES:
        return kind == "passages"
    return kind not in UPSERTS or point not in OF_NEW_VERSIONS


def soak(url: str, kills: int, seed: int) -> Figures:
    """Kill until `kills` were done: in turn at a named point, and at random."""
    figures = Figures()
    started = time.monotonic()
    choices = random.Random(seed)
    with_template(url)
    with tempfile.TemporaryDirectory(prefix="prorank-kills-") as home:
        number = 0
        while figures.kills.total() < kills:
            number += 1
            kind = KINDS[number % len(KINDS)]
            point = None
            if 2 * figures.kills["at random"] > figures.kills.total():
                fitting = [each for each in POINTS if comes_by(kind, each[0])]
                point = fitting[number % len(fitting)]
            run(url, Path(home), figures, kind=kind, point=point, seed=choices.randrange(10**9))
            figures.seconds = round(time.monotonic() - started, 1)
            sys.stderr.write(f"{figures}\n")
    return figures


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    sys.stdout.write(f"{soak(given.url, given.kills, given.seed)}\n")
