"""A grounder tried on gathered rounds: what the agent would answer with it, in seconds.

Rounds that were gathered with the hand rules (``models.grounder=rules``) hold all that a grounder
is asked, but for frames to look at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

from evals.needle.gather import Round
from vmr_agent import tools
from vmr_agent.boundaries import blind
from vmr_agent.protocols import Bounded, Grounder, GroundRequest
from vmr_agent.settings import VerifySettings
from vmr_agent.types import Clip, Evidence, Proposal, Span

Arrays = Mapping[str, NDArray[Any]]


def replayed(
    rounds: Sequence[Round], arrays: Arrays, grounder: Grounder, settings: VerifySettings
) -> list[Round]:
    """The same rounds with this grounder's proposals, and what `verify` accepts of them."""
    return [_replayed(each, arrays, grounder, settings) for each in rounds]


def request(told: Round, arrays: Arrays) -> GroundRequest:
    """What a grounder is asked in a round."""
    return GroundRequest(
        text=told.query,
        clips=tuple(_span(window) for window in told.clips),
        duration=told.duration,
        step=told.step,
        channels=tuple(told.channels),
        curves=arrays[told.curves],
        cuts=tuple(cut for cut in arrays[told.cuts].tolist() if cut < told.duration),
        candidates=tuple(
            Bounded(_span(each), min(1.0, max(0.0, each[2]))) for each in told.proposals
        ),
        look=blind,
    )


def _replayed(told: Round, arrays: Arrays, grounder: Grounder, settings: VerifySettings) -> Round:
    if not told.clips:
        return told
    reply = grounder.ground(request(told, arrays))
    clips = [Clip(span=_span(each), score=each[2]) for each in told.clips]
    notes = told.notes or [""] * len(told.proposals)
    ruled = [_proposal(each, note) for each, note in zip(told.proposals, notes, strict=True)]
    made = sorted(tools.placed(clips, ruled, reply), key=lambda each: -each.score)
    verdict = tools.verify(tuple(made), (), settings, told.occurrence)
    return told._replace(
        proposals=[(each.span.start, each.span.end, each.score) for each in made],
        answer=[(each.span.start, each.span.end, each.score) for each in verdict.moments],
        notes=[each.evidence[-1].note for each in made],
    )


def _proposal(window: tuple[float, float, float], note: str) -> Proposal:
    start, end, score = window
    why = Evidence(source="grounding", note=note, score=score, span=Span(start=start, end=end))
    return Proposal(span=Span(start=start, end=end), score=score, evidence=(why,))


def _span(window: Sequence[float]) -> Span:
    return Span(start=window[0], end=window[1])
