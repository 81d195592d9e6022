from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from prorank_search.scoring.batches import batches
from prorank_search.scoring.scheduler import scoring_order

LENGTHS = st.lists(st.integers(1, 60), max_size=40)


@given(LENGTHS, st.integers(1, 200))
def test_every_row_is_in_one_batch_and_no_batch_is_over_its_budget(lengths: list[int], budget: int) -> None:
    together = batches(lengths, budget)
    assert sorted(position for batch in together for position in batch) == list(range(len(lengths)))
    assert all(len(batch) == 1 or len(batch) * max(lengths[at] for at in batch) <= budget for batch in together)


@given(LENGTHS)
def test_rows_fall_in_length_and_equal_lengths_keep_their_order(lengths: list[int]) -> None:
    order = [position for batch in batches(lengths, 100) for position in batch]
    assert order == sorted(range(len(lengths)), key=lambda at: (-lengths[at], at))
    assert scoring_order(lengths, 100, chunked=False) == order


@given(LENGTHS, st.integers(1, 200))
def test_chunks_keep_first_stage_order_among_each_other(lengths: list[int], budget: int) -> None:
    order = scoring_order(lengths, budget, chunked=True)
    assert sorted(order) == list(range(len(lengths)))
    for place, position in enumerate(order):
        overtaken = [lengths[at] for at in order[place:] if at < position]
        assert sum(overtaken) + lengths[position] <= budget or not overtaken
