"""The rooms of the back half with their work left out: what an ablation puts in their place.

Each hands on what it was given in the form that the next room wants, and judges nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from vmr_agent.rounds import Sieve, Verdict
from vmr_agent.state import State, Update
from vmr_agent.toolbox import Toolbox
from vmr_agent.types import Clip, Moment, Proposal, Query, Scored
from vmr_agent.words import content


def understand(state: State, _: Toolbox) -> Update:
    """The words as they are."""
    words = tuple(dict.fromkeys(content(state.request)))
    return {"query": Query(text=state.request, scene=state.request, keywords=words)}


def filter_relevance(state: State, _: Toolbox) -> Update:
    """Every candidate passes."""
    found = state.found.candidates
    return {"sieve": Sieve(kept=found, dropped=(), passing=bool(found))}


def caption(state: State, _: Toolbox) -> Update:
    """No captions, and no new order."""
    return {"described": state.sifted.kept}


def trim(state: State, _: Toolbox) -> Update:
    """Every candidate is a clip, without context."""
    return {"clips": tuple(Clip(**_facts(each)) for each in state.described)}


def ground(state: State, _: Toolbox) -> Update:
    """Every clip is a proposal, from end to end."""
    return {"proposals": tuple(Proposal(**_facts(each)) for each in state.clips)}


def verify(state: State, box: Toolbox) -> Update:
    """Every proposal is judged by its score alone; doubles stay."""
    settings = box.settings.verify
    judged = [_moment(each) for each in sorted(state.proposals, key=lambda each: -each.score)]
    accepted = [each for each in judged if each.score >= settings.accept]
    rejected = [each for each in judged if each.score < settings.accept]
    most = settings.most
    return {"verdict": Verdict(moments=tuple(accepted[:most]), rejected=tuple(rejected[:most]))}


BARE: dict[str, Callable[[State, Toolbox], Update]] = {
    room.__name__: room for room in (understand, filter_relevance, caption, trim, ground, verify)
}
"""By the name of the room. ``widen`` without its work is a staircase that nobody climbs."""


def _facts(scored: Scored) -> dict[str, object]:
    return {"span": scored.span, "score": scored.score, "evidence": scored.evidence}


def _moment(scored: Scored) -> Moment:
    return Moment(
        span=scored.span, score=min(1.0, max(0.0, scored.score)), evidence=scored.evidence
    )
