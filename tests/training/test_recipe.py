from __future__ import annotations

from pathlib import Path

import pytest

from prorank_search.errors import ConfigError
from prorank_training.recipe import read_recipe
from prorank_training.recipe_files import PACKAGED

MINIMAL = """
base = "tiny"
[data]
collections = [{ folder = "animals", analysis = "english", language = "en", groups = 3 }]
[score]
steps = 5
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "recipe.toml"


def test_the_shipped_recipes_can_be_read() -> None:
    recipes = sorted(PACKAGED.glob("*.toml"))
    assert {path.stem for path in recipes} >= {"cpu", "gpu", "gpu-0.5b", "gpu-1.5b-accelerate", "judgments"}
    read = [read_recipe(path) for path in recipes]
    assert all(max(map(int, recipe.score.document_tokens)) < recipe.max_length_tokens for recipe in read)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (MINIMAL.replace("steps", "stepps"), "score.steps: Field required; score.stepps: Extra inputs"),
        (MINIMAL.replace("steps = 5", 'steps = "many"'), "score.steps: Input should be a valid integer"),
        (MINIMAL.replace("groups = 3", "groups = -3"), "data.collections.0.groups"),
        (MINIMAL + '[export]\nform = "low-rank-0"\n', "export.form"),
        (MINIMAL + '[export]\nform = "low-rank-48-4-bit"\n', "low-rank-R-4-bit with R a multiple of 32"),
        (MINIMAL.replace("steps = 5", "steps = 0"), "score.steps: Input should be greater than or equal to 1"),
        (MINIMAL + "document_tokens = {}\n", "score.document_tokens: Dictionary should have at least 1 item"),
        (MINIMAL + "document_tokens = { many = 1.0 }\n", "score.document_tokens.many"),
        ("max_length_tokens = 256\n" + MINIMAL, "query_max_tokens=256 is more than half of max_length_tokens=256"),
        ("base = ", "is not TOML"),
    ],
)
def test_a_bad_recipe_is_told_where_it_is_bad(file: Path, text: str, said: str) -> None:
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=said) as raised:
        read_recipe(file)
    assert str(file) in str(raised.value)


def test_a_recipe_may_say_only_in_what_it_differs_from_another(file: Path) -> None:
    file.with_name("mine.toml").write_text(
        MINIMAL + "negatives = 3\n[teacher]\nrescorer = 'overlap'\n", encoding="utf-8"
    )
    file.write_text('extends = "mine"\nteacher = "none"\nseed = 7\n[score]\nsteps = 9\n', encoding="utf-8")
    recipe = read_recipe(file)
    assert (recipe.base, recipe.seed, recipe.score.steps, recipe.score.negatives) == ("tiny", 7, 9, 3)
    assert recipe.teacher is None


def test_a_recipe_may_extend_the_one_of_the_package_whose_name_it_has(file: Path) -> None:
    own = file.with_name("cpu.toml")
    own.write_text('extends = "cpu"\nseed = 7\n', encoding="utf-8")
    assert read_recipe(own).seed == 7


def test_a_recipe_may_extend_one_of_the_package(file: Path) -> None:
    file.write_text('extends = "cpu"\nseed = 7\n', encoding="utf-8")
    ours = read_recipe(PACKAGED / "cpu.toml")
    assert read_recipe(file) == ours.model_copy(update={"seed": 7})


@pytest.mark.parametrize(
    ("name", "said"),
    [("other", "extends itself: recipe > other > recipe"), ("nowhere", "extends 'nowhere'.*known are cpu, ")],
)
def test_what_a_recipe_extends_is_another_recipe(file: Path, name: str, said: str) -> None:
    file.write_text(f'extends = "{name}"\n', encoding="utf-8")
    file.with_name("other.toml").write_text('extends = "recipe"\n', encoding="utf-8")
    with pytest.raises(ConfigError, match=said):
        read_recipe(file)


def test_a_missing_recipe_is_named(file: Path) -> None:
    with pytest.raises(ConfigError, match=r"recipe\.toml cannot be read: No such file"):
        read_recipe(file)


def test_a_run_can_be_exported_in_another_form(file: Path) -> None:
    digests = []
    for more in ("", '[export]\nform = "4-bit"\n'):
        file.write_text(MINIMAL + more, encoding="utf-8")
        digests.append(read_recipe(file).digest())
    assert digests[0] == digests[1]


def test_what_training_depends_on_changes_the_digest(file: Path) -> None:
    digests = set()
    for text in (MINIMAL, "seed = 2\n" + MINIMAL, MINIMAL.replace("groups = 3", "groups = 4")):
        file.write_text(text, encoding="utf-8")
        digests.add(read_recipe(file).digest())
    assert len(digests) == 3


def test_a_run_that_is_given_more_steps_or_less_memory_is_the_same_run(file: Path) -> None:
    digests = set()
    for text in (
        MINIMAL,
        MINIMAL.replace("steps = 5", "steps = 6"),
        MINIMAL + "groups_a_pass = 1\ntokens_a_batch = 9\n",
    ):
        file.write_text(text, encoding="utf-8")
        digests.add(read_recipe(file).digest())
    assert len(digests) == 1


def test_the_data_of_runs_that_differ_in_training_alone_can_be_shared(file: Path) -> None:
    digests = set()
    for text in (MINIMAL, MINIMAL.replace("steps = 5", "steps = 6")):
        file.write_text(text, encoding="utf-8")
        digests.add(read_recipe(file).data_digest())
    assert len(digests) == 1
