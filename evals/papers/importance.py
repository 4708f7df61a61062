"""SMORE's importance where no chat model describes anything: from captions made of evidence.

As shipped, ``S_q`` is told only of what a chat model has described, and then orders moments that
are as likely. Here the captions that the house makes of names, words and text stand for a model's,
and moments are ordered by their probability and ``S_q`` together, as ``verify`` orders what a model
is to judge.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from evals.logbook import Sample
from vmr_agent import Moment, tools
from vmr_agent.state import State
from vmr_agent.toolbox import Toolbox
from vmr_agent.tools.caption import importance
from vmr_agent.types import Candidate


def reordered(samples: Sequence[Sample], places: Mapping[str, Path], box: Toolbox) -> list[Sample]:
    """The same answers, the moments of each in that order, which their scores then say."""
    return [_reordered(each, places[each.video], box) for each in samples]


def _reordered(sample: Sample, place: Path, box: Toolbox) -> Sample:
    if sample.report is None or len(sample.report.moments) < 2:
        return sample
    film, query = box.film(State(video=box.probe(place))), tools.understand(sample.query)
    moments = sample.report.moments
    about = [Candidate(span=each.span, score=each.score) for each in moments]
    texts = [_caption(each) or query.scene for each in moments]
    told = importance(about, texts, query, film, box.encoder, box.sentences)
    ranked = sorted(zip(moments, told, strict=True), key=lambda each: -(each[0].score + each[1]))
    scores = sorted((each.score for each in moments), reverse=True)  # mAP goes by scores
    made = [
        each.model_copy(update={"score": score})
        for (each, _), score in zip(ranked, scores, strict=True)
    ]
    report = sample.report.model_copy(update={"moments": tuple(made)})
    return sample.model_copy(update={"report": report})


def _caption(moment: Moment) -> str:
    notes = (why.note for why in moment.evidence if why.source == "caption")
    return next(notes, "")
