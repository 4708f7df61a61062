"""THE FLOOR PLAN: every room and every door, in order.

The front half runs once per video and afterwards finds its work on the shelf; the back half runs
once per query; one staircase, ``widen``, leads back and is climbed a fixed number of times.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime

from vmr_agent import tools
from vmr_agent.artefacts import Curves, Entry, Footage, Screen, Sounds, Speech, Vectors
from vmr_agent.room import Tick, room
from vmr_agent.state import State, Update
from vmr_agent.strip import Reel
from vmr_agent.toolbox import Made, Toolbox
from vmr_agent.video import sound

Plan = StateGraph[State, Toolbox, State, State]
Compiled = CompiledStateGraph[State, Toolbox, State, State]

# ── once per video ────────────────────────────────────────────────────────────────────────────


@room
def detect_shots(state: State, box: Toolbox, tick: Tick) -> Update:
    def make() -> Made[Footage]:
        return tools.detect_shots(state.video, box.detector, box.settings, tick)

    return {"footage": box.keep(state, "footage", Footage, make)}


@room
def embed_frames(state: State, box: Toolbox, tick: Tick) -> Update:
    def make() -> Made[Vectors]:
        strip = Reel.load(box.shelf.get(state.footage, Footage)[1])
        return tools.embed_frames(strip, box.encoder, tick)

    return {"vectors": box.keep(state, "vectors", Vectors, make)}


@room
def read_text(state: State, box: Toolbox, tick: Tick) -> Update:
    def make() -> Made[Screen]:
        footage, strip = box.shelf.get(state.footage, Footage)
        keys, settings = Reel.load(strip, "key_"), box.settings.read
        return tools.read_text(keys, footage, box.reader, settings, tick), {}

    return {"screen": box.keep(state, "screen", Screen, make)}


@room
def transcribe(state: State, box: Toolbox, tick: Tick) -> Update:
    def make() -> Made[Speech]:
        chunk, limits = box.settings.transcribe.chunk, box.settings.video
        blocks = sound(state.video.path, chunk=chunk, limits=limits)
        return tools.transcribe(blocks, box.transcriber, tick), {}

    return {"speech": box.keep(state, "speech", Speech, make)}


@room
def listen(state: State, box: Toolbox, tick: Tick) -> Update:
    def make() -> Made[Sounds]:
        blocks = sound(state.video.path, chunk=60, limits=box.settings.video)
        return tools.listen(blocks, box.listener, tick)

    return {"sounds": box.keep(state, "sounds", Sounds, make)}


@room
def index_video(state: State, box: Toolbox, tick: Tick) -> Update:
    def make() -> Made[Entry]:
        parts = (
            box.shelf.get(state.footage, Footage)[0],
            box.shelf.get(state.speech, Speech)[0],
            box.shelf.get(state.screen, Screen)[0],
            box.shelf.get(state.sounds, Sounds)[0],
        )
        made = tools.index_video(state.video, *parts, box.sentences)
        # Before the entry is shelved: whoever is killed in here does both again, to no harm.
        tools.register(box.film(state, made), box.index)
        return made

    entry = box.keep(state, "entry", Entry, make)
    return {"entry": entry, "faults": tools.missing(box.shelf.get(entry, Entry)[0])}


# ── once per query ────────────────────────────────────────────────────────────────────────────


@room
def understand(state: State, box: Toolbox, tick: Tick) -> Update:
    return {"query": tools.understand(state.request)}


@room
def retrieve(state: State, box: Toolbox, tick: Tick) -> Update:
    query, turn, settings = state.asked, state.horizon.round, box.settings.retrieve

    def make() -> Made[Curves]:
        film = box.film(state)
        return tools.relevance(query, film, turn, box.encoder, box.sentences, settings)

    name = box.keep(state, "curves", Curves, make, (turn, query.model_dump()))
    made, duration = box.shelf.get(name, Curves), box.entry(state).video.duration
    return {"retrieval": tools.retrieve(name, made, duration, turn, settings)}


@room
def filter_relevance(state: State, box: Toolbox, tick: Tick) -> Update:
    return {"sieve": tools.filter_relevance(state.found.candidates, box.settings.filter)}


@room
def caption(state: State, box: Toolbox, tick: Tick) -> Update:
    film = box.film(state)
    return {"described": tuple(tools.caption(c, film, box.encoder) for c in state.sifted.kept)}


@room
def trim(state: State, box: Toolbox, tick: Tick) -> Update:
    duration = box.entry(state).video.duration
    return {"clips": tools.trim(state.described, duration, box.settings.trim)}


@room
def ground(state: State, box: Toolbox, tick: Tick) -> Update:
    film, (found, rows) = box.film(state), box.curves(state)
    each = (tools.ground(clip, film, found, rows, box.settings.ground) for clip in state.clips)
    return {"proposals": tuple(proposal for proposals in each for proposal in proposals)}


@room
def verify(state: State, box: Toolbox, tick: Tick) -> Update:
    return {"verdict": tools.verify(state.proposals, state.sifted.dropped, box.settings.verify)}


@room
def widen(state: State, box: Toolbox, tick: Tick) -> Update:
    return {"horizon": tools.widen(state.horizon, state.found, state.verdict)}


# ── the plan ──────────────────────────────────────────────────────────────────────────────────


def after_filter(state: State, runtime: Runtime[Toolbox]) -> str:
    """Nothing relevant: look elsewhere if there is an elsewhere."""
    return "caption" if state.sifted.kept or not _may_widen(state, runtime) else "widen"


def after_verify(state: State, runtime: Runtime[Toolbox]) -> str:
    """Nothing verified: look elsewhere if there is an elsewhere."""
    return END if state.judged.moments or not _may_widen(state, runtime) else "widen"


def _may_widen(state: State, runtime: Runtime[Toolbox]) -> bool:
    return state.horizon.round < len(runtime.context.settings.retrieve.smooth)


def front_half(graph: Plan) -> None:
    """Once per video: the picture is decoded once, sound is heard beside it, then all is joined."""
    for node in (detect_shots, embed_frames, read_text, transcribe, listen, index_video):
        graph.add_node(node.__name__, node)
    for first in ("detect_shots", "transcribe", "listen"):
        graph.add_edge(START, first)
    graph.add_edge("detect_shots", "embed_frames")
    graph.add_edge("detect_shots", "read_text")
    graph.add_edge(["embed_frames", "read_text", "transcribe", "listen"], "index_video")


def back_half(graph: Plan) -> None:
    """Once per query: a straight road, and the one staircase back."""
    road = [understand, retrieve, filter_relevance, caption, trim, ground, verify]
    for node in (*road, widen):
        graph.add_node(node.__name__, node)
    names = ["index_video", *(node.__name__ for node in road)]
    for here, there in pairwise(names):
        if here != "filter_relevance":
            graph.add_edge(here, there)
    graph.add_conditional_edges("filter_relevance", after_filter, ["caption", "widen"])
    graph.add_conditional_edges("verify", after_verify, [END, "widen"])
    graph.add_edge("widen", "retrieve")


def build_graph(checkpointer: Any = None) -> Compiled:
    """The whole house. LangGraph's own checkpointer can be passed in, and is not needed."""
    graph: Plan = StateGraph(State, context_schema=Toolbox)
    front_half(graph)
    back_half(graph)
    return graph.compile(checkpointer=checkpointer, name="vmr_agent")


def build_index_graph() -> Compiled:
    """The front half alone: what can be done before anybody asks."""
    graph: Plan = StateGraph(State, context_schema=Toolbox)
    front_half(graph)
    graph.add_edge("index_video", END)
    return graph.compile(name="vmr_agent_index")
