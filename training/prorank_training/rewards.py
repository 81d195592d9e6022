"""What stage 1 rewards: a completion's form, and whether it is right. Each stands alone and is logged alone.

Plain functions in the form that TRL calls: `(completions, **columns) -> list[float]`, with special tokens already taken
out of the completions. Their names are the names in the logs.
"""

from __future__ import annotations

from collections.abc import Sequence

from prorank_search.prompt import IRRELEVANT, RELEVANT

ANSWERS = (IRRELEVANT, RELEVANT)


def format_reward(completions: Sequence[str], **_columns: object) -> list[float]:
    """Return 1 for a completion that is exactly `0` or `1`, else 0.

    Example:
        >>> format_reward(["1", "0", "1.", " 1", "The"])
        [1.0, 1.0, 0.0, 0.0, 0.0]
    """
    return [float(completion in ANSWERS) for completion in completions]


def graded_format_reward(completions: Sequence[str], **_columns: object) -> list[float]:
    """Return 1 for exactly `0` or `1`, a half for a completion that begins with one of them, else 0.

    Helps completions of several tokens off the ground: the digit comes long before the model learns to stop after it.
    For completions of one token it is `format_reward`.

    Example:
        >>> graded_format_reward(["1", "1.", " 1", "The"])
        [1.0, 0.5, 0.0, 0.0]
    """
    return [(float(text in ANSWERS) + float(text[:1] in ANSWERS)) / 2 for text in completions]


def correctness_reward(completions: Sequence[str], judgment: Sequence[str], **_columns: object) -> list[float]:
    """Return 1 for a completion that equals the judgment, else 0.

    Example:
        >>> correctness_reward(["1", "0", "1."], judgment=["1", "1", "1"])
        [1.0, 0.0, 0.0]
    """
    return [float(completion == right) for completion, right in zip(completions, judgment, strict=True)]
