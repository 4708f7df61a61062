"""THE FLOOR PLAN: every room and every door, in order.

The front half runs once per video and afterwards finds its work on the shelf; the back half runs
once per query; one staircase, ``widen``, leads back and is climbed a fixed number of times.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from typing import Any, cast

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime

from vmr_agent import advice, boundaries, hearing, piecework, tools
from vmr_agent.artefacts import Entry, Footage, Glances, Screen, Sounds, Speech, Take, Vectors
from vmr_agent.room import Node, Tick, room
from vmr_agent.state import Door, Heard, State, Update, Watched
from vmr_agent.toolbox import Made, Toolbox

Plan = StateGraph[State, Toolbox, State, State]
Compiled = CompiledStateGraph[State, Toolbox, State, State]

# ── once per video ────────────────────────────────────────────────────────────────────────────


@room
def detect_shots(state: State, box: Toolbox, tick: Tick) -> Update:
    number = piecework.next_reel(box, state)
    if number is None:
        return {"reels_done": True, "footage": box.name(state, "footage")}

    def reel() -> Made[Take]:
        return tools.take(piecework.reel(box, state, number), box.settings.strip.quality)

    def film(takes: Iterator[Made[Take]]) -> Made[Footage]:
        return tools.detect_shots((take for take, _ in takes), box.settings.shots.min_length), {}

    tick(number * box.settings.video.reel)
    taken, _ = box.shelf.once(box.name(state, "footage"), number, Take, reel)
    if taken.ending is None:
        return {"reel": number}
    name = piecework.gather(box, state, "footage", Take, Footage, film)
    return {"reel": number, "reels_done": True, "footage": name}


@room
def embed_frames(state: State, box: Toolbox, tick: Tick) -> Update:
    def reel() -> Made[Vectors]:
        shown = piecework.reel(box, state, state.reel)
        return tools.embed_reel(shown, box.encoder, box.settings.embed, tick)

    def film(reels: Iterator[Made[Vectors]]) -> Made[Vectors]:
        return tools.embed_frames(reels, box.encoder)

    piecework.note(box, state, "vectors", state.reel, Vectors, reel)
    if not state.reels_done:
        return {}
    return {"vectors": piecework.gather(box, state, "vectors", Vectors, Vectors, film)}


@room
def read_text(state: State, box: Toolbox, tick: Tick) -> Update:
    def reel() -> Made[Glances]:
        shown = piecework.reel(box, state, state.reel)
        return tools.read_reel(shown, box.reader, box.settings.read, tick), {}

    def film(reels: Iterator[Made[Glances]]) -> Made[Screen]:
        footage = box.shelf.get(state.footage, Footage)[0]
        reads, apart = box.reader is not None, 1 / box.settings.strip.fps
        return tools.read_text((read for read, _ in reels), footage, reads, apart), {}

    piecework.note(box, state, "screen", state.reel, Glances, reel)
    if not state.reels_done:
        return {}
    return {"screen": piecework.gather(box, state, "screen", Glances, Screen, film)}


@room
def listen(state: State, box: Toolbox, tick: Tick) -> Update:
    number = piecework.next_block(box, state)
    if number is None:
        return {"blocks_done": True, "sounds": box.name(state, "sounds")}
    block = piecework.block(box, state, number)

    def film(blocks: Iterator[Made[Sounds]]) -> Made[Sounds]:
        return tools.listen(blocks, box.listener)

    if block is not None:
        tick(block.start)
        made = partial(tools.listen_block, block, box.listener)
        piecework.note(box, state, "sounds", number, Sounds, made)
        if not block.last:
            return {"block": number}
    name = piecework.gather(box, state, "sounds", Sounds, Sounds, film)
    return {"block": -1 if block is None else number, "blocks_done": True, "sounds": name}


@room
def transcribe(state: State, box: Toolbox, tick: Tick) -> Update:
    def block() -> Made[Speech]:
        heard = piecework.unheard(box, state, state.block)
        tick(heard.start)
        return tools.transcribe_block(heard, box.transcriber, box.showing.patiently), {}

    def film(blocks: Iterator[Made[Speech]]) -> Made[Speech]:
        return tools.transcribe(speech for speech, _ in blocks), {}

    if state.block >= 0:
        piecework.note(box, state, "speech", state.block, Speech, block)
    if not state.blocks_done:
        return {}
    return {"speech": piecework.gather(box, state, "speech", Speech, Speech, film)}


@room
def index_video(state: State, box: Toolbox, tick: Tick) -> Update:
    def make() -> Made[Entry]:
        tick(0.0)
        parts = (
            box.shelf.get(state.footage, Footage)[0],
            box.shelf.get(state.speech, Speech)[0],
            box.shelf.get(state.screen, Screen)[0],
            box.shelf.get(state.sounds, Sounds)[0],
        )
        return tools.index_video(state.video, *parts, box.sentences)

    entry = box.keep(state, "entry", Entry, make)
    tools.register(entry, state.video, box.film(state), box.index)
    keys_alone = box.settings.video.frames == "key"
    return {"entry": entry, "faults": tools.missing(box.shelf.get(entry, Entry)[0], keys_alone)}


# ── once per query ────────────────────────────────────────────────────────────────────────────


@room
def understand(state: State, box: Toolbox, tick: Tick) -> Update:
    query, faults = advice.understood(box, state)
    return {"query": query, "faults": faults}


@room
def retrieve(state: State, box: Toolbox, tick: Tick) -> Update:
    name, made, faults = hearing.curves(box, state)
    duration, turn = box.entry(state).video.duration, state.horizon.round
    where, which = advice.horizon(box, state), state.asked.occurrence
    settings = box.settings.retrieve
    found = tools.retrieve(name, made, duration, turn, settings, *where, which)
    return {"retrieval": found, "faults": faults}


@room
def filter_relevance(state: State, box: Toolbox, tick: Tick) -> Update:
    votes, faults = advice.votes(box, state)
    sieve = tools.filter_relevance(state.found.candidates, box.settings.filter, votes)
    return {"sieve": sieve, "faults": faults}


@room
def caption(state: State, box: Toolbox, tick: Tick) -> Update:
    told, faults = advice.captions(box, state)
    kept, film = state.sifted.kept, box.film(state)
    described = tools.caption(kept, state.asked, film, box.encoder, box.sentences, told)
    return {"described": described, "faults": faults}


@room
def trim(state: State, box: Toolbox, tick: Tick) -> Update:
    duration = box.entry(state).video.duration
    return {"clips": tools.trim(state.described, duration, box.settings.trim)}


@room
def ground(state: State, box: Toolbox, tick: Tick) -> Update:
    film, settings, (found, rows) = box.film(state), box.settings.ground, box.curves(state)
    ruled = [p for clip in state.clips for p in tools.ground(clip, film, found, rows, settings)]
    reply, faults = boundaries.told(box, state, ruled)
    return {"proposals": tools.placed(state.clips, ruled, reply), "faults": faults}


@room
def verify(state: State, box: Toolbox, tick: Tick) -> Update:
    judged, faults = advice.judgements(box, state)
    dropped, which = state.sifted.dropped, state.asked.occurrence
    counted, settings = advice.counted(state), box.settings.verify
    verdict = tools.verify(state.proposals, dropped, settings, which, judged, counted)
    return {"verdict": verdict, "faults": faults}


@room
def widen(state: State, box: Toolbox, tick: Tick) -> Update:
    verdict = advice.outcome(box, state)
    query, faults = advice.reworded(box, state, verdict)
    horizon = tools.widen(state.horizon, state.found, verdict, query)
    return {"horizon": horizon, "verdict": None, "faults": faults}


# ── the plan ──────────────────────────────────────────────────────────────────────────────────


def after_filter(state: State, runtime: Runtime[Toolbox]) -> str:
    """Nothing relevant: look elsewhere if there is an elsewhere."""
    return "caption" if state.sifted.passing or not _may_widen(state, runtime) else "widen"


def after_verify(state: State, runtime: Runtime[Toolbox]) -> str:
    """Nothing verified: look elsewhere if there is an elsewhere."""
    return END if state.judged.moments or not _may_widen(state, runtime) else "widen"


def _may_widen(state: State, runtime: Runtime[Toolbox]) -> bool:
    settings = runtime.context.settings
    return state.horizon.round < len(settings.retrieve.smooth) and "widen" not in settings.without


def more_picture(state: State) -> str:
    """Reel after reel."""
    return END if state.reels_done else "detect_shots"


def more_sound(state: State) -> str:
    """Block after block."""
    return END if state.blocks_done else "listen"


def picture_wing() -> Compiled:
    """The picture, reel by reel: decoded once, looked at, read."""
    wing: Any = StateGraph(State, Toolbox, input_schema=Door, output_schema=Watched)
    _road(wing, START, detect_shots, embed_frames, read_text)
    wing.add_conditional_edges("read_text", more_picture, [END, "detect_shots"])
    return cast(Compiled, wing.compile(name="picture"))


def sound_wing() -> Compiled:
    """The sound, block by block: decoded once, measured, transcribed."""
    wing: Any = StateGraph(State, Toolbox, input_schema=Door, output_schema=Heard)
    _road(wing, START, listen, transcribe)
    wing.add_conditional_edges("transcribe", more_sound, [END, "listen"])
    return cast(Compiled, wing.compile(name="sound"))


def front_half(graph: Plan) -> None:
    """Once per video: two wings, at work side by side, then all is joined."""
    graph.add_node("picture", picture_wing())
    graph.add_node("sound", sound_wing())
    graph.add_node("index_video", index_video)
    for wing in ("picture", "sound"):
        graph.add_edge(START, wing)
    graph.add_edge(["picture", "sound"], "index_video")


def _road(graph: Plan, start: str, *rooms: Node) -> None:
    for here in rooms:
        graph.add_node(here.__name__, here)
        graph.add_edge(start, here.__name__)
        start = here.__name__


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


def build_answer_graph() -> Compiled:
    """The back half alone: for a film that is shelved."""
    graph: Plan = StateGraph(State, context_schema=Toolbox)
    graph.add_node("index_video", index_video)
    graph.add_edge(START, "index_video")
    back_half(graph)
    return graph.compile(name="vmr_agent_answer")


def build_index_graph() -> Compiled:
    """The front half alone: what can be done before anybody asks."""
    graph: Plan = StateGraph(State, context_schema=Toolbox)
    front_half(graph)
    graph.add_edge("index_video", END)
    return graph.compile(name="vmr_agent_index")
