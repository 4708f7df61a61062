"""The agent inside graphs of others, as Studio loads it, and as LangSmith sees it."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypedDict

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from processes import environment

from vmr_agent import VMRAgent
from vmr_agent.errors import QueryError, VideoNotFoundError
from vmr_agent.report import RunReport
from vmr_agent.subgraph import Graph, build_graph
from vmr_agent.testing import TRUTH, colour_toolbox

ROOT = Path(__file__).parents[1]
STUDIO = ROOT / "docs" / "studio"
CANARY = "canary-7Qz"


@pytest.fixture
def moments(tmp_path: Path) -> Graph:
    return build_graph(VMRAgent(toolbox=colour_toolbox(tmp_path / "home")))


class Host(TypedDict, total=False):
    """The state of somebody else's graph, with a context of its own."""

    topic: str
    video: str
    query: str
    report: RunReport
    told: str


class Desk(TypedDict):
    """That context: nothing that a toolbox is."""

    name: str


def hosting(moments: Graph, **options: Any) -> Any:
    def ask(state: Host) -> Host:
        return {"query": f"the {state['topic']} one"}

    def tell(state: Host) -> Host:
        return {"told": f"{len(state['report'].moments)} times"}

    outer = StateGraph(Host, context_schema=Desk)
    outer.add_node("ask", ask)
    outer.add_node("moments", moments)
    outer.add_node("tell", tell)
    for here, there in ((START, "ask"), ("ask", "moments"), ("moments", "tell"), ("tell", END)):
        outer.add_edge(here, there)
    return outer.compile(**options)


def test_alone_it_takes_a_film_and_a_question_and_gives_a_report(
    moments: Graph, colours: Path
) -> None:
    told = moments.invoke({"video": str(colours), "query": "red"})
    assert list(told) == ["report"]
    assert told["report"].status == "found"
    plan = moments.get_graph()
    assert {*plan.nodes} == {"__start__", "find_moments", "__end__"}
    assert set(moments.get_input_jsonschema()["properties"]) == {"video", "query"}


def test_in_a_graph_of_others_it_is_one_node(moments: Graph, colours: Path) -> None:
    outer = hosting(moments)
    given: Any = {"topic": "red", "video": str(colours)}
    told = outer.invoke(given, context={"name": "host"})
    assert told["told"] == "2 times"
    found = sorted(moment.span.start for moment in told["report"].moments)
    assert found == pytest.approx([span.start for span in TRUTH["red"]], abs=0.3)
    again = asyncio.run(outer.ainvoke(given, context={"name": "host"}))
    assert again["told"] == told["told"]


def test_progress_goes_through_the_graph_around_it(moments: Graph, colours: Path) -> None:
    given: Any = {"topic": "red", "video": str(colours)}
    modes: Any = ["custom", "updates"]
    progress, updates = [], []
    for place, mode, event in hosting(moments).stream(given, stream_mode=modes, subgraphs=True):
        if mode == "custom":
            assert place[0].startswith("moments:")
            progress.append(event)
        elif not place:
            updates += list(event)
    assert updates == ["ask", "moments", "tell"]
    rooms = list(dict.fromkeys(each["room"] for each in progress))
    assert {"detect_shots", "embed_frames", "listen", "index_video"} <= set(rooms)
    assert rooms[-1] == "verify"
    assert progress[-1] == {"room": "verify", "done": 16.0, "total": 16.0}
    assert json.loads(json.dumps(progress)) == progress, "plain, for whoever sends it on"


def test_a_checkpointer_around_it_keeps_the_report(moments: Graph, colours: Path) -> None:
    outer = hosting(moments, checkpointer=InMemorySaver())
    config: Any = {"configurable": {"thread_id": "1"}}
    given: Any = {"topic": "red", "video": str(colours)}
    told = outer.invoke(given, config)
    kept = outer.get_state(config).values["report"]
    assert kept == told["report"]


def test_what_cannot_work_is_told_to_the_graph_around_it(moments: Graph, tmp_path: Path) -> None:
    outer = hosting(moments)
    with pytest.raises(VideoNotFoundError):
        outer.invoke({"topic": "red", "video": str(tmp_path / "gone.mp4")})
    with pytest.raises(QueryError):
        moments.invoke({"video": "any.mp4", "query": ""})


def test_studio_finds_the_graph_that_its_file_names(colours: Path, tmp_path: Path) -> None:
    """Loaded from the folder of ``langgraph.json``, and run, as its server does."""
    named = json.loads((STUDIO / "langgraph.json").read_text(encoding="utf-8"))
    for each in named["dependencies"]:
        assert (STUDIO / each / "pyproject.toml").resolve() == ROOT / "pyproject.toml"
    file, _, attribute = named["graphs"]["moments"].partition(":")
    lines = [
        "import runpy, sys, vmr_agent.agent, vmr_agent.testing",
        "vmr_agent.agent.build_toolbox = lambda s: vmr_agent.testing.colour_toolbox(s.home)",
        f"graph = runpy.run_path({file!r})[{attribute!r}]",
        "told = graph.invoke({'video': sys.argv[1], 'query': 'red'})",
        "print(told['report'].status)",
    ]
    run = subprocess.run(
        [sys.executable, "-c", "\n".join(lines), colours],
        cwd=STUDIO,
        env=environment(tmp_path / "home", PYTHONDONTWRITEBYTECODE="1"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.stdout == "found\n", run.stderr


# ── LangSmith ─────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def smith() -> Iterator[tuple[str, list[bytes]]]:
    """What is sent to a LangSmith of our own, and its address."""
    kept: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answered(b"")

        def do_POST(self) -> None:
            self.answered(self.rfile.read(int(self.headers.get("Content-Length") or 0)))

        do_PATCH = do_POST  # noqa: N815

        def answered(self, body: bytes) -> None:
            kept.append(body)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            pass

    served = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=served.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{served.server_port}", kept
    served.shutdown()
    served.server_close()


@pytest.mark.parametrize("on", [True, False])
def test_langsmith_is_told_by_its_environment_and_only_then(
    smith: tuple[str, list[bytes]], colours: Path, tmp_path: Path, on: bool
) -> None:
    address, kept = smith
    lines = [
        "import sys",
        "from vmr_agent import VMRAgent",
        "from vmr_agent.testing import colour_toolbox",
        "box = colour_toolbox(__import__('pathlib').Path(sys.argv[2]))",
        f"print(VMRAgent(toolbox=box).run(sys.argv[1], 'red {CANARY}').status)",
        "from langchain_core.tracers.langchain import wait_for_all_tracers",
        "wait_for_all_tracers()",
    ]
    given = {"LANGSMITH_ENDPOINT": address, "LANGSMITH_API_KEY": "a-key-of-theirs"}
    given |= {"OPENAI_API_KEY": "sk-a-key-of-ours", "LANGSMITH_DISABLE_RUN_COMPRESSION": "true"}
    given |= {"LANGSMITH_TRACING": "true"} if on else {}
    bare = {k: v for k, v in os.environ.items() if not k.startswith(("LANGSMITH", "LANGCHAIN"))}
    run = subprocess.run(
        [sys.executable, "-c", "\n".join(lines), colours, tmp_path / "home"],
        env={**bare, **given, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert run.stdout == "found\n", run.stderr
    if not on:
        assert kept == []
        return
    told = b"".join(kept).decode(errors="replace")
    for name in ("vmr_agent_index", "vmr_agent_answer", "detect_shots", "retrieve", "verify"):
        assert f'"name":"{name}"' in told
    assert CANARY in told, "runs are told whole there, questions too: see docs/tracing.md"
    assert "a-key-of" not in told
