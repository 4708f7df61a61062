"""Joined films are checked against clips made on the spot: colours to see and tones to hear."""

from __future__ import annotations

import json
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from join_clips import BLUE, GREEN, RED, Colour, fill

from evals.film import Form, write_film
from evals.footage import read_pictures, read_sound
from evals.join import join, main
from evals.playlist import JoinError

FORM = Form(width=160, height=90, rate=16_000)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    here = tmp_path_factory.mktemp("clips")
    fill(here)
    return here


def pictures(film: Path) -> np.ndarray:
    return np.stack(list(read_pictures(film, FORM)))


def sound(film: Path) -> np.ndarray:
    return np.concatenate(list(read_sound(film, FORM.rate)))


def loudness(heard: np.ndarray, start: float, end: float) -> float:
    part = heard[round(start * FORM.rate) : round(end * FORM.rate)]
    return float(np.sqrt(np.mean(part**2)))


def near(picture: np.ndarray, colour: Colour) -> bool:
    """Whether the middle of a picture has a colour."""
    return bool(np.abs(picture[45, 80].astype(int) - colour).max() < 40)


def names(truth: dict) -> list[str]:
    return [Path(clip["file"]).stem for clip in truth["clips"]]


def test_clips_lie_end_to_end_and_the_film_is_as_long_as_they_are(folder, tmp_path):
    truth = join(folder, tmp_path / "f.mp4", form=FORM)
    spans = [clip["span"] for clip in truth["clips"]]
    assert names(truth) == ["red", "tall", "uneven", "flash", "turned"]
    assert [s["end"] for s in spans[:-1]] == [s["start"] for s in spans[1:]]
    lengths = [s["end"] - s["start"] for s in spans]
    # WebM does not say how long its last picture is shown: one fiftieth, by the stream's rate.
    assert lengths == pytest.approx([1.0, 1.2, 0.92, 1.0, 0.5], abs=0.021)
    with av.open(tmp_path / "f.mp4") as box:
        video, audio = box.streams.video[0], box.streams.audio[0]
        assert (video.codec_context.name, audio.codec_context.name) == ("h264", "aac")
        assert (video.width, video.height, video.average_rate) == (160, 90, 25)
        assert video.duration * video.time_base == pytest.approx(truth["duration"])
        assert audio.duration * audio.time_base == pytest.approx(truth["duration"], abs=0.07)


def test_each_clip_is_seen_and_heard_within_its_span(folder, tmp_path):
    truth = join(folder, tmp_path / "f.mp4", order=["red", "tall", "uneven"], form=FORM)
    seen, heard = pictures(tmp_path / "f.mp4"), sound(tmp_path / "f.mp4")
    red, tall, uneven = (clip["span"] for clip in truth["clips"])
    at = round(tall["start"] * 25)
    assert near(seen[at - 1], RED)
    assert near(seen[at], GREEN)
    assert loudness(heard, red["start"] + 0.1, red["end"] - 0.1) > 0.2
    assert loudness(heard, tall["start"] + 0.1, tall["end"] - 0.1) < 0.001
    assert loudness(heard, uneven["start"] + 0.1, uneven["end"] - 0.1) > 0.2


def test_pictures_are_shown_as_long_as_their_time_stamps_say(folder, tmp_path):
    join(folder, tmp_path / "f.mp4", order=["uneven"], form=FORM)
    seen = pictures(tmp_path / "f.mp4")
    shown = ["RGB"[next(i for i, c in enumerate((RED, GREEN, BLUE)) if near(p, c))] for p in seen]
    assert 2 <= shown.count("R") <= 3
    assert 19 <= shown.count("G") <= 21
    assert "".join(shown).lstrip("R").lstrip("G").strip("B") == ""


def test_shape_is_kept_and_turns_are_applied(folder, tmp_path):
    join(folder, tmp_path / "f.mp4", order=["tall", "turned"], form=FORM)
    tall, turned = pictures(tmp_path / "f.mp4")[[3, -3]]
    assert tall[:, :45].max() < 30, "bars beside an upright picture"
    assert turned[:, :45].max() < 30, "a wide picture turned by 90 degrees stands upright"
    # Turned counterclockwise its dark top comes to lie on the left.
    assert int(turned[45, 60, 2]) < 100 < int(turned[45, 75, 2])


