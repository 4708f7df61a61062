"""read_text: words on screen, from the key frames of the strip."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from vmr_agent.artefacts import Footage, Glance, Glances, Screen
from vmr_agent.playback import Reel
from vmr_agent.protocols import Reader
from vmr_agent.settings import ReadSettings
from vmr_agent.types import ScreenText, Span
from vmr_agent.words import tokens

AGAIN = 1.5
"""Seconds after which a line that is read again has been there all the time: behind a cut, or
where it was misread once."""


def read_reel(
    reel: Reel, reader: Reader | None, settings: ReadSettings, tick: Callable[[float], None]
) -> Glances:
    """What is written on each key frame of a reel."""
    glances: list[Glance] = []
    for key in reel.keys if reader is not None else ():
        tick(key.time)
        assert reader is not None
        news = key.news
        # What went where nothing was read was texture, and has left nothing to be read.
        blank = news is not None and not news.comes and bool(glances) and not glances[-1].lines
        lines = () if blank else reader.read(key.image)
        sure = tuple(line for line in lines if line[1] >= settings.min_confidence)
        since, gone = (news.since, not news.comes) if news else (None, False)
        glances.append(Glance(time=key.time, lines=sure, since=since, gone=gone))
    return Glances(glances=tuple(glances))


def read_text(reels: Iterable[Glances], footage: Footage, reads: bool, apart: float) -> Screen:
    """Each line from when it came, or the key frame it is first seen on, until it is gone.

    That is when writing was seen to go, else the next key frame without it, or a cut before that.
    ``apart`` is the seconds between two samples, by which a cut is met late.
    """
    glances = [glance for reel in reels for glance in reel.glances]
    cuts = np.asarray([shot.span.start for shot in footage.shots[1:]])
    lines: list[ScreenText] = []
    latest: dict[str, int] = {}
    for glance, after in pairwise([*glances, None]):
        assert glance is not None
        start = _begun(glance, cuts, apart)
        end = min(_end(glance, after, cuts, apart), footage.duration)
        for text, confidence in glance.lines if end > max(start, glance.time) else ():
            letters = "".join(tokens(text))
            known = latest.get(letters)
            if known is not None and start - lines[known].span.end < AGAIN:
                lines[known] = _until(lines[known], end, text)
                continue
            latest[letters] = len(lines)
            span = Span(start=start, end=end)
            lines.append(ScreenText(span=span, text=text, confidence=confidence))
    return Screen(texts=tuple(lines), read=reads)


def _begun(glance: Glance, cuts: NDArray[np.float64], apart: float) -> float:
    """Since when it has been as it is: since the cut, if one is between two samples there."""
    since = glance.time - apart / 2 if glance.since is None else glance.since
    near = cuts[np.abs(cuts - since) <= apart / 2][:1].tolist()
    return near[0] if near else glance.time if glance.since is None else since


def _end(glance: Glance, after: Glance | None, cuts: NDArray[np.float64], apart: float) -> float:
    """Until when its lines are there that the next one lacks."""
    if after is not None and after.gone:
        return _begun(after, cuts, apart)
    upcoming = cuts[cuts > glance.time][:1].tolist()
    return min([*upcoming, *([_begun(after, cuts, apart)] if after else [])], default=np.inf)


def _until(line: ScreenText, end: float, text: str) -> ScreenText:
    """The line, there until then; read with more spaces it is read better."""
    better = max(line.text, text, key=lambda each: len(tokens(each)))
    return line.model_copy(update={"span": Span(start=line.span.start, end=end), "text": better})
