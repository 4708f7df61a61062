"""search: which films, which minutes, over everything that was ever indexed."""

from __future__ import annotations

from vmr_agent.protocols import Array, Encoder, Index, Sentences
from vmr_agent.types import Channel, Hit, Query


def search(
    query: Query, index: Index, encoder: Encoder, sentences: Sentences, limit: int
) -> tuple[Hit, ...]:
    """The nearest pictures, utterances and lines of text, taken in turn, best of each first.

    Cosines of two encoders cannot be compared, so the kinds are dealt out like cards.
    """
    asked: dict[Channel, Array] = {
        "picture": encoder.place(query.scene),
        "speech": sentences.embed([query.spoken or query.text])[0],
        "text": sentences.embed([query.written or query.text])[0],
    }
    decks = [index.query(kind, vector, limit) for kind, vector in asked.items()]
    hits = [deck[rank] for rank in range(limit) for deck in decks if rank < len(deck)]
    return tuple(hits[:limit])
