"""Analysis presets on the engines: what an index of ours is created with. Pure, but for one question.

    analysis = analysis_for(engine, "chinese")                 # smartcn where the engine has it, else cjk and a notice
    body = index_body(analysis, meta={"created": "..."})       # settings and mappings, ready for PUT /INDEX
    body["settings"]["index"]["number_of_shards"] = 3          # a plain dict: add what else the index needs
    analysis_in(mapping["_meta"])                              # "chinese": what an index of ours was made with

A document stands in the index as `source_of(document)` has it; `prorank_search.stored_documents` reads it back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from prorank_search.analysis import preset
from prorank_search.analysis.english import STOP_WORDS
from prorank_search.backends.engines.connection import Engine
from prorank_search.errors import ConfigError, EngineError
from prorank_search.stored_documents import facts, to_source
from prorank_search.types import BM25, Document

MARK = "prorank"
"""Key of a mapping's `_meta` that says that we made the index."""
PREVIOUS = "@previous"
"""End of the alias on the version that a rollback returns to."""
ADOPTED = "prorank_adopted"
"""Key of a mapping's `_meta` that says that we were allowed to write into an index of somebody else."""
FORMAT = 1
"""Layout of the fields inside; another number cannot be read."""
SEARCHED = ("title", "text")
WRITTEN = "written"
"""Field of a passage: the stamp of the write."""
UNREAD = {"excludes": ["facts", WRITTEN]}
"""What of `_source` only the engine looks at."""

_CODE: dict[str, Any] = {
    "filter": {
        "prorank_identifier_parts": {
            "type": "word_delimiter_graph",
            "preserve_original": True,
            "stem_english_possessive": False,
        },
        "prorank_stop": {"type": "stop", "stopwords": sorted(STOP_WORDS)},
        "prorank_stemmer": {"type": "stemmer", "language": "english"},
    },
    "tokenizer": {"prorank_names": {"type": "pattern", "pattern": r"(\w+(?:\.\w+)*)", "group": 1}},
    "analyzer": {
        "prorank_code": {
            "type": "custom",
            "tokenizer": "prorank_names",
            "filter": [
                "prorank_identifier_parts",
                "flatten_graph",
                "lowercase",
                "prorank_stop",
                "prorank_stemmer",
                "remove_duplicates",
            ],
        }
    },
}
_ANALYZERS = {"english": "english", "standard": "standard", "cjk": "cjk", "code": "prorank_code"}
_SMARTCN = "smartcn"


@dataclass(frozen=True, slots=True)
class IndexAnalysis:
    """How an index analyses its texts.

    Attributes:
        name: What `--analysis` was: a preset's name, then those of fields that have another ("english,title=standard").
        analyzers: The engine's analyzer of each searched field.
        notice: What a person should know of it; empty: nothing.
    """

    name: str
    analyzers: Mapping[str, str]
    notice: str = ""


def analysis_for(engine: Engine, name: str) -> IndexAnalysis:
    """Return how an engine analyses texts, asking it for what is not in every engine; see `plan`.

    Raises:
        ConfigError: There is no such preset, or no such field.
    """
    smartcn = "chinese" in _presets(name).values() and has_analyzer(engine, _SMARTCN)
    return plan(name, smartcn=smartcn)


def plan(name: str, *, smartcn: bool) -> IndexAnalysis:
    """Return how texts are analysed, given whether the engine has smartcn.

    Args:
        name: A preset's name, then those of fields that have another, with commas between.
        smartcn: Whether the engine has a word list for Chinese.

    Raises:
        ConfigError: There is no such preset, or no such field.

    Example:
        >>> plan("english,title=standard", smartcn=False).analyzers
        {'title': 'standard', 'text': 'english'}
    """
    presets = _presets(name)
    chinese = _SMARTCN if smartcn else "cjk"
    notice = ""
    if "chinese" in presets.values() and not smartcn:
        notice = "the engine has no `smartcn` (plugin analysis-smartcn): `chinese` takes its `cjk`, pairs of characters"
    analyzers = {field: _ANALYZERS.get(chosen, chinese) for field, chosen in presets.items()}
    return IndexAnalysis(name, analyzers, notice)


def has_analyzer(engine: Engine, analyzer: str) -> bool:
    """Tell whether an engine has an analyzer, by having it analyse a word."""
    try:
        engine.request("POST", "/_analyze", {"analyzer": analyzer, "text": "x"})
    except EngineError as error:
        if error.status in (400, 404):
            return False
        raise
    return True


def index_body(analysis: IndexAnalysis, *, meta: Mapping[str, object] | None = None) -> dict[str, Any]:
    """Return settings and mappings of an index of ours, as `PUT /INDEX` takes them.

    Args:
        analysis: How texts are analysed.
        meta: What else the mark says: when it was made, by which run, with which `k1` and `b`.
    """
    kept = meta or {}
    weights = {name: kept.get(name, usual) for name, usual in BM25.items()}
    index: dict[str, Any] = {"similarity": {"default": {"type": "BM25", **weights}}}
    if "prorank_code" in analysis.analyzers.values():
        index["analysis"] = _CODE
    mark = {**kept, "format": FORMAT, "analysis": analysis.name}
    return {
        "settings": {"index": index},
        "mappings": {"dynamic": "strict", "_meta": {MARK: mark}, "properties": _properties(analysis.analyzers)},
    }


def analysis_in(meta: Mapping[str, Any]) -> str:
    """Return the preset that an index of ours was made with, from its mapping's `_meta`; empty: it is not ours.

    Example:
        >>> analysis_in({"prorank": {"analysis": "code"}}), analysis_in({})
        ('code', '')
    """
    return str(meta.get(MARK, {}).get("analysis", ""))


def source_of(document: Document) -> dict[str, object]:
    """Return a document as an index of ours takes it; its `_id` is the `doc_id`.

    Example:
        >>> source_of(Document("1", "It barks.", metadata={"legs": 4}))
        {'doc_id': '1', 'text': 'It barks.', 'metadata': {'legs': 4}, 'facts': ['legs=4']}
    """
    source = to_source(document)
    found = list(facts(document.metadata)) if document.metadata else []
    return source | {"facts": found} if found else source


def _presets(name: str) -> dict[str, str]:
    """Return each searched field's preset."""
    first, *overrides = name.split(",")
    own = dict(each.partition("=")[::2] for each in overrides)
    for field in own:
        if field not in SEARCHED:
            raise ConfigError(f"analysis {name!r}: no field {field!r}; there are: {', '.join(SEARCHED)}")
    return {field: preset(own.get(field, first)).name for field in SEARCHED}


def _properties(analyzers: Mapping[str, str]) -> dict[str, Any]:
    return {
        "doc_id": {"type": "keyword"},
        **{name: {"type": "text", "analyzer": analyzer} for name, analyzer in analyzers.items()},
        "facts": {"type": "keyword"},
        "metadata": {"type": "object", "enabled": False},
        "parent_id": {"type": "keyword"},
        "passage_offsets": {"type": "integer", "index": False, "doc_values": False},
        WRITTEN: {"type": "long"},
    }
