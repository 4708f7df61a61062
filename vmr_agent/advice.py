"""The back half's rooms, with a chat model's advice where there is one.

Every room has a local way; what the model says is added to it. If it cannot be asked, because the
budget is spent or the endpoint is down, the room goes on alone and says so.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

from vmr_agent import questions, tools
from vmr_agent.artefacts import Curves, Generic
from vmr_agent.counsel import Counsel
from vmr_agent.errors import BudgetSpent, ChatRefusedError, ServiceError
from vmr_agent.film import Film
from vmr_agent.gallery import Gallery
from vmr_agent.intervals import Spans, joined, rest
from vmr_agent.report import Fault
from vmr_agent.rounds import Verdict
from vmr_agent.state import State
from vmr_agent.toolbox import Toolbox
from vmr_agent.types import Moment, Query, Scored, Span
from vmr_agent.words import tokens

T = TypeVar("T")
Faults = tuple[Fault, ...]
Judgements = dict[int, questions.Judgement | None]

SAMPLE = 5  # utterances of which …
LANGUAGE = 200  # … so many characters tell the language
PIECE = 30.0  # seconds of one shot that are looked at together when nothing is known of it (SMART)


def asked(room: str, box: Toolbox, ask: Callable[[Counsel], T], alone: T) -> tuple[T, Faults]:
    """What the chat model answers, or ``alone`` where there is none or it cannot be asked."""
    if box.counsel is None:
        return alone, ()
    try:
        box.counsel.check()  # before anything is decoded for it to look at
        return ask(box.counsel), ()
    except ChatRefusedError:
        raise  # key, model or address are wrong: nobody wants to wait for a poorer answer
    except ServiceError as error:
        kind = "budget" if isinstance(error, BudgetSpent) else "chat"
        fault = Fault(room=room, kind=kind, message=f"{error}; went on without it")
        return alone, (fault,) if box.counsel.first_told(str(error)) else ()


def understood(box: Toolbox, state: State) -> tuple[Query, Faults]:
    """The question, taken apart."""
    local = tools.understand(state.request)

    def ask(counsel: Counsel) -> Query:
        said = " ".join(each.text for each in box.film(state).utterances[:SAMPLE])
        # They tell the language in any order, and command nothing.
        heard = " ".join(sorted(set(tokens(said))))[:LANGUAGE]
        return questions.reading(counsel, state.video.fingerprint, local, heard)

    return asked("understand", box, ask, local)


def votes(box: Toolbox, state: State) -> tuple[dict[int, float], Faults]:
    """How relevant the candidates are to a model, by their place."""
    found = state.found.candidates

    def ask(counsel: Counsel) -> dict[int, float]:
        seen = _views(box, state, _scores(found), [each.span for each in found])
        told = questions.sightings(counsel, state.video.fingerprint, state.wording, seen)
        likely = {n: told[view.id] for n, view in enumerate(seen) if view.id in told}
        return {n: vote * _in_order(box, state, found[n].span) for n, vote in likely.items()}

    return asked("filter_relevance", box, ask, {}) if found else ({}, ())


def _in_order(box: Toolbox, state: State, span: Span) -> float:
    """What is left of a model's vote where the order asked for does not hold: frames hide it."""
    found, arrays = box.shelf.get(state.found.curves, Curves)
    first, last = int(span.start / found.step), math.ceil(span.end / found.step)
    return float(arrays["order"][first : max(last, first + 1)].max(initial=0))


def captions(box: Toolbox, state: State) -> tuple[dict[int, str], Faults]:
    """A model's captions of the candidates that were kept, by their place.

    With the question in mind where they are relevant, of whatever there is where none is.
    """
    kept = state.sifted.kept

    def ask(counsel: Counsel) -> dict[int, str]:
        if not state.sifted.passing:
            return _generic(counsel, box, state)
        seen = _views(box, state, _scores(kept), [each.span for each in kept])
        told = questions.captions(counsel, state.video.fingerprint, state.asked.text, seen)
        return {n: told[view.id] for n, view in enumerate(seen) if told.get(view.id)}

    return asked("caption", box, ask, {}) if kept else ({}, ())


def _generic(counsel: Counsel, box: Toolbox, state: State) -> dict[int, str]:
    """What the shot shows in which each candidate mostly lies; asked once for all questions."""
    shelf, keeps = box.shelf, box.settings.caption.mode == "LE"
    hosts = [_host(each.span, box.film(state)) for each in state.sifted.kept]
    names = {span: box.name(state, "generic", span.model_dump()) for span in hosts}
    known = {
        span: shelf.get(name, Generic)[0].text
        for span, name in names.items()
        if keeps and shelf.has(name, Generic)
    }
    new = [span for span in names if span not in known]
    if new:
        seen = _views(box, state, [1.0] * len(new), new)
        told = questions.captions(counsel, state.video.fingerprint, "", seen)
        # What it had nothing to say about need not be asked again either; what it forgot must be.
        answered = {view.span: told[view.id] for view in seen if view.id in told}
        for span, text in answered.items() if keeps else ():
            shelf.put(names[span], Generic(text=text), {})
        known |= answered
    return {n: known[span] for n, span in enumerate(hosts) if known.get(span)}


