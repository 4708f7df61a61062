"""The door to chat models, against a real socket that misbehaves in every way we know of."""

from __future__ import annotations

import gc
import json
import logging
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from endpoint import Endpoint, Exchange, Script, completion, drip, endpoint
from processes import BESIDE
from pydantic import BaseModel

from vmr_agent.adapters.chat import ChatServer
from vmr_agent.answers import read, schema
from vmr_agent.counsel import Counsel, Question, Rungs
from vmr_agent.errors import (
    ChatAnswerError,
    ChatBusyError,
    ChatDeclinedError,
    ChatFormError,
    ChatRefusedError,
    ChatTimeoutError,
    ChatTooLongError,
    ServiceError,
    SettingsError,
)
from vmr_agent.library import Shelf
from vmr_agent.prompts import load
from vmr_agent.protocols import ChatReply, ChatRequest, Turn
from vmr_agent.terms import ChatSettings

KEY = "sk-canary-Zq81vTn7Lw4Xb2"
DEADLINE = 1.5


class Shown(BaseModel):
    shown: str


GOOD = '{"shown": "yes"}'


def request(**changes: Any) -> ChatRequest:
    usual: dict[str, Any] = {
        "name": "test",
        "system": "Answer.",
        "turns": (Turn("user", ("Is it shown?",)),),
        "schema": schema(Shown),
        "form": "schema",
        "most_tokens": 100,
        "seconds": DEADLINE,
    }
    return ChatRequest(**{**usual, **changes})


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)


def server(served: Endpoint, **changes: Any) -> ChatServer:
    return ChatServer(ChatSettings(model="scripted", base_url=served.url, **changes))


def always() -> None:
    pass


def answered(script: Script, retries: int = 2, **changes: Any) -> tuple[ChatReply, Endpoint]:
    with endpoint(script) as served:
        chat = server(served, retries=retries)
        try:
            return chat.complete(request(**changes), always), served
        finally:
            chat.close()


# ── what goes out ─────────────────────────────────────────────────────────────────────────────


def test_a_question_goes_out_and_an_answer_comes_back() -> None:
    turns = (Turn("user", ("Look:", b"\xff\xd8jpeg", "Well?")), Turn("assistant", ("hm",)))
    reply, served = answered(lambda e: e.say(GOOD), turns=turns)
    assert (reply.text, reply.tokens_in, reply.tokens_out, reply.tries) == (GOOD, 100, 20, 1)
    (sent,) = served.requests
    assert sent["model"] == "scripted"
    assert sent["messages"] == [
        {"role": "system", "content": "Answer."},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "Look:"},
                {"type": "image_url", "image_url": {"url": "data:image/jpeg;base64,/9hqcGVn"}},
                {"type": "text", "text": "Well?"},
            ],
        },
        {"role": "assistant", "content": "hm"},
    ]
    assert sent["response_format"]["json_schema"]["schema"] == schema(Shown)
    assert served.headers[0]["authorization"] == f"Bearer {KEY}"


def test_without_a_key_a_local_server_is_asked_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    _, served = answered(lambda e: e.say(GOOD))
    assert served.headers[0]["authorization"] == "Bearer none"


def test_without_a_key_the_hosted_address_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    chat = ChatServer(ChatSettings(model="any"))  # to index needs no key
    for ask in (chat.check, lambda: chat.complete(request(), always)):
        with pytest.raises(SettingsError, match="OPENAI_API_KEY"):
            ask()
    chat.close()


@pytest.mark.parametrize("bad", ["sk-canary-ü", "“sk-canary”", "sk canary", "sk\x07"])
def test_what_is_no_key_is_told_and_not_shown(monkeypatch: pytest.MonkeyPatch, bad: str) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", bad)
    chat = ChatServer(ChatSettings(model="any", base_url="http://127.0.0.1:9/v1"))
    with pytest.raises(SettingsError, match="copy it again") as caught:
        chat.check()
    assert "canary" not in str(caught.value)
    chat.close()


