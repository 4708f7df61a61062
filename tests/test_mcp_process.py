"""``vmr mcp`` as clients start it: a real process, the official client, pipes or HTTP."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import httpx
import jsonschema
import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters
from processes import BESIDE, environment, one_line, program, started, until, vmr
from processes import at_work as working

from vmr_agent import VMRAgent
from vmr_agent.testing import TRUTH, ColourEncoder, colour_toolbox
from vmr_agent.types import Span

T = TypeVar("T")
SOON = 2.0  # seconds: the official client's patience with a server that was told to end
TOOLS = ["films", "index_film", "find_moments", "search_films", "show_frames"]
FAKES = """
import vmr_agent.agent, vmr_agent.testing
vmr_agent.agent.build_toolbox = lambda s: vmr_agent.testing.colour_toolbox(s.home)
"""
NOISE = """
import os, sys, vmr_agent.testing
look = vmr_agent.testing.ColourEncoder.look
def loud(self, images):
    print("NOISE by Python", flush=True)
    os.write(1, b"NOISE by C\\n")
    os.system("echo NOISE by a child")
    return look(self, images)
vmr_agent.testing.ColourEncoder.look = loud
"""
"""A model library that prints."""
WATCHED = """
import sys
kept = open(os.environ["OPENED"], "a", buffering=1)
def heard(event, given):
    if event in ("open", "os.listdir", "os.scandir", "subprocess.Popen"):
        kept.write(f"{event} {given!r}\\n")
sys.addaudithook(heard)
"""
"""Whatever Python opens or starts from here on is written down."""
HALTS = """
import os, time, pathlib, vmr_agent.agent, vmr_agent.testing
place, seen, limit = pathlib.Path(os.environ["VMR_HOME"]), [], 60
look = vmr_agent.testing.ColourEncoder.look
def halting(self, images):
    with open(place / "looks", "a") as file:
        file.write(f"{len(images)}\\n")
    seen.append(1)
    until = time.monotonic() + limit
    while len(seen) > 1 and not (place / "go").exists() and time.monotonic() < until:
        time.sleep(0.01)
    return look(self, images)
vmr_agent.testing.ColourEncoder.look = halting
def toolbox(settings):
    from dataclasses import replace
    box = vmr_agent.testing.colour_toolbox(settings.home)
    short = box.settings.video.model_copy(update={"reel": 5.0})
    return replace(box, settings=box.settings.model_copy(update={"video": short}))
vmr_agent.agent.build_toolbox = toolbox
"""
"""Reels of five seconds; halts in the second until there is a file called ``go``."""


@pytest.fixture
def disk(tmp_path: Path, colours: Path) -> Path:
    """A folder of films to be allowed, and one beside it that is not."""
    for folder in ("films", "private", "home"):
        (tmp_path / folder).mkdir()
    (tmp_path / "films" / "colours.mp4").write_bytes(colours.read_bytes())
    (tmp_path / "private" / "secret.mp4").write_bytes(colours.read_bytes() + b"secret")
    (tmp_path / "films" / "way-out.mp4").symlink_to(tmp_path / "private" / "secret.mp4")
    return tmp_path


def server(disk: Path, *before: str, **more: str) -> StdioServerParameters:
    """As a client's configuration has it."""
    command, *words = program(FAKES, *before)
    words += ["mcp", "--allow", str(disk / "films")]
    given = environment(disk / "home", **more)
    return StdioServerParameters(command=command, args=words, env=given)


def talk(
    served: StdioServerParameters | str, mode: str, what: Callable[[Client], Awaitable[T]]
) -> T:
    async def session() -> T:
        async with Client(served, mode=mode) as client:
            return await what(client)

    return asyncio.run(session())


async def answer(client: Client, schemas: dict[str, Any], tool: str, **given: Any) -> Any:
    told = await client.call_tool(tool, given)
    assert not told.is_error, told.content
    jsonschema.validate(told.structured_content, schemas[tool])
    return told.structured_content


