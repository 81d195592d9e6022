"""`python -m prorank_search.cli`: the command `prorank` where only the interpreter's path is known."""

from __future__ import annotations

from prorank_search.cli import main

main()
