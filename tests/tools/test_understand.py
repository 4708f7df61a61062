"""Questions taken apart by rules."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vmr_agent.errors import QueryError
from vmr_agent.tools import check, understand


def test_a_plain_question_asks_for_a_scene() -> None:
    query = understand("A dog is catching the red ball")
    assert query.scene == query.text == "A dog is catching the red ball"
    assert query.keywords == ("dog", "catching", "red", "ball")
    assert query.objects == ("dog", "red", "ball")
    assert query.actions == ("catching",)
    assert (query.spoken, query.written) == ("", "")
    assert query.paraphrases == ("dog catching red ball",)


def test_a_question_without_grammar_has_no_other_wording() -> None:
    assert understand("red ball").paraphrases == ()
    assert understand("what is it").paraphrases == ()


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("a man says that the train is late", "the train is late"),
        ("they talk about the weather", "the weather"),
        ("she explains how rockets fly", "rockets fly"),
        ("the narrator mentions Paris.", "Paris"),
        ("someone is speaking of old times", "old times"),
    ],
)
def test_what_is_to_be_said(text: str, spoken: str) -> None:
    query = understand(text)
    assert (query.spoken, query.written) == (spoken, "")
    assert query.scene == spoken


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a sign that says platform nine", "platform nine"),
        ("the title card reads The End", "The End"),
        ("a slide with the text quarterly results", "quarterly results"),
        ("a banner saying vote", "vote"),
    ],
)
def test_what_is_to_be_written(text: str, written: str) -> None:
    query = understand(text)
    assert (query.spoken, query.written) == ("", written)


@pytest.mark.parametrize(
    ("text", "spoken", "written"),
    [
        ('he says "ask not"', "ask not", ""),
        ("the caption “way out”", "", "way out"),
        ("«stand back»", "stand back", "stand back"),
        ('a voice reads the poster "free beer" aloud', "free beer", "free beer"),
    ],
    ids=["said", "written", "either", "both"],
)
def test_a_quotation_is_looked_for_where_the_question_says(
    text: str, spoken: str, written: str
) -> None:
    query = understand(text)
    assert (query.spoken, query.written) == (spoken, written)


@pytest.mark.parametrize("text", ["a man says it", "a sign with something", 'a pair of quotes ""'])
def test_nothing_worth_quoting_is_no_quotation(text: str) -> None:
    query = understand(text)
    assert (query.spoken, query.written) == ("", "")
    assert query.scene == text


@pytest.mark.parametrize(
    ("text", "scene", "relations", "occurrence"),
    [
        ("a dog barks after he sits down", "a dog barks", [("after", "he sits down")], 0),
        ("After he sits down, a dog barks", "a dog barks", [("after", "he sits down")], 0),
        ("a man without a hat", "a man", [("without", "a hat")], 0),
        ("he dances while she is singing.", "he dances", [("while", "she is singing")], 0),
        ("the second time she jumps", "she jumps", [], 2),
        ("she jumps for the last time", "she jumps", [], -1),
        ("a dog barks the first time before the bang", "a dog barks", [("before", "the bang")], 1),
        ("the first time", "the first time", [], 0),
        ("what happens after", "what happens after", [], 0),
        ("after", "after", [], 0),
        ('a sign that says "after the storm"', "after the storm", [], 0),
        ("somebody talks about life before the war", "life before the war", [], 0),
        ("a dog, without a leash, runs", "a dog runs", [("without", "a leash")], 0),
        ("right after the bang, a dog barks", "a dog barks", [("after", "the bang")], 0),
        (
            "she dances after the first time she sings",
            "she dances",
            [("after", "the first time she sings")],
            0,
        ),
        ("the second time red is shown", "red is shown", [], 2),
        ("the last time he is without a hat", "he is without a hat", [], -1),
        ("the last time he dances without a hat", "he dances", [("without", "a hat")], -1),
        ("the second time a time machine is shown", "a time machine is shown", [], 2),
        (
            "a dog barks after he sits down while she sings",
            "a dog barks",
            [("after", "he sits down"), ("while", "she sings")],
            0,
        ),
    ],
)
def test_order_is_taken_apart(
    text: str, scene: str, relations: list[tuple[str, str]], occurrence: int
) -> None:
    query = understand(text)
    assert query.scene == scene
    assert [(relation.kind, relation.scene) for relation in query.relations] == relations
    assert query.occurrence == occurrence


@pytest.mark.parametrize(
    "text",
    [
        "dominoes fall one after another",
        "it rains day after day",
        "she stays for a while and leaves",
        "a worth while trip",
        "someone looking after the children",
        "a woman named after her aunt",
        "they go after the thief",
        "he stands before a mirror",
        "the light goes on after 3 seconds",
        "the day after tomorrow",
        "immediately after the bang",
        "what happens right after the goal",
        "a Rebel Without a Cause poster",
        "the first time machine",
        "the first time machine is shown",
        "the last time capsule is opened",
        "the house before and after the storm",
        "the house after or before the storm",
        "a man with and without a hat",
        "a balloon explodes before his eyes",
        "the last time lapse of the city",
        "the first time-lapse",
        "the third time's the charm",
    ],
)
def test_what_is_no_order_is_left_whole(text: str) -> None:
    query = understand(text)
    assert (query.scene, query.relations, query.occurrence) == (text, (), 0)


def test_sounds_are_noted_in_order() -> None:
    assert understand("a loud bang and a bell").sounds == ("loud", "bang", "bell")
    assert understand("a dog barks after the loud bang").sounds == ("barks",)


def test_nouns_that_end_in_ing_are_no_actions() -> None:
    assert understand("a king in a building in the morning").actions == ()


@pytest.mark.parametrize("text", ["", "   ", "\n\t", "?!", "“”", "—…", "___", '"' * 50])
def test_an_empty_question_is_an_error_in_one_line(text: str) -> None:
    with pytest.raises(QueryError, match="empty") as caught:
        check(text, 200)
    assert "\n" not in str(caught.value)


def test_white_space_is_folded() -> None:
    assert check("  a \n red\t\tball ", 200) == "a red ball"


@pytest.mark.parametrize("joint", [" ", ", ", ",", "-", "_x ", "/"])
def test_five_thousand_words_are_no_question(joint: str) -> None:
    """However they are joined: what looks for signs and sayings would take minutes over them."""
    text = joint.join(["sign"] * 5000)
    began = time.perf_counter()
    with pytest.raises(QueryError, match="at most 200"):
        check(text, 200)
    assert time.perf_counter() - began < 1


def test_two_hundred_words_are_a_question() -> None:
    assert check(" ".join(["word"] * 200), 200)
    with pytest.raises(QueryError, match="201 words"):
        check(" ".join(["word"] * 201), 200)


grammar = st.sampled_from(
    'a sign says that " “ ” « » reads the text title card with talk about mentions second loud'
    " after dog running - ' . , ? ! it".split()
)


@settings(max_examples=200)
@given(
    st.text(st.characters(), max_size=80)
    | st.text(st.characters(categories=["Cs", "Ll", "Zs"]), max_size=20)
    | st.lists(grammar, max_size=30).map(" ".join)
)
def test_any_text_is_understood_or_refused(text: str) -> None:
    try:
        folded = check(text, 200)
    except QueryError:
        return
    assert check(folded, 200) == folded
    query = understand(folded)
    assert query.text == folded
    assert query.scene
    assert set(query.objects).isdisjoint(query.actions)
    assert set(query.objects) | set(query.actions) == set(query.keywords)
    assert type(query).model_validate_json(query.model_dump_json()) == query
