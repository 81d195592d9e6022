from __future__ import annotations

from pathlib import Path

import pytest

from prorank_search import Blend, Document, Profile
from prorank_search.errors import ConfigError
from prorank_search.profiles import load_profiles, profile_for
from prorank_search.settings import Settings

DOCUMENT = Document(
    "1", "It barks.", title="Dog", metadata={"kind": "pet", "1": "one", "empty": None, "tags": ["a", "b"], "live": True}
)


def write(folder: Path, text: str) -> Path:
    path = folder / "prorank.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_an_index_gets_its_own_profile_and_another_an_empty_one(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        """
        [profiles.docs]
        fields = { title = 2, text = 1.0 }
        filter = { kind = ["pet", "farm"] }
        instruction = "Is it an animal?"
        on_failure = "error"
        blend = { score_mode = "total", normalize = "zscore" }
        """,
    )
    settings = Settings(config=path)
    assert profile_for(settings, "docs") == Profile(
        fields={"title": 2.0, "text": 1.0},
        filter={"kind": ["pet", "farm"]},
        instruction="Is it an animal?",
        on_failure="error",
        blend=Blend("total", "zscore"),
    )
    assert profile_for(settings, "other") == Profile()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("tempalte = '{text}'", "unknown key 'tempalte': did you mean 'template'?"),
        ("blend = { mode = 'total' }", "unknown key 'mode': did you mean 'score_mode'?"),
        ("blend = { score_mode = 'sum' }", "blend.score_mode = 'sum': it has to be 'replace', 'total'"),
        ("fields = { title = 'much' }", "fields.title = 'much': it has to be a valid number"),
        ("body = 'x'", "body = 'x': it has to be a table"),
        ("filter = { kind = { is = 'pet' } }", "filter kind = {'is': 'pet'}: it has to be a value, or a"),
        ("on_failure = 'ignore'", "on_failure = 'ignore': it has to be 'keep' or 'error'"),
        ("template = '{body}'", "unknown field {body}: allowed are {title}, {text} and {metadata[KEY]}"),
    ],
)
def test_a_complaint_names_file_profile_key_and_what_is_allowed(tmp_path: Path, text: str, complaint: str) -> None:
    path = write(tmp_path, f"[profiles.docs]\n{text}")
    with pytest.raises(ConfigError) as caught:
        load_profiles(path)
    assert str(caught.value).startswith(f"{path} [profiles.docs]")
    assert complaint in str(caught.value)


@pytest.mark.parametrize(
    ("template", "text"),
    [
        (None, "Dog\nIt barks."),
        ("{title}: {text}", "Dog: It barks."),
        ("{metadata[kind]} {metadata[1]}", "pet one"),
        ("[{metadata[absent]}{metadata[empty]}]", "[]"),
        ("{{{title}}}", "{Dog}"),
        ("{metadata[tags]}: {metadata[live]}", "a\nb: true"),
    ],
)
def test_the_template_makes_the_text_that_the_model_sees(template: str | None, text: str) -> None:
    assert Profile(template=template).text_of(DOCUMENT) == text


def test_a_document_that_looks_like_a_template_is_left_alone() -> None:
    assert Profile(template="{text}").text_of(Document("1", "{title} {0}")) == "{title} {0}"


@pytest.mark.parametrize(
    "template",
    ["{", "{}", "{0}", "{doc_id}", "{text.__class__}", "{metadata}", "{metadata[a][b]}", "{title!r}", "{text:>9}"],
)
def test_a_template_with_anything_else_is_refused(template: str) -> None:
    with pytest.raises(ConfigError, match="allowed are"):
        Profile(template=template)


def test_a_blend_that_would_turn_the_order_around_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "prorank.toml"
    file.write_text('[profiles.docs.blend]\nscore_mode = "multiply"\nnormalize = "zscore"')
    with pytest.raises(ConfigError, match=r"\[profiles.docs\]: blend = .* it has to be none or minmax as normalize"):
        load_profiles(file)