def test_sound_keeps_step_with_the_picture_to_the_end(folder, tmp_path):
    join(folder, tmp_path / "f.mp4", order=["flash"], repeat={"flash": 12}, form=FORM)
    seen, heard = pictures(tmp_path / "f.mp4"), sound(tmp_path / "f.mp4")
    bright = seen[:, 45, 80].mean(axis=1) > 128
    flashes = np.flatnonzero(bright[1:] & ~bright[:-1]) + 1
    loud = np.abs(heard[: len(heard) // 160 * 160]).reshape(-1, 160).max(axis=1) > 0.1
    beeps = np.flatnonzero(loud[1:] & ~loud[:-1]) + 1
    assert len(flashes) == len(beeps) == 12
    assert np.abs(flashes / 25 - beeps / 100).max() <= 0.045


def test_a_repeated_clip_gives_its_query_every_moment(folder, tmp_path):
    truth = join(folder, tmp_path / "f.mp4", repeat={"red": 3}, form=FORM)
    order = names(truth)
    assert sorted(order) == ["flash", "red", "red", "red", "tall", "turned", "uneven"]
    assert all(a != b for a, b in pairwise(order))
    asked = {query["file"]: query for query in truth["queries"]}
    spans = [clip["span"] for clip in truth["clips"] if clip["file"] == "red.mp4"]
    assert asked["red.mp4"]["moments"] == spans
    assert len(spans) == 3


def test_a_clip_left_out_gives_its_query_none(folder, tmp_path):
    truth = join(folder, tmp_path / "f.mp4", order=["turned", "red.mp4"], form=FORM)
    asked = {query["file"]: query["moments"] for query in truth["queries"]}
    assert names(truth) == ["turned", "red"]
    assert asked["tall.mkv"] == asked["speech.flac"] == []


def test_rounds_are_whole_shuffled_by_the_seed_and_long_enough(folder, tmp_path):
    def made(seed: int) -> dict:
        form = Form(width=32, height=18, fps=Fraction(5), rate=8_000)
        film = tmp_path / "f.mp4"
        return join(folder, film, order="shuffle", seed=seed, seconds=12, form=form)

    one, same, other = made(1), made(1), made(2)
    assert one == same
    assert names(one) != names(other)
    assert 12 <= one["duration"] < 12 + 5
    assert len(one["clips"]) == 15
    assert all(a != b for a, b in pairwise(names(one)))


def test_speech_goes_on_under_the_next_clip_and_is_a_moment(folder, tmp_path):
    truth = join(
        folder, tmp_path / "f.mp4", order=["turned", "tall"], under={"speech": "turned"}, form=FORM
    )
    heard = sound(tmp_path / "f.mp4")
    spoken = next(query for query in truth["queries"] if query["spoken"])
    assert spoken["query"] == "a buzz"
    assert spoken["moments"] == [{"start": 0.0, "end": 1.5}]
    assert loudness(heard, 0.1, 1.4) > 0.1
    assert loudness(heard, 1.55, 1.65) < 0.01


def test_speech_is_cut_off_where_the_film_ends(folder, tmp_path):
    truth = join(folder, tmp_path / "f.mp4", order=["red"], under={"speech": "red"}, form=FORM)
    spoken = next(query for query in truth["queries"] if query["spoken"])
    assert spoken["moments"] == [{"start": 0.0, "end": truth["duration"]}]


def test_the_command_writes_film_and_truth(folder, tmp_path, capsys):
    film, truth = tmp_path / "f.mp4", tmp_path / "f.json"
    call = [str(folder), str(film), "--order", "tall,red", "--size", "64x36", "--fps", "12.5"]
    assert main([*call, "--under", "speech.flac=tall.mkv", "--truth", str(truth)]) == 0
    written = json.loads(truth.read_text())
    assert written["film"] == "f.mp4"
    assert names(written) == ["tall", "red"]
    assert "2 clips" in capsys.readouterr().out
    assert sorted(p.name for p in tmp_path.iterdir()) == ["f.json", "f.mp4"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--size", "big"], "not a size"),
        (["--size", "641x360"], "even"),
        (["--fps", "0"], "rate"),
        (["--repeat", "red"], "NAME=VALUE"),
        (["--repeat", "red=0"], "0 times"),
        (["--repeat", "red=x"], "NAME=K"),
        (["--order", "red,nobody"], "nobody"),
        (["--order", "speech"], "no picture"),
        (["--order", "red", "--repeat", "tall=2"], "not in the order"),
        (["--under", "red"], "NAME=VALUE"),
        (["--under", "nobody=red"], "nobody"),
        (["--seconds", "inf"], "endless"),
        (["--truth", "missing/truth.json"], "folder missing is missing"),
    ],
)
def test_a_bad_option_is_one_line_and_leaves_nothing(folder, tmp_path, capsys, options, said):
    with pytest.raises(SystemExit) as stop:
        main([str(folder), str(tmp_path / "f.mp4"), *options])
    error = capsys.readouterr().err
    assert stop.value.code == 2
    assert said in error
    assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("listing", "said"),
    [
        (None, "clips.json is missing"),
        ("{not json", "not a list of clips"),
        ('[{"name": "x"}]', "not a list of clips"),
        ('["x.mp4"]', "not a list of clips"),
        ("[]", "no clip to join"),
        ('[{"file": "gone.mp4"}]', "gone.mp4 is missing"),
        ('[{"file": "noise.mp4"}]', "noise.mp4"),
    ],
)
def test_a_bad_folder_is_one_line_and_leaves_nothing(tmp_path, capsys, listing, said):
    (tmp_path / "noise.mp4").write_bytes(bytes(range(256)) * 9)
    if listing is not None:
        (tmp_path / "clips.json").write_text(listing)
    with pytest.raises(SystemExit) as stop:
        main([str(tmp_path), str(tmp_path / "f.mp4")])
    error = capsys.readouterr().err
    assert stop.value.code == 2
    assert said in error
    assert error.count("\n") == 1
    assert not (tmp_path / "f.mp4").exists()
    assert not list(tmp_path.glob(".*"))


def test_a_clip_is_never_written_over(folder):
    with pytest.raises(JoinError, match="one of the clips"):
        join(folder, folder / "red.mp4", form=FORM)


def test_a_film_that_fails_half_way_leaves_the_old_one(tmp_path):
    film = tmp_path / "f.mp4"
    film.write_text("old")
    black = np.zeros((90, 160, 3), np.uint8)

    def fail() -> None:
        with write_film(film, FORM) as writer:
            writer.write(black, np.zeros(writer.due, np.float32))
            writer.write(black, np.zeros(1, np.float32))

    with pytest.raises(ValueError, match="samples for a tick"):
        fail()
    assert film.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["f.mp4"]
