from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from prorank_search.rescore import keep_order
from prorank_search.types import Document, Hit, Query, Ranking, SearchResult, Status

LINK = re.compile(r"\]\((?!https?:)([^)#]+)")
PAGES = [
    page.relative_to(root).as_posix()
    for root in [Path(__file__).resolve().parents[2]]
    for page in [*root.glob("*.md"), *root.glob("docs/**/*.md")]
]


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_to_a_file(repository: Path, page: str) -> None:
    path = repository / page
    targets = LINK.findall(path.read_text(encoding="utf-8"))
    assert [target for target in targets if not (path.parent / target).exists()] == []


def test_the_glossary_has_each_word_once(repository: Path) -> None:
    text = (repository / "docs" / "glossary.md").read_text(encoding="utf-8")
    words = [word for cell in re.findall(r"^\| ([^|]+) \|", text, re.MULTILINE) for word in cell.split(", ")]
    words = [word for word in words if word != "word"]
    assert sorted(words) == sorted(set(words))


def test_every_decision_is_listed(repository: Path) -> None:
    index = (repository / "docs" / "index.md").read_text(encoding="utf-8")
    assert [page.name for page in (repository / "docs" / "adr").glob("*.md") if page.name not in index] == []


def test_the_page_for_scripts_names_every_key_of_an_answer(repository: Path) -> None:
    page = (repository / "docs" / "scripting.md").read_text(encoding="utf-8")
    query = Query("1", "fox")
    hits = keep_order(Ranking(query, (Hit(Document("a", "A fox."), 1.0),)))
    answer: dict[str, Any] = SearchResult(query, hits, Status("ok"), {}).to_json()
    assert [key for key in {*answer, *answer["status"], *answer["hits"][0]} if f"{key}`" not in page] == []
