"""Chat models behind an OpenAI-compatible endpoint: the one door through which anything leaves.

The client lives in an event loop of its own, in a thread, so that one deadline holds for a whole
call: the client's own timeout is for each read, and a server that drips would never meet it.
"""

from __future__ import annotations

import asyncio
import base64
import os
import re
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError, Future
from contextvars import ContextVar
from dataclasses import replace
from typing import Any

import httpx2
import openai
from openai import AsyncOpenAI

from vmr_agent.completions import completion
from vmr_agent.errors import (
    ChatAnswerError,
    ChatBusyError,
    ChatFormError,
    ChatRefusedError,
    ChatTimeoutError,
    ServiceError,
    SettingsError,
)
from vmr_agent.keys import SHARED, is_sendable, scrubber
from vmr_agent.protocols import ChatReply, ChatRequest
from vmr_agent.terms import ChatSettings

GLANCE = 0.2  # seconds between two looks at whether anybody still wants the answer
LARGEST = 4_000_000  # bytes of a reply: ten times what the longest answer with its tokens takes
CONNECT = 5.0  # seconds for a connection
GRACE = 0.4  # seconds after which an answer is given up whatever the loop is at
ALTERNATIVES = 20  # tokens whose probability is asked for at every place: the most there are
LOCAL = "none"  # the key of a server that wants none: the client insists on one
SAID = 160  # characters of what a server says that are passed on
REFUSALS = (openai.AuthenticationError, openai.PermissionDeniedError, openai.NotFoundError)
FORMS = (openai.BadRequestError, openai.UnprocessableEntityError, openai.InternalServerError)
"""Status errors that may be about the form of a request."""
GARBLED = (httpx2.DecodingError, TypeError, AssertionError, LookupError, ValueError)
"""What the client raises when a body is not in the encoding that its header names."""
_SENT: ContextVar[list[int]] = ContextVar("sent")
"""Requests sent for the call at hand, and how many there may be."""


class ChatServer:
    """``ChatServer(settings).complete(request)`` sends one request and waits for its answer."""

    def __init__(self, settings: ChatSettings) -> None:
        key = os.environ.get("OPENAI_API_KEY", "").strip()
        url = settings.base_url
        url = os.environ.get("OPENAI_BASE_URL") if url is None else url
        self._settings, self._key, self._hosted = settings, key, url is None
        self._scrub = scrubber(key)
        self._client = AsyncOpenAI(
            api_key=key if key and is_sendable(key) else LOCAL,
            base_url=None if url is None else checked_address(url),
            max_retries=settings.retries,
            timeout=httpx2.Timeout(settings.deadline, connect=CONNECT),
            # Whoever redirects us does not get the frames.
            http_client=httpx2.AsyncClient(
                follow_redirects=False, event_hooks={"request": [_count]}
            ),
        )
        self.address = str(self._client.base_url)
        self.host = self._client.base_url.host
        port = self._client.base_url.port
        self.name = f"{settings.model} at {self.host}" + (f":{port}" if port else "")
        self._quirks, self._process = _Quirks(), os.getpid()
        self._gate = asyncio.Semaphore(settings.concurrency)
        self._loop = asyncio.new_event_loop()
        thread = threading.Thread(target=self._loop.run_forever, name="chat", daemon=True)
        thread.start()
        self.close = weakref.finalize(self, _close, self._client, self._loop, thread)

    def check(self) -> None:
        """Raises SettingsError without a key where one is needed, or with one that is none."""
        if self._hosted and not self._key:
            raise SettingsError(
                "chat.model is set and no key: set OPENAI_API_KEY, or chat.base_url"
            )
        if not is_sendable(self._key):
            raise SettingsError("OPENAI_API_KEY has a letter in it that no key has: copy it again")

    def complete(self, request: ChatRequest, alive: Callable[[], None]) -> ChatReply:
        """One answer. Raises a ServiceError within the deadline; ``alive`` may end the waiting."""
        self.check()
        if not self.close.alive or os.getpid() != self._process:
            raise ChatBusyError(f"{self.name} was closed, or opened by another process")
        sent = [0, request.most_tries]
        future: Future[ChatReply] = asyncio.run_coroutine_threadsafe(
            self._in_time(request, sent), self._loop
        )
        ends = time.monotonic() + request.seconds + GRACE
        try:
            while True:
                try:
                    return future.result(GLANCE)
                except (TimeoutError, CancelledError):
                    alive()
                    if time.monotonic() > ends or future.cancelled():
                        raise self._late(request) from None
        except ServiceError as error:
            error.tries = sent[0]
            raise
        finally:
            future.cancel()

    async def _in_time(self, request: ChatRequest, sent: list[int]) -> ChatReply:
        _SENT.set(sent)
        try:
            async with asyncio.timeout(request.seconds), self._gate:
                return await self._adapted(request)
        except (TimeoutError, openai.APITimeoutError, httpx2.TimeoutException):
            raise self._late(request) from None

    def _late(self, request: ChatRequest) -> ChatTimeoutError:
        late = f"{self.name} gave no whole answer in {request.seconds:g} s"
        return ChatTimeoutError(f"{late}; raise chat.deadline if it is that slow")

    async def _adapted(self, request: ChatRequest) -> ChatReply:
        """Asked again without what this server does not take, which is remembered."""
        while True:
            call = self._call(request)
            try:
                return await self._once(call, request.most_tries)
            except openai.APIStatusError as error:
                if not self._quirks.learn(_message(error), call):
                    raise self._told_apart(error) from None

    async def _once(self, call: dict[str, Any], most: int) -> ChatReply:
        sent = _SENT.get()
        client = self._client.with_options(
            max_retries=max(0, min(self._settings.retries, most - sent[0] - 1))
        )
        try:
            create = client.chat.completions.with_streaming_response.create
            async with create(**call) as response:
                body = bytearray()
                async for piece in response.iter_bytes():
                    body += piece
                    if len(body) > LARGEST:
                        raise ChatAnswerError(f"{self.name} sent more than {LARGEST} bytes")
        except (openai.APITimeoutError, httpx2.TimeoutException):
            raise
        except (openai.APIConnectionError, httpx2.TransportError):
            raise ChatBusyError(
                f"{self.name} cannot be reached or broke off; is it up, and chat.base_url right?"
            ) from None
        except GARBLED:
            raise ChatAnswerError(f"{self.name} sent something that cannot be read") from None
        return self._scrubbed(completion(bytes(body), sent[0], self.name))

    def _scrubbed(self, reply: ChatReply) -> ChatReply:
        """Without the key, should a server repeat it."""
        if len(self._key) < SHARED or self._key not in reply.text:
            return reply
        return replace(reply, text=reply.text.replace(self._key, "[…]"))

    def _told_apart(self, error: openai.APIStatusError) -> ServiceError:
        """Whose fault it is, by what the server says."""
        said = _message(error).lower()
        most = re.search(r"at most (\d+) image", said)
        if most:
            return ChatRefusedError(f"{self.name}: set chat.images to {most[1]}, it takes no more")
        if "multimodal" in said or ("image" in said and "support" in said):
            return ChatRefusedError(f"{self.name} takes no pictures: set chat.images to 0")
        if "context" in said and ("length" in said or "exceed" in said or "size" in said):
            return ChatRefusedError(
                f"{self.name}: the question is too long for its context: lower chat.images, "
                "or serve it with a longer one"
            )
        if isinstance(error, REFUSALS):  # what it says may hold parts of the key
            return ChatRefusedError(
                f"{self.name} turns us down ({error.status_code}): "
                "is OPENAI_API_KEY valid there, and chat.model its name for the model?"
            )
        about_form = any(word in said for word in ("grammar", "schema", "response_format"))
        if isinstance(error, FORMS) and (error.status_code < 500 or about_form):
            return ChatFormError(self._told(error))
        return ChatBusyError(self._told(error))

    def _call(self, request: ChatRequest) -> dict[str, Any]:
        messages: list[dict[str, Any]] = [{"role": "system", "content": request.system}]
        for turn in request.turns:
            parts = [_part(part) for part in turn.parts]
            plain = len(parts) == 1 and parts[0]["type"] == "text"
            content = parts[0]["text"] if plain else parts
            messages.append({"role": turn.role, "content": content})
        call: dict[str, Any] = {"model": self._settings.model, "messages": messages}
        call[self._quirks.cap] = request.most_tokens
        if self._quirks.temperature:
            call["temperature"] = 0
        if request.probabilities and self._quirks.probabilities:
            call |= {"logprobs": True, "top_logprobs": ALTERNATIVES}
        match request.form:
            case "schema":
                schema = {"name": request.name, "schema": request.schema, "strict": True}
                call["response_format"] = {"type": "json_schema", "json_schema": schema}
            case "object":
                call["response_format"] = {"type": "json_object"}
            case "free":
                pass
        return call

    def _told(self, error: openai.APIStatusError) -> str:
        said = " ".join(self._scrub(_message(error)).split())[:SAID]
        return f"{self.name} answers {error.status_code}" + (f": {said}" if said else "")


