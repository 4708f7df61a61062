"""What all pages of one server share."""

from __future__ import annotations

from threading import Lock

from vmr_agent.app.answers import Answers
from vmr_agent.app.films import Films, Offered
from vmr_agent.app.work import Work
from vmr_agent.serving import ServeSettings
from vmr_agent.state import State
from vmr_agent.toolbox import Toolbox
from vmr_agent.types import Video


class Desk:
    """Films on offer, answers that are kept, and who is at work for which page."""

    def __init__(self, box: Toolbox, films: Films, settings: ServeSettings) -> None:
        self.box, self.films = box, films
        self.answers = Answers(settings.answers)
        self.turn = Lock()
        """Held by the run that is at work."""
        self._lock, self._works = Lock(), dict[str, Work]()

    def facts(self, film: Offered) -> tuple[Video, int, bool]:
        """The film, its bytes, and whether it is indexed. Raises CallerError for what is none."""
        video = self.box.probe(film.path)
        ready = self.box.shelved(tray := State(video=video))
        known = self.box.entry(tray).video if ready else video
        return known, film.path.stat().st_size, ready

    def begin(self, page: str, work: Work) -> None:
        """Start it, and end whatever else is at work for the page."""
        self.stop(page)
        with self._lock:
            self._works[page] = work
        work.start()

    def end(self, page: str, work: Work) -> None:
        """It is over, however it ended."""
        work.stop()
        with self._lock:
            if self._works.get(page) is work:
                del self._works[page]

    def stop(self, page: str) -> None:
        """Break off what is at work for the page, if anything is."""
        with self._lock:
            work = self._works.get(page)
        if work is not None:
            work.stop()
