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
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from vmr_agent.app.parcels import Message, Parcels, Receive, Send, again, whole
from vmr_agent.serving import ServeSettings

Scope = MutableMapping[str, Any]
Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]

ROOMS = re.compile(
    r"/(|config|theme\.css|robots\.txt|favicon\.ico|manifest\.json|pwa_icon(/\d+)?"
    r"|(assets|static|film|answer)/.+"
    r"|gradio_api/(queue/(join|data)|upload|upload_progress|cancel|reset|heartbeat/\w+"
    r"|startup-events|app_id|theme\.css))/?"
)
"""All there is, of Gradio and of ours."""
UPLOAD, EVENT = "/gradio_api/upload", "/gradio_api/queue/join"
LETTER = 1_000_000  # bytes of any other request: a question, and what the page knows already
HERE = ("localhost", "127.0.0.1", "::1")
COOKIE = "vmr-let-in-{port}"  # browsers keep those of a host for all its ports
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
        self._cookie = COOKIE.format(port=settings.port)
        self._parcels, self._most = Parcels(), settings.max_upload + LETTER

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
        return await self._let_in(scope, headers, receive, _sealing(send))

    async def _let_in(
        self, scope: Scope, headers: dict[str, str], receive: Receive, send: Send
    ) -> None:
        """To the site, with no more than it may hear."""
        path = scope["path"].rstrip("/")
        if path == UPLOAD:
            if int(headers.get("content-length", "0") or 0) > self._most:
                return await _answer(send, 413, "that is more than may be uploaded")
            heard = _short(receive, self._most)
            return await self._site(scope, heard, self._parcels.handed_out(send))
        if path != EVENT:
            return await self._site(scope, _short(receive, LETTER), send)
        body = await whole(receive, LETTER)
        if body is None:
            return await _answer(send, 413, "no question is as long")
        if not self._parcels.honest(body):
            return await _answer(send, 403, "only what was uploaded to this page can be named")
        return await self._site(scope, again(body, receive), send)

    def _refused(self, scope: Scope, headers: dict[str, str]) -> tuple[int, str] | None:
        host = headers.get("host", "")
        if self._private and _name(host) not in (*HERE, self._host):
            return 403, "this page is for this machine alone: ask for it at 127.0.0.1"
        origin = headers.get("origin")
        if origin is not None and origin.partition("://")[2] != host:
            return 403, "another page may not use this one"
        if not ROOMS.fullmatch(scope["path"]):
            return 404, "there is nothing here"
        return None

    def _known(self, headers: dict[str, str]) -> bool:
        cookies = (each.strip().partition("=") for each in headers.get("cookie", "").split(";"))
        cookie = next((value for name, _, value in cookies if name == self._cookie), "")
        bearer = headers.get("authorization", "").removeprefix("Bearer ")
        shown = cookie or _digest(bearer)
        return hmac.compare_digest(shown.encode(), str(self._token).encode())

    async def _sealed_letter(self, path: str, given: str, send: Send) -> None:
        """The token was in the address: from now on it is in a cookie, not in view."""
        if not hmac.compare_digest(_digest(given), str(self._token)):
            return await _answer(send, 401, "that is not the token")
        # Lax, for links in mails and chats; requests that others' pages make are known by Origin.
        cookie = f"{self._cookie}={self._token}; Path=/; HttpOnly; SameSite=Lax"
        return await _answer(send, 303, "", {"location": quote(path), "set-cookie": cookie})


def _name(host: str) -> str:
    """Without the port; of an IPv6 address without its brackets. Nothing for what is no host."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


async def _answer(
    send: Send, status: int, told: str, more: MutableMapping[str, str] | None = None
) -> None:
    kind = {"content-type": "text/plain; charset=utf-8", **SEALS, **(more or {})}
    headers = [(name.encode(), value.encode("latin-1")) for name, value in kind.items()]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": f"{told}\n".encode()})


def _short(receive: Receive, most: int) -> Receive:
    """Of a request that goes on too long nothing more is heard."""
    heard = 0

    async def shortened() -> Message:
        nonlocal heard
        message = await receive()
        heard += len(message.get("body", b""))
        return message if heard <= most else {"type": "http.disconnect"}

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
