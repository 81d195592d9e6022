"""Several processes that train one model, each on a device of its own: data parallel, by torch.distributed.

`accelerate launch` (or torchrun) starts the processes and tells each its number by RANK and WORLD_SIZE. All hold the
whole model and take their share of a step's groups; gradients are summed before each optimizer step, so the run is the
one that a single process would have made. The first process, the leader, alone writes and talks.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, zip_longest
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from torch import Tensor

T = TypeVar("T")


def count() -> int:
    """Return how many processes train together; 1 where nobody started several."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def number() -> int:
    """Return this process's number, from 0."""
    return int(os.environ.get("RANK", "0"))


def leads() -> bool:
    """Tell whether this process writes and talks."""
    return number() == 0


@contextmanager
def joined(device: str) -> Iterator[None]:
    """Join the other processes while the body runs, each on its own GPU; a process alone has nobody to join.

    Args:
        device: `cpu`, or anything that may be a GPU.
    """
    if count() == 1:
        yield
        return
    import torch

    # its functions have the group as their default: imported later, it would keep the group and its threads for good,
    # and a process that ends with those may abort
    import torch.distributed.nn
    from accelerate import PartialState

    state = PartialState(cpu=device == "cpu" or not torch.cuda.is_available())
    try:
        yield
    finally:
        state.destroy_process_group()


def share(items: Sequence[T]) -> list[T]:
    """Return this process's part of what all of them have, dealt out like cards."""
    return list(items[number() :: count()])


def gather(mine: Sequence[T]) -> list[T]:
    """Return everybody's results, in the order of the items that `share` dealt out."""
    if count() == 1:
        return list(mine)
    from torch import distributed

    everybodys: list[list[T]] = [[] for _ in range(count())]
    distributed.all_gather_object(everybodys, list(mine))
    missing = object()
    rounds = chain.from_iterable(zip_longest(*everybodys, fillvalue=missing))
    return [item for item in rounds if item is not missing]  # type: ignore[misc]


def sum_up(gradients: Iterable[Tensor]) -> None:
    """Add everybody's gradients, in place: every process then has the same."""
    if count() == 1:
        return
    from torch import distributed

    for gradient in gradients:
        distributed.all_reduce(gradient)