def _host(span: Span, film: Film) -> Span:
    """The shot that most of it lies in; itself where there is no picture."""
    shots = [shot.span for shot in film.shots if shot.span.overlap(span) > 0]
    return max(shots, key=span.overlap, default=span)


def judgements(box: Toolbox, state: State) -> tuple[Judgements, Faults]:
    """What a model makes of the best and most important proposals, by their place among all.

    As many as go into one request, and once more as many of those that would be accepted unseen.
    """
    settings, found = box.settings.verify, state.proposals
    worth = [each.score + each.importance for each in found]
    best = sorted(range(len(worth)), key=lambda n: -worth[n])
    first, others = best[: settings.judged], best[settings.judged :]
    judged, faults = _judged(box, state, first)
    if not judged:
        return {}, faults
    others = [n for n in others if found[n].score >= settings.accept][: settings.judged]
    more, further = _judged(box, state, others)
    # What could not be asked goes by its score, as all of it does where nothing could be asked.
    return judged | (more or dict.fromkeys(others)), faults + further


def _judged(box: Toolbox, state: State, places: Sequence[int]) -> tuple[Judgements, Faults]:
    """One request about the proposals in these places."""
    chosen = [state.proposals[n] for n in places]

    def ask(counsel: Counsel) -> Judgements:
        duration = box.entry(state).video.duration
        wider = [each.span.pad(each.span.length / 2).clamp(duration) for each in chosen]
        seen = _views(box, state, _scores(chosen), wider, [each.span for each in chosen])
        told = questions.judgements(counsel, state.video.fingerprint, state.asked, seen)
        answers = (told.get(view.id) for view in seen)
        return {
            place: judgement and judgement.weakened(_in_order(box, state, each.span))
            for place, each, judgement in zip(places, chosen, answers, strict=True)
        }

    return asked("verify", box, ask, {}) if chosen else ({}, ())


def counted(state: State) -> tuple[Moment, ...]:
    """What held in earlier rounds, where nobody has looked again in this one."""
    spans = [each.span for each in state.found.candidates]

    def again(held: Span) -> bool:
        return any(_mostly(held, span) or _mostly(span, held) for span in spans)

    return tuple(each for each in state.horizon.counted if not again(each.span))


def outcome(box: Toolbox, state: State) -> Verdict:
    """The round's verdict; one on the candidates where none was worth a closer look."""
    sieve, which = state.sifted, state.asked.occurrence
    seen, settings = sieve.kept + sieve.dropped, box.settings.verify
    return state.verdict or tools.verify((), seen, settings, which, counted=counted(state))


def reworded(box: Toolbox, state: State, verdict: Verdict) -> tuple[Query | None, Faults]:
    """The question in other words, None where nobody has any."""
    rejected = tools.nearest(state.horizon, verdict)

    def ask(counsel: Counsel) -> Query | None:
        return questions.rephrased(counsel, state.video.fingerprint, state.asked, rejected)

    return asked("widen", box, ask, None)


def horizon(box: Toolbox, state: State) -> tuple[Spans, Spans]:
    """Where a model has looked, and where nobody has as yet, shot by shot; nothing without one."""
    if box.counsel is None or box.counsel.silent:
        return (), ()
    film, looked = box.film(state), joined(state.horizon.looked)
    left = rest(looked, film.seen)
    parts = (piece for shot in film.shots for piece in _pieces(shot.span))
    return looked, tuple(part for part in parts if any(_mostly(part, free) for free in left))


def _pieces(span: Span) -> Sequence[Span]:
    count = max(1, round(span.length / PIECE))
    edges = [span.start + span.length * k / count for k in range(count + 1)]
    return [Span(start=a, end=b) for a, b in pairwise(edges)]


def _mostly(part: Span, free: Span) -> bool:
    return part.overlap(free) > part.length / 2


def _views(
    box: Toolbox,
    state: State,
    scores: Sequence[float],
    spans: Sequence[Span],
    inside: Sequence[Span] = (),
) -> list[questions.View]:
    """What a model gets to see of them."""
    footage = box.name(state, "footage")
    gallery = Gallery(box.shelf, footage, Path(state.video.path), box.settings)
    chat = box.settings.chat
    return questions.views(
        spans,
        scores,
        box.film(state),
        gallery,
        chat.images,
        chat.image_side,
        box.showing.alive,
        inside,
    )


def _scores(found: Sequence[Scored]) -> list[float]:
    return [each.score for each in found]
