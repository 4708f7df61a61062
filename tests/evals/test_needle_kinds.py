"""Needle films: what is written, said and ordered is where the truth says, and unambiguous."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from fractions import Fraction
from itertools import accumulate, pairwise
from pathlib import Path
from random import Random

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from join_clips import even, make_clip
from media import as_rgb
from PIL import Image

from evals import planes
from evals.film import Form, Picture, write_film
from evals.footage import read_pictures, read_sound, sound_length
from evals.joiner import Joiner, Piece, Placed, Words, Written
from evals.lettering import Lettering, Style
from evals.needle.absent import Absent
from evals.needle.film import build, lengths, load
from evals.needle.kin import alike, clear
from evals.needle.plan import SEEN, Plan, plan
from evals.needle.queries import Made, asked
from evals.needle.truth import Asked
from evals.needle.words import Phrases
from evals.playlist import Clip, Clips, JoinError, Said, load_clips
from evals.stills import Glide, View, read_still
from vmr_agent.intervals import after, before, chosen
from vmr_agent.tools.understand import understand
from vmr_agent.types import Span
from vmr_agent.words import content, stem

FORM = Form(width=160, height=90, fps=Fraction(10), rate=16_000)
SIGN = Style(0.5, 0.9, 0.25, (255, 255, 255), (0, 0, 0), True)
PHRASES, LISTED = Phrases.load(), Absent.load()


def laid(folder: Path, out: Path, *pieces: Piece, form: Form = FORM) -> tuple[np.ndarray, Joiner]:
    with write_film(out, form) as writer:
        joiner = Joiner(writer, load_clips(folder))
        for piece in pieces:
            joiner.lay(piece)
        joiner.end()
    return np.stack(list(read_pictures(out, form))), joiner


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two clips of a colour, a photograph, and a sound file: half a second of tone each second."""
    here = tmp_path_factory.mktemp("clips")
    for name, colour in {"red": (200, 30, 30), "blue": (30, 30, 200)}.items():
        make_clip(here / f"{name}.mp4", [colour] * 40, even(40, 10))
    photo = np.zeros((240, 320, 3), np.uint8)
    photo[:, :160] = 30, 160, 30
    Image.fromarray(photo).save(here / "halves.png")
    with av.open(here / "voice.flac", "w") as box:
        stream = box.add_stream("flac", rate=16_000, layout="mono")
        at = np.arange(3 * 16_000)
        said = (12_000 * np.sin(at / 5) * (at % 16_000 < 8_000)).astype(np.int16)[None]
        frame = av.AudioFrame.from_ndarray(said, "s16", "mono")
        frame.sample_rate, frame.pts = 16_000, 0
        box.mux(stream.encode(frame))
        box.mux(stream.encode(None))
    names = "red.mp4", "blue.mp4", "halves.png", "voice.flac"
    (here / "clips.json").write_text(json.dumps([{"file": name} for name in names]))
    return here


# ── words and photographs ─────────────────────────────────────────────────────────────────────


def bright(pictures: Sequence[Picture]) -> list[bool]:
    """Whether there is white on them: letters."""
    return [bool((picture.min(axis=-1) > 180).sum() > 20) for picture in pictures]


def test_words_come_and_go_in_the_midst_of_a_clip(folder, tmp_path):
    words = Words("LOST LUGGAGE", SIGN, 0.5, 1.7)
    shown, joiner = laid(
        folder, tmp_path / "f.mp4", Piece("red.mp4"), Piece("blue.mp4", words=(words,))
    )
    assert joiner.written == [{"text": "LOST LUGGAGE", "span": {"start": 4.5, "end": 5.7}}]
    assert bright(shown) == [4.5 <= tick / 10 < 5.7 for tick in range(80)]


def test_words_throughout_last_from_cut_to_cut(folder, tmp_path):
    words = Words("WET PAINT", SIGN)
    pieces = Piece("blue.mp4"), Piece("red.mp4", 1.0, 2.0, words=(words,)), Piece("blue.mp4")
    shown, joiner = laid(folder, tmp_path / "f.mp4", *pieces)
    assert joiner.written == [{"text": "WET PAINT", "span": joiner.placed[1]["span"]}]
    assert np.flatnonzero(bright(shown)).tolist() == list(range(40, 50))


