"""read_text: words on screen, from the key frames of the strip."""

from __future__ import annotations

from collections.abc import Callable

from vmr_agent.artefacts import Footage, Screen
from vmr_agent.protocols import Reader
from vmr_agent.settings import ReadSettings
from vmr_agent.strip import Reel
from vmr_agent.types import ScreenText, Span


def read_text(
    keys: Reel,
    footage: Footage,
    reader: Reader | None,
    settings: ReadSettings,
    tick: Callable[[float], None],
) -> Screen:
    """What is written, each line from its key frame until the next one or the end of the shot.

    The same line on the next key frame of the same shot continues the earlier one.
    """
    if reader is None:
        return Screen(texts=(), read=False)
    lines: list[ScreenText] = []
    duration = footage.duration
    cuts = [shot.span.start for shot in footage.shots[1:]] + [duration]
    for index, (time, image) in enumerate(zip(keys.times, keys.images(), strict=True)):
        following = [float(keys.times[index + 1])] if index + 1 < len(keys) else []
        end = min([cut for cut in cuts if cut > time][:1] + following, default=duration)
        if end > time:
            span = Span(start=float(time), end=end)
            for text, confidence in reader.read(image):
                if confidence >= settings.min_confidence:
                    _add(lines, ScreenText(span=span, text=text, confidence=confidence))
        tick(float(time))
    return Screen(texts=tuple(lines), read=True)


def _add(lines: list[ScreenText], new: ScreenText) -> None:
    for index in range(len(lines) - 1, max(-1, len(lines) - 40), -1):
        old = lines[index]
        if old.text == new.text and old.span.end == new.span.start:
            lines[index] = old.model_copy(update={"span": old.span.union(new.span)})
            return
    lines.append(new)
