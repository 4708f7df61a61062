"""Curves per channel, and the stretches of film worth a look."""

from __future__ import annotations

from dataclasses import replace

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
from vmr_agent.types import Channel, Query, Relation

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
    assert bool(found) == (float(rows.max()) >= 1e-6)
    assert all(score >= 0.05 for score in scores[1:])


def stretches(count: int, height: float = 0.9) -> tuple[Curves, dict[str, Array]]:
    """As many seconds of relevance, ten seconds apart, the later the fainter."""
    row = np.zeros(20 * count, np.float32)
    for n in range(count):
        row[20 * n + 4 : 20 * n + 6] = height - n / 100
    return Curves(step=STEP, channels=("picture",), notes=()), {"curves": row[None]}


def starts(found: Retrieval) -> list[float]:
    return sorted(each.span.start for each in found.candidates)


@pytest.mark.parametrize(
    ("occurrence", "expected"),
    [
        (0, [2, 12, 22, 32, 42]),
        (1, [2, 12, 22, 32, 42]),
        (3, [2, 12, 22, 32, 42, 52, 62]),
        (-1, [72, 82, 92, 102, 112]),
    ],
)
def test_one_counts_from_the_end_at_which_counting_begins(
    occurrence: int, expected: list[float]
) -> None:
    found = retrieve("c", stretches(12), 120, 1, SETTINGS, occurrence=occurrence)
    assert starts(found) == expected
    scores = [each.score for each in found.candidates]
    assert scores == sorted(scores, reverse=True)


def test_what_is_unlikely_is_not_counted() -> None:
    made, rows = stretches(12)
    rows["curves"][0, 4:6] = 0.3
    assert starts(retrieve("c", (made, rows), 120, 1, SETTINGS, occurrence=1))[0] == 12
    faint = retrieve("c", stretches(3, height=0.4), 30, 1, SETTINGS, occurrence=-1)
    assert len(faint.candidates) == 3, "where nothing is likely, the best are looked at"


def test_places_where_nobody_has_looked_come_first() -> None:
    looked, unseen = (span(0, 26),), (span(40, 50), span(110, 120))
    found = retrieve("c", stretches(3), 120, 1, SETTINGS, looked, unseen)
    assert [each.span.start for each in found.candidates] == [40, 110, 2, 12, 22]
    assert found.candidates[0].evidence[0].note == "not looked at before"
    many = retrieve("c", stretches(12), 120, 1, SETTINGS, looked, unseen)
    assert starts(many) == [32, 42, 52, 62, 72]


def test_a_sound_may_be_named_by_a_model() -> None:
    """In any language: its classes are asked for by the names that it gives."""
    barking = replace(
        film(4, levels=[(-30.0, 0.0)] * 4),
        levels=np.array([[-30, 0, p] for p in (0, 0.9, 0.9, 0)], np.float32),
        classes=("dog barking",),
    )
    plain = understand("un chien aboie")
    lens = Lens(barking, 1, ColourEncoder(), WordSentences(), SETTINGS)
    assert "sound" not in lens.relevance(plain)[0].channels
    told = plain.model_copy(update={"sounds": ("dog", "barking")})
    made, out = lens.relevance(told)
    row = out["curves"][made.channels.index("sound")]
    assert row[[0, 2, 4, 6]].tolist() == pytest.approx([0, 0.9, 0.9, 0])


def test_what_a_model_has_translated_is_looked_for_in_speech_and_text() -> None:
    plain = understand("quelqu'un parle du temps")
    told = plain.model_copy(update={"scene": "the weather is fine", "spoken": ""})
    for query, found in ((plain, False), (told, True)):
        made, out = Lens(talkie, 1, ColourEncoder(), WordSentences(), SETTINGS).relevance(query)
        speech = out["curves"][made.channels.index("speech")]
        assert bool(speech.max() > 0.5) == found


def test_other_wordings_are_looked_for_too() -> None:
    plain = understand("something vermilion")
    told = plain.model_copy(update={"paraphrases": ("a red thing",)})
    for query, found in ((plain, False), (told, True)):
        made, out = Lens(talkie, 1, ColourEncoder(), WordSentences(), SETTINGS).relevance(query)
        picture = out["curves"][made.channels.index("picture")]
        assert bool(picture[24:36].min() > 0.5) == found


def related(text: str, kind: str, other: str, **more: str) -> Query:
    relation = Relation.model_validate({"kind": kind, "scene": other})
    update = {"scene": text, "relations": (relation,), **more}
    return understand(text).model_copy(update=update)


TURNS = film(40, colours=[*["red"] * 5, *["grey"] * 5] * 4, cuts=range(5, 40, 5))


def test_the_other_thing_may_be_one_time_of_several() -> None:
    """Red is seen four times: what comes after the second comes after 15 s."""
    lens = Lens(TURNS, 1, ColourEncoder(), WordSentences(), SETTINGS)
    first = lens.relevance(related("grey", "after", "it is red"))[1]["order"]
    second = lens.relevance(related("grey", "after", "the second time it is red"))[1]["order"]
    last = lens.relevance(related("grey", "before", "the last time it is red"))[1]["order"]
    assert np.flatnonzero(first == 1)[0] * STEP == pytest.approx(5, abs=1)
    assert np.flatnonzero(second == 1)[0] * STEP == pytest.approx(15, abs=1)
    assert np.flatnonzero(last == 1)[-1] * STEP == pytest.approx(30, abs=1)


def test_order_holds_for_words_that_are_asked_for() -> None:
    """A sign before and after: it is what is asked for, no quotation of the whole question."""
    signs = film(
        60,
        colours=[*["grey"] * 30, "red", *["grey"] * 29],
        cuts=(30, 31),
        written=[line(10, 12, "EXIT"), line(50, 52, "EXIT")],
    )
    query = related("EXIT", "after", "something red", written="EXIT")
    made, out = Lens(signs, 2, ColourEncoder(), WordSentences(), SETTINGS).relevance(query)
    row = out["curves"][made.channels.index("text")]
    assert row[21] == pytest.approx(SETTINGS.out_of_order * row[101])
    assert row[101] > 0.9
