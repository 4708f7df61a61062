"""What a model says of where moments are, read strictly: what does not fit is nothing.

    read('{"moments": [{"start": 2.0, "end": 5.5}]}', clip, 0.5)

Times are seconds from where the clip starts. Form is judged as a whole: one word beside the object,
one field too many or one number that is none, and nothing was said. Places are judged one by one.
No span is ever mended, split or guessed.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn

from vmr_agent.types import Span

NAME, START, END = "moments", "start", "end"
FENCE = re.compile(r"```(?:json)?\s*\n(.*)\n\s*```", re.DOTALL)
"""What chat models put around JSON, asked or not."""
LONGEST = 20_000
"""Characters of an answer; longer is none."""


def read(text: str, clip: Span, slack: float) -> tuple[Span, ...]:
    """The spans that the text names, in its order, each once, in seconds of the film.

    One that reaches over an end of the clip by ``slack`` seconds or less is cut there; one that
    reaches further, or does not end after it starts, is left out.
    """
    placed = (_placed(start, end, clip, slack) for start, end in _told(text))
    return tuple(dict.fromkeys(span for span in placed if span is not None))


def _placed(start: float, end: float, clip: Span, slack: float) -> Span | None:
    if not -slack <= start < end <= clip.length + slack:
        return None
    first, last = clip.start + max(0.0, start), min(clip.end, clip.start + end)
    return Span(start=first, end=last) if first < last else None


def _told(text: str) -> list[tuple[float, float]]:
    """Starts and ends as they were written; nothing if anything is not as asked."""
    bare = text.strip()
    fenced = FENCE.fullmatch(bare)
    try:
        if len(bare) > LONGEST:
            return []
        found = json.loads(
            fenced[1] if fenced else bare, parse_constant=_refuse, object_pairs_hook=_once
        )
        (listed,) = _fields(found, NAME)
        if not isinstance(listed, list):
            return []
        pairs = [_fields(each, START, END) for each in listed]
        return [(_seconds(start), _seconds(end)) for start, end in pairs]
    except (ValueError, OverflowError, RecursionError):
        return []


def _fields(found: Any, *names: str) -> list[Any]:
    """The values of an object that has these fields and no other. Raises ValueError."""
    if not isinstance(found, dict) or set(found) != set(names):
        raise ValueError
    return [found[name] for name in names]


def _seconds(value: Any) -> float:
    """A finite number. Raises ValueError, or OverflowError for an integer beyond all floats."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError
    return float(value)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object no field of which stands in it twice. Raises ValueError."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError
    return found


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")
