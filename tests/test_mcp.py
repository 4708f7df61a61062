"""The MCP server as a client sees it: the package's own client, in this process."""

from __future__ import annotations

import asyncio
import base64
import json
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import cv2
import jsonschema
import numpy as np
import pytest
from mcp import Client
from mcp_types import CallToolResult
from processes import BESIDE

from vmr_agent import VMRAgent
from vmr_agent.events import Progress
from vmr_agent.mcp.server import Server, server
from vmr_agent.mcp.work import Meter, said
from vmr_agent.protocols import Array, Image
from vmr_agent.settings import McpSettings
from vmr_agent.testing import SIZE, TRUTH, ColourEncoder, colour_toolbox
from vmr_agent.toolbox import Toolbox
from vmr_agent.types import Span

T = TypeVar("T")
Talk = Callable[[Client], Awaitable[T]]
SOON = 2.0  # seconds until a run that was cancelled is over
TOOLS = ["films", "index_film", "find_moments", "search_films", "show_frames"]


def talk(served: Server, what: Talk[T]) -> T:
    """What a client makes of it."""

    async def session() -> T:
        async with Client(served) as client:
            return await what(client)

    return asyncio.run(session())


def call(served: Server, tool: str, **arguments: Any) -> CallToolResult:
    return talk(served, lambda client: client.call_tool(tool, arguments))


def answer(served: Server, tool: str, **arguments: Any) -> dict[str, Any]:
    """Its data, which the text says too, as its schema has it."""
    told = call(served, tool, **arguments)
    assert not told.is_error, told.content
    data = told.structured_content
    assert isinstance(data, dict)
    assert json.loads(told.content[0].text) == data  # type: ignore[union-attr]
    schemas = {each.name: each.output_schema for each in listed(served)}
    jsonschema.validate(data, schemas[tool] or {})
    return data


def complaint(served: Server, tool: str, **arguments: Any) -> str:
    """The one line that it says instead."""
    told = call(served, tool, **arguments)
    assert told.is_error
    assert told.structured_content is None
    (said,) = told.content
    assert said.type == "text"
    assert "\n" not in said.text
    assert "Traceback" not in said.text
    return said.text


def listed(served: Server) -> list[Any]:
    async def tools(client: Client) -> list[Any]:
        return list((await client.list_tools()).tools)

    return talk(served, tools)


@pytest.fixture
def box(tmp_path: Path) -> Toolbox:
    return colour_toolbox(tmp_path / "home")


def serving(box: Toolbox, *roots: Path, **limits: Any) -> Server:
    settings = box.settings.model_copy(update={"mcp": McpSettings(roots=roots, **limits)})
    return server(VMRAgent(toolbox=replace(box, settings=settings)), settings)


@pytest.fixture
def served(box: Toolbox, colours: Path) -> Server:
    return serving(box, colours.parent)


def test_the_tools_have_schemas_in_words_and_say_what_they_touch(served: Server) -> None:
    tools = {tool.name: tool for tool in listed(served)}
    assert list(tools) == TOOLS
    for tool in tools.values():
        assert "  " not in tool.description
        for name, argument in tool.input_schema["properties"].items():
            assert argument.get("description"), f"{tool.name}.{name}"
        assert tool.output_schema["type"] == "object"
        assert tool.annotations.destructive_hint is False
        assert tool.annotations.open_world_hint is False
    assert {name for name, tool in tools.items() if tool.annotations.read_only_hint} == {
        *("films", "search_films", "show_frames")
    }
    assert (
        "seconds"
        in tools["find_moments"]
        .output_schema["$defs"]["Found"]["properties"]["start"]["description"]
        .lower()
    )


