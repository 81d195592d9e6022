from __future__ import annotations

from tests.serving.gateway_fuzz import run


def test_no_body_brings_a_500_or_a_documents_word_in_a_fault() -> None:
    seen = run(300)
    assert set(seen) >= {200, 400}
