"""Files that browsers name: only those that this server took in and handed out itself.

Gradio opens the path, or fetches the address, that stands in an event's data; it trusts whoever
sends it. So events are read at the door, and one that names any other file does not come in.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

MOST = 100_000
"""Bytes of the list of paths with which an upload is answered."""


class Parcels:
    """What was uploaded since the server began, by the path that the browser was told."""

    def __init__(self) -> None:
        self._known: set[str] = set()

    def handed_out(self, send: Send) -> Send:
        """Listens to the answer to an upload, a list of paths."""
        status, told = 0, b""

        async def listening(message: Message) -> None:
            nonlocal status, told
            if message["type"] == "http.response.start":
                status = message["status"]
            elif status == 200:
                told = (told + message.get("body", b""))[:MOST]
                if not message.get("more_body"):
                    self._known.update(json.loads(told))
            await send(message)

        return listening

    def honest(self, body: bytes) -> bool:
        """Whether an event is JSON and names no file but those."""
        try:
            return self._honest(json.loads(body))
        except (ValueError, RecursionError):
            return False

    def _honest(self, content: Any) -> bool:
        if isinstance(content, dict):
            path = content.get("path")
            known = path is None or (isinstance(path, str) and path in self._known)
            return known and all(map(self._honest, content.values()))
        return not isinstance(content, list) or all(map(self._honest, content))


async def whole(receive: Receive, most: int) -> bytes | None:
    """The body of a request; None where it is longer than ``most`` bytes, or broken off."""
    body = b""
    while True:
        message = await receive()
        part: bytes = message.get("body", b"")
        body += part
        if message["type"] != "http.request" or len(body) > most:
            return None
        if not message.get("more_body"):
            return body


def again(body: bytes, receive: Receive) -> Receive:
    """A request whose body was read already, and whatever comes behind it."""
    waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def receiving() -> Message:
        return waiting.pop() if waiting else await receive()

    return receiving
