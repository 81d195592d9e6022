"""The `english` preset: words, Lucene's 33 English stop words, Snowball's English stemmer."""

from __future__ import annotations

from prorank_search.analysis.presets import Preset
from prorank_search.analysis.standard import words

_STOP_WORDS = """
a an and are as at be but by for if in into is it no not of on or such
that the their then there these they this to was will with
"""
STOP_WORDS = frozenset(_STOP_WORDS.split())

ENGLISH = Preset("english", words, STOP_WORDS, "english")
