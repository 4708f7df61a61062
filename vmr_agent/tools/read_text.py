"""read_text: words on screen, from the key frames of the strip."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from vmr_agent.artefacts import Footage, Glance, Glances, Screen
from vmr_agent.playback import Reel
from vmr_agent.protocols import Reader
from vmr_agent.settings import ReadSettings
from vmr_agent.types import ScreenText, Span

RECENT = 40  # lines looked back over for the one that a new line continues


def read_reel(
    reel: Reel, reader: Reader | None, settings: ReadSettings, tick: Callable[[float], None]
) -> Glances:
    """What is written on each key frame of a reel."""
    glances = []
    for key in reel.keys if reader is not None else ():
        tick(key.time)
        assert reader is not None
        lines = [line for line in reader.read(key.image) if line[1] >= settings.min_confidence]
        glances.append(Glance(time=key.time, lines=tuple(lines)))
    return Glances(glances=tuple(glances))


def read_text(reels: Iterable[Glances], footage: Footage, reads: bool) -> Screen:
    """Each line from the key frame it is first seen on until one without it, or a cut.

    The same line on the next key frame of the same shot continues the earlier one.
    """
    glances = [glance for reel in reels for glance in reel.glances]
    cuts = [shot.span.start for shot in footage.shots[1:]]
    lines: list[ScreenText] = []
    upcoming = 0
    for index, glance in enumerate(glances):
        while upcoming < len(cuts) and cuts[upcoming] <= glance.time:
            upcoming += 1
        following = [each.time for each in glances[index + 1 : index + 2]]
        end = min([*cuts[upcoming : upcoming + 1], *following], default=footage.duration)
        if end > glance.time:
            span = Span(start=glance.time, end=end)
            for text, confidence in glance.lines:
                _add(lines, ScreenText(span=span, text=text, confidence=confidence))
    return Screen(texts=tuple(lines), read=reads)


def _add(lines: list[ScreenText], new: ScreenText) -> None:
    for index in range(len(lines) - 1, max(-1, len(lines) - RECENT), -1):
        old = lines[index]
        if old.text == new.text and old.span.end == new.span.start:
            lines[index] = old.model_copy(update={"span": old.span.union(new.span)})
            return
    lines.append(new)