@pytest.mark.parametrize(
    "url",
    ["localhost:8000", "http://", "http://exa mple/v1", "http://localhost:99999/v1",
     "http://localhost:abc/v1", "ftp://host/v1", "http://-ü-.x/v1", "",
     "https://user:sk-canary-7Hq2@host/v1", "https://host/v1?api-key=sk-canary-7Hq2"],
)  # fmt: skip
@pytest.mark.parametrize("from_environment", [True, False])
def test_what_is_no_address_is_told_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, url: str, from_environment: bool
) -> None:
    if from_environment:
        monkeypatch.setenv("OPENAI_BASE_URL", url)
    with pytest.raises(SettingsError, match=r"chat\.base_url") as caught:
        ChatServer(ChatSettings(model="any", base_url=None if from_environment else url))
    assert "sk-canary" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_host_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    chat = ChatServer(ChatSettings(model="any"))
    assert chat.name == f"any at {chat.host}"
    assert chat.host.startswith("api.")
    chat.close()


def test_who_redirects_does_not_get_the_frames() -> None:
    with endpoint(lambda e: e.say(GOOD)) as other:
        target = f"{other.url}/chat/completions"
        with pytest.raises(ServiceError):
            answered(lambda e: e.send(307, b"", Location=target))
        assert other.requests == []


# ── 24 faults ─────────────────────────────────────────────────────────────────────────────────


def reset(exchange: Exchange) -> None:
    """The connection is torn down: RST, not FIN."""
    wire = exchange.handler.connection
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    wire.close()
    exchange.handler.close_connection = True


