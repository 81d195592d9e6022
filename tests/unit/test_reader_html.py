from __future__ import annotations

import time
from pathlib import Path

import pytest

from prorank_ingest.html_pages import readable
from prorank_ingest.readers import html
from prorank_search.protocols import BadRecord, ReaderOptions
from prorank_search.types import Document

PAGE = """<!doctype html>
<html><head><title>All
about dogs</title><style>p { color: red }</style><script>var a = "<p>no</p>";</script></head>
<body><nav><a href="/">Home</a></nav>
<header><h1>Dogs</h1></header>
<p>A dog   <b>bar</b>ks &amp;
growls.<br>Loudly.<p>It eats
<ul><li>meat<li>bones</ul>
<table><tr><th>name<th>age<tr><td>Rex<td>7</table>
<pre>woof
    woof</pre>
<footer>Imprint</footer><aside>Buy!</aside>
</body></html>"""


def record_of(path: Path, content: bytes) -> Document | BadRecord:
    path.write_bytes(content)
    reader = html.open_reader(str(path), ReaderOptions())
    assert reader is not None
    (record,) = reader.read()
    return record


def test_a_page_is_what_a_person_reads_there() -> None:
    assert readable(PAGE) == (
        "All about dogs",
        "Dogs\nA dog barks & growls.\nLoudly.\nIt eats\nmeat\nbones\nname age\nRex 7\nwoof\n    woof",
    )


def test_only_the_article_counts_where_there_is_one() -> None:
    page = "<body><p>Menu</p><article><h1>Cats</h1><p>They purr.</article><p>More articles"
    assert readable(page) == ("Cats", "Cats\nThey purr.")


@pytest.mark.parametrize(
    "page",
    [
        "<head><title>Dogs</title><body><p>They bark.",
        "<head><title>Dogs</title><p>They bark.",
        "<title>Dogs</title><nav>Home<p>Menu</nav></b></div><p>They bark.</html>",
        "<title>Dogs</title><p>They bark.<script>if (a < b) {",
        "<title>Dogs</title><svg><title>an icon</title></svg><p>They bark.",
    ],
)
def test_careless_markup_is_read_as_well(page: str) -> None:
    assert readable(page) == ("Dogs", "They bark.")


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("<p>café".encode(), "café"),
        ("\ufeff<p>café".encode(), "café"),
        ("<p>café".encode("utf-16"), "café"),
        ('<meta charset="ISO-8859-1"><p>café “é”'.encode("windows-1252"), "café “é”"),
        ('<meta http-equiv="Content-Type" content="text/html; charset=gb2312"><p>狐狸'.encode("gb2312"), "狐狸"),
    ],
)
def test_a_page_is_decoded_as_it_says(tmp_path: Path, content: bytes, text: str) -> None:
    assert record_of(tmp_path / "a.html", content) == Document("a.html", text, "a.html", {"file": "a.html"})


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("<p>café".encode("latin-1"), "not UTF-8: unexpected end of data at byte 6"),
        (b"<meta charset='klingon'><p>x", "its encoding 'klingon' is unknown"),
        (b"<meta charset=undefined><p>x", "its encoding 'undefined' is unknown"),
        (b"<meta charset=punycode><p>x", "its encoding 'punycode' is unknown"),
        (b"<meta charset=base64><p>x", "its encoding 'base64' is unknown"),
        (b"", "no readable text"),
        (b"<title>Only a title</title><script>x</script>", "no readable text"),
    ],
)
def test_a_page_that_cannot_be_read_is_a_bad_record(tmp_path: Path, content: bytes, reason: str) -> None:
    record = record_of(tmp_path / "a.html", content)
    assert isinstance(record, BadRecord)
    assert record.source == str(tmp_path / "a.html")
    assert record.reason.startswith(reason)


@pytest.mark.parametrize("piece", ["<li>word", "<tr><td>1<td>2", "<p><b>word</i>"])
def test_a_long_page_without_end_tags_takes_no_longer_than_another(piece: str) -> None:
    begun = time.perf_counter()
    _, text = readable("<ul>" + piece * 20_000)
    assert len(text.splitlines()) == 20_000
    assert time.perf_counter() - begun < 10  # looked up in all that is open it would be half a minute
