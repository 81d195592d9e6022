"""Takes the pictures of the docs: `make pictures`.

Python's own documentation and the shipped model, in a home that is thrown away afterwards; the models are those that
`prorank models pull` put on this machine.
"""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Literal

from PIL import Image
from playwright.sync_api import sync_playwright

from prorank_search import jobs
from prorank_search.backends.tantivy import TantivyBackend
from prorank_search.cli.demo_corpus import FUNCTIONS, QUESTIONS, Question, ingest_missing
from prorank_search.evaluation.docstring_queries import docstring_queries
from prorank_search.judgments import FILE_NAME, Judgment, JudgmentStore
from prorank_search.profiles import Profile
from prorank_search.settings import load_settings
from prorank_ui.choices import Side
from prorank_ui.evaluate import evaluating
from prorank_ui.evaluate.evaluating import EvaluationWish, Source
from tests.ui.test_browser import CHROMIUM, served

if TYPE_CHECKING:
    from playwright.sync_api import Page

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"
WINDOW = (1280, 860)
LARGEST_BYTES = 200_000
QUERY_SET = "docstrings"
QUERIES = 60
HITS_RESCORED = "20"
MODEL_WARMS_UP_MS = 600_000
EVALUATION_ENDS_MS = 3_600_000
TRAINING_STEPS = "50"
TRAINING_ENDS_MS = 3_600_000
COMPARED = Question("send an e-mail with an attachment", "python-stdlib", ())
EXPLAINED = QUESTIONS[0]
ROWS = """id,title,text,section
1,Opening hours,We are open from nine to five on weekdays.,visit
2,Parking,"There is room for twenty cars behind the house; bring a disc.",visit
3,Returns,Send it back within thirty days and you get your money back.,shop
4
5,Gift cards,A gift card is valid for three years.,shop
"""


def main() -> None:
    """Fill a home, serve it, take one picture after another."""
    if CHROMIUM is None:
        sys.exit("no chromium: apt-get install chromium")
    models = load_settings().home / "models"
    with TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "models").symlink_to(models)
        for name in [name for name in os.environ if name.startswith("PRORANK_")]:
            del os.environ[name]
        os.environ.update(PRORANK_HOME=folder, PRORANK_WINDOW_SIZE=HITS_RESCORED, PRORANK_TIMEOUT_S="none")
        evaluation = fill(home)
        with served(home) as address, sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": WINDOW[0], "height": WINDOW[1]})
            page.set_default_timeout(MODEL_WARMS_UP_MS)
            take_judge(page, address)
            take_evaluate(page, address, evaluation)
            take_why(page, address)
            take_compare(page, address)
            take_train(page, address)
            take_documents(page, address, home)
            take_status(page, address)
            browser.close()


def fill(home: Path) -> jobs.Job:
    """Ingest Python's documentation, and measure the model on functions that are asked for by their docstrings."""
    own = load_settings()
    backend = TantivyBackend(home / "indexes")
    ingest_missing(own, backend)
    queries, qrels = docstring_queries(backend.scan(FUNCTIONS.index), QUERIES)
    store = JudgmentStore(home / FILE_NAME)
    store.add_queries(QUERY_SET, FUNCTIONS.index, queries.values())
    store.judge(*(Judgment(QUERY_SET, one.query_id, one.doc_id, "docstring", 3) for one in qrels))
    store.close()
    sides = [Side(), Side("prorank", window=HITS_RESCORED)]
    wish = EvaluationWish(Source(QUERY_SET, FUNCTIONS.index), "test", FUNCTIONS.index, sides)
    return evaluating.start(home, wish, own, Profile())


def take_compare(page: Page, address: str) -> None:
    rank(page, address, COMPARED)
    keep(page, "compare")


def take_why(page: Page, address: str) -> None:
    rank(page, address, EXPLAINED)
    panel = page.get_by_role("dialog")
    while not panel.is_visible():  # what hears the clicks is loaded after the hits are there
        page.locator(".pr-after .pr-title").first.dispatch_event("click")
        page.wait_for_timeout(3_000)
    panel.get_by_role("button", name="Why this rank?").first.click()
    panel.locator(".pr-why").wait_for()
    keep(page, "why")


def rank(page: Page, address: str, question: Question) -> None:
    page.goto(f"{address}/?q={question.text}&index={question.index}")
    page.wait_for_selector(".pr-after .pr-title")
    page.get_by_role("button", name="Save or export").wait_for()


def take_judge(page: Page, address: str) -> None:
    page.goto(f"{address}/judge?set={QUERY_SET}")
    page.get_by_label("Your name").fill("ada")
    page.keyboard.press("Enter")
    page.wait_for_selector(".jc-card")
    keep(page, "judge", theme="dark")


def take_evaluate(page: Page, address: str, evaluation: jobs.Job) -> None:
    page.goto(f"{address}/evaluate?run={evaluation.job_id}")
    page.locator(".ch-row a").first.wait_for(timeout=EVALUATION_ENDS_MS)
    page.get_by_text("Quality against cost", exact=True).click()
    page.wait_for_selector("canvas, svg.marks")
    keep(page, "evaluate", height=1150)


def take_train(page: Page, address: str) -> None:
    page.goto(f"{address}/train")
    page.get_by_role("button", name="Make the groups").click()
    steps = page.get_by_label("Steps", exact=True)
    steps.fill(TRAINING_STEPS)
    steps.press("Enter")
    page.get_by_role("button", name="Start training").click()
    page.get_by_text(f"finished · {TRAINING_STEPS} steps").wait_for(timeout=TRAINING_ENDS_MS)
    keep(page, "train", height=1350)


def take_documents(page: Page, address: str, home: Path) -> None:
    table = home / "handbook.csv"
    table.write_text(ROWS, encoding="utf-8")
    page.goto(f"{address}/documents")
    page.get_by_test_id("stFileUploader").wait_for()
    page.locator("input[type=file]").set_input_files(table)
    page.get_by_role("button", name="Preview").click()
    page.get_by_text("1 cannot be used").wait_for()
    keep(page, "documents", height=1150)


def take_status(page: Page, address: str) -> None:
    page.goto(f"{address}/status")
    page.wait_for_selector(".ps-checks")
    keep(page, "status", theme="dark")


def keep(page: Page, name: str, *, theme: Literal["light", "dark"] = "light", height: int = WINDOW[1]) -> None:
    """Write the page as it is now into the docs, in 256 colours."""
    page.emulate_media(color_scheme=theme)
    page.set_viewport_size({"width": WINDOW[0], "height": height})
    page.wait_for_selector("[data-test-script-state=notRunning]")
    page.mouse.move(0, 0)  # no tooltip over the page
    page.wait_for_timeout(2_000)
    drawn = Image.open(io.BytesIO(page.screenshot())).convert("RGB").quantize(256, dither=Image.Dither.NONE)
    file = IMAGES / f"{name}.png"
    drawn.save(file, optimize=True)
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": WINDOW[0], "height": WINDOW[1]})
    if file.stat().st_size > LARGEST_BYTES:
        sys.exit(f"{file} takes {file.stat().st_size:,} bytes, more than {LARGEST_BYTES:,}: show less")


if __name__ == "__main__":
    main()
