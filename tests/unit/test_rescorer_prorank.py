from __future__ import annotations

import gc
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from prorank_search.blend import sigmoid
from prorank_search.errors import CheckpointError, MissingModelError
from prorank_search.rescore import RescoreOptions, rescore, window_for
from prorank_search.rescorers.prorank import ProRankRescorer, open_rescorer
from prorank_search.scoring.forward import Prefix
from prorank_search.scoring.loading import Loaded
from prorank_search.scoring.scheduler import Ids, Scheduler
from prorank_search.settings import Settings
from prorank_search.types import Document, Hit, Query, Ranking, ScoreRequest
from tests.tiny_model import load, write_answers, write_contract, write_model

QUERY = "how fast does a fox run"
TEXTS = ("A fox runs.", "Whales swim in the sea. " * 9, "", "The river.", "A fox runs.", "naïve 河流 \\n\t1")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_contract(write_model(tmp_path_factory.mktemp("tiny")))


@pytest.fixture(scope="module")
def loaded(folder: Path) -> Loaded:
    return load(folder)


@pytest.fixture
def rescorer(loaded: Loaded) -> Iterator[ProRankRescorer]:
    rescorer = ProRankRescorer(loaded)
    yield rescorer
    rescorer.close()


def _settings(model: Path | str, home: Path) -> Settings:
    return Settings(home=home, model=str(model), device="cpu", dtype="float32")


def _scores(rescorer: ProRankRescorer, texts: tuple[str, ...], query: str = QUERY) -> list[float]:
    return [each.score for each in rescorer.score(ScoreRequest(query, texts)) if each.score is not None]


def _ranking(texts: tuple[str, ...]) -> Ranking:
    hits = [Hit(Document(str(at), text), 100.0 - at) for at, text in enumerate(texts)]
    return Ranking(Query("q", QUERY), tuple(hits))


def test_a_score_does_not_depend_on_its_batch_nor_on_the_order(rescorer: ProRankRescorer) -> None:
    alone = [_scores(rescorer, (text,))[0] for text in TEXTS]
    assert len(set(alone)) == len(set(TEXTS))
    assert _scores(rescorer, TEXTS) == pytest.approx(alone, abs=1e-4)
    assert _scores(rescorer, TEXTS[::-1])[::-1] == pytest.approx(alone, abs=1e-4)
    assert _scores(rescorer, TEXTS * 50) == pytest.approx(alone * 50, abs=1e-4)


def test_equal_texts_have_equal_scores_and_keep_their_order(rescorer: ProRankRescorer) -> None:
    hits, _ = rescore(_ranking(("A fox runs.",) * 40), rescorer, RescoreOptions(window_size=40))
    assert [hit.document.doc_id for hit in hits] == [str(at) for at in range(40)]


def test_nothing_has_no_score_and_empty_texts_have_one(rescorer: ProRankRescorer) -> None:
    assert rescorer.score(ScoreRequest(QUERY, [])) == []
    assert len(_scores(rescorer, ("", " "), query="")) == 2


def test_the_query_and_the_instruction_matter(rescorer: ProRankRescorer) -> None:
    texts = list(TEXTS[:1])
    requests = [ScoreRequest(QUERY, texts), ScoreRequest("whales", texts), ScoreRequest(QUERY, texts, "Find rivers.")]
    assert len({rescorer.score(request)[0].score for request in requests}) == 3


def test_what_was_cut_is_reported(rescorer: ProRankRescorer) -> None:
    scored = rescorer.score(ScoreRequest(QUERY, ("short", "long " * 500)))
    assert [each.truncated for each in scored] == [False, True]
    assert not any(each.query_truncated for each in scored)
    assert all(each.query_truncated for each in rescorer.score(ScoreRequest("long " * 500, TEXTS)))


def test_a_calibrated_checkpoint_gives_probabilities(rescorer: ProRankRescorer) -> None:
    hits, status = rescore(_ranking(TEXTS), rescorer, RescoreOptions(window_size=3))
    assert (status.state, status.reason, status.model, status.model_revision) == ("ok", "", "tiny", rescorer.revision)
    rescored = [hit for hit in hits if hit.rescore_score is not None]
    assert len(rescored) == 3
    assert [hit.probability for hit in rescored] == [
        pytest.approx(sigmoid(0.5 * hit.rescore_score - 0.25)) for hit in rescored if hit.rescore_score is not None
    ]
    assert all(hit.probability is None for hit in hits[3:])


def test_an_untrained_base_warns_and_has_no_probability(tmp_path: Path) -> None:
    rescorer = open_rescorer(_settings(write_model(tmp_path / "bare"), tmp_path))
    hits, status = rescore(_ranking(TEXTS), rescorer, RescoreOptions(window_size=3))
    assert "never trained to rank: its scores mean nothing" in status.reason
    assert all(hit.probability is None for hit in hits)
    rescorer.close()