def cut_off(exchange: Exchange) -> None:
    body = json.dumps(completion(GOOD)).encode()
    handler = exchange.handler
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body[: len(body) // 2])
    handler.wfile.flush()
    handler.connection.shutdown(socket.SHUT_RDWR)
    handler.close_connection = True


def only_first(fault: Script) -> Script:
    return lambda e: fault(e) if e.number == 0 else e.say(GOOD)


def slow(exchange: Exchange) -> None:
    time.sleep(2 * DEADLINE)
    exchange.say(GOOD)


RIGHT: dict[str, Script] = {
    "429 with Retry-After": only_first(lambda e: e.error(429, "slow down", Retry_After="0.3")),
    "429 without": only_first(lambda e: e.error(429, "slow down")),
    "one 500": only_first(lambda e: e.error(500, "oops")),
    "one 503 in HTML": only_first(lambda e: e.send(503, b"<html>busy", Content_Type="text/html")),
    "one reset": only_first(reset),
    "fenced": lambda e: e.say(f"Sure!\n```json\n{GOOD}\n```\nAnything else?"),
    "thinking": lambda e: e.say(f'<think>{{"shown": 1}} or not?</think>\n{GOOD}'),
    "prose": lambda e: e.say(f"I see it {{clearly}}. The answer is {GOOD}, I think."),
    "no usage": lambda e: e.say(GOOD, usage=None),
    "content in parts": lambda e: e.send(
        200,
        json.dumps(
            {"choices": [{"message": {"content": [{"type": "text", "text": GOOD}]}}]}
        ).encode(),
    ),
    "no temperature": lambda e: (
        e.error(400, "Unsupported value: 'temperature'") if "temperature" in e.body else e.say(GOOD)
    ),
    "another name for the cap": lambda e: (
        e.error(400, "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.")
        if "max_tokens" in e.body
        else e.say(GOOD)
    ),
    "no log-probabilities": lambda e: (
        e.error(400, "logprobs are not supported") if "logprobs" in e.body else e.say(GOOD)
    ),
    "no log-probabilities for you": lambda e: (
        e.error(403, "You are not allowed to request logprobs from this model")
        if "logprobs" in e.body
        else e.say(GOOD)
    ),
    "half an emoji": lambda e: e.say(f"{GOOD} \ud83d"),
    "a number of 400 digits": lambda e: e.say(
        GOOD, logprobs={"content": [{"token": GOOD, "logprob": -(10**400)}]}
    ),
}


@pytest.mark.parametrize("fault", RIGHT)
def test_what_can_be_mended_is(fault: str) -> None:
    began = time.monotonic()
    reply, _ = answered(RIGHT[fault], probabilities=True, seconds=5.0)
    assert time.monotonic() - began < 5.5
    assert read(reply.text, Shown).record.shown == "yes"


def huge(exchange: Exchange) -> None:
    exchange.say('{"shown": "' + "y" * 8_000_000 + '"}')


def endless(exchange: Exchange) -> None:
    """An error that goes on until whoever asked hangs up."""
    handler = exchange.handler
    handler.send_response(400)
    handler.send_header("Content-Type", "application/json")
    handler.end_headers()
    handler.close_connection = True
    while True:
        handler.wfile.write(b"no" * 50_000)


def echoing(status: int) -> Script:
    return lambda e: e.error(status, f"Incorrect API key provided: {KEY[:9]}***{KEY[-7:]} ({KEY})")


WRONG: dict[str, tuple[Script, type[ServiceError]]] = {
    "429 for ever": (lambda e: e.error(429, "insufficient_quota"), ChatBusyError),
    "Retry-After of an hour": (
        lambda e: e.error(429, "later", Retry_After="3600"),
        ChatBusyError,
    ),
    "500 for ever": (lambda e: e.error(500, "oops"), ChatBusyError),
    "503 in HTML": (lambda e: e.send(503, b"<html>", Content_Type="text/html"), ChatBusyError),
    "resets": (reset, ChatBusyError),
    "slow": (slow, ChatTimeoutError),
    "dripping": (lambda e: drip(e, json.dumps(completion(GOOD)).encode(), 0.1), ChatTimeoutError),
    "dripping an error": (
        lambda e: drip(e, b'{"error": {"message": "no"}}' * 40, 0.1),
        ChatTimeoutError,
    ),
    "truncated": (cut_off, ServiceError),
    "empty choices": (lambda e: e.say(GOOD, choices=[]), ChatAnswerError),
    "no choices": (lambda e: e.send(200, b"{}"), ChatAnswerError),
    "a list": (lambda e: e.send(200, b"[1, 2]"), ChatAnswerError),
    "null": (lambda e: e.send(200, b"null"), ChatAnswerError),
    "no words": (lambda e: e.say(""), ChatAnswerError),
    "content of another kind": (
        lambda e: e.say(GOOD, choices=[{"message": {"content": 7}}]),
        ChatAnswerError,
    ),
    "HTML with 200": (lambda e: e.send(200, b"<html>", Content_Type="text/html"), ChatAnswerError),
    "half of JSON": (lambda e: e.send(200, b'{"choices": ['), ChatAnswerError),
    "deep nesting": (lambda e: e.send(200, b"[" * 100_000), ChatAnswerError),
    "a refusal": (lambda e: e.say("", refusal="I cannot help"), ChatDeclinedError),
    "8 MB": (huge, ChatAnswerError),
    "401 with the key": (echoing(401), ChatRefusedError),
    "403 with the key": (echoing(403), ChatRefusedError),
    "404 with the key": (echoing(404), ChatRefusedError),
    "400 with the key": (echoing(400), ChatFormError),
    "429 with the key": (echoing(429), ChatBusyError),
    "said to be gzip": (
        lambda e: e.send(200, b"not gzip at all", Content_Encoding="gzip"),
        ChatAnswerError,
    ),
    "an error in no encoding": (
        lambda e: e.send(400, b"\xff\xfe", Content_Type="text/plain; charset=rot13"),
        ServiceError,
    ),
    "an error in hex": (
        lambda e: e.send(500, b"zz", Content_Type="application/json; charset=hex"),
        ServiceError,
    ),
    "an error without end": (endless, ChatFormError),
    "another model": (
        lambda e: e.error(404, "No endpoints found that support image input"),
        ChatRefusedError,
    ),
    "a model without eyes": (
        lambda e: e.error(400, "scripted is not a multimodal model"),
        ChatRefusedError,
    ),
    "too many pictures": (
        lambda e: e.error(400, "At most 4 image(s) may be provided in one request."),
        ChatRefusedError,
    ),
    "too long": (
        lambda e: e.error(400, "This model's maximum context length is 8192 tokens."),
        ChatTooLongError,
    ),
    "a model with eyes in its name is busy": (
        lambda e: e.error(429, "eyes/multimodal-instruct is rate-limited upstream"),
        ChatBusyError,
    ),
    "no such form with pictures": (
        lambda e: e.error(400, "json_object is not supported with image input"),
        ChatFormError,
    ),
    "no grammar": (lambda e: e.error(500, "failed to parse grammar"), ChatFormError),
    "a form repeated with its pictures": (
        lambda e: e.send(
            422,
            json.dumps(
                {
                    "detail": [{"input": [{"type": "image_url"}]}],
                    "message": "json_schema is not supported",
                }
            ).encode(),
        ),
        ChatFormError,
    ),
}


@pytest.mark.parametrize("fault", WRONG)
def test_every_fault_has_its_error_in_time(
    fault: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    script, kind = WRONG[fault]
    began = time.monotonic()
    with pytest.raises(kind) as caught:
        answered(script, retries=1)  # the pause before a second one is as long as the deadline
    assert time.monotonic() - began < DEADLINE + 0.5 * BESIDE
    told = str(caught.value)
    assert "\n" not in told
    assert told.startswith("scripted at 127.0.0.1")
    everything = told + repr(caught.value) + caplog.text + repr(caught.value.__dict__)
    assert not any(KEY[n : n + 7] in everything for n in range(len(KEY) - 6))
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_nobody_there_is_told_soon() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    chat = ChatServer(ChatSettings(model="scripted", base_url=url))
    with pytest.raises(ChatBusyError, match="cannot be reached"):
        chat.complete(request(seconds=10.0), always)
    chat.close()


# ── what is remembered, and what is bounded ───────────────────────────────────────────────────


def test_what_a_server_does_not_take_is_asked_for_once() -> None:
    def script(exchange: Exchange) -> None:
        if "temperature" in exchange.body:
            exchange.error(400, "temperature is not supported")
        else:
            exchange.say(GOOD)

    with endpoint(script) as served:
        chat = server(served)
        for _ in range(3):
            chat.complete(request(), always)
        chat.close()
    assert ["temperature" in body for body in served.requests] == [True, False, False, False]


def test_few_requests_are_under_way_at_once() -> None:
    lock, now, most = threading.Lock(), [0], [0]

    def script(exchange: Exchange) -> None:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        time.sleep(0.1)
        with lock:
            now[0] -= 1
        exchange.say(GOOD)

    with endpoint(script) as served:
        chat = server(served, concurrency=2)
        asking = [
            threading.Thread(target=chat.complete, args=(request(seconds=9.0), always))
            for _ in range(6)
        ]
        for each in asking:
            each.start()
        for each in asking:
            each.join()
        chat.close()
    assert (len(served.requests), most[0]) == (6, 2)


def test_waiting_can_be_broken_off() -> None:
    class Stop(Exception):  # noqa: N818
        pass

    def stop() -> None:
        raise Stop

    with endpoint(slow) as served:
        chat = server(served)
        began = time.monotonic()
        with pytest.raises(Stop):
            chat.complete(request(seconds=30.0), stop)
        assert time.monotonic() - began < BESIDE
        chat.close()


def test_waiting_for_others_is_part_of_the_deadline() -> None:
    def script(exchange: Exchange) -> None:
        time.sleep(0.7)
        exchange.say(GOOD)

    took: list[float] = []
    with endpoint(script) as served:
        chat = server(served, concurrency=1)

        def ask() -> None:
            began = time.monotonic()
            with suppress(ChatTimeoutError):
                chat.complete(request(seconds=1.0), always)
            took.append(time.monotonic() - began)

        asking = [threading.Thread(target=ask) for _ in range(5)]
        for each in asking:
            each.start()
        for each in asking:
            each.join()
        chat.close()
    assert len(took) == 5
    assert max(took) < 1.6


def test_whoever_is_closed_answers_nobody() -> None:
    with endpoint(slow) as served:
        chat = server(served)
        threading.Timer(0.2, chat.close).start()
        began = time.monotonic()
        with pytest.raises(ServiceError):
            chat.complete(request(seconds=30.0), always)
        assert time.monotonic() - began < 3
        with pytest.raises(ChatBusyError, match="closed"):
            chat.complete(request(), always)


def test_every_request_counts_and_no_more_are_sent_than_may_be() -> None:
    def picky(exchange: Exchange) -> None:
        if "temperature" in exchange.body:
            exchange.error(400, "temperature is not supported")
        else:
            exchange.say(GOOD)

    reply, served = answered(picky)
    assert reply.tries == len(served.requests) == 2
    with endpoint(lambda e: e.error(500, "oops")) as served:
        chat = server(served)
        for most, sent in ((1, 1), (2, 2), (9, 3)):
            before = len(served.requests)
            with pytest.raises(ChatBusyError) as caught:
                chat.complete(request(most_tries=most, seconds=9.0), always)
            assert caught.value.tries == len(served.requests) - before == sent
        chat.close()


def test_four_that_learn_at_once_learn_the_same() -> None:
    def script(exchange: Exchange) -> None:
        time.sleep(0.2)
        if "logprobs" in exchange.body:
            exchange.error(400, "logprobs are not supported")
        else:
            exchange.say(GOOD)

    told: list[str] = []
    with endpoint(script) as served:
        chat = server(served)
        wanted = request(probabilities=True, seconds=9.0)
        asking = [
            threading.Thread(target=lambda: told.append(chat.complete(wanted, always).text))
            for _ in range(4)
        ]
        for each in asking:
            each.start()
        for each in asking:
            each.join()
        chat.close()
    assert told == [GOOD] * 4


def test_a_server_that_repeats_the_key_is_not_repeated() -> None:
    reply, _ = answered(lambda e: e.say(json.dumps({"shown": f"the key is {KEY}"})))
    assert KEY not in reply.text
    assert read(reply.text, Shown).record.shown == "the key is […]"


def threads() -> Iterator[str]:
    return (thread.name for thread in threading.enumerate())


def test_nothing_is_left_running() -> None:
    chat = ChatServer(ChatSettings(model="any", base_url="http://127.0.0.1:9/v1"))
    assert "chat" in threads()
    del chat
    gc.collect()
    assert "chat" not in threads()


TOLD = [
    {"token": '{"shown": "', "logprob": -0.1, "top_logprobs": []},
    {
        "token": "yes",
        "logprob": -0.2,
        "bytes": [121, 101, 115],
        "top_logprobs": [
            {"token": "yes", "logprob": -0.2},
            {"token": " No", "logprob": -1.8},
            {"token": "?", "logprob": None},
        ],
    },
    {"token": '"}', "logprob": 0.0},
]


def test_probabilities_of_tokens_are_read() -> None:
    reply, served = answered(lambda e: e.say(GOOD, logprobs={"content": TOLD}), probabilities=True)
    assert served.requests[0]["logprobs"] is True
    assert served.requests[0]["top_logprobs"] >= 2
    assert [token.text for token in reply.tokens] == [b'{"shown": "', b"yes", b'"}']
    assert reply.tokens[1].likely == {"yes": -0.2, " No": -1.8}


def test_what_was_cut_at_its_length_is_asked_for_again_in_brief(tmp_path: Path) -> None:
    def script(exchange: Exchange) -> None:
        if exchange.number:
            exchange.say(GOOD)
        else:
            exchange.say('{"shown": "yes, and furth', finish="length")

    with endpoint(script) as served:
        settings = ChatSettings(model="scripted", base_url=served.url, answer_tokens=64)
        chat = ChatServer(settings)
        counsel = Counsel(chat, Shelf(tmp_path), settings, Rungs(), always)
        asked = Question(load("caption"), {"query": '"a dog"'}, ())
        assert counsel.ask("f" * 40, asked, Shown).record.shown == "yes"
        chat.close()
    *_, before, after = served.requests[1]["messages"]
    assert before == {"role": "assistant", "content": '{"shown": "yes, and furth'}
    assert "cut off at 64 tokens; be brief" in after["content"]
    assert counsel.ledger.spent.calls == 2


def test_what_was_cut_before_its_first_word_says_what_to_raise() -> None:
    """Models that think may spend all of it on that."""
    with pytest.raises(ChatAnswerError, match=r"raise chat\.answer_tokens"):
        answered(lambda e: e.say("", finish="length"))


def test_a_long_answer_may_tell_the_probabilities_of_all_its_tokens() -> None:
    """Twenty alternatives for each of thousands of tokens are megabytes."""
    other = {"token": "perhaps", "logprob": -12.345678901234567, "bytes": [*b"perhaps"]}
    each = {"token": "y", "logprob": -0.1, "bytes": [121], "top_logprobs": [other] * 20}
    text = '{"shown": "' + "y" * 4000 + '"}'

    def script(exchange: Exchange) -> None:
        exchange.say(text, logprobs={"content": [each] * 4000})

    reply, _ = answered(script, probabilities=True, most_tokens=4000, seconds=30.0)
    assert (reply.text, len(reply.tokens)) == (text, 4000)
    with pytest.raises(ChatAnswerError, match="bytes"):
        answered(script, probabilities=True, most_tokens=400, seconds=30.0)


@pytest.mark.parametrize("told", [None, 7, [3], {"content": "no"}, {"content": [{"token": 3}]}])
def test_probabilities_of_another_kind_are_none(told: Any) -> None:
    reply, _ = answered(lambda e: e.say(GOOD, logprobs=told), probabilities=True)
    assert (reply.text, reply.tokens) == (GOOD, ())


def test_what_a_server_does_not_take_is_not_asked_for_beyond_the_budget() -> None:
    """It refuses one thing after the other, and each costs a request."""

    def picky(exchange: Exchange) -> None:
        for name in ("max_tokens", "temperature", "logprobs"):
            if name in exchange.body:
                hint = " Use 'max_completion_tokens' instead." if name == "max_tokens" else ""
                return exchange.error(400, f"Unsupported parameter: '{name}'.{hint}")
        return exchange.say(GOOD)

    for most in (1, 2, 3):
        with endpoint(picky) as served:
            chat = server(served)
            with pytest.raises(ChatFormError) as caught:
                chat.complete(request(most_tries=most, probabilities=True), always)
            chat.close()
        assert len(served.requests) == caught.value.tries == most


@pytest.mark.parametrize("proxy", ["socks://127.0.0.1:1", "socks5://127.0.0.1:1", "ftp://here"])
def test_a_proxy_that_cannot_be_used_is_told(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", proxy)
    with pytest.raises(SettingsError, match="ALL_PROXY"):
        ChatServer(ChatSettings(model="any", base_url="http://127.0.0.1:1/v1"))


def test_a_host_that_lets_nobody_in_is_not_a_slow_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its queue is full: connections are neither taken nor turned down."""
    monkeypatch.setattr("vmr_agent.adapters.chat.CONNECT", 0.2)
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for each in (first, second):
            each.setblocking(False)
            each.connect_ex(full.getsockname())
        url = f"http://127.0.0.1:{full.getsockname()[1]}/v1"
        chat = ChatServer(ChatSettings(model="scripted", base_url=url, retries=0))
        with pytest.raises(ChatBusyError, match="cannot be reached"):
            chat.complete(request(seconds=10.0), always)
        chat.close()
