"""The second stage's rescorers, one file each; `plugins.load` opens them by name, `from_function` makes one."""

from prorank_search.rescorers.function import from_function

__all__ = ["from_function"]
