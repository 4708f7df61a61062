"""The agent as one node of somebody else's LangGraph graph.

    moments = build_graph()
    moments.invoke({"video": "talk.mp4", "query": "a red car"})["report"]
    outer.add_node("moments", moments)       # in a graph whose state has those three keys

What it is given and gives is plain; all else stays inside, whatever context, state and checkpointer
the graph around it has. A run that was broken off goes on where it was when it is run again: what
the rooms make lies on the shelf. ``vmr_agent.graph`` has the rooms themselves, as a graph.
"""

from __future__ import annotations

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import StreamWriter
from typing_extensions import TypedDict  # Python 3.11's own has no schema, which Studio asks for

from vmr_agent.agent import VMRAgent
from vmr_agent.events import Progress
from vmr_agent.report import RunReport

NODE = "find_moments"


class Asked(TypedDict):
    """What goes in."""

    video: str
    """Path of the film."""
    query: str
    """What to look for, in plain words."""


class Answered(TypedDict):
    """What comes out."""

    report: RunReport
    """As ``VMRAgent.run`` gives it."""


class Exchange(Asked, Answered):
    """Both: the whole state."""


Graph = CompiledStateGraph[Exchange, None, Asked, Answered]


def build_graph(agent: VMRAgent | None = None) -> Graph:
    """A compiled graph of one node: ``video`` (path) and ``query`` go in, ``report`` comes out.

    Progress is streamed in the mode ``custom``, through a graph around it with ``subgraphs=True``:
    dictionaries of ``room``, ``done`` and ``total`` (seconds of film). ``agent`` defaults to one
    with the settings of the environment, which holds its models from one run to the next. Running
    it raises what ``VMRAgent.run`` does.
    """
    asked = agent or VMRAgent(progress=False)

    def find_moments(state: Asked, writer: StreamWriter) -> Answered:
        for event in asked.stream(state["video"], state["query"]):
            if isinstance(event, Progress):
                writer({"room": event.room, "done": event.done, "total": event.total})
            elif isinstance(event, RunReport):
                return {"report": event}
        raise AssertionError("stream ends with a report")

    graph = StateGraph(Exchange, input_schema=Asked, output_schema=Answered)
    graph.add_node(NODE, find_moments)
    graph.add_edge(START, NODE)
    graph.add_edge(NODE, END)
    return graph.compile(name="vmr_agent_moments")
