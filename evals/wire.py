"""The whole agent through a real chat server on this machine: the wire, not the judgement.

    python -m evals.wire

The packaged Gemma (270M, a base model) judges at chance. What is shown: every room gets answers
that can be read, with the probability of each yes and no; the ledger says what has passed by; a new
agent asks nothing twice; a budget ends the run with the best so far.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from evals.chat_server import NAME
from vmr_agent import RunReport, VMRAgent
from vmr_agent.counsel import Noted
from vmr_agent.library import Shelf
from vmr_agent.report import Cost
from vmr_agent.settings import Budget, ChatSettings, Settings

FILM = Path(__file__).parent / "demo" / "demo_film.mp4"
QUERIES = ("a cup of coffee", "a purple submarine")
ROOMS = ("understand", "filter_relevance", "caption", "verify", "widen")
TERMS = {"images": 0, "answer_tokens": 1500, "deadline": 300.0}
"""For a model without eyes that takes long and rambles."""


LIMITS = {
    "calls": (1, "a rocket taking off"),
    "tokens": (2500, "a man in a boat"),
    "seconds": (2.0, "a red flower"),
}
"""Less than a question takes, and one that was not asked before."""


def wire() -> dict[str, Any]:
    """What went over it, room by room."""
    with (
        tempfile.TemporaryDirectory() as folder,
        served(Path(folder)) as server,
        tallied(server) as (address, tally),
    ):
        home = Path(folder) / "home"
        chat = ChatSettings(model=NAME, base_url=address, **TERMS, budget=Budget(seconds=3000))
        first = _run(Settings(home=home, chat=chat))
        passed = [*tally]
        again = _run(Settings(home=home, chat=chat))
        short = {
            what: VMRAgent(
                Settings(home=home, chat=chat.model_copy(update={"budget": Budget(**{what: most})}))
            ).run(FILM, query)
            for what, (most, query) in LIMITS.items()
        }
        answers, chances = _noted(home)
    steps = [step for report in first for step in report.steps]
    asked = {room: sum(s.cost.calls for s in steps if s.room == room) for room in ROOMS}
    spent = sum((report.cost for report in first), Cost())
    return {
        "calls by room": asked,
        "went on alone": [f.message for report in first for f in report.faults if f.kind == "chat"],
        "answers read": answers,
        "of them with probabilities": chances,
        "calls and tokens": [spent.calls, spent.tokens_in, spent.tokens_out],
        "counted by the server": spent.counted,
        "passed by": [len(passed), *map(sum, zip(*passed, strict=True))],
        "calls when asked again": sum(report.cost.calls for report in again),
        "same answers": [r.moments for r in first] == [r.moments for r in again],
        "with little to spend": {what: report.status for what, report in short.items()},
        "calls of a budget of one": short["calls"].cost.calls,
    }


def well(found: dict[str, Any]) -> bool:
    """Whether it held."""
    return (
        not found["went on alone"]
        and all(found["calls by room"].values())
        and found["calls and tokens"] == found["passed by"]
        and bool(found["same answers"] and found["answers read"])
        and bool(found["of them with probabilities"])
        and found["calls when asked again"] == 0
        and set(found["with little to spend"].values()) == {"partial"}
        and found["calls of a budget of one"] == 1
    )


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of a chat server that runs in a process of its own."""
    command = [sys.executable, "-m", "evals.chat_server", str(folder)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield f"{process.stdout.readline().strip()}/v1"
        finally:
            process.terminate()


@contextmanager
def tallied(server: str) -> Iterator[tuple[str, list[tuple[int, int]]]]:
    """Another address of the server, and the tokens in and out of every answer that passed by."""
    tally: list[tuple[int, int]] = []

    class Between(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            kind = {"Content-Type": "application/json"}
            url = server.removesuffix("/v1") + self.path
            try:
                with urlopen(Request(url, body, kind)) as response:
                    status, told = response.status, response.read()
            except HTTPError as error:
                status, told = error.code, error.read()
            except (OSError, HTTPException):  # it was ended while somebody still waited
                return
            usage = json.loads(told).get("usage") or {}
            tally.append((usage.get("prompt_tokens", 0), usage.get("completion_tokens", 0)))
            self.send_response(status)
            for name, value in {**kind, "Content-Length": str(len(told))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(told)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Between) as between:
        Thread(target=between.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{between.server_port}/v1", tally
        between.shutdown()


def _run(settings: Settings) -> list[RunReport]:
    agent = VMRAgent(settings)
    return [agent.run(FILM, query) for query in QUERIES]


def _noted(home: Path) -> tuple[int, int]:
    """How many answers are in the journal, and how many of them have probabilities."""
    shelf = Shelf(home)
    paths = (home / "shelf").glob("*/chat/*.npz")
    names = [f"{path.parent.parent.name}/chat/{path.stem}" for path in paths]
    noted = [shelf.get(name, Noted)[0] for name in names]
    return len(noted), sum(bool(each.chances) for each in noted)


if __name__ == "__main__":
    sys.stdout.write(f"{json.dumps(wire(), indent=1)}\n")