def test_from_a_list_of_films_to_the_pictures_of_a_moment(served: Server, colours: Path) -> None:
    path = str(colours.resolve())
    (film,) = answer(served, "films")["films"]
    assert film == {"path": path, "indexed": False, "duration": None}
    indexed = answer(served, "index_film", path=film["path"])
    assert (indexed["duration"], indexed["has_audio"], indexed["already"]) == (16, False, False)
    assert answer(served, "index_film", path=film["path"])["already"] is True
    assert answer(served, "films")["films"] == [{"path": path, "indexed": True, "duration": 16}]
    found = answer(served, "find_moments", path=film["path"], query="the red one")
    assert (found["status"], found["more"], found["nearest"]) == ("found", 0, None)
    for moment, truth in zip(found["moments"], TRUTH["red"], strict=True):
        assert Span(start=moment["start"], end=moment["end"]).iou(truth) > 0.8
        assert 0.5 < moment["score"] <= 1
        assert moment["why"][0]["source"] == "picture"
    assert {lack["kind"] for lack in found["lacking"]} == {"no_audio", "no_text"}
    first = found["moments"][0]
    shown = call(served, "show_frames", path=path, start=first["start"], end=first["end"])
    assert [part.type for part in shown.content] == ["text", *4 * ["image"]]
    for image in pictures(shown):
        assert image.shape[:2] == SIZE
        assert dominant(image) == "red"


def pictures(shown: CallToolResult) -> list[Image]:
    """As any client decodes them."""
    found = []
    for part in shown.content[1:]:
        assert part.type == "image"
        assert part.mime_type == "image/jpeg"
        packed = base64.b64decode(part.data, validate=True)
        assert packed[:3] == b"\xff\xd8\xff"
        image = cv2.imdecode(np.frombuffer(packed, np.uint8), cv2.IMREAD_COLOR)
        assert image is not None
        found.append(np.asarray(image[:, :, ::-1], np.uint8))
    return found


def dominant(image: Image) -> str:
    return ColourEncoder().describe(ColourEncoder().look([image]), 1)[0]


def test_what_is_not_there_is_not_found(served: Server, colours: Path) -> None:
    found = answer(served, "find_moments", path="colours.mp4", query="purple")
    assert (found["status"], found["moments"]) == ("not_found", [])


def test_few_moments_where_few_are_wanted(served: Server) -> None:
    found = answer(served, "find_moments", path="colours.mp4", query="red", limit=1)
    assert (len(found["moments"]), found["more"]) == (1, 1)


def test_a_search_tells_of_films_that_are_allowed_alone(
    box: Toolbox, colours: Path, tmp_path: Path
) -> None:
    mine, theirs = tmp_path / "mine", tmp_path / "theirs"
    for folder in (mine, theirs):
        folder.mkdir()
    for number in range(3):  # told of first, and with enough red to take all the places
        copy = theirs / f"{number}.mp4"
        copy.write_bytes(colours.read_bytes() + bytes(number + 1))
        VMRAgent(toolbox=box).index(copy)
    (mine / "colours.mp4").write_bytes(colours.read_bytes())
    served = serving(box, mine)
    assert answer(served, "search_films", query="red")["places"] == []
    answer(served, "index_film", path="colours.mp4")
    places = answer(served, "search_films", query="red", limit=2)["places"]
    assert [(each["path"], each["kind"]) for each in places] == [
        (str(mine / "colours.mp4"), "picture")
    ] * 2
    everything = answer(serving(box, tmp_path), "search_films", query="red", limit=30)["places"]
    assert len({each["path"] for each in everything}) == 4
    (mine / "colours.mp4").unlink()
    assert answer(served, "search_films", query="red")["places"] == [], "it is gone"
    assert answer(served, "films") == {"films": [], "whole": True}


