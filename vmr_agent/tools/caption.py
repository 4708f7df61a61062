"""caption: what is to be seen, heard and read in a candidate, in one line (SMORE: captions).

Without a chat model the caption is made of evidence: the encoder's nearest names, the words said,
the words on screen.
"""

from __future__ import annotations

from vmr_agent.film import Film
from vmr_agent.protocols import Encoder
from vmr_agent.types import Candidate, Evidence

NAMES = 3  # things named in a caption
QUOTE = 120  # characters of speech or text in a caption


def caption(candidate: Candidate, film: Film, encoder: Encoder) -> Candidate:
    """The candidate with its caption as evidence; unchanged when there is nothing to tell."""
    span = candidate.span
    seen = film.vectors[(film.times >= span.start) & (film.times < span.end)]
    said = " ".join(u.text.strip() for u in film.utterances if u.span.overlap(span))
    written = " / ".join(line.text for line in film.texts if line.span.overlap(span))
    parts = [
        f"looks like {', '.join(encoder.describe(seen, NAMES))}" if len(seen) else "",
        f"says “{_short(said)}”" if said else "",
        f"reads “{_short(written)}”" if written else "",
    ]
    told = "; ".join(part for part in parts if part)
    if not told:
        return candidate
    return candidate.because(
        Evidence(source="caption", note=told, score=candidate.score, span=span)
    )


def _short(text: str) -> str:
    return text if len(text) <= QUOTE else text[: QUOTE - 1].rsplit(" ", 1)[0] + "…"
