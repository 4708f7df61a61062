"""SubRip and WebVTT: cues over the film, and WebVTT chapters.

A cue says what is heard in a moment, where speech speaks for it, else why it is one. Times are
those of a player's clock, which begins with the first sound where that is before the picture.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from vmr_agent.export.wording import clean, in_order, question, reason, sure
from vmr_agent.report import RunReport
from vmr_agent.types import Moment, Span

SRT = str.maketrans("<>{}", "‹›()")
"""SubRip has tags, and no way to say that something is none."""
STAMP = re.compile(r"(\d:\d{1,2}:\d{1,2})[.,](?=\d)")
"""A time of a cue: some readers take every line that has two of them for one that says when."""
VTT = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


class Cue(NamedTuple):
    """A line, and when it is shown, in milliseconds of a player's clock."""

    start: int
    end: int
    text: str


def srt(report: RunReport) -> str:
    """SubRip (.srt), for every player."""
    cues = (
        f"{number}\n{_clock(cue.start, ',')} --> {_clock(cue.end, ',')}\n{_srt(cue.text)}\n\n"
        for number, cue in enumerate(captions(report), 1)
    )
    return "".join(cues)


def vtt(report: RunReport) -> str:
    """WebVTT captions (.vtt), for ``<track kind="captions">``."""
    return _vtt(captions(report))


def vtt_chapters(report: RunReport) -> str:
    """WebVTT chapters, one a moment, for ``<track kind="chapters">``."""
    return _vtt(chapters(report))


def captions(report: RunReport) -> list[Cue]:
    """What is heard in each moment, else why it is one; in order of time."""
    found = [
        _cue(report, span, text)
        for _, moment in in_order(report)
        for span, text in _said(moment) or [(moment.span, reason(report, moment))]
    ]
    return sorted(set(found))


def chapters(report: RunReport) -> list[Cue]:
    """One a moment, in order of time, each over before the next begins."""
    cues: list[Cue] = []
    for _, moment in in_order(report):
        cue = _cue(report, moment.span, f"{question(report)} ({sure(moment)})")
        if cues and cues[-1].end > cue.start:
            cues[-1] = cues[-1]._replace(end=cue.start)
        if cues and cues[-1].end <= cues[-1].start:  # both begin at once: the longer one
            cues.pop()
        cues.append(cue)
    return cues


def _said(moment: Moment) -> list[tuple[Span, str]]:
    """What is heard inside the moment, as its evidence has it."""
    heard = ((why.span or moment.span, clean(why.note)) for why in moment.evidence
             if why.source == "speech")  # fmt: skip
    return [
        (Span(start=max(span.start, moment.span.start), end=min(span.end, moment.span.end)), text)
        for span, text in heard
        if text and span.overlap(moment.span) > 0
    ]


def _cue(report: RunReport, span: Span, text: str) -> Cue:
    start, end = (round(1000 * (each + report.video.lead)) for each in (span.start, span.end))
    return Cue(start, max(end, start + 1), text)


def _vtt(cues: list[Cue]) -> str:
    return "".join(["WEBVTT\n\n", *(f"{_times(cue)}\n{_escaped(cue.text)}\n\n" for cue in cues)])


def _times(cue: Cue) -> str:
    return f"{_clock(cue.start, '.')} --> {_clock(cue.end, '.')}"


def _escaped(text: str) -> str:
    """No tag, no entity, no time, and no arrow, of which a line with times is known."""
    return STAMP.sub(r"\1·", text).translate(VTT)


def _srt(text: str) -> str:
    return STAMP.sub(r"\1·", text).replace("-->", "→").translate(SRT)


def _clock(milliseconds: int, point: str) -> str:
    seconds, milliseconds = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}{point}{milliseconds:03d}"
