"""Curves per channel, and the stretches of film worth a look."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from shelved import film, line, say, span

from vmr_agent.artefacts import Curves
from vmr_agent.film import Film
from vmr_agent.protocols import Array
from vmr_agent.relevance import Lens
from vmr_agent.rounds import Retrieval
from vmr_agent.settings import RetrieveSettings
from vmr_agent.testing import ColourEncoder, WordSentences
from vmr_agent.tools import retrieve, understand
from vmr_agent.types import Channel

SETTINGS = RetrieveSettings(step=0.5, top_k=5, fall=0.5, bridge=1.5)
STEP = SETTINGS.step


def asked(query: str, shelved: Film, turn: int = 1) -> tuple[Curves, Array]:
    question = understand(query)
    lens = Lens(shelved, turn, ColourEncoder(), WordSentences(), SETTINGS)
    made, out = lens.relevance(question)
    return made, np.asarray(out["curves"])


talkie = film(
    20,
    colours=[*["grey"] * 10, *["red"] * 10],
    cuts=(10,),
    said=[say(2, "the weather is fine")],
    written=[line(5, 8, "WAY OUT")],
    levels=[(-30.0, 0.5)] * 20,
)


@pytest.mark.parametrize(
    ("query", "channels"),
    [
        ("a red thing", ("picture", "speech", "text")),
        ("they talk about the weather", ("speech",)),
        ("a sign that says way out", ("text",)),
        ("a loud red thing", ("picture", "speech", "text", "sound")),
        ('"way out"', ("speech", "text")),
    ],
)
def test_only_channels_that_the_question_is_about_are_asked(
    query: str, channels: tuple[Channel, ...]
) -> None:
    found, rows = asked(query, talkie)
    assert found.channels == channels
    assert rows.shape == (len(channels), 40)
    assert rows.dtype == np.float32
    assert rows.min() >= 0
    assert rows.max() <= 1


def test_a_film_with_nothing_in_it_has_no_curve_and_no_candidate() -> None:
    found, rows = asked("a red thing", film(20))
    assert rows.shape == (0, 40)
    assert retrieve("n", (found, {"curves": rows}), 20, 1, SETTINGS).candidates == ()


def from_curves(
    rows: Array, channels: tuple[Channel, ...], turn: int = 1, duration: float = 20
) -> Retrieval:
    made = Curves(step=STEP, channels=channels, notes=(("speech", span(4, 6), "hello there"),))
    return retrieve("name", (made, {"curves": rows}), duration, turn, SETTINGS)


def curve(*bumps: tuple[float, float, float], count: int = 40) -> Array:
    out = np.zeros(count, np.float32)
    for start, end, height in bumps:
        out[int(start / STEP) : int(end / STEP)] = height
    return out


def test_the_highest_stretches_come_best_first() -> None:
    found = from_curves(curve((2, 4, 0.5), (8, 11, 0.9), (15, 16, 0.3))[None], ("picture",))
    assert found.curves == "name"
    assert [each.span for each in found.candidates] == [span(8, 11), span(2, 4), span(15, 16)]
    assert [each.score for each in found.candidates] == pytest.approx([0.9, 0.5, 0.3])


def test_what_is_faint_is_no_candidate_beside_others_but_a_refusal_can_name_it() -> None:
    beside = from_curves(curve((2, 4, 0.04), (8, 11, 0.9))[None], ("picture",))
    assert [each.span for each in beside.candidates] == [span(8, 11)]
    alone = from_curves(curve((2, 4, 0.04))[None], ("picture",)).candidates
    assert [each.span for each in alone] == [span(2, 4)]
    assert alone[0].evidence[0].note == "looks a little like it"
    assert from_curves(curve()[None], ("picture",)).candidates == ()


def test_the_staircase_doubles_the_budget() -> None:
    bumps = [(2.0 * n, 2.0 * n + 0.5, 0.9 - n / 100) for n in range(20)]
    rows = curve(*bumps, count=100)[None]
    settings = SETTINGS.model_copy(update={"bridge": 0.0})
    made = Curves(step=STEP, channels=("picture",)), {"curves": rows}
    counts = [len(retrieve("n", made, 50, turn, settings).candidates) for turn in (1, 2, 3)]
    assert counts == [5, 10, 20]


def test_evidence_names_every_channel_that_agrees_strongest_first() -> None:
    rows = np.stack([curve((4, 6, 0.6)), curve((4, 6, 0.9)), curve((10, 12, 0.2))])
    best, other = from_curves(rows, ("picture", "speech", "text")).candidates
    assert [(e.source, e.note) for e in best.evidence] == [
        ("speech", "heard: “hello there”"),
        ("picture", "looks like it"),
    ]
    assert all(e.span == best.span for e in best.evidence)
    assert [(e.source, e.note) for e in other.evidence] == [("text", "is written about")]


def test_the_last_candidate_ends_with_the_film() -> None:
    (only,) = from_curves(curve((18, 20, 0.9))[None], ("picture",), duration=19.7).candidates
    assert only.span == span(18, 19.7)


def test_a_dip_does_not_split_a_candidate() -> None:
    rows = curve((2, 4, 0.9), (5, 7, 0.8))[None]
    (only,) = from_curves(rows, ("picture",)).candidates
    assert only.span == span(2, 7)


@given(
    arrays(
        np.float32,
        st.tuples(st.integers(1, 3), st.integers(1, 40)),
        elements=st.floats(0, 1, width=32),
    ),
    st.integers(1, 3),
)
def test_any_curve_gives_candidates_within_the_film_and_the_budget(rows: Array, turn: int) -> None:
    channels: tuple[Channel, ...] = ("picture", "speech", "text")[: len(rows)]
    duration = rows.shape[1] * STEP - 0.2
    found = from_curves(rows, channels, turn, duration).candidates
    scores = [each.score for each in found]
    assert scores == sorted(scores, reverse=True)
    assert len(found) <= SETTINGS.top_k * 2 ** (turn - 1)
    assert all(each.span.end <= duration and each.evidence for each in found)
    assert not len(found) or scores[0] == rows.max()
    # However faint the best is, a refusal can say what came nearest; the others must be worth it.
    assert bool(found) == (rows.max() >= 1e-6)
    assert all(score >= 0.05 for score in scores[1:])