def test_words_after_a_dissolve_are_where_they_are_said_to_be(folder, tmp_path):
    words = Words("TOLL AHEAD", SIGN, 1.5, 2.5)
    pieces = Piece("red.mp4", fade=1.0), Piece("blue.mp4", words=(words,), fade=1.0)
    shown, joiner = laid(folder, tmp_path / "f.mp4", *pieces, Piece("red.mp4"))
    assert joiner.written[0]["span"] == {"start": 4.5, "end": 5.5}
    assert np.flatnonzero(bright(shown)).tolist() == list(range(45, 55))


@pytest.mark.parametrize("plate", [True, False])
@pytest.mark.parametrize("text", ["ROOM 412", "DANGER HIGH VOLTAGE", "INDEPENDENCE DECLARED"])
def test_words_fit_and_leave_the_rest_as_it_is(text, plate):
    form = Form()
    grey = planes.of_rgb(np.full((360, 640, 3), 90, np.uint8))
    for x, y in ((0.0, 0.0), (0.3, 0.7), (1.0, 1.0)):
        style = Style(x, y, 0.12, (250, 250, 250), (20, 40, 90), plate)
        drawn = as_rgb(Lettering(text, style, form).on(grey)).astype(int)
        changed = np.abs(drawn - as_rgb(grey)).max(axis=-1) > 40
        rows, columns = (np.flatnonzero(changed.any(axis=axis)) for axis in (1, 0))
        assert 30 < np.ptp(rows) < 130
        assert np.ptp(columns) <= 0.95 * 640
        assert (drawn.min(axis=-1) > 220).sum() > 300
        assert changed.mean() < 0.2


def test_a_photograph_stands_still_or_is_glided_over(folder, tmp_path):
    still = [*read_still(folder / "halves.png", FORM, 0, 2)]
    assert len(still) == 20
    assert all(picture is still[0] for picture in still)
    glide = Glide(View(0, 0.5, 0.5), View(1, 0.5, 0.5), 4.0)
    pieces = Piece("halves.png", last=4.0, glide=glide), Piece("halves.png", last=1.0)
    shown, joiner = laid(folder, tmp_path / "f.mp4", *pieces)
    green = (shown[..., 1] > 100).mean(axis=(1, 2))
    assert green[0] > 0.95 > 0.05 > green[39]
    assert (np.diff(green[:40]) < 0.05).all()
    assert np.ptp(green[40:]) < 0.02
    assert [placed["span"]["end"] for placed in joiner.placed] == [4.0, 5.0]
    parts = [*read_still(folder / "halves.png", FORM, 2, 4, glide)]
    assert len(parts) == 20
    assert np.abs(as_rgb(parts[0]).astype(int) - shown[20]).mean() < 12


def test_phrases_have_no_word_in_common_and_are_understood():
    words = [{stem(word) for word in content(text)} for text in PHRASES.written]
    assert len(words) >= 100
    assert all(not one & other for n, one in enumerate(words) for other in words[:n])
    for text in PHRASES.written:
        for way in PHRASES.of_writing:
            query = understand(way.format(text))
            assert (query.written, query.spoken) == (text, ""), query
    assert len(PHRASES.said) == len(set(PHRASES.said)) >= 30


# ── plans, and what is asked of them ──────────────────────────────────────────────────────────

THINGS = """a cat sleeps|a dog barks|a red kite in the sky|two chess players|a ferry at the pier
a potter at the wheel|a beehive|an oak in autumn|a fencing bout|a tram in the rain
a violin lesson|a loaf of bread|a lighthouse|fireworks|a weaving loom|a fox in the snow""".replace(
    "\n", "|"
).split("|")


def clips_of(number: int, sounds: int = 1, stills: int = 0) -> Clips:
    made = {
        f"{n}.{'png' if n < stills else 'mp4'}": Clip(
            Path(f"{n}.png" if n < stills else "x"), (q,), 0.0
        )
        for n, q in enumerate(THINGS[:number])
    }
    said = Said("the harbour is frozen", 1.0, 2.5), Said("nobody took the blame", 4.0, 6.0)
    for n in range(sounds):
        queries = (f"speech about topic{n} (spoken)",)
        made[f"{n}.flac"] = Clip(Path("x"), queries, None, said if n == 0 else ())
    return made


