"""A teacher: any rescorer, whose scores of the groups' documents training learns from beside the judgments."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from prorank_search.errors import ConfigError, RescorerError
from prorank_search.search import load_rescorer
from prorank_search.storage.whole_files import drop_broken_line
from prorank_search.types import ScoreRequest
from prorank_training import data_folder
from prorank_training.groups import Group, epoch_order
from prorank_training.teacher_scores import Taught, line_of, read_taught

if TYPE_CHECKING:
    from prorank_search.protocols import Rescorer
    from prorank_search.settings import Settings
    from prorank_training.progress import Progress
    from prorank_training.recipe import DataRecipe, Recipe, TeacherRecipe

_DIGITS = 5


def open_teachers(plan: TeacherRecipe, data: DataRecipe, settings: Settings) -> dict[str, Rescorer]:
    """Open the teacher of each language that has one; languages with the same teacher share it.

    Raises:
        ConfigError: A language is named that no group will have.
    """
    languages = sorted(data.languages())
    strange = set() if isinstance(plan.rescorer, str) else plan.rescorer.keys() - set(languages)
    if strange:
        raise ConfigError(
            f"the recipe names a teacher for {', '.join(sorted(strange))}; its collections have the languages "
            f"{', '.join(languages)}"
        )
    named = {language: name for language in languages if (name := plan.rescorer_of(language))}
    own = settings.model_copy(update={"max_length_tokens": plan.max_length_tokens})
    opened = {name: open_named(name, own) for name in sorted(set(named.values()))}
    return {language: opened[name] for language, name in named.items()}


def teach(
    recipe: Recipe, plan: TeacherRecipe, teachers: Mapping[str, Rescorer], folder: Path, progress: Progress
) -> None:
    """Score the documents of groups, in the order in which training takes the groups; go on where it was left.

    Args:
        recipe: Whose data it is.
        plan: Which teachers these are, and how many groups are scored.
        teachers: The teacher of each language; groups of other languages are left out.
        folder: The data, to which the scores are added group by group.
        progress: Told of each group.

    Raises:
        InputError: There is no data.
        ConfigError: The data is another recipe's, holds another teacher's scores, lacks a collection that is to be
            left out, or cannot be written.
        RescorerError: A teacher left a text without a score.
    """
    groups, _ = data_folder.load(recipe.data_digest(), folder)
    left_out = _left_out(plan, groups)
    data_folder.note_teacher(folder, _about(plan, teachers))
    wanted = epoch_order(len(groups), min(plan.groups or len(groups), len(groups)), recipe.seed)
    lessons = [at for at in wanted if groups[at].language in teachers and groups[at].collection not in left_out]
    try:
        _score(groups, lessons, teachers, folder / data_folder.TEACHER_FILE, progress)
    except OSError as error:
        raise ConfigError(
            f"the teacher's scores cannot be written into {folder}: {error}; make room and give the same command again"
        ) from error


def open_named(name: str, settings: Settings) -> Rescorer:
    """Open a rescorer that a recipe or a flag names as `RESCORER` or `RESCORER:MODEL`."""
    rescorer, _, model = name.partition(":")
    own = {"rescorer": rescorer} | ({"model": model} if model else {})
    return load_rescorer(rescorer, settings.changed(own))


def _left_out(plan: TeacherRecipe, groups: Sequence[Group]) -> set[str]:
    names, left_out = {group.collection for group in groups}, set(plan.leave_out or ())
    if strange := left_out - names:
        raise ConfigError(
            f"the recipe leaves {', '.join(sorted(strange))} out of the teacher's work; its data has the collections "
            f"{', '.join(sorted(names))}"
        )
    return left_out


def _about(plan: TeacherRecipe, teachers: Mapping[str, Rescorer]) -> dict[str, object]:
    by_language = {
        language: {"rescorer": plan.rescorer_of(language), "revision": teacher.revision}
        for language, teacher in teachers.items()
    }
    return {"max_length_tokens": plan.max_length_tokens, "languages": by_language}


def _score(
    groups: Sequence[Group], lessons: Sequence[int], teachers: Mapping[str, Rescorer], file: Path, progress: Progress
) -> None:
    drop_broken_line(file)
    done = {row.group for row in read_taught(file)}
    with file.open("a", encoding="utf-8") as lines:
        for count, at in enumerate(lessons, start=1):
            if at in done:
                continue
            group = groups[at]
            taught = Taught(at, group.collection, _scores(group, teachers[group.language]))
            lines.write(line_of(taught))
            lines.flush()
            progress(count, len(lessons), {"collection": group.collection})


def _scores(group: Group, teacher: Rescorer) -> list[float]:
    texts = [group.positive, *group.hard_negatives, *group.random_negatives]
    scores = [answer.score for answer in teacher.score(ScoreRequest(group.query, texts))]
    found = [round(score, _DIGITS) for score in scores if score is not None and math.isfinite(score)]
    if len(found) != len(texts):
        raise RescorerError(
            f"the teacher {teacher.info.model!r} gave {len(found)} numbers for the {len(texts)} documents of the query "
            f"{group.query!r}: choose another teacher"
        )
    return found
