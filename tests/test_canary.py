"""The key is looked for wherever anything is written or said."""

from __future__ import annotations

import logging
import pickle
import traceback
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from colour_chat import CHATTY, look
from endpoint import Exchange, endpoint
from langgraph.checkpoint.memory import InMemorySaver
from processes import program, vmr

from vmr_agent import VMRAgent, VmrError
from vmr_agent.adapters.chat import ChatServer
from vmr_agent.graph import build_graph
from vmr_agent.settings import ChatSettings
from vmr_agent.state import State
from vmr_agent.testing import colour_toolbox

KEY = "sk-canary-7Hq2mZ9xT4"


def echo(exchange: Exchange) -> None:
    """Answers, but in its third answer fails with the key in its mouth."""
    if exchange.number == 2:
        exchange.error(500, f"cannot serve {KEY} now", x_should_retry="false")
    else:
        look(exchange)


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with endpoint(echo) as served:
        chat = ChatSettings(model="looker", base_url=served.url)
        plain = colour_toolbox(tmp_path / "home")
        settings = plain.settings.model_copy(update={"chat": chat})
        server = ChatServer(chat)
        yield replace(plain, settings=settings, chat=server)
        assert any(KEY in head["authorization"] for head in served.headers), "it was sent"
        server.close()


def test_it_is_in_no_report_journal_log_or_checkpoint(
    box: Any, tmp_path: Path, colours: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    report = VMRAgent(toolbox=box).run(colours, "the red one")
    assert any(fault.kind == "chat" for fault in report.faults)
    saver = InMemorySaver()
    graph, config = build_graph(checkpointer=saver), {"configurable": {"thread_id": "1"}}
    tray = State(video=box.probe(colours), request="the crimson one")
    running = box.running()
    graph.invoke(tray, config, context=running)  # type: ignore[arg-type]
    running.showing.close()
    told = [report.model_dump_json(), str(report), repr(report), repr(box), caplog.text]
    told += [repr(box.settings), box.settings.model_dump_json(), repr(box.chat)]
    assert not any(KEY in each for each in told)
    assert KEY.encode() not in pickle.dumps([*saver.storage.items()])
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any("chat" in path.parts for path in files)
    assert not any(KEY.encode() in path.read_bytes() for path in files)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422, 429, 500])
def test_it_is_in_no_error(
    status: int, tmp_path: Path, colours: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with endpoint(lambda e: e.error(status, f"bad key {KEY}", x_should_retry="false")) as served:
        chat = ChatSettings(model="looker", base_url=served.url)
        plain = colour_toolbox(tmp_path)
        server = ChatServer(chat)
        settings = plain.settings.model_copy(update={"chat": chat})
        agent = VMRAgent(toolbox=replace(plain, settings=settings, chat=server))
        try:
            told = agent.run(colours, "the red one").model_dump_json()
        except VmrError as error:
            trace = traceback.TracebackException.from_exception(error, capture_locals=True)
            told = "".join(trace.format())
        server.close()
    assert KEY not in told
    assert "looker" in told


def test_it_is_not_in_what_the_command_line_says(tmp_path: Path, colours: Path) -> None:
    with endpoint(echo) as served:
        here = {"VMR_CHAT__MODEL": "looker", "VMR_CHAT__BASE_URL": served.url}
        more = {**here, "OPENAI_API_KEY": KEY, "OPENAI_LOG": "debug"}
        run = vmr(tmp_path, "find", "--cost", colours, "red", command=program(CHATTY), **more)
    assert len(served.requests) >= 3
    assert "looker at 127.0.0.1:" in run.stderr
    assert KEY not in run.stdout + run.stderr


def test_a_key_alone_switches_nothing_on(tmp_path: Path, colours: Path) -> None:
    with endpoint(echo) as served:
        more = {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": served.url}
        fakes = CHATTY.replace("chat=ChatServer(settings.chat)", "chat=_chat(settings)")
        fakes += "from vmr_agent.workshop import chat as _chat\n"
        run = vmr(tmp_path, "find", colours, "red", command=program(fakes), **more)
    assert run.returncode == 0
    assert served.requests == []


def test_it_is_in_no_error_about_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    for url, proxy in (("localhost:8000", ""), ("http://127.0.0.1:1/v1", "socks://127.0.0.1:1")):
        monkeypatch.setenv("ALL_PROXY", proxy)
        with pytest.raises(VmrError) as caught:
            ChatServer(ChatSettings(model="looker", base_url=url))
        trace = traceback.TracebackException.from_exception(
            caught.value, capture_locals=True, compact=True
        )
        assert KEY not in "".join(trace.format())
