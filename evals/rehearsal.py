"""What the grounding network would be given of a film that never was.

Curves are made up, all that follows is the agent's own: its rooms cut clips and propose windows,
its adapter makes the question. So a network that learns from rehearsals learns from what it will be
asked, whatever becomes of the rooms.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vmr_agent import Settings, tools
from vmr_agent.artefacts import Curves, Entry
from vmr_agent.boundaries import blind, request
from vmr_agent.film import Film
from vmr_agent.grounding.excerpt import Excerpt
from vmr_agent.grounding.inputs import Floats
from vmr_agent.protocols import GroundRequest
from vmr_agent.types import Candidate, Channel, Moment, Shot, Span, Video


def asked(
    rows: Floats,
    channels: tuple[Channel, ...],
    step: float,
    cuts: Sequence[float],
    settings: Settings,
) -> GroundRequest | None:
    """What a grounder is asked about a film; None if retrieval finds nothing worth a look.

    ``rows`` (C, T) are relevance in [0, 1] in steps of ``step`` seconds, ``cuts`` the seconds at
    which shots begin. ``excerpt(known(asked(…)), …)`` is what goes through the network.
    """
    film, made = _film(rows.shape[1] * step, cuts), (Curves(step=step, channels=channels), rows)
    clips = tools.trim(_candidates(film, made, settings), film.video.duration, settings.trim)
    each = (tools.ground(clip, film, *made, settings.ground) for clip in clips)
    ruled = [proposal for proposals in each for proposal in proposals]
    return request("", clips, film, made, ruled, blind) if clips else None


class Searched(NamedTuple):
    """What one round of the search comes to."""

    candidates: tuple[Candidate, ...]
    moments: tuple[Moment, ...]
    """Those that are accepted."""


def searched(
    made: tuple[Curves, Floats], cuts: Sequence[float], turn: int, settings: Settings
) -> Searched:
    """What the agent's rooms make of curves alone, boundaries by hand."""
    found, rows = made
    film, arrays = _film(rows.shape[1] * found.step, cuts), {"curves": rows}
    duration = film.video.duration
    told = tools.retrieve("", (found, arrays), duration, turn, settings.retrieve).candidates
    kept = tools.filter_relevance(told, settings.filter).kept
    clips = tools.trim(kept, duration, settings.trim)
    each = (tools.ground(clip, film, found, rows, settings.ground) for clip in clips)
    proposals = tuple(proposal for proposals in each for proposal in proposals)
    return Searched(told, tools.verify(proposals, (), settings.verify).moments)


def moments(found: Excerpt, spans: NDArray[np.float64]) -> Floats:
    """(G, 2) true spans in seconds of the film, in steps of its excerpt; those left out are not."""
    inside = found.steps(spans.reshape(-1, 2))
    return inside[inside[:, 1] - inside[:, 0] > 0].astype(np.float32)


def _candidates(
    film: Film, made: tuple[Curves, Floats], settings: Settings
) -> tuple[Candidate, ...]:
    """Those of the first round that has any that pass; of the last one, those that are nearest."""
    found, rows = made
    kept: tuple[Candidate, ...] = ()
    for turn in range(1, len(settings.retrieve.smooth) + 1):
        arrays = found, {"curves": rows}
        retrieval = tools.retrieve("", arrays, film.video.duration, turn, settings.retrieve)
        sieve = tools.filter_relevance(retrieval.candidates, settings.filter)
        kept = sieve.kept
        if sieve.passing:
            break
    return kept


def _film(duration: float, cuts: Sequence[float]) -> Film:
    """A film of which nothing is known but its shots."""
    nothing = np.zeros((0, 1), np.float32)
    edges = [0.0, *(cut for cut in cuts if 0 < cut < duration), duration]
    video = Video(path="", fingerprint="", duration=duration, has_picture=True, has_audio=False)
    return Film(
        entry=Entry(video=video, heard=duration, read=True),
        shots=tuple(Shot(span=Span(start=a, end=b)) for a, b in pairwise(edges)),
        times=np.zeros(0),
        vectors=nothing,
        utterances=(),
        speech=nothing,
        speakers=np.zeros(0, np.int64),
        texts=(),
        text=nothing,
        levels=nothing,
    )