def imagined(planned: Plan, clips: Clips, long: dict[str, float]) -> tuple[Made, float]:
    """A film as it would be joined: what lies where, without a picture."""
    placed: list[Placed] = []
    heard: list[Placed] = []
    written: list[Written] = []
    at = fade = 0.0
    shown = [min(piece.last, long[piece.file]) - piece.first for piece in planned.pieces]
    total = sum(shown) - sum(piece.fade for piece in planned.pieces[:-1])
    for piece, seconds in zip(planned.pieces, shown, strict=True):
        start, end = at + fade / 2, at + seconds - piece.fade / 2
        placed.append({"file": piece.file, "span": {"start": start, "end": end}})
        for file in piece.under:
            heard.append({"file": file, "span": {"start": at, "end": min(at + long[file], total)}})
        for words in piece.words:
            span = {"start": at + words.first, "end": min(at + words.last, end)}
            written.append({"text": words.text, "span": span})
        at, fade = at + seconds - piece.fade, piece.fade
    return Made(clips, planned, placed, heard, written), total


def spans(query: Asked) -> tuple[Span, ...]:
    return tuple(Span(**moment) for moment in query["moments"])


@given(
    number=st.integers(5, len(THINGS)),
    sounds=st.integers(0, 2),
    stills=st.integers(0, 3),
    minutes=st.floats(0.5, 30),
    seed=st.integers(0, 2**32),
)
@settings(max_examples=60, deadline=None)
def test_whatever_is_planned_has_one_truth(number, sounds, stills, minutes, seed):
    clips = clips_of(number, sounds, stills)
    dice = Random(seed)
    long = {file: dice.uniform(2.5, 14) for file in clips}

    def made() -> tuple[Made, float, list[Asked]]:
        phrases = PHRASES.shuffled(clips, LISTED, Random(seed))
        planned = plan(clips, long, minutes, seed, phrases.written)
        film, total = imagined(planned, clips, long)
        return film, total, asked(film, phrases, LISTED, 60, Random(seed))

    film, total, queries = made()
    assert queries == made()[2]
    texts = [query["query"] for query in queries]
    assert len(texts) == len(set(texts))
    for query in queries:
        found = spans(query)
        assert bool(found) == (query["kind"] != "absent")
        assert all(0 <= span.start < span.end <= total + 0.01 for span in found)
        assert all(one.end < other.start for one, other in pairwise(found))
    there = {query["query"]: spans(query) for query in queries if query["kind"] in SEEN}
    fillers = {clips[file].queries[0]: file for file in film.there if clips[file].start is not None}
    for query in queries:
        if "ordered" in (query["kind"], query.get("sort")):
            check_order(query, there, fillers, film, total)
    for kind, least in (("read", 1), ("heard", 1)):
        present = [query for query in queries if query["kind"] == kind]
        twins = [query for query in queries if query.get("sort") == kind]
        assert len(twins) <= len(present)
        assert bool(twins) == (len(present) >= least)


TIME = re.compile(r"the (first|second|third|fourth|fifth|last) time ?")
NAMES = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "last": -1}


def check_order(query, there, fillers, film: Made, total: float) -> None:
    """What the house means by the words is what the truth says."""

    def moments(text: str) -> tuple[Span, ...]:
        if text in there:
            return there[text]
        return tuple(Span(**p["span"]) for p in film.placed if p["file"] == fillers[text])

    if time := TIME.search(query["query"]):
        thing = TIME.sub("", query["query"]).rstrip(" ,")
        assert spans(query) == chosen(moments(thing), NAMES[time[1]])
        return
    text = query["query"]
    leading = re.match(r"(after|before) (.+?), (.+)", text)
    middle = re.match(r"(.+) (after|before) (.+)", text)
    word, other, thing = leading.groups() if leading else middle.group(2, 3, 1)
    where = after(moments(other), total) if word == "after" else before(moments(other))
    assert len(moments(other)) == 1
    found = tuple(s for s in moments(thing) if any(w.overlap(s) > 0.999 * s.length for w in where))
    assert spans(query) == found
    assert len(found) <= 1
    # Nobody can doubt on which side of the other thing one lies.
    near = moments(other)[0].pad(0.99)
    assert all(span.overlap(near) == 0 for span in moments(thing))


