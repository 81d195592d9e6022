"""Lets schemathesis send the bodies of `_msearch`, which are lines of JSON."""

from __future__ import annotations

from typing import Any

import schemathesis


def allow_lines() -> None:
    """Tell schemathesis how such a body is sent."""

    @schemathesis.serializer("application/x-ndjson")
    def lines(context: schemathesis.SerializationContext, value: Any) -> bytes:  # noqa: ANN401 (whatever was generated)
        del context
        return str(value).encode(errors="replace")
