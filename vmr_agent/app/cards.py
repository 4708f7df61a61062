"""The words of the page as HTML. What a film, its name or a question says is data: all escaped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape

from vmr_agent.app.answers import Answer
from vmr_agent.app.follow import STAGES
from vmr_agent.show import amount, clock, plain, when, why
from vmr_agent.types import Evidence, Moment, Video

SAYS = {
    "picture": "Picture",
    "speech": "Speech",
    "text": "Text",
    "sound": "Sound",
    "retrieval": "Search",
    "relevance": "Relevance",
    "caption": "Caption",
    "grounding": "Boundaries",
    "verification": "Check",
}
"""Who says so, by source of evidence."""


def text(told: str) -> str:
    """Any text, harmless in HTML and in attributes."""
    return escape(plain(told))


def short(told: str, most: int = 90) -> str:
    """Plain text, for what is no HTML: one line, and not a long one."""
    line = plain(" ".join(told.split()))
    return line if len(line) <= most else f"{line[: most - 1]}…"


def player(key: str, label: str) -> str:
    """The film, ready to be played; nothing of it is loaded but its beginning."""
    return (
        f'<video controls playsinline preload="metadata" src="/film/{escape(key)}"'
        f' aria-label="{text(label)}"></video><p class="vmr-unplayable" hidden>This browser cannot'
        " play this kind of file; the times of its moments are right all the same.</p>"
    )


def facts(video: Video, size: int, ready: bool) -> str:
    """A line about the film."""
    told = [clock(video.duration).partition(".")[0]]
    if video.has_picture:
        told += [f"{video.width} × {video.height}", f"{video.fps:.0f} frames a second"]
    told += [amount(size), "indexed" if ready else "not indexed yet"]
    return f'<p class="vmr-facts">{" · ".join(map(text, told))}</p>'


def said(message: str, kind: str = "note") -> str:
    """One line, which screen readers read out: a ``note``, an ``error``, or ``quiet``, not seen."""
    if not message:
        return ""
    line = text(" ".join(message.split()))
    return f'<p class="vmr-said vmr-{kind}">{line[:1].upper()}{line[1:]}</p>'


def stages(known: Mapping[str, tuple[float, float]]) -> str:
    """A bar for each stage of the index, as far as it is."""
    if not known:
        return ""
    rows = "".join(_stage(STAGES[room], *known.get(room, (0.0, 0.0))) for room in STAGES)
    return f'<div class="vmr-stages">{rows}</div>'


def _stage(name: str, done: float, total: float) -> str:
    share = round(100 * done / total) if total else 0
    return (
        f'<span>{name}</span><span class="vmr-bar" role="progressbar" aria-label="{name}"'
        f' aria-valuemin="0" aria-valuemax="100" aria-valuenow="{share}">'
        f'<i style="width:{share}%"></i></span><span class="vmr-share">{share} %</span>'
    )


def answer(found: Answer, formats: Iterable[str]) -> str:
    """Moments with their evidence, or an honest none; notes, and where to take it away."""
    report = found.report
    cards = "".join(_card(moment, n) for n, moment in enumerate(report.moments, 1))
    if not report.moments:
        cards = _none(found)
    notes = "".join(f"<li>{text(fault.message)}</li>" for fault in report.faults)
    notes = notes and f'<ul class="vmr-notes" aria-label="Notes">{notes}</ul>'
    head = f'<h2>“{text(report.query)}”</h2><p class="vmr-verdict">{_verdict(found)}</p>'
    return f'<div class="vmr-answer">{head}{cards}{notes}{_exports(found, formats)}</div>'


def _verdict(found: Answer) -> str:
    report = found.report
    seconds = sum(step.seconds for step in report.steps if step.room not in STAGES)
    much = found.verdict if report.moments else "Not found in this film"
    if report.status == "partial":
        much += ", as far as could be looked; see the notes"
    rounds = f", searched {report.rounds} times" if report.rounds > 1 else ""
    chat = report.models.get("chat", "off")
    asked = "" if chat == "off" else f", with {chat}"
    return text(f"{much} · {seconds:.1f} s{rounds}{asked}")


def _none(found: Answer) -> str:
    nearest = found.report.rejected
    if nearest is None:
        return '<p class="vmr-none">Nothing in it comes near to what was asked.</p>'
    return f'<p class="vmr-none">What came nearest, and was turned down:</p>{_card(nearest, 0)}'


def _card(moment: Moment, number: int) -> str:
    """``number`` as on the timeline, 0 for what was turned down."""
    sure = f"{moment.score:.0%}"
    name = f"moment {number}" if number else "what came nearest"
    reasons = "".join(map(_reason, moment.evidence))
    return (
        f'<article class="vmr-card{"" if number else " vmr-rejected"}">'
        f'<button type="button" class="vmr-play" data-start="{moment.span.start:.3f}"'
        f' data-end="{moment.span.end:.3f}" aria-label="Play {name}, {when(moment)}, {sure} sure">'
        f'<b class="vmr-number">{number or "–"}</b><span class="vmr-when">{when(moment)}</span>'
        f'<span class="vmr-sure"><i style="width:{100 * moment.score:.0f}%"></i></span>'
        f'<span class="vmr-percent">{sure}</span></button>'
        f'<p class="vmr-why">{escape(why(moment))}</p>'
        f"<details><summary>Evidence</summary><dl>{reasons}</dl></details></article>"
    )


def _reason(reason: Evidence) -> str:
    return (
        f"<dt>{SAYS[reason.source]}</dt><dd>{text(reason.note)}"
        f' <span class="vmr-score">{reason.score:.2f}</span></dd>'
    )


def _exports(found: Answer, formats: Iterable[str]) -> str:
    links = "".join(
        f'<a href="/answer/{escape(found.key)}/{escape(name)}" download>{escape(name)}</a>'
        for name in formats
    )
    return f'<nav class="vmr-exports" aria-label="Export"><span>Export</span>{links}</nav>'
