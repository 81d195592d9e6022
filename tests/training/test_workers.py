from __future__ import annotations

from tests.training.together import start_together

LEAVE_AND_LOOK = """
import weakref
from prorank_training import workers

with workers.joined("cpu"):
    import torch
    import torch._dynamo  # as transformers does, in the midst of a training
    group = weakref.ref(torch.distributed.group.WORLD)
    print(workers.gather([workers.number()]))
print(group())
"""


def test_who_leaves_the_others_keeps_nothing_of_their_group() -> None:
    started = start_together(["-c", LEAVE_AND_LOOK], processes=2)
    answers = [process.communicate(timeout=300)[0].splitlines() for process in started]
    assert answers == [["[0, 1]", "None"]] * 2
    assert [process.returncode for process in started] == [0, 0]
