"""Chat models behind an OpenAI-compatible endpoint: the one door through which anything leaves.

The client lives in an event loop of its own, in a thread, so that one deadline holds for a whole
call: the client's own timeout is for each read, and a server that drips would never meet it.
"""

from __future__ import annotations

import asyncio
import base64
import os
import threading
import time
import weakref
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import CancelledError, Future
from contextvars import ContextVar
from dataclasses import replace
from typing import Any

import httpx2
import openai
from openai import AsyncOpenAI

from vmr_agent import tracing
from vmr_agent.completions import complaint, completion
from vmr_agent.errors import (
    ChatAnswerError,
    ChatBusyError,
    ChatTimeoutError,
    ServiceError,
    SettingsError,
)
from vmr_agent.keys import SHARED, checked_address, is_sendable, scrubber
from vmr_agent.protocols import ChatReply, ChatRequest
from vmr_agent.terms import ChatSettings

GLANCE = 0.2  # seconds between two looks at whether anybody still wants the answer
LARGEST = 1_000_000  # bytes of a reply beside its tokens …
TOKEN = 4_000  # … and of each token: itself and twenty others take about 1500, indented twice that
REASONS = 64_000  # bytes of an error that are read, as they come: packed ones unfold
CONNECT = 5.0  # seconds for a connection
GRACE = 0.4  # seconds after which an answer is given up whatever the loop is at
ALTERNATIVES = 20  # tokens whose probability is asked for at every place: the most there are
LOCAL = "none"  # the key of a server that wants none: the client insists on one
UNREACHED = "cannot be reached or broke off; is it up, and chat.base_url right?"
GARBLED = (httpx2.DecodingError, TypeError, AssertionError, LookupError, ValueError)
"""What the client raises when a body is not in the encoding that its header names."""
_SENT: ContextVar[list[int]] = ContextVar("sent")
"""Requests sent for the call at hand, and how many there may be."""


class ChatServer:
    """``ChatServer(settings).complete(request)`` sends one request and waits for its answer."""

    def __init__(self, settings: ChatSettings) -> None:
        url = settings.base_url
        url = os.environ.get("OPENAI_BASE_URL") if url is None else url
        self._settings, self._hosted = settings, url is None
        # Never a local variable: tracebacks may show those.
        self._key = os.environ.get("OPENAI_API_KEY", "").strip()
        self._scrub = scrubber(self._key)
        self._client = AsyncOpenAI(
            api_key=self._key if self._key and is_sendable(self._key) else LOCAL,
            base_url=None if url is None else checked_address(url),
            max_retries=settings.retries,
            timeout=httpx2.Timeout(settings.deadline, connect=CONNECT),
            http_client=_wire(),
        )
        self.address = str(self._client.base_url)
        self.host = self._client.base_url.host
        self._port = self._client.base_url.port
        self.name = f"{settings.model} at {self.host}" + (f":{self._port}" if self._port else "")
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
        called = self._settings.model, self.host, self._port, self._hosted
        with tracing.chat(*called, request) as span:
            reply = self._complete(request, alive)
            span.answered(reply)
        return reply

    def _complete(self, request: ChatRequest, alive: Callable[[], None]) -> ChatReply:
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
                return await self._once(call, request)
            except openai.APIStatusError as error:
                learnt = self._quirks.learn(_message(error), call)
                if not learnt or _SENT.get()[0] >= request.most_tries:
                    said = self._scrub(_message(error))
                    told = (error.status_code, said, self.name, self._settings.model)
                    raise complaint(*told) from None

    async def _once(self, call: dict[str, Any], request: ChatRequest) -> ChatReply:
        sent, largest = _SENT.get(), LARGEST + TOKEN * request.most_tokens
        client = self._client.with_options(
            max_retries=max(0, min(self._settings.retries, request.most_tries - sent[0] - 1))
        )
        try:
            create = client.chat.completions.with_streaming_response.create
            async with create(**call) as response:
                body = bytearray()
                async for piece in response.iter_bytes():
                    body += piece
                    if len(body) > largest:
                        raise ChatAnswerError(f"{self.name} sent more than {largest} bytes")
        except (openai.APITimeoutError, httpx2.TimeoutException) as error:
            if not isinstance(error.__cause__, httpx2.ConnectTimeout):
                raise
            raise ChatBusyError(f"{self.name} {UNREACHED}") from None
        except (openai.APIConnectionError, httpx2.TransportError):
            raise ChatBusyError(f"{self.name} {UNREACHED}") from None
        except GARBLED:
            raise ChatAnswerError(f"{self.name} sent something that cannot be read") from None
        return self._scrubbed(completion(bytes(body), sent[0], self.name))

    def _scrubbed(self, reply: ChatReply) -> ChatReply:
        """Without the key, should a server repeat it."""
        if len(self._key) < SHARED or self._key not in reply.text:
            return reply
        return replace(reply, text=reply.text.replace(self._key, "[…]"))

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


def _wire() -> httpx2.AsyncClient:
    try:
        return httpx2.AsyncClient(
            follow_redirects=False,  # whoever redirects us does not get the frames
            event_hooks={"request": [_count], "response": [_shorten]},
        )
    except (ImportError, ValueError):
        raise SettingsError(
            "the proxy in ALL_PROXY, HTTPS_PROXY or HTTP_PROXY cannot be used: "
            "it looks like http://host:3128"
        ) from None


async def _count(_: httpx2.Request) -> None:
    _SENT.get()[0] += 1


async def _shorten(response: httpx2.Response) -> None:
    """The client reads errors whole, before anybody can say how long they may be."""
    if not response.is_success:
        response.stream = _Beginning(response.stream)


class _Beginning(httpx2.AsyncByteStream):
    """The first ``REASONS`` bytes of a body."""

    def __init__(self, whole: Any) -> None:
        self._whole = whole

    async def __aiter__(self) -> AsyncIterator[bytes]:
        left = REASONS
        async for piece in self._whole:
            yield piece[:left]
            left -= len(piece)
            if left <= 0:
                return

    async def aclose(self) -> None:
        await self._whole.aclose()


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
