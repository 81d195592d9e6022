"""A teacher: any rescorer, whose scores of the groups' documents training learns from beside the judgments."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from prorank_search.errors import RescorerError
from prorank_search.search import load_rescorer
from prorank_search.types import ScoreRequest
from prorank_training import data_folder
from prorank_training.groups import Group, epoch_order
from prorank_training.run_folder import write_atomically
from prorank_training.teacher_scores import Taught, line_of, read_taught

if TYPE_CHECKING:
    from prorank_search.protocols import Rescorer
    from prorank_search.settings import Settings
    from prorank_training.progress import Progress
    from prorank_training.recipe import Recipe, TeacherRecipe

_DIGITS = 5


def teach(recipe: Recipe, plan: TeacherRecipe, folder: Path, settings: Settings, progress: Progress) -> None:
    """Score the documents of groups, in the order in which training takes the groups; go on where it was left.

    Args:
        recipe: Whose data it is.
        plan: Which teacher, and how many groups.
        folder: The data, to which the scores are added group by group.
        settings: Device and the rest of what rescorers need.
        progress: Told of each group.

    Raises:
        InputError: There is no data.
        ConfigError: The data is another recipe's, or holds another teacher's scores.
        RescorerError: A teacher left a text without a score.
    """
    groups, _ = data_folder.load(recipe.data_digest(), folder)
    languages = sorted({group.language for group in groups})
    teachers = open_teachers(plan, languages, settings)
    data_folder.note_teacher(folder, _about(plan, teachers))
    wanted = epoch_order(len(groups), min(plan.groups or len(groups), len(groups)), recipe.seed)
    lessons = [at for at in wanted if groups[at].language in teachers]
    _score(groups, lessons, teachers, folder / data_folder.TEACHER_FILE, progress)


def open_teachers(plan: TeacherRecipe, languages: Sequence[str], settings: Settings) -> dict[str, Rescorer]:
    """Open the teacher of each language that has one; languages with the same teacher share it."""
    named = {language: name for language in languages if (name := plan.rescorer_of(language))}
    opened = {name: _open(name, plan, settings) for name in sorted(set(named.values()))}
    return {language: opened[name] for language, name in named.items()}


def _open(name: str, plan: TeacherRecipe, settings: Settings) -> Rescorer:
    rescorer, _, model = name.partition(":")
    own: dict[str, object] = {"rescorer": rescorer, "max_length_tokens": plan.max_length_tokens}
    if model:
        own["model"] = model
    return load_rescorer(rescorer, settings.model_copy(update=own))


def _about(plan: TeacherRecipe, teachers: Mapping[str, Rescorer]) -> dict[str, object]:
    by_language = {
        language: {"rescorer": plan.rescorer_of(language), "revision": teacher.revision}
        for language, teacher in teachers.items()
    }
    return {"max_length_tokens": plan.max_length_tokens, "languages": by_language}


def _score(
    groups: Sequence[Group], lessons: Sequence[int], teachers: Mapping[str, Rescorer], file: Path, progress: Progress
) -> None:
    rows = read_taught(file)
    done = {row.group for row in rows}
    write_atomically(file, "".join(map(line_of, rows)).encode())
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
