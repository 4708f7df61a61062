"""A chat model behind a real socket that truly looks at the pixels it is sent.

It knows more names for colours than the encoder of the colour film does, and it sees what is in
the frames that it gets: nothing else.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from endpoint import Endpoint, Exchange, Script, endpoint
from numpy.typing import NDArray

from vmr_agent import VMRAgent
from vmr_agent.adapters.chat import ChatServer
from vmr_agent.protocols import Transcriber
from vmr_agent.settings import ChatSettings
from vmr_agent.testing import COLOURS, GREY, colour_toolbox
from vmr_agent.words import tokens

NAMES = {"crimson": "red", "scarlet": "red", "verdant": "green", "azure": "blue"}
KEPT = 64  # pixels: those of the strip, for what is larger is decoded again, each time
SHARE = 0.05  # of a picture that is enough to be seen
Image = NDArray[np.uint8]
CHATTY = """
from dataclasses import replace
import vmr_agent.agent
from vmr_agent.adapters.chat import ChatServer
from vmr_agent.testing import colour_toolbox

def build(settings):
    box = colour_toolbox(settings.home)
    chosen = box.settings.model_copy(update={"chat": settings.chat})
    return replace(box, settings=chosen, chat=ChatServer(settings.chat))

vmr_agent.agent.build_toolbox = build
"""
"""Makes ``vmr`` one with the fakes of the colour film, and a real client."""
LABEL = re.compile(r"^(c\d+), ([\d.]+) s(?:, (before|inside|after))?:$")


def look(exchange: Exchange, **habits: Callable[..., Any]) -> None:
    """Answer what is asked, by looking. ``habits`` replace the answers to some of the prompts."""
    name = exchange.body["response_format"]["json_schema"]["name"]
    parts = exchange.body["messages"][1]["content"]
    text, seen = _taken_in(parts)
    answers: dict[str, Callable[..., Any]] = {
        "understand": understand,
        "filter_relevance": sightings,
        "caption": captions,
        "verify": judgements,
        "widen": rephrase,
        **habits,
    }
    exchange.say(json.dumps(answers[name](text, seen)))


Seen = dict[str, list[tuple[str, set[str]]]]


def _taken_in(parts: Any) -> tuple[str, Seen]:
    """The words, and by id the colours of every frame, with where it lies."""
    if isinstance(parts, str):
        return parts, {}
    seen: Seen = {}
    label = None
    for part in parts[1:]:
        if part["type"] == "text":
            label = LABEL.match(part["text"])
        elif label is not None:
            packed = base64.b64decode(part["image_url"]["url"].split(",", 1)[1])
            image = cv2.imdecode(np.frombuffer(packed, np.uint8), cv2.IMREAD_COLOR)
            assert image is not None
            rgb = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)
            seen.setdefault(label[1], []).append((label[3] or "inside", colours(rgb)))
    return parts[0]["text"], seen


def colours(image: Image) -> set[str]:
    """Names of the colours that fill some of the picture."""
    palette = np.array([*COLOURS.values(), GREY], np.float32)
    apart = np.linalg.norm(image.reshape(-1, 1, 3).astype(np.float32) - palette, axis=2)
    shares = np.bincount(apart.argmin(axis=1), minlength=len(palette)) / apart.shape[0]
    return {name for name, share in zip(COLOURS, shares, strict=False) if share >= SHARE}


def named(text: str) -> set[str]:
    """The colours that a text speaks of."""
    known = {NAMES.get(word, word) for word in tokens(text)}
    return known & set(COLOURS)


def given(text: str, what: str) -> Any:
    """What stands behind ``what`` as JSON."""
    return json.loads(re.search(rf"{what}, as JSON: (.*)", text)[1])  # type: ignore[index]


def data(text: str) -> Any:
    """What stands in the block."""
    return json.loads(re.search(r"BEGIN DATA \w+\n(.*)\nEND DATA", text)[1])  # type: ignore[index]


def understand(text: str, _: Seen) -> dict[str, Any]:
    """The question with its colour in plain words."""
    query = given(text, "The question")
    wanted = sorted(named(query))
    other = {"red": "blue", "blue": "red"}.get(wanted[0] if wanted else "", "purple")
    return {
        "scene": " ".join(wanted) or query,
        "objects": wanted,
        "actions": [],
        "attributes": [],
        "sounds": [],
        "spoken": "",
        "written": "",
        "relations": [],
        "occurrence": 0,
        "combine": "all",
        "items": [f"is it {colour}?" for colour in wanted],
        "paraphrases": [],
        "altered": [f"something {other}", "something yellow"],
    }


def sightings(text: str, seen: Seen) -> dict[str, Any]:
    """For each candidate and item, whether the colour is to be seen in one of its frames."""
    items = data(text)["items"]
    shown = [each["id"] for each in data(text)["candidates"]]
    return {
        name: {item: _shows(seen.get(name, []), asked) for item, asked in items.items()}
        for name in shown
    }


def captions(_: str, seen: Seen) -> dict[str, Any]:
    """What colours there are."""
    return {
        name: " and ".join(sorted(set().union(*(found for _, found in looks)))) or "grey"
        for name, looks in seen.items()
    }


def judgements(text: str, seen: Seen) -> dict[str, Any]:
    """Whether a statement's colour is to be seen between start and end."""
    statements = data(text)["statements"]
    inside = {name: [look for look in looks if look[0] == "inside"] for name, looks in seen.items()}
    return {
        each["id"]: {
            name: _shows(inside.get(each["id"], []), statement)
            for name, statement in statements.items()
        }
        for each in data(text)["proposals"]
    }


def rephrase(text: str, _: Seen) -> dict[str, Any]:
    """The plain names of its colours."""
    query = given(text, "What was asked")
    scene = " ".join(sorted(named(query))) or query
    return {"scene": scene, "spoken": "", "written": "", "paraphrases": []}


def _shows(looks: list[tuple[str, set[str]]], asked: str) -> str:
    wanted = named(asked)
    return "yes" if wanted and any(wanted <= colours for _, colours in looks) else "no"


@contextmanager
def asking(
    home: Path,
    script: Script = look,
    others: dict[str, Any] | None = None,
    transcriber: Transcriber | None = None,
    **terms: Any,
) -> Iterator[tuple[VMRAgent, Endpoint]]:
    """An agent that may ask a model that looks; ``others`` are settings of the rooms."""
    with endpoint(script) as served:
        box = replace(colour_toolbox(home), transcriber=transcriber)
        chat = ChatSettings(**{"model": "looker", "image_side": KEPT, **terms}, base_url=served.url)
        settings = box.settings.model_copy(update={"chat": chat, **(others or {})})
        server = ChatServer(chat)
        yield VMRAgent(toolbox=replace(box, settings=settings, chat=server)), served
        server.close()


def habit(**habits: Callable[..., Any]) -> Script:
    return lambda exchange: look(exchange, **habits)