def test_speech_is_laid_once_at_least_and_never_over_other_speech():
    clips = clips_of(12, sounds=3)
    long = dict.fromkeys(clips, 9.0)
    often = set()
    for seed in range(20):
        film, _ = imagined(plan(clips, long, 8, seed), clips, long)
        heard = sorted((each["span"]["start"], each["span"]["end"]) for each in film.heard)
        assert {each["file"] for each in film.heard} == {"0.flac", "1.flac", "2.flac"}
        assert all(one[1] < other[0] for one, other in pairwise(heard))
        often.add(len(heard))
    assert max(often) > 3


def test_sentences_are_asked_where_they_are_said_and_not_if_cut_off():
    clips = clips_of(6)
    planned = Plan((Piece("0.mp4"),), (("heard", ("0.flac",)),))
    laid: list[Placed] = [
        {"file": "0.flac", "span": {"start": 10.0, "end": 19.0}},
        {"file": "0.flac", "span": {"start": 40.0, "end": 45.0}},  # the film ends here
    ]
    film = Made(clips, planned, [], laid, [])
    told = {query["query"]: query for query in asked(film, PHRASES, LISTED, 0, Random(1))}
    (frozen,) = (query for text, query in told.items() if "the harbour is frozen" in text)
    (blame,) = (query for text, query in told.items() if "nobody took the blame" in text)
    assert frozen["moments"] == [{"start": 11.0, "end": 12.5}, {"start": 41.0, "end": 42.5}]
    assert blame["moments"] == [{"start": 14.0, "end": 16.0}]
    assert frozen["spoken"]
    assert told["speech about topic0"]["moments"] == [each["span"] for each in laid]


def test_a_query_about_a_sentence_is_not_one_about_the_whole_speech():
    clips = {
        "s.flac": Clip(Path("x"), ("a frozen harbour (spoken)",), None, clips_of(0)["0.flac"].said)
    }
    laid: list[Placed] = [{"file": "s.flac", "span": {"start": 0.0, "end": 9.0}}]
    planned = Plan((), (("heard", ("s.flac",)),))
    told = asked(Made(clips, planned, [], laid, []), PHRASES, LISTED, 0, Random(1))
    assert "a frozen harbour" not in [query["query"] for query in told]
    assert len(told) == 2


def test_look_alikes_come_together_and_what_means_both_is_not_asked():
    def clip(*queries: str, like: str = "") -> Clip:
        return Clip(Path("x"), queries, 0.0, (), like)

    others = {f"{n}": clip(thing) for n, thing in enumerate(THINGS[4:])}
    clips = {
        "tabby": clip("a tabby cat asleep", "a cat"),
        "black": clip("a black cat on a wall"),
        "duet": clip("a duet", like="stage"),
        "solo": clip("a solo", like="stage"),
        **others,
    }
    assert clear(clips, clips["tabby"].queries, ["black"]) == ["a tabby cat asleep"]
    kin = [(file,) for file in clips]
    assert alike(clips, ("tabby",), kin, LISTED) == [("black",)]
    assert alike(clips, ("solo",), kin, LISTED) == [("duet",)]
    long = dict.fromkeys(clips, 5.0)
    for seed in range(30):
        film, _ = imagined(plan(clips, long, 10, seed), clips, long)
        wanted = {file for _, family in film.planned.asked for file in family}
        for one, other in (("tabby", "black"), ("black", "tabby"), ("solo", "duet")):
            if one in wanted:
                assert other in film.there
        told = {q["query"]: q for q in asked(film, PHRASES, LISTED, None, Random(seed))}
        if "tabby" in wanted:
            assert told["a tabby cat asleep"]["alike"] == ["black"]
            assert "a cat" not in told


# ── films ─────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def film(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of clips, photographs and a voice with two sentences."""
    here = tmp_path_factory.mktemp("more")
    listed: list[dict] = []
    for n, thing in enumerate(THINGS[:8]):
        name = f"{n}.mp4" if n % 3 else f"{n}.jpg"
        picture = (25 * n + 20, 200 - 20 * n, 60 + 20 * (n % 4))
        if n % 3:
            make_clip(here / name, [picture] * 50, even(50, 10))
        else:
            Image.new("RGB", (200, 300), picture).save(here / name)
        listed.append({"file": name, "queries": [thing], "duration": 5, "mood": "calm"})
    (here / "voice.flac").write_bytes((folder / "voice.flac").read_bytes())
    said = [{"text": "the harbour is frozen", "start": 1.0, "end": 1.5}]
    listed.append({"file": "voice.flac", "said": said})
    (here / "clips.json").write_text(json.dumps(listed))
    out = tmp_path_factory.mktemp("film") / "film.mp4"
    build(here, out, 2, seed=11, absent=30, form=FORM)
    return out


