"""A question's timeline as HTML: a curve for each channel, and moments as buttons over it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from vmr_agent.app.follow import Trace
from vmr_agent.show import clock
from vmr_agent.types import Channel, Scored

LABELS: dict[Channel, str] = {
    "picture": "seen",
    "speech": "said",
    "text": "written",
    "sound": "heard",
}
STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)
"""Seconds between two marks of the clock."""
MARKS = 6  # on the clock at most: more run into one another on a phone
LEAST = 0.6  # per cent of the width that a moment has at least, or nobody hits it


def timeline(
    duration: float,
    trace: Trace | None,
    proposals: Sequence[Scored] = (),
    moments: Sequence[Scored] = (),
) -> str:
    """HTML; ``duration`` of the film in seconds. Proposals are faint, moments solid and numbered.

    Positions are per cent of the width, so that it fits any screen.
    """
    if duration <= 0:
        return ""
    rows = "".join(_row(channel, values, trace, duration) for channel, values in _curves(trace))
    faint = "".join(_mark(each, duration, "") for each in proposals)
    solid = "".join(_mark(each, duration, str(n)) for n, each in enumerate(moments, 1))
    told = f"{len(moments)} moments" if moments else "no moments yet"
    return (
        f'<div class="vmr-timeline" role="group" aria-label="Timeline: {told}"'
        f' data-duration="{duration:.3f}"><div class="vmr-lanes">'
        f'<div class="vmr-lane vmr-marks"><div class="vmr-track">{faint}{solid}</div></div>{rows}'
        f'<div class="vmr-playhead" aria-hidden="true"></div></div>{_clock(duration)}</div>'
    )


def _curves(trace: Trace | None) -> Iterable[tuple[Channel, tuple[float, ...]]]:
    return trace.curves.items() if trace else ()


def _row(channel: Channel, values: tuple[float, ...], trace: Trace | None, duration: float) -> str:
    """A curve as a filled area, 100 units wide and 1 high, stretched to what room there is."""
    assert trace is not None
    apart = trace.duration / len(values) / duration * 100
    tops = " ".join(
        f"L{i * apart:.2f} {1 - v:.3f}L{(i + 1) * apart:.2f} {1 - v:.3f}"
        for i, v in enumerate(values)
    )
    end = len(values) * apart
    return (
        f'<div class="vmr-lane vmr-{channel}"><span class="vmr-label">{LABELS[channel]}</span>'
        '<div class="vmr-track"><svg viewBox="0 0 100 1" preserveAspectRatio="none"'
        f' aria-hidden="true"><path d="M0 1{tops}L{end:.2f} 1Z"/></svg></div></div>'
    )


def _mark(scored: Scored, duration: float, number: str) -> str:
    """For the mouse; the cards below are what the keyboard has, so it is no second stop there."""
    left = min(100.0, scored.span.start / duration * 100)
    width = max(LEAST, min(100.0, scored.span.end / duration * 100) - left)
    place = f"left:{min(left, 100 - width):.3f}%;width:{width:.3f}%"
    if not number:
        return f'<span class="vmr-proposal" style="{place}" aria-hidden="true"></span>'
    when = escape(f"{clock(scored.span.start)} – {clock(scored.span.end)}")
    return (
        f'<button type="button" class="vmr-mark" style="{place}" tabindex="-1" title="{when}"'
        f' aria-label="Play moment {number}, {when}" data-start="{scored.span.start:.3f}"'
        f' data-end="{scored.span.end:.3f}">{number}</button>'
    )


def _clock(duration: float) -> str:
    step = next((s for s in STEPS if duration / s <= MARKS), STEPS[-1])
    number = int(duration // step) + 1
    marks = (
        f'<span style="left:{i * step / duration * 100:.3f}%">{_short(i * step)}</span>'
        for i in range(number)
        if i * step / duration < 0.97  # the last would stick out
    )
    return f'<div class="vmr-clock" aria-hidden="true">{"".join(marks)}</div>'


def _short(seconds: float) -> str:
    return clock(seconds).partition(".")[0]