@pytest.mark.parametrize(
    ("tool", "arguments", "says"),
    [
        ("find_moments", {"path": "/etc/passwd", "query": "red"}, "not in a folder"),
        ("find_moments", {"path": "../x.mp4", "query": "red"}, "not in a folder"),
        ("index_film", {"path": "https://127.0.0.1:9/a.mp4"}, "not in a folder"),
        ("show_frames", {"path": "/proc/self/fd/0", "times": [1]}, "not in a folder"),
        ("index_film", {"path": "missing.mp4"}, "No such file"),
        ("index_film", {"path": "text.mp4"}, "text.mp4"),
        ("find_moments", {"path": "colours.mp4", "query": " "}, "empty"),
        ("find_moments", {"path": "colours.mp4", "query": "word " * 500}, "500 words"),
        ("find_moments", {"path": "colours.mp4"}, "find_moments: query: Field required"),
        ("find_moments", {"path": 3, "query": "red"}, "find_moments: path: Input should be"),
        ("find_moments", {"path": "colours.mp4", "query": "red", "limit": 0}, "limit: "),
        ("find_moments", {"path": "colours.mp4", "query": "red", "limt": 3}, "no argument 'limt'"),
        ("search_films", {"query": "red", "limit": 1000}, "limit: "),
        ("search_films", {"query": ["red"]}, "query: "),
        ("films", {"path": "colours.mp4"}, "no argument 'path'"),
        ("show_frames", {"path": "colours.mp4"}, "give times, or start and a later end"),
        ("show_frames", {"path": "colours.mp4", "start": 3}, "give times"),
        ("show_frames", {"path": "colours.mp4", "start": 3, "end": 2}, "give times"),
        ("show_frames", {"path": "colours.mp4", "times": [1], "start": 1, "end": 2}, "give times"),
        ("show_frames", {"path": "colours.mp4", "times": [-1]}, "0 or more"),
        ("show_frames", {"path": "colours.mp4", "times": [99]}, "lasts 16.0 s"),
        ("show_frames", {"path": "colours.mp4", "times": list(range(9))}, "8 at most"),
        ("show_frames", {"path": "colours.mp4", "times": [1], "width": 9}, "width: "),
        ("show_frames", {"path": "colours.mp4", "times": ["now"]}, "times"),
        ("no_tool", {}, "no_tool"),
    ],
)
def test_a_call_that_cannot_work_is_told_in_one_line(
    served: Server, colours: Path, tool: str, arguments: dict[str, Any], says: str
) -> None:
    (colours.parent / "text.mp4").write_text("no film")
    assert says in complaint(served, tool, **arguments)
    (colours.parent / "text.mp4").unlink()