async def whole_day(client: Client) -> tuple[list[str], list[str]]:
    """Everything a client does; progress that it was told of, and complaints."""
    tools = (await client.list_tools()).tools
    assert [tool.name for tool in tools] == TOOLS
    schemas = {tool.name: tool.output_schema for tool in tools}
    progress, complaints = [], []

    async def note(done: float, total: float | None, message: str | None) -> None:
        progress.append(f"{done:g}/{total:g} {message}")

    (film,) = (await answer(client, schemas, "films"))["films"]
    told = await client.call_tool("index_film", {"path": film["path"]}, progress_callback=note)
    jsonschema.validate(told.structured_content, schemas["index_film"])
    found = await answer(client, schemas, "find_moments", path="colours.mp4", query="the red one")
    for moment, truth in zip(found["moments"], TRUTH["red"], strict=True):
        assert Span(start=moment["start"], end=moment["end"]).iou(truth) > 0.8
    near = await answer(client, schemas, "search_films", query="red", limit=1)
    assert [place["path"] for place in near["places"]] == [film["path"]]
    shown = await client.call_tool("show_frames", {"path": "colours.mp4", "times": [3.0]})
    assert [part.type for part in shown.content] == ["text", "image"]
    outside = Path(film["path"]).parents[1] / "private" / "secret.mp4"
    for path in (str(outside), "way-out.mp4", "../private/secret.mp4", "../private"):
        for tool, more in (("index_film", {}), ("find_moments", {"query": "red"})):
            refused = await client.call_tool(tool, {"path": path, **more})
            assert refused.is_error
            complaints += [part.text for part in refused.content if part.type == "text"]
    return progress, complaints


@pytest.mark.parametrize("mode", ["legacy", "auto"])
def test_a_client_has_it_all_over_stdin_and_stdout(disk: Path, mode: str) -> None:
    opened = disk / "opened"
    served = server(disk, NOISE, WATCHED, OPENED=str(opened))
    progress, complaints = talk(served, mode, whole_day)
    assert len(progress) > 4
    assert progress[-1].startswith("6/6 index_video")
    assert len(complaints) == 8
    for line in complaints:
        assert "is not in a folder that this server may open" in line
        assert "\n" not in line
    assert "colours.mp4" in opened.read_text(), "it does watch"
    assert "secret.mp4" not in opened.read_text()
    assert "private" not in opened.read_text()
    until(lambda: not working(disk / "home"), 10)


def requests(*methods: tuple[str, dict[str, Any]]) -> str:
    """Lines as a client writes them that was written by somebody else."""
    hello = {"protocolVersion": "2025-06-18", "capabilities": {}}
    hello["clientInfo"] = {"name": "by hand", "version": "1"}
    told: list[dict[str, Any]] = [{"id": 0, "method": "initialize", "params": hello}]
    told.append({"method": "notifications/initialized"})
    told += [
        {"id": number, "method": method, "params": given}
        for number, (method, given) in enumerate(methods, 1)
    ]
    return "".join(json.dumps({"jsonrpc": "2.0", **each}) + "\n" for each in told)


@contextmanager
def piped(served: StdioServerParameters) -> Iterator[tuple[subprocess.Popen[str], Any, Any, Any]]:
    """The server without a client's library, and its stdin, stdout and stderr."""
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [served.command, *served.args],
        env=served.env,
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
        text=True,
    ) as run:
        yield run, run.stdin, run.stdout, run.stderr


def test_stdout_has_the_protocol_and_nothing_else_whoever_prints(disk: Path) -> None:
    find = {"name": "find_moments", "arguments": {"path": "colours.mp4", "query": "red"}}
    with piped(server(disk, NOISE)) as (run, to, out, err):
        to.write("no JSON\n" + requests(("tools/call", find)))
        to.flush()
        lines: list[Any] = []
        while not lines or lines[-1].get("id") != 1:
            lines.append(json.loads(out.readline()))
        to.close()
        rest, told = out.read(), err.read()
    assert run.returncode == 0
    assert rest == ""
    assert {line["jsonrpc"] for line in lines} == {"2.0"}
    assert lines[-1]["result"]["structuredContent"]["status"] == "found"
    for who in ("Python", "C", "a child"):
        assert f"NOISE by {who}" in told


