from __future__ import annotations

import pytest

from prorank_search.analysis import PRESETS, Token, choose, preset
from prorank_search.errors import ConfigError

TEXTS = [
    "Plain words, with a comma.",
    "getUserName(user_id) -> os.path.join",
    "我在北京看见iPhone。",
    "ﾊﾝｶｸ ＡＢＣ cafe\u0301",
    "",
    "\x00 😀 \ud800".encode("utf-8", "replace").decode(),
]


def terms(name: str, text: str) -> list[str]:
    return [term for term, _, _ in preset(name).tokens(text)]


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("text", TEXTS)
def test_tokens_lie_in_the_text_and_hold_no_spaces(name: str, text: str) -> None:
    tokens: list[Token] = list(preset(name).tokens(text))
    assert all(0 <= start < end <= len(text) for _, start, end in tokens)
    assert all(term and not any(character.isspace() for character in term) for term, _, _ in tokens)


def test_an_unknown_preset_is_an_error_that_names_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="'klingon'; there are: english, standard, code, chinese, cjk"):
        preset("klingon")


def test_composed_and_decomposed_accents_are_the_same_term() -> None:
    assert terms("standard", "cafe\u0301") == terms("standard", "caf\u00e9")


def test_full_width_letters_are_letters() -> None:
    assert terms("chinese", "ＡＢＣ") == ["ABC"]


def test_a_plain_word_of_code_is_one_term() -> None:
    assert terms("code", "return value") == ["return", "value"]


@pytest.mark.parametrize("name", ["userName", "user_name", "user.name", "UserName", "user.name()"])
def test_the_parts_of_an_identifier_are_found_however_it_is_written(name: str) -> None:
    assert {"user", "name"} <= {term.lower() for term in terms("code", name)}


def test_a_lone_chinese_character_is_found_inside_a_word() -> None:
    assert set(terms("chinese", "猫")) < set(terms("chinese", "黑猫"))


@pytest.mark.parametrize(
    ("sample", "name"),
    [
        (["How the fox came to be known for its cunning is told in many of the tales."], "english"),
        (["小明在北京大学学习计算机。", "The end"], "chinese"),
        (["東京はとても大きいです。"], "cjk"),
        (["def f(x):\n    y = x.real\n    return y", "import os\nprint(os.name)"], "code"),
        (["public static void main(String[] args) {\n  run();\n}"], "code"),
        (["Der Fuchs ist schlau und lebt im Wald.", "Er jagt bei Nacht."], "standard"),
        ([], "standard"),
        (["", "42"], "standard"),
    ],
)
def test_auto_chooses_by_a_sample(sample: list[str], name: str) -> None:
    assert choose(sample) == name