def test_a_fault_of_ours_is_told_to_nobody_outside(
    served: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("canary-81")

    monkeypatch.setattr("vmr_agent.mcp.desk.probe", broken)
    said = complaint(served, "show_frames", path="colours.mp4", times=[1])
    assert said == "Error executing tool show_frames"
    assert "canary-81" in caplog.text


def test_progress_is_told_room_by_room_and_only_rises(served: Server) -> None:
    told: list[tuple[float, float | None, str | None]] = []

    async def note(progress: float, total: float | None, message: str | None) -> None:
        told.append((progress, total, message))

    async def find(client: Client) -> None:
        query = {"path": "colours.mp4", "query": "red"}
        await client.call_tool("find_moments", query, progress_callback=note)

    talk(served, find)
    reached = [progress for progress, _, _ in told]
    assert reached == sorted(set(reached))
    assert reached[-1] == 13
    assert {total for _, total, _ in told} == {13}
    rooms = [str(message).split(",")[0] for _, _, message in told]
    assert {"detect_shots", "embed_frames", "listen", "index_video", "retrieve"} <= set(rooms)
    assert rooms[-1] == "verify"
    assert "detect_shots, 0:16 of 0:16" in [message for _, _, message in told]


def test_a_second_round_is_no_progress_and_a_length_not_known_no_division() -> None:
    meter = Meter(["embed_frames", "retrieve", "verify"])
    told = [("embed_frames", 5.0, 10.0), ("embed_frames", 4.0, 10.0), ("retrieve", 0.0, 0.0)]
    told += [("verify", 10.0, 10.0), ("widen", 10.0, 10.0), ("retrieve", 5.0, 10.0)]
    moved = [meter.moved(Progress(*each)) for each in told]
    assert moved == [0.5, None, 1.0, 2.0, None, 2.5]
    assert said(Progress("embed_frames", 75.0, 3600.0)) == "embed_frames, 1:15 of 1:00:00"
    assert said(Progress("verify", 0.0, 3600.0)) == "verify"


class Gate:
    """An encoder that waits at a gate, and counts who is at work."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.open, self.reached, self.looks = threading.Event(), threading.Event(), 0
        look = ColourEncoder.look

        def waits(encoder: ColourEncoder, images: Any) -> Array:
            self.looks += 1
            self.reached.set()
            self.open.wait(30)
            return look(encoder, images)

        monkeypatch.setattr(ColourEncoder, "look", waits)


def test_a_call_that_is_cancelled_ends_soon_and_the_next_goes_on(
    served: Server, box: Toolbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(monkeypatch)
    query = {"path": "colours.mp4", "query": "red"}

    def ended() -> bool:
        return not [each for each in threading.enumerate() if each.name.startswith("ahead")]

    async def cancelled(client: Client) -> float:
        task = asyncio.create_task(client.call_tool("find_moments", query))
        await asyncio.to_thread(gate.reached.wait, 30)
        began = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (await client.call_tool("films", {})).is_error is False, "it still serves"
        film = box.probe(Path(served_film(client)))
        await asyncio.to_thread(until_free, box, film.fingerprint)
        return time.monotonic() - began

    def served_film(_: Client) -> str:
        return answer_path

    answer_path = answer(served, "films")["films"][0]["path"]
    took = talk(served, cancelled)
    assert took < SOON * BESIDE
    gate.open.set()
    assert answer(served, "find_moments", **query)["status"] == "found"
    assert ended() or gate.looks


def until_free(box: Toolbox, fingerprint: str) -> None:
    """The run has let go of the film."""
    with box.shelf.alone(fingerprint):
        pass


def test_two_calls_about_one_film_at_once_both_answer(
    served: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def both(client: Client) -> list[CallToolResult]:
        calls = [
            client.call_tool("find_moments", {"path": "colours.mp4", "query": query})
            for query in ("red", "green", "purple")
        ]
        return list(await asyncio.gather(*calls))

    told = [each.structured_content or {} for each in talk(served, both)]
    assert [each["status"] for each in told] == ["found", "found", "not_found"]


def test_pictures_are_few_and_small(box: Toolbox, demo_film: Path) -> None:
    served = serving(box, demo_film.parent, width=300, frames=3, picture_bytes=100_000)
    path = demo_film.name
    shown = call(served, "show_frames", path=path, start=14, end=26, width=2000)
    data = shown.structured_content or {}
    assert len(data["pictures"]) == 3
    for told, image in zip(data["pictures"], pictures(shown), strict=True):
        assert (told["height"], told["width"]) == image.shape[:2]
        assert told["width"] <= 300
    assert "3 at most" in complaint(served, "show_frames", path=path, times=[1, 2, 3, 4])


def test_pictures_shrink_until_they_fit(box: Toolbox, demo_film: Path) -> None:
    from vmr_agent.mcp.desk import _packed

    noise = np.random.default_rng(0).integers(0, 256, (4, 500, 400, 3), np.uint8)
    packed, sizes = _packed(list(noise), 400, 100_000)
    assert 30_000 < sum(map(len, packed)) <= 100_000, "noise that is shrunk packs better, too"
    assert len(set(sizes)) == 1
    assert sizes[0][0] < 400


def test_a_film_of_sound_alone_has_no_pictures(
    box: Toolbox, demo_film: Path, tmp_path: Path
) -> None:
    import media

    media.spoken(demo_film, tmp_path / "talk.wav", 60, 62)
    served = serving(box, tmp_path)
    assert "sound alone" in complaint(served, "show_frames", path="talk.wav", times=[1])