def test_a_film_has_every_kind_and_sort(film):
    told = json.loads(film.with_suffix(".json").read_text())
    asked = load(film)
    assert {query["kind"] for query in asked} == {*SEEN, "read", "heard", "ordered", "absent"}
    assert {"read", "heard", "ordered", "nowhere"} <= {query.get("sort") for query in asked}
    assert {clip["kind"] for clip in told["clips"]} == {*SEEN, "filling"}
    assert any(clip["file"].endswith(".jpg") for clip in told["clips"])
    edges = [0.0, *accumulate(c["span"]["end"] - c["span"]["start"] for c in told["clips"])]
    assert edges[-1] == pytest.approx(told["duration"])
    texts = {words["text"] for words in told["written"]}
    read = [query for query in asked if query["kind"] == "read"]
    assert len(read) == len(texts) >= 3
    for query in read:
        (text,) = (each for each in texts if each in query["query"])
        spans = [each["span"] for each in told["written"] if each["text"] == text]
        assert query["moments"] == spans
        assert all(span["end"] - span["start"] >= 1.9 for span in spans)


def test_what_is_said_is_heard_where_the_truth_says(film):
    (query,) = (each for each in load(film) if each["kind"] == "heard")
    rate = 16_000
    sound = np.concatenate(list(read_sound(film, rate, 0.0)))
    for moment in query["moments"]:
        assert moment["end"] - moment["start"] == pytest.approx(0.5)
        first, last = (round(moment[edge] * rate) for edge in ("start", "end"))
        inside, behind = sound[first + 800 : last - 800], sound[last + 800 : last + 7_000]
        assert np.sqrt(np.mean(inside**2)) > 0.1
        assert np.sqrt(np.mean(behind**2)) < 0.02


# ── what cannot be ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ({"file": "noise.png"}, "no picture that can be opened"),
        ({"file": "voice.flac", "said": [{"text": "x", "start": 1, "end": 9}]}, "lasts 3.00 s"),
        ({"file": "voice.flac", "said": [{"text": "x", "start": 2, "end": 1}]}, "cannot be said"),
        ({"file": "voice.flac", "said": [{"text": "", "start": 0, "end": 1}]}, "cannot be said"),
        ({"file": "voice.flac", "said": [{"text": "x", "start": 0}]}, "not a list of clips"),
        ({"file": "voice.flac", "said": "x"}, "not a list of clips"),
        ({"file": "red.mp4", "queries": "a red one"}, "not a list of clips"),
        ({"file": "red.mp4", "said": [{"text": "x", "start": 0, "end": 1}]}, "has pictures"),
    ],
)
def test_a_bad_entry_is_told(folder, tmp_path, entry, says):
    for name in ("voice.flac", "red.mp4"):
        (tmp_path / name).symlink_to(folder / name)
    (tmp_path / "noise.png").write_bytes(bytes(range(256)))
    (tmp_path / "clips.json").write_text(json.dumps([entry]))
    with pytest.raises(JoinError, match=says):
        build(tmp_path, tmp_path / "f.mp4", 1)
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(("f.", "."))]


def test_neither_film_nor_truth_is_written_over_what_it_is_made_of(folder, tmp_path):
    before = {path: path.read_bytes() for path in folder.iterdir()}
    for name in ("red.mp4", "clips.mp4", "voice.json"):
        with pytest.raises(JoinError, match="call"):
            build(folder, folder / name, 1)
    with pytest.raises(JoinError, match="call it FILM"):
        build(folder, tmp_path, 1)
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_lengths_are_those_of_pictures_sounds_and_the_seed(folder):
    clips = load_clips(folder)
    one, other = lengths(clips, 1), lengths(clips, 2)
    assert one["red.mp4"] == pytest.approx(4.0, abs=0.03)
    assert one["voice.flac"] == pytest.approx(3.0) == sound_length(folder / "voice.flac")
    assert one == lengths(clips, 1)
    assert one["halves.png"] != other["halves.png"]
