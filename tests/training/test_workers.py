from __future__ import annotations

import os
import socket
import subprocess
import sys

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
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    told = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "OMP_NUM_THREADS": "1"}
    started = [
        subprocess.Popen(
            [sys.executable, "-c", LEAVE_AND_LOOK],
            env=os.environ | told | {"RANK": number, "LOCAL_RANK": number},
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in "01"
    ]
    answers = [process.communicate(timeout=300)[0].splitlines() for process in started]
    assert answers == [["[0, 1]", "None"]] * 2
    assert [process.returncode for process in started] == [0, 0]
