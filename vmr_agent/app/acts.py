"""What happens on the page when something is chosen, asked or stopped.

Everything that a browser sends is a key, a question, or a file that was just uploaded; a key that
is not known opens nothing. What changes is said by the names of the page's parts: a new value, or a
dictionary of properties.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from vmr_agent.app import cards
from vmr_agent.app.desk import Desk
from vmr_agent.app.films import Offered
from vmr_agent.app.follow import Follow
from vmr_agent.app.timeline import timeline
from vmr_agent.app.work import Job, Work, asking, looking
from vmr_agent.errors import CallerError, Stopped, VideoNotFoundError, VmrError
from vmr_agent.files import is_file
from vmr_agent.types import Video

PATIENCE = 0.25  # seconds between two changes of the page while something is at work
Changes = dict[str, Any]
CLEAR: Changes = dict.fromkeys(("facts", "player", "timeline", "stages", "status", "answer"), "")
IDLE: Changes = {
    "ask": {"interactive": True},
    "index": {"interactive": True},
    "stop": {"visible": False},
}
BUSY: Changes = {
    "ask": {"interactive": False},
    "index": {"interactive": False},
    "stop": {"visible": True},
}


class Past(NamedTuple):
    """What one page has seen: keys only."""

    uploads: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()
    """Answers, the oldest first."""


class Acts:
    """The acts of all pages of one server; ``page`` names one of them."""

    def __init__(self, desk: Desk, uploaded: Path, formats: Sequence[str]) -> None:
        self._desk, self._uploaded, self._formats = desk, uploaded.resolve(), formats

    def choices(self, past: Past) -> list[tuple[str, str]]:
        """Films that can be chosen: what they are called, and their keys."""
        return [(film.label, film.key) for film in self._desk.films.listed(*past.uploads)]

    def choose(self, key: object, past: Past) -> Changes:
        """Show a film, and what was last asked about it."""
        nothing = {**CLEAR, "index": {"visible": False}, "asked": {"visible": False}}
        if not key:
            return nothing
        try:
            film = self._desk.films.film(key)
            video, size, ready = self._desk.facts(film)
        except VmrError as error:
            return {**nothing, "status": cards.said(str(error), "error")}
        answers = [answer.key for answer in self._about(film.key, past)]
        return {
            **nothing,
            "facts": cards.facts(video, size, ready),
            "player": cards.player(film.key, film.label),
            "timeline": timeline(video.duration, None),
            "index": {"visible": not ready},
            **(self.recall(answers[-1], past) if answers else {}),
        }

    def take_in(self, path: str | None, past: Past) -> Changes:
        """Offer an uploaded film, if it is one; what is none is thrown away again."""
        try:
            film = self._received(path)
        except VmrError as error:
            return {"status": cards.said(str(error), "error"), "upload": None}
        past = past._replace(uploads=(*past.uploads, film.key))
        chosen = {"choices": self.choices(past), "value": film.key}
        return {**self.choose(film.key, past), "film": chosen, "past": past, "upload": None}

    def look(self, key: object, page: str) -> Iterator[Changes]:
        """The once-per-video half, stage by stage."""
        try:
            film = self._chosen(key)
            for seen in self._followed(page, looking(film.path)):
                if seen.video is None:
                    yield {**BUSY, **_watched(seen)}
                else:
                    told = cards.said("The film is indexed: ask away.")
                    yield {**self._indexed(film, seen.video), "status": told}
        except VmrError as error:
            yield _ended(error)

    def ask(self, key: object, question: str, past: Past, page: str) -> Iterator[Changes]:
        """A question, room by room: proposals come faint, then moments."""
        try:
            film = self._chosen(key)
            for seen in self._followed(page, asking(film.path, question)):
                if seen.report is None:
                    yield {**BUSY, **_watched(seen)}
                    continue
                answer = self._desk.answers.keep(film.key, seen.report, seen.trace)
                past = past._replace(asked=(*past.asked, answer.key))
                told = cards.said(cards.short(f"{answer.verdict}: {seen.report.query}"), "quiet")
                shown = {**self.recall(answer.key, past), "past": past, "status": told}
                yield {**self._indexed(film, seen.report.video), **shown}
        except VmrError as error:
            yield _ended(error)

    def recall(self, key: object, past: Past) -> Changes:
        """Show an answer, again."""
        answer = self._desk.answers.find(key) if key in past.asked else None
        if answer is None:
            return {"status": cards.said("this answer is no longer kept; ask again", "error")}
        report = answer.report
        nearest = () if report.moments or report.rejected is None else (report.rejected,)
        drawn = timeline(report.video.duration, answer.trace, nearest, report.moments)
        questions = [
            (cards.short(f"{each.report.query} — {each.verdict}"), each.key)
            for each in self._about(answer.film, past)
        ]
        asked = {"choices": questions, "value": answer.key, "visible": True}
        return {
            "timeline": drawn,
            "answer": cards.answer(answer, self._formats),
            "asked": asked,
            "status": "",
        }

    def stop(self, page: str) -> None:
        """Break off what is at work for the page."""
        self._desk.stop(page)

    def _about(self, film: str, past: Past) -> list[Any]:
        found = (self._desk.answers.find(key) for key in past.asked)
        return [answer for answer in found if answer is not None and answer.film == film]

    def _chosen(self, key: object) -> Offered:
        if not key:
            raise VideoNotFoundError("choose a film first, or upload one")
        return self._desk.films.film(key)

    def _received(self, given: str | None) -> Offered:
        path = Path(given or "").resolve()
        # Each lies in a folder of its own.
        if given is None or path.parent.parent != self._uploaded or not is_file(path):
            raise VideoNotFoundError("nothing was uploaded; choose a film or a sound file")
        try:
            self._desk.box.probe(path)
        except CallerError as error:
            shutil.rmtree(path.parent, ignore_errors=True)
            told = str(error).replace(repr(str(path)), repr(path.name))
            raise type(error)(told) from error
        return self._desk.films.upload(path)

    def _indexed(self, film: Offered, video: Video) -> Changes:
        facts = cards.facts(video, film.path.stat().st_size, True)
        return {**IDLE, "facts": facts, "stages": "", "index": {"visible": False}}

    def _followed(self, page: str, job: Job) -> Iterator[Follow]:
        """The run, again and again as it goes on; it ends when nobody looks any more."""
        work = Work(self._desk.box, job, self._desk.turn)
        seen = Follow(self._desk.box.shelf)
        self._desk.begin(page, work)
        try:
            yield seen
            for events in work.news(PATIENCE):
                seen.take(events)
                yield seen
        finally:
            self._desk.end(page, work)


def _watched(seen: Follow) -> Changes:
    """As far as the run is. Said in steps of a tenth, or screen readers talk without end."""
    share = f", {seen.share:.0%}"[:-2] + "0 %" if seen.share >= 0.1 else ""
    told = cards.said(f"{seen.doing or 'Looking at the film'}{share} …")
    changes: Changes = {"status": told, "stages": ""}
    if seen.stages and not seen.trace:
        changes["stages"] = cards.stages(seen.stages)
    if seen.trace is not None:
        drawn = timeline(seen.length, seen.trace, seen.proposals, seen.moments)
        changes |= {"timeline": drawn, "answer": ""}
    return changes


def _ended(error: VmrError) -> Changes:
    kind = "note" if isinstance(error, Stopped) else "error"
    return {**IDLE, "stages": "", "status": cards.said(str(error), kind)}
