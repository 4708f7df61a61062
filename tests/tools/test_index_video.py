"""The entry: what the film turned out to be, what its words mean, what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from shelved import film, line, say, span, video

from vmr_agent import __version__
from vmr_agent.artefacts import Entry, Footage, Screen, Sounds, Speech
from vmr_agent.protocols import Row
from vmr_agent.testing import ListIndex, WordSentences
from vmr_agent.tools import index_video, missing, register
from vmr_agent.types import Span, TimingQuality, Video

HOLE = span(4, 6)
FOOTAGE = Footage(duration=19.5, coverage=0.9, lost=3, unreadable=(HOLE,), shots=())
LONG = " ".join(f"w{index}" for index in range(30))


def made(
    *, picture: bool = True, sound: float = 20, holes: tuple[Span, ...] = ()
) -> tuple[Entry, dict[str, np.ndarray]]:
    entry, arrays = index_video(
        video(30, picture=picture),
        FOOTAGE,
        Speech(utterances=(say(0, "short one"), say(2, LONG)), heard=18),
        Screen(texts=(line(0, 4, "WAY OUT"),), read=True),
        Sounds(duration=sound, holes=holes),
        WordSentences(),
    )
    return entry, dict(arrays)


def test_decoding_knows_better_than_the_header() -> None:
    entry, _ = made()
    assert (entry.video.duration, entry.video.coverage) == (19.5, 0.9)
    assert (entry.heard, entry.read) == (18, True)
    assert entry.unreadable == (HOLE,)
    assert entry.version == __version__
    assert entry.video.path == video().path


def test_without_picture_the_sound_decides() -> None:
    entry, _ = made(picture=False, sound=21)
    assert (entry.video.duration, entry.video.coverage) == (21, 1)


def test_lost_sound_was_not_listened_to() -> None:
    holes = (span(2, 4), span(17, 19), span(20, 25))
    entry, _ = made(holes=holes)
    assert (entry.unheard, entry.unreadable) == (holes, (HOLE,))
    assert (entry.heard, entry.video.coverage) == (15, 0.9)
    alone, _ = made(picture=False, holes=holes)
    assert alone.video.coverage == pytest.approx(1 - 9 / 25)


def test_sound_that_ends_before_the_picture_begins_is_none() -> None:
    assert made(sound=0)[0].silent
    assert not made()[0].silent


@pytest.mark.parametrize(("sound", "duration"), [(0, 19.5), (19.9, 19.5), (7200, 7200)])
def test_a_film_lasts_for_as_long_as_its_sound_goes_on(sound: float, duration: float) -> None:
    entry, _ = made(sound=sound)
    assert (entry.video.duration, entry.video.coverage) == (duration, 0.9)


def test_words_get_meanings_phrase_by_phrase() -> None:
    _, arrays = made()
    assert arrays["speech"].shape == (len(arrays["speakers"]), 64)
    assert arrays["text"].shape == (1, 64)
    speakers = arrays["speakers"].tolist()
    assert speakers == sorted(speakers)
    assert speakers.count(0) == 1
    assert speakers.count(1) > 1
    assert arrays["speech"][0] == pytest.approx(WordSentences().embed(["short one"])[0], abs=1e-3)
    assert arrays["speech"].dtype == arrays["text"].dtype == np.float16


@pytest.mark.parametrize(
    ("timings", "poorest"),
    [
        ([], None),
        (["aligned"], "aligned"),
        (["aligned", "attention"], "attention"),
        (["segment", "attention", "aligned"], "segment"),
    ],
)
def test_the_poorest_way_of_finding_word_times_is_told(
    timings: list[TimingQuality], poorest: TimingQuality | None
) -> None:
    said = tuple(say(0, "word").model_copy(update={"timing": timing}) for timing in timings)
    spoken, unread = Speech(utterances=said, heard=9), Screen(texts=(), read=False)
    entry, _ = index_video(video(), FOOTAGE, spoken, unread, Sounds(duration=9), WordSentences())
    assert entry.timing == poorest


@pytest.mark.parametrize(
    ("change", "kinds"),
    [
        ({}, []),
        ({"has_picture": False}, ["no_picture"]),
        ({"has_audio": False, "heard": 0}, ["no_audio"]),
        ({"heard": 0}, ["no_speech"]),
        ({"unreadable": (HOLE, span(8, 9))}, ["unreadable", "unreadable"]),
        ({"unheard": (HOLE,), "unreadable": (HOLE,)}, ["unreadable", "unheard"]),
        ({"heard": 0, "silent": True}, ["no_audio"]),
        ({"heard": 0, "silent": True, "lead": 60}, ["no_audio", "early_sound"]),
        ({"read": False}, ["no_text"]),
        ({"lead": 60}, ["early_sound"]),
        ({"lead": 0.02}, []),
        ({"apart": 45}, ["sparse"]),
        ({"apart": 45, "all": True}, []),
        ({"coverage": 0.5}, ["coverage"]),
        ({"coverage": 0.999}, []),
        ({"has_picture": False, "read": False}, ["no_picture"]),
        ({"has_picture": False, "coverage": 0.5}, ["no_picture", "coverage"]),
    ],
)
def test_what_is_missing_is_said(change: dict[str, Any], kinds: list[str]) -> None:
    known = {
        name: change[name]
        for name in ("has_picture", "has_audio", "coverage", "lead")
        if name in change
    }
    entry = Entry(
        video=video().model_copy(update=known),
        heard=change.get("heard", 20),
        read=bool(change.get("read", True)),
        unreadable=change.get("unreadable", ()),
        unheard=change.get("unheard", ()),
        silent=change.get("silent", False),
        apart=change.get("apart", 2),
    )
    faults = missing(entry, keys_alone="all" not in change)
    assert [fault.kind for fault in faults] == kinds
    assert all("\n" not in fault.message for fault in faults)
    assert tuple(each.span for each in faults if each.span) == entry.unreadable + entry.unheard


def test_the_index_gets_every_picture_utterance_and_line() -> None:
    index = ListIndex()
    shelved = film(
        4,
        colours=["red", "grey", "blue"],
        said=[say(0, "hello there"), say(1, LONG)],
        written=[line(2, 4, "WAY OUT")],
    )
    register("entry", video(4), shelved, index)
    seen = index.query("picture", shelved.vectors[2], 10)
    assert [hit.span for hit in seen[:1]] == [span(2, 4)]
    assert len(seen) == 3
    told = index.query("speech", WordSentences().embed(["hello there"])[0], 10)
    assert told[0].span == shelved.utterances[0].span
    assert {hit.span for hit in told} == {each.span for each in shelved.utterances}
    (read,) = index.query("text", WordSentences().embed(["way out"])[0], 10)
    assert (read.span, read.path) == (span(2, 4), shelved.video.path)
    assert read.cosine == pytest.approx(1)


def test_what_stays_alike_within_a_shot_is_one_row() -> None:
    index = ListIndex()
    shelved = film(8, colours=["red", "red", "red", "blue", "blue", "red"])
    assert len(shelved.shots) == 1
    register("entry", video(8), shelved, index)
    seen = index.query("picture", shelved.vectors[0], 10)
    ends = [*shelved.times[1:], 8.0]
    wanted = [(0, 2), (3, 4), (5, 5)]
    assert sorted((hit.span.start, hit.span.end) for hit in seen) == [
        (shelved.times[first], ends[last]) for first, last in wanted
    ]
    assert seen[0].cosine == pytest.approx(1, abs=1e-3)


def test_phrases_alike_are_one_row_of_their_utterance_and_an_aside_is_another() -> None:
    index = ListIndex()
    alike, aside = "one two three " * 10, "four five six " * 4
    shelved = film(4, said=[say(0, alike), say(1, alike), say(2, alike + aside)])
    assert len(shelved.speech) > 12
    register("entry", video(4), shelved, index)
    first, second, both = (each.span for each in shelved.utterances)
    told = index.query("speech", WordSentences().embed(["one two three"])[0], 99)
    assert sorted(hit.span.start for hit in told) == [first.start, second.start, *[both.start] * 2]
    nearest = index.query("speech", WordSentences().embed(["four five six"])[0], 1)
    assert [(hit.span, hit.cosine > 0.9) for hit in nearest] == [(both, True)]


def test_a_film_of_one_picture_and_one_of_nothing_are_registered_too() -> None:
    index = ListIndex()
    register("entry", video(4), film(4), index)
    assert index.query("picture", np.ones(6, np.float32), 10) == []
    register("other", video(4), film(4, colours=["red"]), index)
    (hit,) = index.query("picture", np.ones(6, np.float32), 10)
    assert hit.span == span(0, 4)


class Once(ListIndex):
    """Counts how often it is given rows."""

    puts = 0

    def put(self, video: Video, mark: str, rows: Sequence[Row]) -> None:
        self.puts += 1
        super().put(video, mark, rows)


def test_what_the_index_knows_is_not_put_again() -> None:
    index, shelved = Once(), film(4, colours=["red"])
    for _ in range(2):
        register("entry", video(4), shelved, index)
    assert index.puts == 1
    moved = video(4).model_copy(update={"path": "/films/b.mp4"})
    register("entry", moved, shelved, index)
    register("other", moved, shelved, index)
    assert index.puts == 3
    (hit,) = index.query("picture", shelved.vectors[0], 9)
    assert hit.path == "/films/b.mp4"
