from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from prorank_search.errors import ConfigError, InputError, RescorerError
from prorank_search.rescorers.function import ScoreFunction, from_function
from prorank_search.rescorers.overlap import OverlapRescorer
from prorank_search.settings import Settings
from prorank_search.types import Scored, ScoreRequest
from prorank_training import data_folder, teacher
from prorank_training.groups import Group, epoch_order, write_dev, write_groups
from prorank_training.recipe import CollectionRecipe, Recipe, TeacherRecipe
from prorank_training.teacher_scores import Taught, likely_false, read_taught, statistics
from tests.training.tiny_training import dev_queries, groups, recipe

OVERLAP = TeacherRecipe(rescorer="overlap")
LANGUAGES = ("en", "zh", "ja")


class KilledError(Exception):
    """Stands for a kill: nothing in training catches it."""


def wanted() -> Recipe:
    """The recipe whose collections have three languages."""
    sources = [CollectionRecipe(folder=name, analysis="english", language=name, groups=8) for name in LANGUAGES]
    plain = recipe()
    return plain.model_copy(update={"data": plain.data.model_copy(update={"collections": sources})})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Groups of three languages, eight of each."""
    some = [
        replace(group, language=LANGUAGES[at % 3], collection=LANGUAGES[at % 3]) for at, group in enumerate(groups())
    ]
    return written(tmp_path / "data", some)


def written(path: Path, some: list[Group]) -> Path:
    path.mkdir()
    write_groups(path / data_folder.GROUPS_FILE, some)
    write_dev(path / data_folder.DEV_FILE, dev_queries())
    about = {"data_hash": wanted().data_digest(), "collections": []}
    (path / data_folder.ABOUT_FILE).write_text(json.dumps(about), encoding="utf-8")
    return path


def teach(folder: Path, plan: TeacherRecipe = OVERLAP, killed_after: int = 0) -> list[Group]:
    def progress(done: int, _: int, __: Mapping[str, Any]) -> None:
        if done == killed_after:
            raise KilledError

    teacher.teach(wanted(), plan, teacher.open_teachers(plan, wanted().data, Settings()), folder, progress)
    return loaded(folder)


def loaded(folder: Path) -> list[Group]:
    return data_folder.load(wanted().data_digest(), folder)[0]


@pytest.fixture
def teach_by(monkeypatch: pytest.MonkeyPatch) -> Callable[[ScoreFunction], None]:
    """Let every teacher be a plain function."""

    def install(function: ScoreFunction) -> None:
        monkeypatch.setattr(teacher, "load_rescorer", lambda name, _: from_function(function, name=name, revision="1"))

    return install


def test_every_document_of_a_group_gets_the_teachers_score_in_the_groups_order(folder: Path) -> None:
    for group in teach(folder):
        wanted = set(group.query.split())
        texts = [group.positive, *group.hard_negatives, *group.random_negatives]
        shares = [len(wanted & set(text.split())) / len(wanted) for text in texts]
        assert group.teacher == pytest.approx(shares, abs=1e-5)


def test_groups_are_scored_in_training_order_and_only_as_many_as_asked(folder: Path) -> None:
    taught = teach(folder, TeacherRecipe(rescorer="overlap", groups=7))
    order = epoch_order(len(taught), 24, wanted().seed)
    assert [row.group for row in read_taught(folder / data_folder.TEACHER_FILE)] == order[:7]
    assert all(not taught[at].teacher for at in order[7:])


def test_languages_have_teachers_of_their_own_or_none(folder: Path, teach_by: Callable[[ScoreFunction], None]) -> None:
    teach_by(lambda _, texts: [0.5] * len(texts))
    taught = teach(folder, TeacherRecipe(rescorer={"en": "first:model-en", "zh": "second"}))
    assert {group.language for group in taught if group.teacher} == {"en", "zh"}
    about = json.loads((folder / data_folder.ABOUT_FILE).read_text())["teacher"]
    assert about["languages"] == {
        "en": {"rescorer": "first:model-en", "revision": "1"},
        "zh": {"rescorer": "second", "revision": "1"},
    }


def test_the_model_behind_the_colon_and_the_bound_reach_the_rescorer(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def load(name: str, settings: Settings) -> object:
        asked.append((name, settings.model, settings.max_length_tokens))
        return from_function(lambda _, texts: [1.0] * len(texts))

    monkeypatch.setattr(teacher, "load_rescorer", load)
    teach(folder, TeacherRecipe(rescorer="some:model:v2", max_length_tokens=192))
    assert asked == [("some", "model:v2", 192)]


def test_a_teacher_that_was_killed_goes_on_and_comes_to_the_same_scores(folder: Path, tmp_path: Path) -> None:
    whole = teach(folder)
    again = written(tmp_path / "again", [replace(group, teacher=[]) for group in whole])
    with pytest.raises(KilledError):
        teach(again, killed_after=5)
    assert sum(bool(group.teacher) for group in loaded(again)) == 5
    with (again / data_folder.TEACHER_FILE).open("a") as file:
        file.write('{"group": 3, "coll')
    assert teach(again) == whole
    assert (again / data_folder.TEACHER_FILE).read_bytes() == (folder / data_folder.TEACHER_FILE).read_bytes()


def test_what_is_scored_is_not_scored_again(folder: Path, teach_by: Callable[[ScoreFunction], None]) -> None:
    asked: list[str] = []
    teach_by(lambda query, texts: asked.append(query) or [0.0] * len(texts))  # type: ignore[func-returns-value]
    teach(folder, TeacherRecipe(rescorer="any", groups=10))
    teach(folder, TeacherRecipe(rescorer="any", groups=12))
    assert len(asked) == 12


def test_scores_of_two_teachers_are_never_mixed(folder: Path) -> None:
    teach(folder, TeacherRecipe(rescorer="overlap", groups=3))
    with pytest.raises(ConfigError, match=r"another teacher .*overlap-1.*delete teacher\.jsonl there, or .*--data"):
        teach(folder, TeacherRecipe(rescorer="overlap", max_length_tokens=64))


def test_scores_of_other_groups_are_refused(folder: Path) -> None:
    teach(folder)
    write_groups(folder / data_folder.GROUPS_FILE, groups(3))
    with pytest.raises(InputError, match=r"teacher\.jsonl holds the scores of other groups"):
        loaded(folder)


def test_a_teacher_for_a_language_that_no_collection_has_is_refused(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"a teacher for english; its collections have the languages en, ja, zh"):
        teach(folder, TeacherRecipe(rescorer={"english": "overlap"}))


def test_a_collection_that_is_left_out_gets_no_scores(folder: Path) -> None:
    names = {group.collection for group in loaded(folder)}
    left_out = min(names)
    taught = teach(folder, TeacherRecipe(rescorer="overlap", leave_out=[left_out]))
    assert {group.collection for group in taught if group.teacher} == names - {left_out}
    assert names != {left_out}


def test_leaving_out_a_collection_that_is_not_there_is_refused(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"leaves sqaud out of the teacher's work; its data has the collections"):
        teach(folder, TeacherRecipe(rescorer="overlap", leave_out=["sqaud"]))


def test_scores_that_cannot_be_written_are_told_in_a_sentence(folder: Path) -> None:
    (folder / data_folder.TEACHER_FILE).symlink_to(folder / "nowhere" / "scores.jsonl")
    with pytest.raises(ConfigError, match=r"cannot be written into .*the same command again"):
        teach(folder)


def test_a_teacher_that_leaves_a_text_without_a_score_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Silent(OverlapRescorer):
        def score(self, request: ScoreRequest) -> list[Scored]:
            return [*super().score(request)[:-1], Scored(None)]

    monkeypatch.setattr(teacher, "load_rescorer", lambda *_: Silent())
    with pytest.raises(RescorerError, match="'overlap' gave 5 numbers for the 6 documents"):
        teach(folder)


def test_statistics_tell_how_often_the_positive_is_first_and_what_is_taken_for_false() -> None:
    rows = [Taught(0, "a", [0.9, 0.5, 0.4]), Taught(1, "a", [0.5, 0.6, 0.5]), Taught(2, "b", [0.5, 0.9, 0.8])]
    judged = statistics(rows, margin=0.0)
    assert (judged["a"].taught, judged["a"].teacher_first, judged["a"].masked) == (2, 0.5, 0.25)
    assert (judged["b"].teacher_first, judged["b"].masked) == (0.0, 1.0)
    assert statistics(rows, margin=0.35)["b"].masked == 0.5


def test_a_negative_is_taken_for_false_beyond_the_margin_only() -> None:
    assert likely_false([0.5, 0.6, 0.7], margin=0.15) == [False, True]


def test_a_recipe_without_teacher_keeps_the_name_of_its_data() -> None:
    plain = recipe()
    assert plain.model_copy(update={"teacher": OVERLAP}).data_digest() == plain.data_digest()
    assert Recipe.model_validate(plain.model_dump() | {"teacher": {"rescorer": "overlap"}}).digest() != plain.digest()
