"""An index of four documents in a home of its own, and second stages for the tests, installed as plugins."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from prorank_search import jobs
from prorank_search.backends.tantivy import TantivyBackend
from prorank_search.types import Document
from prorank_ui import visiting
from prorank_ui.app_pages import compare
from prorank_ui.roles import Visitor

PATIENCE_S = 300
"""How long a run of a page, or a job, may take: machines of tests have other work too."""

STAGES = """
import os
import time
from pathlib import Path

from prorank_search.errors import MissingModelError, RescorerError
from prorank_search.types import Calibration, RescorerInfo, Scored

class Stage:
    revision = "1"
    info = RescorerInfo(model="reversing-1", calibration=Calibration(1.0, 0.0), texts_apart=False)
    calls = 0

    def __init__(self, answers):
        self.answers = answers

    def score(self, request):
        Stage.calls += 1
        return self.answers(request.texts)

class Endless(Stage):
    def score(self, request):
        while not request.cancelled():
            time.sleep(0.05)
        Path(os.environ["PRORANK_HOME"], "given-up").touch()
        return [Scored(None)] * len(request.texts)

def reversing(settings):
    return Stage(lambda texts: [Scored(float(at), truncated=at == 0) for at in range(len(texts))])

def slow(settings):
    return Stage(lambda texts: [Scored(1.0)] + [Scored(None)] * (len(texts) - 1))

def failing(settings):
    def fail(texts):
        raise RescorerError("the device ran out of memory")
    return Stage(fail)

def endless(settings):
    return Endless(None)

def missing(settings):
    raise MissingModelError("the model is not on this machine")
"""
ENTRY_POINTS = """[prorank_search.rescorers]
reversing = stages_for_tests:reversing
slow = stages_for_tests:slow
failing = stages_for_tests:failing
endless = stages_for_tests:endless
missing = stages_for_tests:missing
"""
DOCUMENTS = [
    Document("dog", "The dog barks, the dog runs, the dog sleeps.", title="Dogs"),
    Document("fox", "A fox barks at a dog.", title="Foxes"),
    Document(
        "evil", 'A dog <script>document.title = "owned"</script><img src=x onerror="alert(1)">', title='<b>"Bold"</b>'
    ),
    Document("hebrew", "כלב dog נובח", title="כלב \u202edog"),
]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return an empty home, in force for this process and those that it starts."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PRORANK_HOME", str(tmp_path))
    monkeypatch.setenv("PRORANK_RESCORER", "reversing")
    here = Visitor("127.0.0.1", {"host": ["localhost"]})
    monkeypatch.setattr(visiting, "visitor", lambda: here)  # AppTest has no browser
    # It changes sys.path around each run of a script, which `streamlit run` does not: imports in other threads fail.
    monkeypatch.setattr("streamlit.runtime.scriptrunner.script_runner.modified_sys_path", lambda _: nullcontext())
    monkeypatch.setattr(compare, "_AT_ONCE_S", PATIENCE_S)  # nor does it draw again what came a moment later
    st.cache_resource.clear()
    st.cache_data.clear()
    yield tmp_path
    st.cache_resource.clear()


def install_stages(folder: Path, source: str = STAGES, entry_points: str = ENTRY_POINTS) -> Path:
    """Write second stages, and what makes them plugins, into a folder that has to be on the path; return it."""
    metadata = folder / "stages_for_tests-1.dist-info"
    metadata.mkdir(parents=True)
    (folder / "stages_for_tests.py").write_text(source, encoding="utf-8")
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: stages-for-tests\nVersion: 1\n", encoding="utf-8")
    (metadata / "entry_points.txt").write_text(entry_points, encoding="utf-8")
    return folder


@pytest.fixture
def stages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Install the second stages; return the folder that they lie in."""
    folder = install_stages(tmp_path / "stages")
    monkeypatch.syspath_prepend(folder)
    return folder


def wait_until(condition: Callable[[], bool], told: Callable[[], str] = str) -> None:
    """Wait until something is so; `told`: what is said where it never is."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, told()
        time.sleep(0.1)


def when_ended(job: jobs.Job) -> jobs.Job:
    """Return a job once it is no longer at work."""
    wait_until(lambda: jobs.status(job).state != "running", lambda: jobs.output(job))
    return job


def run_until(app: AppTest, condition: Callable[[], bool]) -> AppTest:
    """Run a page again and again, as its fragments do, until something is so."""

    def so() -> bool:
        app.run()
        return condition()

    wait_until(so, lambda: "".join(element.proto.body for element in app.main.get("html")))
    return app


def address_of(app: AppTest) -> dict[str, str]:
    """Return what a page wrote into the address."""
    return {key: value if isinstance(value, str) else value[0] for key, value in app.query_params.items()}


@pytest.fixture
def animals(home: Path) -> str:
    """Return the name of an index that holds `DOCUMENTS`."""
    with TantivyBackend(home / "indexes").writer("animals", analysis="english", replace=True) as writer:
        writer.add(DOCUMENTS)
        writer.publish()
    return "animals"
