from __future__ import annotations

import re
from pathlib import Path

import pytest

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
