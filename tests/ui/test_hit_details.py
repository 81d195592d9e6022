"""A document in full: what is scored to tell why it has its rank, and what is shown of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from prorank_ui.compare import explanation
from tests.ui.conftest import PATIENCE_S

PANEL = """
from prorank_search.types import Document, RescoredHit
from prorank_ui.compare import hit_details
from prorank_ui.choices import Choice, Side

hit = RescoredHit(Document("dog", "It barks.", "Dogs"), 1.0, 1, 1, 1.0, rescore_score=1.0, passage={passage!r})
hit_details.show({{"right": Choice("dog", "animals", Side("reversing"))}}, {{"right": hit}})
"""


def panel(passage: str | None) -> AppTest:
    return AppTest.from_string(PANEL.format(passage=passage), default_timeout=PATIENCE_S).run()


@pytest.mark.usefixtures("animals", "stages")
@pytest.mark.parametrize("passage", [None, "It barks."])
def test_why_explains_the_text_that_was_scored_and_no_text_is_shown_twice(
    home: Path, passage: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    explained: list[str] = []

    def noting(text: str, score: object) -> list[tuple[str, float]]:
        del score
        explained.append(text)
        return [(text, 0.0)]

    monkeypatch.setattr(explanation, "contributions", noting)
    (home / "prorank.toml").write_text('[profiles.animals]\ntemplate = "{title} say: {text}"\n', encoding="utf-8")
    app = panel(passage)
    assert "".join(element.proto.body for element in app.get("html")).count("It barks.") == 1
    app.button(key="why right").click().run()
    assert explained == ["Dogs say: It barks."]
