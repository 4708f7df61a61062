"""The front door: ``VMRAgent().run(video, query)``."""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from functools import cached_property
from itertools import starmap
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from vmr_agent import alarms, downloads, tools, tracing
from vmr_agent.artefacts import Entry, Shelved
from vmr_agent.bars import Watcher, watcher
from vmr_agent.errors import QueryError, SettingsError, ShelfError, VideoNotFoundError
from vmr_agent.events import Event, Progress, Visit
from vmr_agent.fetch import is_url
from vmr_agent.files import is_file, is_folder, regular_file
from vmr_agent.memory import give_back
from vmr_agent.playback import Alive, always, probe
from vmr_agent.report import RunReport
from vmr_agent.reporting import reported, seen
from vmr_agent.settings import Settings, from_environment
from vmr_agent.showing import Ahead
from vmr_agent.state import State
from vmr_agent.toolbox import Toolbox, build_toolbox, home
from vmr_agent.types import Hit, Video

if TYPE_CHECKING:
    # langgraph takes two seconds to import, torch three: a bad call need not wait for either.
    from vmr_agent.graph import Compiled

logger = logging.getLogger(__name__)

STEPS = 1_000_000  # LangGraph's limit on steps of one run: every minute of film takes three


class VMRAgent:
    """Answers questions about films. One agent can be asked again and again, about many films.

    ``settings`` default to the environment (``VMR_…``). ``toolbox`` replaces all machinery, which
    is how tests run the whole agent on honest fakes. ``progress`` is told of every room at work;
    True shows bars, False nothing, and None, the default, bars in notebooks alone.

    Calls raise CallerError before any work: VideoNotFoundError and its like for what is no film,
    QueryError for what is no question, SettingsError; MachineError for want of weights or disk.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        toolbox: Toolbox | None = None,
        progress: Watcher | bool | None = None,
    ) -> None:
        if toolbox is not None and settings is not None:
            raise SettingsError("give settings or a toolbox, not both: a toolbox has settings")
        self._settings = toolbox.settings if toolbox else settings or from_environment()
        self._given = toolbox
        self._progress = watcher(progress)
        self._building = Lock()

    def run(self, video: str | Path, query: str) -> RunReport:
        """Every moment of the video that the query describes, best first, or an honest none."""
        for event in self.stream(video, query):
            if isinstance(event, RunReport):
                return event
        raise AssertionError("stream ends with a report")

    def stream(self, video: str | Path, query: str, *, alive: Alive = always) -> Iterator[Event]:
        """The same as ``run``, room by room.

        ``Progress`` as it happens, a ``Visit`` with what each room made as it is left, and the
        report last: see ``vmr_agent.events``. ``alive`` is called some times a second, and may
        raise Stopped to break the run off.
        """
        with tracing.Run("find", self._settings.trace, query) as run:
            request = self._question(query)
            film = self._film(video)
            run.of(film)
            self._toolbox.check()
            watched = yield from self._watch(film, run, alive)
            asked = State(video=film, request=request, steps=watched.steps)
            box = yield from alarms.strict(self._toolbox, self._back_half, asked, self._progress)
            final = yield from self._walk(self._back_half, asked, box, run, alive)
            report = reported(box, final)
            run.ended(report)
        yield report

    def index(self, video: str | Path) -> Video:
        """Do the once-per-video half ahead of time. Returns the film as decoding found it."""
        for event in self.stream_index(video):
            if isinstance(event, Video):
                return event
        raise AssertionError("stream_index ends with the film")

    def stream_index(
        self, video: str | Path, *, alive: Alive = always
    ) -> Iterator[Progress | Visit | Video]:
        """The same as ``index``, room by room; the film last. ``alive`` as in ``stream``."""
        with tracing.Run("index", self._settings.trace) as run:
            film = self._film(video)
            run.of(film)
            yield from self._watch(film, run, alive)
            found = seen(self._toolbox, State(video=film))
            run.of(found)
        yield found

    def ready(self, video: str | Path) -> bool:
        """Whether that half is done already, under the settings in force."""
        tray = State(video=self._film(video))  # first: what is no film makes no toolbox
        return self._toolbox.shelved(tray)

    def shelved(self) -> tuple[Shelved, ...]:
        """What is on the shelf, film by film."""
        box = self._toolbox
        return tuple(self._about(film) for film in box.shelf.films())

    def forget(self, video: str | Path) -> Shelved | None:
        """Throw away everything shelved about a film, and the film if it was downloaded.

        It is named by a path, an address, or a fingerprint from ``shelved``. What there was, None
        for nothing.
        """
        box, path = self._toolbox, self._place(video)
        known = {each.fingerprint: each for each in self.shelved()}
        film = box.shelf.fingerprint(path) if is_file(path) else str(video)
        # Gone from its place, or changed there: what lies here is about what it was.
        gone = (each for each in known.values() if _lay_at(each, path))
        found = known.get(film) or next(gone, None)
        if found is None and downloads.size(box.shelf, path):
            found = self._about(film, path)  # what was downloaded is no film
        if found is not None:
            box.index.forget(found.fingerprint)
            box.shelf.forget(found.fingerprint)
            for place in {path, Path(found.video.path if found.video else path)}:
                downloads.drop(box.shelf, place)
        return found

    def search(self, query: str, limit: int = 10) -> tuple[Hit, ...]:
        """Where in all films indexed so far something like it is seen, said or written.

        A shortlist by nearness, best first; nothing in it is verified: ``run`` does that.
        """
        understood = tools.understand(self._question(query))
        if not isinstance(limit, int) or limit < 1:
            raise QueryError(f"a search for {limit!r} places finds none: ask for one at least")
        with tracing.Run("search", self._settings.trace, query) as run, run.inside():
            box = self._toolbox
            self._refresh()
            hits = tools.search(understood, box.index, box.encoder, box.sentences, limit)
            run.found(len(hits))
        return hits

    def _about(self, film: str, path: Path = Path()) -> Shelved:
        box = self._toolbox
        entries = box.shelf.entries(film, "entry", Entry)
        begun = box.shelf.entries(film, "probe", Video)
        video = entries[0].video if entries else next(iter(begun), None)
        fetched = downloads.size(box.shelf, Path(video.path) if video else path)
        return Shelved(
            fingerprint=film,
            video=video,
            ready=box.shelf.has(box.called(film, "entry"), Entry),
            version=entries[0].version if entries else "",
            sizes=box.shelf.sizes(film) | ({"download": fetched} if fetched else {}),
        )

    def _refresh(self) -> None:
        """Put into the index what is on the shelf and not in it: it can be lost, the shelf not."""
        box, known = self._toolbox, self._toolbox.index.films()
        films = box.shelf.films()
        for gone in known.keys() - set(films):
            box.index.forget(gone)
        for film in films:
            mark = box.called(film, "entry")
            if known.get(film) == mark or not box.shelf.has(mark, Entry):
                continue
            tray = State(video=box.shelf.get(mark, Entry)[0].video)
            try:
                shelved = box.film(tray)
            except ShelfError as error:
                logger.warning("%s is left out of the search: %s", tray.video.path, error)
            else:
                tools.register(mark, tray.video, shelved, box.index)

    @property
    def _toolbox(self) -> Toolbox:
        with self._building:  # several films may be at work, each in a thread
            return self._built

    @cached_property
    def _built(self) -> Toolbox:
        return self._given or build_toolbox(self._settings)

    @cached_property
    def _back_half(self) -> Compiled:
        from vmr_agent.graph import build_answer_graph

        return build_answer_graph()

    @cached_property
    def _front_half(self) -> Compiled:
        from vmr_agent.graph import build_index_graph

        return build_index_graph()

    def _watch(
        self, film: Video, run: tracing.Run, alive: Alive
    ) -> Generator[Progress | Visit, None, State]:
        """The front half, one process at a time for each film; nothing if all is shelved."""
        box, tray = self._toolbox, State(video=film)
        if box.shelved(tray):
            return tray
        with box.shelf.alone(film.fingerprint, alive):
            return (yield from self._walk(self._front_half, tray, box, run, alive))

    def _walk(
        self, graph: Compiled, tray: State, box: Toolbox, run: tracing.Run, alive: Alive
    ) -> Generator[Progress | Visit, None, State]:
        """Through a graph, in a thread, so that whoever waits can break it off."""
        give_back()  # from here on little is kept
        context, final = box.running(), tray
        showing = context.showing
        config: Any = {"recursion_limit": STEPS}

        def events(_: object) -> Iterator[Any]:
            modes: Any = ["custom", "updates", "values"]
            return graph.stream(tray, config, context=context, stream_mode=modes, subgraphs=True)

        def well() -> None:
            showing.well()
            alive()

        with ExitStack() as leaving:  # backwards: all are told to stop, then waited for a little
            leaving.callback(showing.close)
            with run.inside():
                walk = Ahead(events, well)
            leaving.callback(walk.close)
            leaving.callback(showing.stop)
            for wing, kind, event in walk:
                if kind == "custom":
                    if self._progress is not None:
                        self._progress(event)
                    yield event
                elif kind == "updates" and not wing:
                    yield from starmap(Visit, event.items())
                elif not wing:
                    final = State.model_validate(event)
        return final

    def _question(self, query: str) -> str:
        if not isinstance(query, str):
            raise QueryError(f"the query must be a string, not {type(query).__name__}")
        return tools.check(query, self._settings.max_query_words)

    def _film(self, video: str | Path) -> Video:
        if not isinstance(video, str | Path):
            raise VideoNotFoundError(f"the video must be a path, not {type(video).__name__}")
        address = _address(video)
        path = self._fetched(address) if address else Path(video).absolute()
        regular_file(path)
        if self._given is None and not is_folder(home(self._settings)):
            probe(path, "", self._settings.video)  # nothing is made for what is no film
        return self._toolbox.probe(path)

    def _fetched(self, address: str) -> Path:
        limits = self._settings.video
        if not limits.allow_urls:
            raise VideoNotFoundError(
                "an address is not fetched unless settings.video.allow_urls is set "
                "(--set video.allow_urls=true); download the film and give the file"
            )
        return downloads.film(self._toolbox.shelf, address, limits)

    def _place(self, video: str | Path) -> Path:
        """Where a film is looked for; that at an address, where it was downloaded to."""
        address = _address(video)
        known = downloads.found(self._toolbox.shelf, address) if address else None
        return known or Path(video).absolute()


def _address(video: str | Path) -> str | None:
    """The video if it is an address on the net, None if it is a path."""
    return video if isinstance(video, str) and is_url(video) else None


def _lay_at(known: Shelved, path: Path) -> bool:
    return known.video is not None and known.video.path == str(path)