def test_somebody_elses_reranker_warns_and_has_no_probability(tmp_path: Path) -> None:
    rescorer = open_rescorer(_settings(write_answers(write_model(tmp_path / "somebodys", "qwen2")), tmp_path))
    assert "no ProRank contract" in rescorer.info.reason
    assert rescorer.info.calibration is None
    rescorer.close()


def test_an_adapter_finds_its_base_by_name_and_a_missing_base_is_a_command_to_run(tmp_path: Path, folder: Path) -> None:
    adapter = write_contract(tmp_path / "adapter", folder, base="smollm2-135m")
    (adapter / "adapter.safetensors").touch()
    with pytest.raises(MissingModelError, match="prorank models pull smollm2-135m"):
        open_rescorer(_settings(adapter, tmp_path / "home"))


def test_a_checkpoint_that_fails_its_contract_does_not_open(tmp_path: Path) -> None:
    folder = write_contract(write_model(tmp_path / "tiny"), relevant_token_id=1)
    with pytest.raises(CheckpointError, match="relevant_token_id"):
        open_rescorer(_settings(folder, tmp_path))


def test_the_length_of_the_settings_counts_and_is_part_of_the_revision(tmp_path: Path, folder: Path) -> None:
    long, short = (
        open_rescorer(_settings(folder, tmp_path).model_copy(update={"max_length_tokens": tokens}))
        for tokens in (None, 96)
    )
    text = ("the river " * 30,)
    assert [each.score(ScoreRequest(QUERY, text))[0].truncated for each in (long, short)] == [False, True]
    assert long.revision != short.revision
    long.close()
    short.close()


def test_on_a_cpu_the_window_fits_the_deadline(loaded: Loaded, tmp_path: Path) -> None:
    rescorer = ProRankRescorer(loaded, speed_file=tmp_path / "speed.json")
    assert [window_for(rescorer, "auto", timeout_s) for timeout_s in (1e-6, None)] == [1, 30]
    rescorer.close()


def test_a_rescorer_that_nobody_has_any_longer_ends_its_thread_and_gives_its_memory_back(
    folder: Path, tmp_path: Path
) -> None:
    before = set(threading.enumerate())
    rescorer = open_rescorer(_settings(folder, tmp_path))
    (worker,) = set(threading.enumerate()) - before
    engine = weakref.ref(rescorer._loaded.engine)  # noqa: SLF001 (what must go is not public)
    _scores(rescorer, TEXTS)
    del rescorer
    worker.join(10)
    assert not worker.is_alive()
    gc.collect()
    assert engine() is None


def test_many_threads_share_passes_and_get_their_own_scores(rescorer: ProRankRescorer) -> None:
    queries = ("how fast does a fox run", "where do whales swim in the sea", "", "the river " * 40)
    alone = {query: _scores(rescorer, TEXTS, query) for query in queries}
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda query: _scores(rescorer, TEXTS, query), queries * 6))
    for query, scores in zip(queries * 6, answers, strict=True):
        assert scores == pytest.approx(alone[query], abs=1e-4)


def test_real_rows_of_two_queries_in_one_pass_score_as_alone(loaded: Loaded) -> None:
    passes: list[int] = []
    gate, started = threading.Event(), threading.Event()

    @dataclass
    class HeldEngine:
        """The real engine, held before its first pass; notes how many queries each pass has."""

        tokens_a_batch: int = 2048

        def read_prefixes(self, rows: Sequence[Ids]) -> list[Prefix]:
            return loaded.engine.read_prefixes(rows)

        def score(self, rows: Sequence[tuple[Prefix, Ids]]) -> list[float]:
            started.set()
            gate.wait()
            passes.append(len({prefix.tokens for prefix, _ in rows}))
            return loaded.engine.score(rows)

    scheduler = Scheduler(HeldEngine())
    prompts = [loaded.encoder.prefix(query).ids for query in ("one", "how fast does a fox run", "where do whales swim")]
    rows = [[each.ids for each in loaded.encoder.documents(TEXTS, len(prompt))] for prompt in prompts]
    with ThreadPoolExecutor(3) as threads:
        asked = [threads.submit(scheduler.score, prompts[0], rows[0])]
        started.wait()
        asked += [threads.submit(scheduler.score, prompts[at], rows[at]) for at in (1, 2)]
        while len(scheduler._line) < 3:  # noqa: SLF001 (who waits in line is nobody's business but a test's)
            time.sleep(0.001)
        gate.set()
        together = [each.result() for each in asked]
    assert passes == [1, 2]
    assert together == [pytest.approx(scheduler.score(*each), abs=1e-4) for each in zip(prompts, rows, strict=True)]
    scheduler.close()


def test_a_missing_model_is_told_without_importing_torch(tmp_path: Path) -> None:
    script = f"""
import sys
from pathlib import Path
from prorank_search.errors import MissingModelError
from prorank_search.rescorers.prorank import open_rescorer
from prorank_search.settings import Settings
try:
    open_rescorer(Settings(home=Path({str(tmp_path)!r}), model="smollm2-135m"))
except MissingModelError:
    print("torch" in sys.modules)
"""
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert shown == "False\n"
