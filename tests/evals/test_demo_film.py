"""The film that is shipped is the one that its questions and its script describe."""

from __future__ import annotations

import json
from pathlib import Path

import av
import numpy as np
import pytest

from evals import demo_film
from evals.demo_script import QUESTIONS, SHOTS, Pan
from evals.footage import read_sound

DEMO = Path(demo_film.__file__).parent / "demo"
FILM = DEMO / "demo_film.mp4"


@pytest.fixture(scope="module")
def truth() -> dict:
    return json.loads((DEMO / "demo_film.json").read_text())


def by_kind(truth: dict, kind: str) -> list[dict]:
    return [question for question in truth["queries"] if question["kind"] == kind]


def test_the_film_is_small_and_as_long_as_it_says(truth):
    assert FILM.name == truth["film"]
    assert FILM.stat().st_size <= 3_000_000
    with av.open(FILM) as box:
        video, audio = box.streams.video[0], box.streams.audio[0]
        assert (video.codec_context.name, video.width, video.height) == ("h264", 640, 360)
        assert (audio.codec_context.name, audio.layout.name) == ("aac", "mono")
        assert video.duration * video.time_base == pytest.approx(truth["duration"])
        assert audio.duration * audio.time_base == pytest.approx(truth["duration"], abs=0.1)
    assert truth["duration"] == sum(shot.seconds for shot in SHOTS)
    assert 120 <= truth["duration"] <= 240


def test_there_are_questions_of_every_kind(truth):
    kinds = [question["kind"] for question in truth["queries"]]
    assert set(kinds) == {"single", "heard", "read", "repeated", "absent"}
    assert len(kinds) >= 8
    assert 2 <= kinds.count("absent") <= 3


def test_every_moment_lies_in_the_film_and_only_absent_things_have_none(truth):
    for question in truth["queries"]:
        spans = [(moment["start"], moment["end"]) for moment in question["moments"]]
        assert all(0 <= start < end <= truth["duration"] for start, end in spans)
        assert spans == sorted(spans)
        wanted = {"absent": 0, "repeated": 3}.get(question["kind"], 1)
        assert len(spans) == wanted, question["query"]


def test_shots_lie_where_the_script_puts_them(truth):
    cuts = np.cumsum([0.0, *(shot.seconds for shot in SHOTS)])
    for question, asked in zip(truth["queries"], QUESTIONS, strict=True):
        assert (question["query"], question["kind"]) == (asked.query, asked.kind)
        if asked.kind not in ("heard", "absent"):
            assert question["moments"] == [
                {"start": cuts[i], "end": cuts[i + 1]}
                for i, shot in enumerate(SHOTS)
                if shot.name == asked.about
            ]


def test_what_is_heard_has_silence_on_both_sides(truth):
    rate = 16_000
    heard = np.concatenate(list(read_sound(FILM, rate)))

    def loudness(start: float, end: float) -> float:
        return float(np.sqrt(np.mean(heard[round(start * rate) : round(end * rate)] ** 2)))

    for question in by_kind(truth, "heard"):
        start, end = question["moments"][0]["start"], question["moments"][0]["end"]
        assert loudness(start, end) > 0.03
        assert loudness(start - 0.6, start - 0.1) < 0.003
        assert loudness(end + 0.1, end + 0.6) < 0.003


def test_the_picture_changes_where_a_repeated_moment_begins(truth):
    for moment in by_kind(truth, "repeated")[0]["moments"]:
        before, after = (picture_at(moment["start"] + shift) for shift in (-0.04, 0.0))
        assert np.abs(after - before).mean() > 20


def picture_at(time: float) -> np.ndarray:
    with av.open(FILM) as box:
        box.seek(round(time * av.time_base))
        frame = next(f for f in box.decode(video=0) if f.time is not None and f.time > time - 0.02)
        return frame.to_ndarray(format="gray").astype(float)


def test_every_photograph_is_credited():
    credits = (DEMO / "CREDITS.md").read_text()
    photos = {shot.picture.photo for shot in SHOTS if isinstance(shot.picture, Pan)}
    assert all(f"`{photo}`" in credits for photo in photos)


def test_without_a_voice_it_says_so_in_one_line(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(demo_film.shutil, "which", lambda name: None)
    monkeypatch.setattr(demo_film.importlib.util, "find_spec", lambda name: object())
    assert demo_film.main([str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert "flite or espeak-ng" in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_without_the_photographs_it_says_so_in_one_line(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(demo_film.importlib.util, "find_spec", lambda name: None)
    assert demo_film.main([str(tmp_path / "out")]) == 2
    assert "scikit-image" in capsys.readouterr().err
