"""What charts need is there before any thread beside a page could be in the midst of importing it."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize("page", ["compare", "evaluate", "train"])
def test_a_page_with_charts_has_imported_pandas_before_it_is_drawn(page: str) -> None:
    code = f"import sys; from prorank_ui.app_pages import {page}; sys.exit('pandas' not in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
