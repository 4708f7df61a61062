"""caption: what is to be seen, heard and read in a candidate, in one line (SMORE: captions).

Where no chat model has written one, the caption is made of evidence: the encoder's nearest names,
the words said, the words on screen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from vmr_agent.film import Film
from vmr_agent.protocols import Array, Encoder, Sentences
from vmr_agent.types import IMPORTANCE, Candidate, Evidence, Query

NAMES = 3  # things named in a caption
QUOTE = 120  # characters of speech or text in a caption
CLIPSCORE = 2.5  # the scale that CLIPScore gives to cosines
HALF = 0.5  # weight of the frames, and of the captions, in a candidate's importance


def caption(
    candidates: Sequence[Candidate],
    query: Query,
    film: Film,
    encoder: Encoder,
    sentences: Sentences,
    told: Mapping[int, str] = {},
) -> tuple[Candidate, ...]:
    """The candidates with captions; ``told`` are a chat model's, by their place.

    Those that a model has described are ranked anew by their importance.
    """
    described = [
        _caption(each, film, encoder, told.get(n, "")) for n, each in enumerate(candidates)
    ]
    if not told:
        return tuple(described)
    texts = [told.get(n, "") or query.scene for n in range(len(candidates))]
    weights = importance(described, texts, query, film, encoder, sentences)
    ranked = sorted(zip(described, weights, strict=True), key=lambda each: -each[1])
    return tuple(
        each.because(
            Evidence(source="caption", note=IMPORTANCE, score=float(weight), span=each.span)
        )
        for each, weight in ranked
    )


def importance(
    candidates: Sequence[Candidate],
    captions: Sequence[str],
    query: Query,
    film: Film,
    encoder: Encoder,
    sentences: Sentences,
) -> Array:
    """``S_q`` of each candidate (N,), in [0, 1] (SMORE).

    Half is how well its frames show the question, half how well its caption tells it, in so far as
    the frames show the caption; each over the range that the candidates span.
    """
    asked = sentences.embed([query.scene])[0]
    seen, said = [], []
    for candidate, text in zip(candidates, captions, strict=True):
        span = candidate.span
        frames = film.vectors[(film.times >= span.start) & (film.times < span.end)]
        shown = encoder.relevance(frames, (query.scene,)) if len(frames) else np.zeros(1)
        agree = float((frames @ encoder.place(text)).max(initial=0))
        alike = float(sentences.embed([text])[0] @ asked)
        seen.append(float(shown.mean()))
        said.append(CLIPSCORE * max(0.0, alike) * max(0.0, agree))
    return HALF * _ranged(seen) + (1 - HALF) * _ranged(said)


def _ranged(values: Sequence[float]) -> Array:
    row = np.asarray(values, np.float32)
    low, high = row.min(initial=np.inf), row.max(initial=-np.inf)
    return (row - low) / (high - low) if high > low else np.ones_like(row)


def _caption(candidate: Candidate, film: Film, encoder: Encoder, told: str) -> Candidate:
    """The candidate with its caption as evidence; unchanged when there is nothing to tell."""
    span = candidate.span
    if told:
        return candidate.because(
            Evidence(source="caption", note=told, score=candidate.score, span=span)
        )
    seen = film.vectors[(film.times >= span.start) & (film.times < span.end)]
    said = " ".join(u.text.strip() for u in film.utterances if u.span.overlap(span))
    written = " / ".join(line.text for line in film.texts if line.span.overlap(span))
    parts = [
        f"looks like {', '.join(encoder.describe(seen, NAMES))}" if len(seen) else "",
        f"says “{_short(said)}”" if said else "",
        f"reads “{_short(written)}”" if written else "",
    ]
    made = "; ".join(part for part in parts if part)
    if not made:
        return candidate
    return candidate.because(
        Evidence(source="caption", note=made, score=candidate.score, span=span)
    )


def _short(text: str) -> str:
    return text if len(text) <= QUOTE else text[: QUOTE - 1].rsplit(" ", 1)[0] + "…"