class _Quirks:
    """What this server takes, as far as it has said."""

    def __init__(self) -> None:
        self.cap = "max_tokens"
        self.temperature = True
        self.probabilities = True

    def learn(self, said: str, call: Mapping[str, Any]) -> bool:
        """Whether something in the call is to be left out next time."""
        said = said.lower()
        if "max_completion_tokens" in said and "max_tokens" in call:
            self.cap = "max_completion_tokens"
        elif ("logprobs" in said or "log probabilities" in said) and "logprobs" in call:
            self.probabilities = False
        elif "temperature" in said and "temperature" in call:
            self.temperature = False
        else:
            return False
        return True


def checked_address(url: str) -> str:
    """The address. Raises SettingsError that says what is wrong with it, and not what it is."""
    try:
        parts = httpx2.URL(url)
    except (httpx2.InvalidURL, ValueError):
        parts = httpx2.URL("")
    if parts.userinfo or parts.query:
        raise SettingsError("no key belongs into chat.base_url: set OPENAI_API_KEY")
    fits = parts.scheme in ("http", "https") and re.fullmatch(r"[\w.:-]+", parts.host)
    if not fits or not (parts.port is None or 0 < parts.port < 1 << 16):
        raise SettingsError("chat.base_url is no address: it looks like http://localhost:8000/v1")
    return url


async def _count(_: httpx2.Request) -> None:
    _SENT.get()[0] += 1


def _message(error: openai.APIStatusError) -> str:
    """What the server says, never what it repeats of the request."""
    body = error.body
    said = body.get("message") if isinstance(body, dict) else None
    return said if isinstance(said, str) else ""


def _part(part: str | bytes) -> dict[str, Any]:
    """Words, or a JPEG."""
    if isinstance(part, str):
        return {"type": "text", "text": part}
    address = f"data:image/jpeg;base64,{base64.b64encode(part).decode()}"
    return {"type": "image_url", "image_url": {"url": address}}


def _close(client: AsyncOpenAI, loop: asyncio.AbstractEventLoop, thread: threading.Thread) -> None:
    async def leave() -> None:
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await client.close()

    asyncio.run_coroutine_threadsafe(leave(), loop).result(CONNECT)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(CONNECT)
    loop.close()
