from __future__ import annotations

from itertools import chain

from prorank_training.pairs import dev_pairs, training_pairs
from prorank_training.recipe import WarmupRecipe
from tests.training.tiny_training import dev_queries, groups

PLAN = WarmupRecipe(steps=10, queries_a_step=4, random_only_steps=5, hard_share=1.0)


def test_each_step_has_as_many_relevant_as_irrelevant_pairs_of_the_same_queries() -> None:
    for pairs in training_pairs(groups(), PLAN, seed=1):
        assert [pair.judgment for pair in pairs] == ["1", "0"] * 4
        assert [pair.query for pair in pairs[::2]] == [pair.query for pair in pairs[1::2]]


def test_negatives_are_random_at_first_and_hard_later() -> None:
    hard = {text for group in groups() for text in group.hard_negatives}
    steps = [
        [pair.text in hard for pair in pairs if pair.judgment == "0"] for pairs in training_pairs(groups(), PLAN, 1)
    ]
    easy_only = {text for group in groups() for text in group.random_negatives} - hard
    assert all(chain.from_iterable(steps[5:]))
    early = [pair.text for pairs in list(training_pairs(groups(), PLAN, 1))[:5] for pair in pairs[1::2]]
    assert any(text in easy_only for text in early)


def test_the_same_seed_draws_the_same_pairs_and_another_seed_others() -> None:
    first, again, other = (list(training_pairs(groups(), PLAN, seed)) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_dev_pairs_are_balanced_and_true_to_the_judgments() -> None:
    pairs = dev_pairs(dev_queries(), wanted=8, seed=1)
    relevant = {(query.query, query.texts[-1]) for query in dev_queries()}
    assert [pair.judgment for pair in pairs] == ["1", "0"] * 4
    assert all(((pair.query, pair.text) in relevant) == (pair.judgment == "1") for pair in pairs)
