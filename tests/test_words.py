"""Words: taken apart, stemmed, compared with mishearing allowed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vmr_agent.words import (
    HOP,
    PHRASE,
    content,
    covered,
    matched,
    phrases,
    same,
    spaced,
    stem,
    tokens,
)


def test_tokens_are_lower_case_words_and_numbers() -> None:
    assert tokens("The dog's 2nd T-shirt, “Ça va?”") == (
        "the",
        "dogs",
        "2nd",
        "t-shirt",
        "ça",
        "va",
    )
    assert tokens("—  …_?") == ()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("PENALTYSHOOTOUT", "penalty shootout"),
        ("the PENALTYSHOOTOUT of 1990", "the penalty shootout of 1990"),
        ("PENALTY", "PENALTY"),
        ("PENALTYSHOOTOUTS", "PENALTYSHOOTOUTS"),
        ("", ""),
    ],
)
def test_words_that_run_together_are_told_apart_if_they_are_wanted(text: str, told: str) -> None:
    assert spaced(text, ["a Penalty shootout", "goal"]) == told
    assert spaced(text, ["of the"]) == text
    assert spaced(text, []) == text


def test_content_leaves_out_grammar_and_words_about_film() -> None:
    assert content("A close-up shot of the dog while it is running") == ["dog", "running"]
    assert content("where was it?") == []


@pytest.mark.parametrize(
    "family",
    [
        ("dog", "dogs"),
        ("flip", "flips", "flipped", "flipping"),
        ("city", "cities"),
        ("quiet", "quietly"),
        ("fall", "falls", "falling"),
    ],
)
def test_forms_of_a_word_share_a_stem(family: tuple[str, ...]) -> None:
    assert len({stem(word) for word in family}) == 1


@pytest.mark.parametrize(("one", "other"), [("dog", "cat"), ("ring", "bring"), ("bus", "bush")])
def test_different_words_keep_different_stems(one: str, other: str) -> None:
    assert stem(one) != stem(other)


def test_a_letter_may_be_misheard_in_long_words_only() -> None:
    assert same("kennedy", "kenedy")
    assert same("country", "countri")
    assert not same("cat", "car")
    assert not same("country", "county seat")


@given(st.text(max_size=12), st.text(max_size=12))
def test_sameness_has_no_direction_where_it_is_sure(one: str, other: str) -> None:
    assert same(one, one)
    if abs(len(one) - len(other)) > 1 or min(len(one), len(other)) < 5:
        assert same(one, other) == same(other, one) == (one == other)


def test_matched_says_which_wanted_word_each_given_one_is() -> None:
    given_words = ["the", "dogs", "chased", "a", "ball"]
    assert matched(["dog", "ball"], given_words) == [None, 0, None, None, 1]


def test_covered_counts_each_wanted_word_once() -> None:
    assert covered(["dog", "dogs", "ball"], ["dog", "dog"]) == 0.5
    assert covered(["dog", "ball"], ["ball", "a", "dog"]) == 1
    assert covered([], ["dog"]) == 0
    assert covered(["dog"], []) == 0


@given(st.lists(st.sampled_from("dog ball red flying country".split())))
def test_everything_covers_itself(words: list[str]) -> None:
    assert covered(words, words) == (1 if words else 0)


@given(st.integers(1, 120))
def test_phrases_begin_with_the_whole_and_leave_no_word_out(count: int) -> None:
    words = [f"w{index}" for index in range(count)]
    whole, *pieces = phrases(" ".join(words))
    assert whole.split() == words
    assert all(len(piece.split()) <= PHRASE for piece in pieces)
    if pieces:
        assert {word for piece in pieces for word in piece.split()} == set(words)
        assert [piece.split()[0] for piece in pieces] == words[::HOP][: len(pieces)]
    else:
        assert count < PHRASE + HOP // 2
