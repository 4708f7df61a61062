"""The four channels, each by itself: what raises its curve, and what does not."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shelved import film, line, say, span

from vmr_agent import channels
from vmr_agent.channels import MEANT, VERBATIM, quoted
from vmr_agent.protocols import Array
from vmr_agent.settings import RetrieveSettings
from vmr_agent.testing import ColourEncoder, WordSentences
from vmr_agent.tools import understand

ASKED = "ask not what your country can do for you"
SPEECH = (
    "And so, my fellow Americans: ask not what your country can do for you, "
    "ask what you can do for your country."
)
# Given, not the defaults: those are calibrated now and then.
SETTINGS = RetrieveSettings(
    step=0.5,
    smooth=(2.0, 0.0),
    caution=0.05,
    picture_middle=0.42,
    picture_slope=27,
    outstanding=0.1,
    words_middle=0.455,
    words_slope=15,
    shared_words=0.4,
    verbatim=0.75,
    mention=0.2,
    loud=12,
    silent=-50,
)
STEP = SETTINGS.step
MEANING = WordSentences()


def heard(wanted: str, text: str) -> list[str]:
    """The stretches of ``text`` that quote ``wanted``, in words."""
    words = say(10, text).words
    return [
        " ".join(word.text for word in words if word.span.overlap(run) > 0)
        for run in quoted(wanted, words, SETTINGS.verbatim)
    ]


def test_words_said_word_for_word_are_found_by_their_times() -> None:
    (run,) = quoted(ASKED, say(10, SPEECH).words, SETTINGS.verbatim)
    assert heard(ASKED, SPEECH) == [SPEECH[SPEECH.index("ask not") :]]
    assert run == span(12.5, 21.0)


def test_a_quotation_inside_a_sentence_has_only_its_own_words() -> None:
    text = "well I tell you the quick brown fox jumped over a lazy dog and then it rained"
    assert heard("quick brown fox jumped over a lazy dog", text) == [
        "quick brown fox jumped over a lazy dog"
    ]


def test_misheard_words_are_still_a_quotation() -> None:
    text = "he said the quikc brown fox jumpt over the lazy dogs yesterday"
    (found,) = heard("the quick brown fox jumped over the lazy dog", text)
    assert found == "the quikc brown fox jumpt over the lazy dogs"


def test_a_quotation_can_be_said_twice() -> None:
    text = "red fish blue fish " + "um er " * 8 + "red fish blue fish"
    assert heard("red fish blue fish", text) == ["red fish blue fish"] * 2


@pytest.mark.parametrize(
    ("wanted", "text"),
    [
        (ASKED, "we shall go to the moon and do the other things"),
        (ASKED, "what can you do for your dog"),
        ("a dog", "look at that, a dog"),
        ("what is it that you do", "what is it that you do"),
        (
            "what is it that you can do for your red dog",
            "what is it that you can do for your uncle",
        ),
        ("the quick brown fox jumped over the lazy dog", "quick " + "er " * 20 + "fox dog lazy"),
        (ASKED, ""),
    ],
    ids=[
        "unrelated",
        "only its grammar",
        "too short",
        "no meaning",
        "other things",
        "scattered",
        "silence",
    ],
)
def test_no_quotation(wanted: str, text: str) -> None:
    words = say(0, text).words if text else ()
    assert quoted(wanted, words, SETTINGS.verbatim) == []


some_words = st.lists(st.sampled_from("ask not what your country can do for you red -".split()))


@given(some_words, some_words.filter(bool))
def test_quotations_lie_inside_the_words_in_order(wanted: list[str], told: list[str]) -> None:
    words = say(3, " ".join(told)).words
    runs = quoted(" ".join(wanted), words, SETTINGS.verbatim)
    assert all(words[0].span.start <= run.start < run.end <= words[-1].span.end for run in runs)
    assert all(one.end < other.start for one, other in pairwise(runs))


def speech(query: str, *said: tuple[float, str]) -> tuple[Array, list[channels.Note]]:
    shelved = film(30, said=[say(start, text) for start, text in said])
    return channels.speech(understand(query), shelved, MEANING, SETTINGS, 60)


def during(curve: Array, start: float, end: float) -> Array:
    return curve[int(start / STEP) : int(end / STEP)]


def test_in_a_sentence_with_a_quotation_only_the_quotation_counts() -> None:
    curve, notes = speech(f'he says "{ASKED}"', (5, SPEECH))
    assert during(curve, 7.5, 16) == pytest.approx(VERBATIM)
    assert during(curve, 0, 7.5).max() == 0
    ((kind, where, told),) = notes
    assert (kind, where) == ("speech", span(7.5, 16.0))
    assert told.startswith("ask not what")
    assert told.endswith("your country.")


def test_speech_is_found_by_what_it_means() -> None:
    curve, notes = speech(
        "they talk about the weather", (2, "rain and weather again"), (10, "my brother laughs")
    )
    about, other = during(curve, 2, 4), during(curve, 10, 11.5)
    assert about.min() > 0.5 > other.max()
    assert [text for _, _, text in notes] == ["rain and weather again"]
    assert during(curve, 4, 10).max() == 0


def test_one_aside_in_a_long_sentence_is_not_averaged_out() -> None:
    filler = " ".join(f"um{index}x" for index in range(40))
    curve, _ = speech("blue whale song", (0, f"{filler} a blue whale song there"))
    plain = channels.speech(
        understand("blue whale song"),
        film(30, said=[say(0, filler)]),
        MEANING,
        SETTINGS,
        60,
    )[0]
    assert curve.max() > 0.5 > plain.max()


def test_text_on_screen_counts_while_it_is_shown() -> None:
    shelved = film(20, written=[line(4, 8, "PLATFORM NINE"), line(12, 14, "way out")])
    curve, notes = channels.text(
        understand("a sign that says platform nine"), shelved, MEANING, SETTINGS, 40
    )
    assert during(curve, 4, 8).min() > 0.5
    assert during(curve, 0, 4).max() == 0
    assert during(curve, 12, 14).max() < 0.2
    assert notes == [("text", span(4, 8), "PLATFORM NINE")]


def test_a_line_that_is_what_was_asked_for_is_quoted_whatever_it_means() -> None:
    shelved = film(20, written=[line(4, 8, "PLATFORMNINE"), line(12, 14, "nine platforms")])
    curve, notes = channels.text(
        understand('the text "PLATFORM NINE"'), shelved, MEANING, SETTINGS, 40
    )
    assert during(curve, 4, 8).min() >= np.float32(VERBATIM)
    assert notes[0] == ("text", span(4, 8), "PLATFORMNINE")


@pytest.mark.parametrize(
    ("asked", "quotes"),
    [("coffee", False), ('the word "coffee" on the screen', True), ("the best coffee bar", True)],
)
def test_one_word_on_screen_names_a_thing_unless_it_is_asked_for(asked: str, quotes: bool) -> None:
    shelved = film(20, written=[line(4, 8, "the best coffee bar")])
    curve, _ = channels.text(understand(asked), shelved, MEANING, SETTINGS, 40)
    assert bool(curve.max() > np.float32(MEANT)) is quotes


def test_misread_letters_are_forgiven() -> None:
    shelved = film(20, written=[line(4, 8, "PLATF0RM STATI0N"), line(12, 14, "way out")])
    curve, notes = channels.text(understand("platform station"), shelved, MEANING, SETTINGS, 40)
    assert during(curve, 4, 8).min() > SETTINGS.mention
    assert during(curve, 12, 14).max() < 0.01
    assert [text for _, _, text in notes] == ["PLATF0RM STATI0N"]


LEVELS = [(-90.0, 0.0)] * 4 + [(-30.0, 0.9)] * 12 + [(-5.0, 0.0)] * 4


@pytest.mark.parametrize(
    ("query", "high"),
    [
        ("complete silence", (0, 4)),
        ("a voice talking", (4, 16)),
        ("a loud explosion", (16, 20)),
    ],
)
def test_sounds_that_levels_can_tell(query: str, high: tuple[int, int]) -> None:
    curve = channels.sound(understand(query), film(20, levels=LEVELS), SETTINGS, 40)
    assert curve is not None
    inside = np.zeros(40, bool)
    inside[int(high[0] / STEP) : int(high[1] / STEP)] = True
    assert curve[inside].min() > 0.5 > curve[~inside].max()


def test_sounds_that_levels_cannot_tell_have_no_curve() -> None:
    silent_film = film(20)
    assert (
        channels.sound(understand("a barking dog"), film(20, levels=LEVELS), SETTINGS, 40) is None
    )
    assert channels.sound(understand("silence"), silent_film, SETTINGS, 40) is None


def test_a_film_longer_than_its_sound_keeps_the_last_level() -> None:
    curve = channels.sound(understand("silence"), film(20, levels=LEVELS[:2]), SETTINGS, 40)
    assert curve is not None
    assert curve.min() > 0.5


def looks(query: str, turn: int, *colours: str, cuts: tuple[float, ...] = ()) -> Array:
    shelved = film(len(colours), colours=colours, cuts=cuts)
    count = 2 * len(colours)
    return channels.picture(understand(query), shelved, turn, ColourEncoder(), SETTINGS, count)


def test_the_picture_is_relevant_where_it_shows_the_thing() -> None:
    curve = looks("the red one", 1, *["grey"] * 5, *["red"] * 5, *["grey"] * 5, cuts=(5, 10))
    assert curve[10:20].min() > 0.9
    assert max(curve[:10].max(), curve[20:].max()) < 0.1


def test_what_is_brief_shows_in_the_second_round_only() -> None:
    colours = [*["grey"] * 6, "red", *["grey"] * 6]
    assert looks("the red one", 1, *colours).max() < 0.5
    assert looks("the red one", 2, *colours)[12:14].min() > 0.5


def test_later_rounds_have_to_convince_more() -> None:
    faint = film(10, colours=["grey"] * 10)
    curves = [
        channels.picture(
            understand("red"),
            faint,
            turn,
            ColourEncoder(),
            SETTINGS.model_copy(update={"smooth": (0, 0)}),
            20,
        )
        for turn in (1, 2)
    ]
    assert (curves[1] < curves[0]).all()