def test_what_is_cancelled_ends_and_what_was_finished_is_kept(
    disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks, home = disk / "home" / "looks", disk / "home"

    def number() -> int:
        return len(looks.read_text().split()) if looks.exists() else 0

    async def cancels(client: Client) -> int:
        given = {"path": "colours.mp4"}
        task = asyncio.create_task(client.call_tool("index_film", given))
        await asyncio.to_thread(until, lambda: number() == 2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        told = await client.call_tool("films", {})
        assert told.structured_content
        assert told.structured_content["films"][0]["indexed"] is False
        (home / "go").touch()
        before = number()
        assert not (await client.call_tool("index_film", given)).is_error
        return before

    before = talk(server(disk, HALTS), "legacy", cancels)
    whole = uninterrupted(disk, monkeypatch)
    looked = [int(number) for number in looks.read_text().split()]
    assert looked[:before] == whole[:2]
    # The reel that was looked at then may have been finished; the one before it surely was.
    assert looked[before:] in (whole[1:], whole[2:])


def uninterrupted(disk: Path, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Pictures that are looked at, reel by reel, where nobody cancels."""
    seen, look, box = [], ColourEncoder.look, colour_toolbox(disk / "other-home")
    short = box.settings.video.model_copy(update={"reel": 5.0})
    box = replace(box, settings=box.settings.model_copy(update={"video": short}))

    def counting(self: ColourEncoder, images: Any) -> Any:
        seen.append(len(images))
        return look(self, images)

    monkeypatch.setattr(ColourEncoder, "look", counting)
    VMRAgent(toolbox=box).index(disk / "films" / "colours.mp4")
    return seen


@pytest.mark.parametrize("ending", ["closes stdin", "is killed"])
def test_when_the_client_goes_away_nothing_is_left(disk: Path, ending: str) -> None:
    """Amid a run, with decoders at work. A client that is killed leaves closed pipes, too."""
    index = {"name": "index_film", "arguments": {"path": "colours.mp4"}}
    with piped(server(disk, HALTS)) as (run, to, out, err):
        to.write(requests(("tools/call", index)))
        to.flush()
        until(lambda: (disk / "home" / "looks").exists())
        if ending == "is killed":
            out.close()
        to.close()
        took = until(lambda: run.poll() is not None)
        told = err.read()
    assert took < SOON * BESIDE, "else the official client sends signals"
    assert run.returncode == 0
    assert "Traceback" not in told
    assert until(lambda: not working(disk / "home")) < SOON * BESIDE


# ── HTTP ──────────────────────────────────────────────────────────────────────────────────────


def free() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


@pytest.fixture
def over_http(disk: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Its address, and the process."""
    port = free()
    words = ("mcp", "--allow", disk / "films", "--http", str(port))
    with started(disk / "home", *words, command=program(FAKES)) as run:
        assert run.stderr
        line = run.stderr.readline()
        assert line == f"vmr: serving at http://127.0.0.1:{port}/mcp; Ctrl-C ends\n"
        until(lambda: listening(port))
        yield f"http://127.0.0.1:{port}/mcp", run


def listening(port: int) -> bool:
    with socket.socket() as trial:
        return trial.connect_ex(("127.0.0.1", port)) == 0


def test_a_client_has_it_all_over_http(
    over_http: tuple[str, subprocess.Popen[str]], disk: Path
) -> None:
    address, run = over_http
    progress, complaints = talk(address, "legacy", whole_day)
    assert progress[-1].startswith("6/6 index_video")
    assert len(complaints) == 8
    run.send_signal(signal.SIGINT)
    assert run.wait(10) == 130
    assert run.stdout
    assert run.stdout.read() == ""
    until(lambda: not working(disk / "home"), 10)


def test_pages_from_elsewhere_are_turned_away(
    over_http: tuple[str, subprocess.Popen[str]],
) -> None:
    """Whose host names point to this machine, or which simply ask from their own."""
    address, _ = over_http
    body = requests().partition("\n")[0]
    headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}

    def asked(**more: str) -> int:
        return httpx.post(address, content=body, headers={**headers, **more}).status_code

    assert asked() == 200
    port = address.split(":")[2].split("/")[0]
    assert asked(Origin=f"http://localhost:{port}") == 200
    for host in (f"films.example:{port}", "127.0.0.1.films.example", "films.example"):
        assert asked(Host=host) == 421
    for origin in ("https://films.example", f"http://films.example:{port}", "null"):
        assert asked(Origin=origin) == 403
    assert httpx.get(address, headers={"Host": "films.example"}).status_code == 421
    assert asked(**{"Content-Type": "text/plain"}) == 400, "what a form may send unasked"


def test_it_listens_to_this_machine_alone(
    over_http: tuple[str, subprocess.Popen[str]],
) -> None:
    port = int(over_http[0].split(":")[2].split("/")[0])
    listed = Path("/proc/net/tcp").read_text().splitlines()[1:]
    heard = [line.split()[1] for line in listed if line.split()[3] == "0A"]
    assert [each for each in heard if each.endswith(f":{port:04X}")] == [f"0100007F:{port:04X}"]


# ── what cannot work ──────────────────────────────────────────────────────────────────────────


def test_what_cannot_work_is_told_in_one_line(disk: Path) -> None:
    home = disk / "home"
    bare = vmr(home, "mcp")
    assert bare.returncode == 2
    assert "--allow FOLDER" in one_line(bare)
    empty = vmr(home, "mcp", "--allow", "")
    assert (empty.returncode, "names no folder" in one_line(empty)) == (2, True)
    unsaid = vmr(home, "mcp", "--set", 'mcp.roots=[""]')
    assert (unsaid.returncode, "is no folder" in one_line(unsaid)) == (2, True)
    gone = vmr(home, "mcp", "--allow", disk / "gone")
    assert gone.returncode == 2
    assert "is no folder" in one_line(gone)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        late = vmr(home, "mcp", "--allow", disk / "films", "--http", port)
    assert late.returncode == 3
    assert f"port {port} cannot be had" in one_line(late)


@pytest.mark.parametrize("missing", ["mcp", "mcp_types"])
def test_without_the_extra_it_says_how_to_get_it(disk: Path, missing: str) -> None:
    words = ("mcp", "--allow", disk / "films")
    lacks = program(f"import sys; sys.modules[{missing!r}] = None")
    run = vmr(disk / "home", *words, command=lacks)
    assert run.returncode == 3
    assert one_line(run) == "vmr mcp needs mcp: pip install 'vmr_agent[mcp]'"


@pytest.mark.slow
def test_an_agent_asks_about_the_demo_film(new_home: Path, demo_film: Path, tmp_path: Path) -> None:
    """With the packaged models, as users have them."""
    words = ["-m", "vmr_agent", "mcp", "--allow", str(demo_film.parent)]
    served = StdioServerParameters(
        command=sys.executable, args=words, env=environment(new_home), cwd=tmp_path
    )

    asked = json.loads(demo_film.with_suffix(".json").read_text())["queries"][0]

    async def asks(client: Client) -> Any:
        given = {"path": "demo_film.mp4", "query": asked["query"]}
        return (await client.call_tool("find_moments", given)).structured_content

    best = talk(served, "auto", asks)["moments"][0]
    assert Span(start=best["start"], end=best["end"]).iou(Span(**asked["moments"][0])) > 0.8
