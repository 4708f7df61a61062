"""Relevance curves: how well every step of a film answers a question, channel by channel.

One curve per channel (IMG: which channel matters is decided per query); where the question sets its
thing in relation to another, that one is looked for as well, and where the relation does not hold
the curves are lowered.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vmr_agent import channels, curves
from vmr_agent.artefacts import Curves
from vmr_agent.film import Film
from vmr_agent.intervals import Spans, chosen
from vmr_agent.order import ordered
from vmr_agent.protocols import Array, Arrays, Encoder, Sentences
from vmr_agent.relations import allowed
from vmr_agent.settings import RetrieveSettings
from vmr_agent.sounds import named
from vmr_agent.types import Channel, Query, Relation

LIKELY = 0.5  # relevance from which the film may be said to show it


@dataclass(frozen=True, slots=True)
class Lens:
    """How a film is looked at in one round."""

    film: Film
    turn: int
    """Rounds are counted from 1: later ones look for what is briefer."""
    encoder: Encoder
    sentences: Sentences
    settings: RetrieveSettings

    @property
    def count(self) -> int:
        """Steps of the film."""
        return curves.steps(self.film.video.duration, self.settings.step)

    def relevance(self, query: Query) -> tuple[Curves, Arrays]:
        """Array ``curves`` (C, T): relevance in [0, 1] of every step of the film, by channel.

        Array ``order`` (T,): the share of it that was left for standing in the order asked for.
        """
        rows, notes = self._rows(query)
        stacked = np.stack([*rows.values()]) if rows else np.zeros((0, self.count), np.float32)
        others = [(relation, self._where(relation.scene)) for relation in query.relations]
        order = self._in_order(others) if others else np.ones(self.count, np.float32)
        exempt = not (query.spoken or query.written) and quoted(stacked, tuple(rows))
        stacked = np.where(exempt, stacked, order * stacked)
        made = Curves(
            step=self.settings.step,
            channels=tuple(rows),
            notes=tuple(notes),
            others=tuple((f"{r.kind} “{r.scene}”", spans) for r, spans in others),
        )
        return made, {"curves": stacked.astype(np.float32), "order": order}

    def _in_order(self, others: list[tuple[Relation, Spans]]) -> Array:
        """(T,) what is left of relevance: all where the relations hold, little where they do not.

        Nothing can be said of an order to what was found nowhere, but that it is in doubt.
        """
        known = [each for each in others if each[1] or each[0].kind == "without"]
        where = allowed(known, self.settings.bridge, self.film.video.duration)
        inside = curves.covered(where, self.count, self.settings.step)
        doubt = self.settings.unrelated ** (len(others) - len(known))
        return np.where(inside, doubt, self.settings.out_of_order * doubt).astype(np.float32)

    def _where(self, other: str) -> Spans:
        """Where the film may be said to show it; "the second time she sings" is one place."""
        scene, _, occurrence = ordered(other)
        query = Query(text=scene, scene=scene, sounds=named(scene))
        rows = [*self._rows(query)[0].values()]
        curve = np.max(rows, axis=0) if rows else np.zeros(self.count, np.float32)
        found = curves.stretches(curve, LIKELY, self.settings.step, self.film.video.duration)
        sure = [curves.height(curve, span, self.settings.step) for span in found]
        known = [
            span
            for span, each in zip(found, sure, strict=True)
            if each >= self.settings.alike * max(sure)
        ]
        return chosen(tuple(known), occurrence)

    def _rows(self, query: Query) -> tuple[dict[Channel, Array], list[channels.Note]]:
        """A curve (T,) for each channel that can say something, and what was heard or read."""
        film, settings, count = self.film, self.settings, self.count
        rows: dict[Channel, Array] = {}
        notes: list[channels.Note] = []
        named = bool(query.spoken or query.written)
        if len(film.times) and not named:
            rows["picture"] = channels.picture(
                query, film, self.turn, self.encoder, settings, count
            )
        if film.utterances and (query.spoken or not named):
            rows["speech"], said = channels.speech(query, film, self.sentences, settings, count)
            notes += said
        if film.texts and (query.written or not named):
            rows["text"], read = channels.text(query, film, self.sentences, settings, count)
            notes += read
        heard = channels.sound(query, film, settings, count)
        if heard is not None:
            rows["sound"] = heard
        return rows, notes


def quoted(rows: Array, names: Sequence[Channel]) -> NDArray[np.bool_]:
    """(C, T), where the question is said word for word: "after the storm" may be a quotation."""
    words = np.array([name in ("speech", "text") for name in names], bool).reshape(-1, 1)
    # Curves are float32, in which .95 is a little less.
    return np.asarray(words & (rows >= np.float32(channels.VERBATIM)), bool)
