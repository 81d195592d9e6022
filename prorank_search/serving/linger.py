"""The last answer on a connection reaches a client that is still sending."""

from __future__ import annotations

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

LINGER_S = 1.0
"""How long what a client goes on sending is read after an answer with `Connection: close`."""


class Linger:
    """Reads on for a moment before a connection is closed.

    Closed with bytes of the client unread, a connection is reset, and the client may lose an answer that it was sent.
    The same is nginx's `lingering_close`.

    Args:
        app: What answers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        closes = False

        async def send_and_linger(message: Message) -> None:
            nonlocal closes
            if message["type"] == "http.response.start":
                closes = (b"connection", b"close") in message["headers"]
            if message["type"] != "http.response.body" or not closes or message.get("more_body"):
                await send(message)
                return
            await send({**message, "more_body": True})
            await _read_on(receive)
            await send({"type": "http.response.body"})

        await self._app(scope, receive, send_and_linger)


async def _read_on(receive: Receive) -> None:
    try:
        async with asyncio.timeout(LINGER_S):
            while (await receive()).get("more_body"):
                continue
    except TimeoutError:
        return
