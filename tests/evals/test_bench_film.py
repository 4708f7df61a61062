"""A benchmark film has in it what its truth says, and nothing of it twice."""

from __future__ import annotations

import json
from fractions import Fraction
from itertools import islice, pairwise
from pathlib import Path
from random import Random

import av
import cv2
import numpy as np
import pytest
from av.video.frame import PictureType
from join_clips import BLUE, RED, make_clip

from evals import bench_film
from evals.bench_film import DEMO, build, cached, lengths, plan
from evals.bench_picture import Look, Stretch, invent, show, stretches
from evals.bench_voice import Said, Voice, speak
from evals.film import Form
from evals.playlist import JoinError

FORM = Form(width=320, height=180, fps=Fraction(12))
STILL = Look(
    mirror=False,
    speed=1,
    offset=0,
    gain=(1, 1, 1),
    noise=0,
    first=(0.5, 0.5, 0.9),
    last=(0.5, 0.5, 0.9),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    here = tmp_path_factory.mktemp("clips")
    (here / "demo.mp4").symlink_to(DEMO)
    (here / "clips.json").write_text('[{"file": "demo.mp4"}]')
    return here


@pytest.fixture(scope="module")
def film(folder: Path) -> Path:
    path = folder.parent / f"{folder.name}.mp4"
    build(folder, path, 30, (FORM.width, FORM.height), 12, seed=1)
    return path


@pytest.fixture(scope="module")
def truth(film: Path) -> dict:
    return json.loads(film.with_suffix(".json").read_text())


@pytest.fixture(scope="module")
def changes(film: Path) -> np.ndarray:
    """Mean change of luma from each picture to the next."""
    with av.open(film) as box:
        grey = [frame.to_ndarray(format="gray") for frame in box.decode(video=0)]
    thumbs = [cv2.resize(g, (32, 18), interpolation=cv2.INTER_AREA).astype(float) for g in grey]
    return np.array([np.abs(b - a).mean() for a, b in pairwise(thumbs)])


def many(count: int = 4) -> list[Stretch]:
    return [Stretch(Path(f"{n}.mp4"), 0, 5 + n) for n in range(count)]


@pytest.mark.slow
def test_the_film_is_what_was_asked_for(film, truth):
    with av.open(film) as box:
        video, audio = box.streams.video[0], box.streams.audio[0]
        assert (video.codec_context.name, video.width, video.height) == ("h264", 320, 180)
        assert audio.codec_context.name == "aac"
        kinds = {PictureType(frame.pict_type).name for frame in box.decode(video)}
        assert kinds == {"I", "P", "B"}
        assert video.frames == 360
    assert (truth["duration"], truth["size"], truth["fps"]) == (30, [320, 180], 12)


@pytest.mark.slow
def test_shots_fill_the_film_and_last_2_to_60_seconds(truth):
    spans = [(shot["start"], shot["end"]) for shot in truth["shots"]]
    assert len(spans) > 2
    assert (spans[0][0], spans[-1][1]) == (0, 30)
    assert all(end == start for (_, end), (start, _) in pairwise(spans))
    assert all(2 <= end - start <= 60 for start, end in spans)


@pytest.mark.slow
def test_there_is_a_cut_at_each_seam_and_nowhere_else(truth, changes):
    seams = [round(shot["start"] * 12) - 1 for shot in truth["shots"][1:]]
    within = np.delete(changes, seams)
    assert changes[seams].min() > 3 * within.max()


@pytest.mark.slow
def test_somebody_speaks_nine_tenths_of_the_time(truth):
    assert 0.9 <= truth["voiced_share"] <= 1
    assert sum(b - a for a, b in truth["voiced"]) == pytest.approx(
        30 * truth["voiced_share"], abs=0.1
    )


@pytest.mark.slow
def test_no_shot_and_no_phrase_comes_twice(truth):
    looks = [json.dumps([shot["stretch"], shot["look"]]) for shot in truth["shots"]]
    phrases = [(s["file"], s["start"], s["seconds"], s["speed"]) for s in truth["said"]]
    assert len(phrases) > 5
    assert len(set(looks)) == len(looks)
    assert len(set(phrases)) == len(phrases)


@pytest.mark.parametrize("seconds", [2, 2.5, 3.9, 59.9, 60, 60.5, 61.9, 62, 600, 3600])
@pytest.mark.parametrize("seed", range(5))
def test_shots_of_2_to_60_seconds_fill_any_time(seconds, seed):
    form = Form(fps=Fraction(10))
    ticks = list(lengths(seconds, form, Random(seed)))
    assert sum(ticks) == round(seconds * 10)
    assert 20 <= min(ticks) <= max(ticks) <= 600


def test_an_hour_has_short_shots_and_long_ones_and_text_on_a_tenth():
    shots = plan(many(), 3600, FORM, Random(3))
    seconds = np.array([shot.ticks / 12 for shot in shots])
    # Evenly spread logarithms: half of the shots are shorter than the root of 2 x 60.
    assert 8 < np.median(seconds) < 15
    assert seconds.min() < 3
    assert seconds.max() > 45
    texts = [shot.text for shot in shots if shot.text]
    assert len(texts) == pytest.approx(len(shots) / 10, abs=1)
    assert len(set(texts)) == len(texts)
    assert len({shot.look for shot in shots}) == len(shots)
    assert all(a.stretch.path != b.stretch.path for a, b in pairwise(shots))


def test_a_plan_depends_on_its_seed_alone():
    assert plan(many(), 300, FORM, Random(3)) == plan(many(), 300, FORM, Random(3))
    assert plan(many(), 300, FORM, Random(3)) != plan(many(), 300, FORM, Random(4))


def test_one_clip_alone_is_shown_again_and_again():
    assert len(plan(many(1), 300, FORM, Random(0))) > 5


def test_a_clip_is_taken_apart_at_its_cuts(tmp_path):
    lasting = [n / 10 for n in range(81)]
    colours = [RED] * 30 + [BLUE] * 10 + [RED] * 40
    make_clip(tmp_path / "c.mp4", colours, lasting)
    # One second of blue is too short to be used.
    edges = [edge for s in stretches(tmp_path / "c.mp4") for edge in (s.start, s.end)]
    assert edges == pytest.approx([0, 3, 4, 8], abs=0.05)


def test_an_unsteady_camera_makes_no_cut(tmp_path):
    make_clip(tmp_path / "c.mp4", [RED, BLUE] * 20, [n / 10 for n in range(41)])
    assert len(stretches(tmp_path / "c.mp4")) == 1


@pytest.fixture(scope="module")
def halves(tmp_path_factory: pytest.TempPathFactory) -> Stretch:
    """Two seconds: the left half turns from black to red, the right one is blue."""
    path = tmp_path_factory.mktemp("halves") / "halves.mp4"
    with av.open(path, "w") as box:
        stream = box.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        for tick in range(20):
            picture = np.zeros((180, 320, 3), np.uint8)
            picture[:, :160, 0], picture[:, 160:, 2] = 10 * tick, 200
            box.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        box.mux(stream.encode(None))
    return Stretch(path, 0.0, 2.0)


def shown(stretch: Stretch, ticks: int = 2, text: str = "", **changed: object) -> list[np.ndarray]:
    return list(show(stretch, Look(**{**vars(STILL), **changed}), ticks, FORM, text))


def test_a_look_alters_what_is_shown(halves):
    (plain, _), (turned, _) = shown(halves), shown(halves, mirror=True)
    assert plain[90, 300, 2] > 150 > plain[90, 20, 2]
    assert turned[90, 20, 2] > 150 > turned[90, 300, 2]
    assert np.abs(turned[:, ::-1].astype(int) - plain).mean() < 3
    dim = shown(halves, gain=(1, 1, 0.5))[0]
    assert dim[90, 300, 2] == pytest.approx(plain[90, 300, 2] / 2, abs=3)
    noisy = shown(halves, noise=3)
    flat = [picture[20:160, 200:300, 2].astype(float) for picture in noisy]
    assert 2 < flat[0].std() < 4
    assert np.abs(flat[0] - flat[1]).mean() > 1
    left = shown(halves, first=(0, 0.5, 0.5), last=(0, 0.5, 0.5))[0]
    assert left[:, :-1, 2].max() < 100


def test_a_stretch_is_played_to_and_fro_at_its_speed(halves):
    red = [int(p[90, 20, 0]) for p in shown(halves, 49, speed=1)]
    assert red[0] < 10
    assert max(red) == max(red[22:27])
    assert abs(red[46] - red[0]) < 15
    quick = [int(p[90, 20, 0]) for p in shown(halves, 25, speed=2)]
    assert max(quick) == max(quick[10:15])


def test_text_stands_in_a_box_and_nowhere_else(halves):
    bare, written = shown(halves)[0], shown(halves, text="velvet lantern 10")[0]
    rows, columns = np.nonzero((bare != written).any(axis=2))
    box = written[rows.min() : rows.max(), columns.min() : columns.max()]
    assert rows.min() > 90
    assert len(rows) < bare[:, :, 0].size / 4
    assert (box.max(), box.min()) > (200, 10)


def test_looks_are_within_their_bounds():
    dice = Random(1)
    looks = [invent(dice, 2.0, Stretch(Path("x"), 0, 3)) for _ in range(100)]
    assert {look.mirror for look in looks} == {True, False}
    assert all(0.85 <= look.speed <= 1.2 and 0 <= look.offset <= 3 for look in looks)
    assert all(
        0 <= share <= 1 for look in looks for view in (look.first, look.last) for share in view
    )
    # In two seconds a crop may not rush about.
    assert all(
        abs(a - b) <= 0.1 for look in looks for a, b in zip(look.first, look.last, strict=True)
    )


def test_phrases_follow_each_other_each_in_its_own_way():
    rate = 1000
    noise = np.random.default_rng(0).standard_normal(8 * rate).astype(np.float32)
    voice = Voice("a.wav", 3.0, noise / np.abs(noise).max())
    before, said = voice.sound.copy(), list[Said]()
    chunks = list(islice(speak([voice], Random(0), rate, said), 200))
    ends = np.cumsum([len(chunk) for chunk in chunks]) / rate
    assert [s["at"] for s in said] == pytest.approx([0, *ends[:-1]])
    assert all(s["start"] >= 3 and s["start"] + s["seconds"] <= 11 for s in said)
    assert all(1.5 <= s["seconds"] <= 6 for s in said)
    assert len({(s["start"], s["seconds"], s["speed"]) for s in said}) == 200
    assert max(np.abs(chunk).max() for chunk in chunks) <= 1
    assert np.array_equal(voice.sound, before)


def test_a_film_is_built_once_for_the_same_clips_and_arguments(tmp_path, monkeypatch):
    built: list[Path] = []

    def fake(clips: Path, path: Path, *asked: object) -> None:
        built.append(path)
        path.write_bytes(b"film")
        path.with_suffix(".json").write_text('{"film": "x"}')

    monkeypatch.setattr(bench_film, "build", fake)
    clips, films = tmp_path / "clips", tmp_path / "films"
    clips.mkdir()
    (clips / "a.mp4").write_bytes(b"one")
    first, truth = cached(clips, films, 60)
    assert truth == {"film": "x"}
    assert cached(clips, films, 60)[0] == first
    assert len(built) == 1
    cached(clips, films, 60, seed=1)
    cached(clips, films, 61)
    (clips / "a.mp4").write_bytes(b"two")
    cached(clips, films, 60)
    assert len(set(built)) == 4


@pytest.mark.parametrize("seconds", [0, 1, float("inf"), float("nan")])
def test_impossible_lengths_are_refused(folder, tmp_path, seconds):
    with pytest.raises(JoinError):
        build(folder, tmp_path / "x.mp4", seconds)


def test_a_folder_that_shows_nothing_is_refused(tmp_path):
    (tmp_path / "clips.json").write_text("[]")
    with pytest.raises(JoinError, match="shows anything"):
        build(tmp_path, tmp_path / "x.mp4", 10)
