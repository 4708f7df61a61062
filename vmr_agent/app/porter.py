"""Stands at the door of the site: who may come in, by which address, and to which rooms.

Gradio brings many addresses along that this page has no use for (files by path, a proxy, its API);
what is not on the list is not there. Web pages of others that a browser has open must not reach a
server on this machine either, so requests are looked at for where they come from.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Awaitable, Callable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urlsplit

from vmr_agent.serving import ServeSettings

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]

ROOMS = re.compile(
    r"/(|config|theme\.css|robots\.txt|favicon\.ico|manifest\.json|pwa_icon(/\d+)?"
    r"|(assets|static|film|answer)/.+"
    r"|gradio_api/(queue/(join|data)|upload|upload_progress|cancel|reset|heartbeat/\w+"
    r"|startup-events|app_id|theme\.css))/?"
)
"""All there is, of Gradio and of ours."""
UPLOAD = "/gradio_api/upload"
LETTER = 1_000_000  # bytes of any other request: a question, and what the page knows already
HERE = ("localhost", "127.0.0.1", "::1")
COOKIE = "vmr-let-in"
SEALS = {
    # Gradio writes scripts and styles into its page, and makes its templates with eval.
    "content-security-policy": "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'"
    "; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:"
    "; media-src 'self' blob:; object-src 'none'; base-uri 'self'; form-action 'self'"
    "; frame-ancestors 'none'",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
"""Said with every answer: a browser that heeds them fetches nothing from anywhere else."""


class Porter:
    """An ASGI application around another."""

    def __init__(self, site: Asgi, settings: ServeSettings) -> None:
        self._site, self._private, self._host = site, settings.private, settings.host
        token = settings.token.get_secret_value() if settings.token else ""
        self._token = _digest(token) if token else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request in, or say why not."""
        if scope["type"] == "lifespan":
            return await self._site(scope, receive, send)
        if scope["type"] != "http":
            return await send({"type": "websocket.close", "code": 1008})
        headers = {name.decode("latin-1"): v.decode("latin-1") for name, v in scope["headers"]}
        if refusal := self._refused(scope, headers):
            return await _answer(send, *refusal)
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[-1]
        if self._token and given:
            return await self._sealed_letter(scope["path"], given, send)
        if self._token and not self._known(headers):
            told = "open this page as it was given to you, with ?token=… behind its address"
            return await _answer(send, 401, told)
        heard = receive if scope["path"].rstrip("/") == UPLOAD else _short(receive)
        return await self._site(scope, heard, _sealing(send))

    def _refused(self, scope: Scope, headers: dict[str, str]) -> tuple[int, str] | None:
        host = headers.get("host", "")
        if self._private and _name(host) not in (*HERE, self._host):
            return 403, "this page is for this machine alone: ask for it at 127.0.0.1"
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != host:
            return 403, "another page may not use this one"
        if not ROOMS.fullmatch(scope["path"]):
            return 404, "there is nothing here"
        return None

    def _known(self, headers: dict[str, str]) -> bool:
        try:
            cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
        except CookieError:
            cookie = None
        bearer = headers.get("authorization", "").removeprefix("Bearer ")
        shown = cookie.value if cookie else _digest(bearer)
        return hmac.compare_digest(shown.encode(), str(self._token).encode())

    async def _sealed_letter(self, path: str, given: str, send: Send) -> None:
        """The token was in the address: from now on it is in a cookie, not in view."""
        if not hmac.compare_digest(_digest(given), str(self._token)):
            return await _answer(send, 401, "that is not the token")
        cookie = f"{COOKIE}={self._token}; Path=/; HttpOnly; SameSite=Strict"
        return await _answer(send, 303, "", {"location": path, "set-cookie": cookie})


def _name(host: str) -> str:
    """Without the port; of an IPv6 address without its brackets."""
    return urlsplit(f"//{host}").hostname or ""


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


async def _answer(
    send: Send, status: int, told: str, more: MutableMapping[str, str] | None = None
) -> None:
    kind = {"content-type": "text/plain; charset=utf-8", **SEALS, **(more or {})}
    headers = [(name.encode(), value.encode("latin-1")) for name, value in kind.items()]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": f"{told}\n".encode()})


def _short(receive: Receive) -> Receive:
    """Of a request that goes on too long nothing more is heard."""
    heard = 0

    async def shortened() -> Message:
        nonlocal heard
        message = await receive()
        heard += len(message.get("body", b""))
        return message if heard <= LETTER else {"type": "http.disconnect"}

    return shortened


def _sealing(send: Send) -> Send:
    """Whatever the site says of these things, ours is said."""
    ours = [(name.encode(), value.encode()) for name, value in SEALS.items()]

    async def sealed(message: Message) -> None:
        if message["type"] == "http.response.start":
            theirs = [each for each in message["headers"] if each[0].decode().lower() not in SEALS]
            message["headers"] = [*theirs, *ours]
        await send(message)

    return sealed
