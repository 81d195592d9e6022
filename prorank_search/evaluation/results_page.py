"""The results page: Markdown that is written by a command and never typed, one section a suite."""

from __future__ import annotations

import re
from pathlib import Path

from prorank_search.errors import ConfigError, InputError
from prorank_search.storage.whole_files import write_whole

_HEAD = """\
<!-- Written by `prorank evaluate-suite --report`. Change a suite file and run it again, not this page. -->

# Results

"""
_SECTION = "<!-- suite {name} -->\n{text}\n<!-- end of suite {name} -->\n"


def check_page(path: Path) -> None:
    """Refuse a page that no command wrote, and a folder that is not there: to be asked before hours of work.

    Raises:
        ConfigError: The file holds something else.
        InputError: Its folder does not exist.
    """
    if not path.parent.is_dir():
        raise InputError(f"no report can be written to {path}: the folder {path.parent} does not exist")
    if path.exists():
        _read(path)


def write_section(path: Path, name: str, text: str) -> None:
    """Write a suite's section into the page, in the place of its last one; the others stay as they are.

    Raises:
        ConfigError: The file holds something that no command wrote.
    """
    page = _read(path) if path.exists() else _HEAD
    section = _SECTION.format(name=name, text=text.strip())
    old = re.compile(
        re.escape(f"<!-- suite {name} -->") + ".*?" + re.escape(f"<!-- end of suite {name} -->\n"), re.DOTALL
    )
    replaced, times = old.subn(lambda _: section, page)
    write_whole(path, replaced if times else f"{page.rstrip()}\n\n{section}")


def _read(path: Path) -> str:
    page = path.read_text(encoding="utf-8")
    if not page.startswith(_HEAD.splitlines()[0]):
        raise ConfigError(f"{path} was not written by this command: name another file, or delete it")
    return page
