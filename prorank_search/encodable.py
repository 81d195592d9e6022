"""What UTF-8 cannot express, out of a text. Standard library only."""

from __future__ import annotations


def encodable(text: str) -> str:
    r"""Return a text with a question mark for each lone half of a character, which JSON can carry and UTF-8 cannot.

    Example:
        >>> encodable("fox \udcff")
        'fox ?'
    """
    return text.encode(errors="replace").decode()
