"""The front door: ``VMRAgent().run(video, query)``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vmr_agent import __version__, tools
from vmr_agent.errors import QueryError, SettingsError, VideoNotFoundError
from vmr_agent.settings import Settings, from_environment
from vmr_agent.state import State
from vmr_agent.toolbox import Toolbox, build_toolbox
from vmr_agent.types import Coverage, Hit, Moment, RunReport, Status, Video
from vmr_agent.video import probe

if TYPE_CHECKING:
    # langgraph takes two seconds to import, torch three: a bad call need not wait for either.
    from vmr_agent.graph import Compiled
    from vmr_agent.room import Progress

STEPS = 60  # LangGraph's limit on steps of one run: thrice what the highest staircase takes
SEEN = 0.95  # share of the picture below which "it is not in there" would claim too much

Watcher = Callable[["Progress"], None]


class VMRAgent:
    """Answers questions about films. One agent can be asked again and again, about many films.

    ``settings`` default to the environment (``VMR_…``). ``toolbox`` replaces all machinery, which
    is how tests run the whole agent on honest fakes. ``progress`` is told of every room at work.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        toolbox: Toolbox | None = None,
        progress: Watcher | None = None,
    ) -> None:
        if toolbox is not None and settings is not None:
            raise SettingsError("give settings or a toolbox, not both: a toolbox has settings")
        self._settings = toolbox.settings if toolbox else settings or from_environment()
        self._given = toolbox
        self._progress = progress

    def run(self, video: str | Path, query: str) -> RunReport:
        """Every moment of the video that the query describes, best first, or an honest none.

        Raises CallerError before any work when the file is no film or the query no question,
        MachineError when weights or room on disk are lacking.
        """
        for event in self.stream(video, query):
            if isinstance(event, RunReport):
                return event
        raise AssertionError("stream ends with a report")

    def stream(self, video: str | Path, query: str) -> Iterator[Progress | RunReport]:
        """The same as ``run``, room by room: progress as it happens, and the report last."""
        request = self._question(query)
        tray = State(video=self._film(video), request=request)
        final = tray
        for kind, event in self._walk(self._house, tray):
            if kind == "values":
                final = State.model_validate(event)
            else:
                yield event
        yield self._report(final)

    def index(self, video: str | Path) -> Video:
        """Do the once-per-video half ahead of time. Returns the film as decoding found it."""
        final = State(video=self._film(video))
        for kind, event in self._walk(self._front_half, final):
            if kind == "values":
                final = State.model_validate(event)
        return self._seen(final)

    def search(self, query: str, limit: int = 10) -> tuple[Hit, ...]:
        """Where in all films indexed so far something like it is seen, said or written.

        A shortlist by nearness, best first; nothing in it is verified: ``run`` does that.
        """
        understood = tools.understand(self._question(query))
        if limit < 1:
            raise QueryError(f"a search for {limit} places finds none: ask for one at least")
        box = self._toolbox
        return tools.search(understood, box.index, box.encoder, box.sentences, limit)

    @cached_property
    def _toolbox(self) -> Toolbox:
        return self._given or build_toolbox(self._settings)

    @cached_property
    def _house(self) -> Compiled:
        from vmr_agent.graph import build_graph

        return build_graph()

    @cached_property
    def _front_half(self) -> Compiled:
        from vmr_agent.graph import build_index_graph

        return build_index_graph()

    def _walk(self, graph: Compiled, tray: State) -> Iterator[tuple[str, Any]]:
        config: Any = {"recursion_limit": STEPS}
        events: Any = graph.stream(
            tray, config, context=self._toolbox, stream_mode=["custom", "values"]
        )
        for kind, event in events:
            if self._progress is not None and kind == "custom":
                self._progress(event)
            yield kind, event

    def _question(self, query: str) -> str:
        if not isinstance(query, str):
            raise QueryError(f"the query must be a string, not {type(query).__name__}")
        return tools.check(query, self._settings.max_query_words)

    def _film(self, video: str | Path) -> Video:
        if not isinstance(video, str | Path):
            raise VideoNotFoundError(f"the video must be a path, not {type(video).__name__}")

        def fingerprint(path: Path) -> str:
            return self._toolbox.shelf.fingerprint(path)

        # The toolbox is made once the film has shown a frame, or half a second of sound.
        return probe(video, fingerprint, self._settings.video)

    def _seen(self, state: State) -> Video:
        """The film as decoding found it, where it is now: films move, their artefacts do not."""
        known = self._toolbox.entry(state).video
        return known.model_copy(update={"path": state.video.path})

    def _report(self, state: State) -> RunReport:
        box = self._toolbox
        entry, video = box.entry(state), self._seen(state)
        moments = state.judged.moments
        turned_down = [*state.judged.rejected, state.horizon.rejected]
        return RunReport(
            status=_status(moments, video),
            query=state.request,
            video=video,
            moments=moments,
            rejected=None if moments else _best(turned_down),
            rounds=state.horizon.round,
            faults=state.faults,
            steps=state.steps,
            coverage=_coverage(video, entry.heard, entry.read),
            models=box.models,
            settings=box.settings.model_dump(mode="json"),
            version=__version__,
        )


def _status(moments: tuple[Moment, ...], video: Video) -> Status:
    if moments:
        return "found"
    return "partial" if video.has_picture and video.coverage < SEEN else "not_found"


def _best(moments: list[Moment | None]) -> Moment | None:
    return max((m for m in moments if m), key=lambda moment: moment.score, default=None)


def _coverage(video: Video, heard: float, read: bool) -> Coverage:
    seen = video.coverage if video.has_picture else 0.0
    listened = min(1.0, heard / video.duration) if video.duration else 0.0
    return Coverage(picture=seen, speech=listened, text=seen if read else 0.0)
