from __future__ import annotations

import os
import wave
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Literal

import media
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vmr_agent import container
from vmr_agent.container import film_track, opened
from vmr_agent.errors import (
    VideoNotFoundError,
    VideoTooLargeError,
    VideoUnreadableError,
    VmrError,
)
from vmr_agent.frame import Frame
from vmr_agent.limits import VideoSettings
from vmr_agent.testing import ColourShots
from vmr_agent.timeline import coverage
from vmr_agent.types import Video
from vmr_agent.video import Picture, probe, sound

LIMITS = VideoSettings()
BEEPS = (0.5, 1.5)


def look(path: Path) -> Video:
    return probe(path, path.name, LIMITS)


@dataclass
class Watched:
    """What a film turned out to be."""

    duration: float
    coverage: float
    lost: int
    dark: list[tuple[float, float]]


def watch(path: Path, limits: VideoSettings = LIMITS) -> tuple[list[float], Watched]:
    times, dark, met = list[float](), list[tuple[float, float]](), 0
    with Picture(path, limits) as picture:
        for frame in picture.frames():
            assert min(frame.rgb(32).shape[:2]) == 32
            times.append(frame.time)
            met += frame.met
            if frame.dark:
                dark.append((frame.time - frame.dark, frame.time))
        met += picture.trailing
        share = coverage(len(times), met, picture.duration, picture.promise)
        return times, Watched(picture.duration, share, met - len(times), dark)


def hear(path: Path, holes: list[tuple[float, float]] | None = None) -> np.ndarray:
    """Without holes unless they are wanted."""
    met: list[tuple[float, float]] = []
    blocks = [block for _, block in sound(path, holes=met)]
    assert met == [] or holes is not None
    if holes is not None:
        holes += met
    return np.concatenate([np.empty(0, np.float32), *blocks])


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds with a beep at each of ``BEEPS``."""
    path = tmp_path_factory.mktemp("plain") / "plain.mp4"
    return media.film(path, sound=[(0, media.tone(2, *BEEPS))])


# What the door says


def test_probe_says_what_there_is(plain: Path) -> None:
    assert look(plain) == Video(
        path=str(plain),
        fingerprint="plain.mp4",
        duration=2.0,
        fps=25.0,
        width=96,
        height=64,
        has_picture=True,
        has_audio=True,
        coverage=1.0,
    )


@pytest.mark.parametrize(
    ("name", "codecs"),
    [
        ("a.mp4", {}),
        ("a.mov", {}),
        ("a.mkv", {}),
        ("a.ts", {}),
        ("a.flv", {}),
        ("a.webm", {"codec": "libvpx", "sound_codec": "libopus"}),
        ("a.mpg", {"codec": "mpeg2video", "sound_codec": "mp2"}),
    ],
)
def test_every_container(tmp_path: Path, name: str, codecs: dict[str, str]) -> None:
    path = media.film(tmp_path / name, sound=[(0, media.tone(2, *BEEPS))], **codecs)
    video, (times, picture) = look(path), watch(path)
    assert video.has_picture
    assert video.has_audio
    assert times == pytest.approx([i / 25 for i in range(50)], abs=0.0011)
    assert picture.duration == pytest.approx(2, abs=0.0011)
    assert (picture.coverage, picture.lost) == (1.0, 0)
    assert media.beeps(hear(path)) == pytest.approx(BEEPS, abs=0.003)


def test_no_sound(tmp_path: Path) -> None:
    path = media.film(tmp_path / "a.mp4")
    assert not look(path).has_audio
    assert list(sound(path)) == []


@pytest.mark.parametrize(
    ("name", "codec"), [("a.mp3", "mp3"), ("a.flac", "flac"), ("a.mp4", "aac")]
)
def test_cover_art_is_no_picture(tmp_path: Path, name: str, codec: str) -> None:
    pieces = [(0.0, media.tone(2, *BEEPS))]
    path = media.film(tmp_path / name, frames=0, sound=pieces, sound_codec=codec, cover=True)
    video = look(path)
    assert (video.has_picture, video.has_audio, video.width, video.fps) == (False, True, 0, 0)
    assert video.duration == pytest.approx(2, abs=0.05)
    assert media.beeps(hear(path)) == pytest.approx(BEEPS, abs=0.003)
    with pytest.raises(VideoUnreadableError, match="no picture"), Picture(path, LIMITS):
        pass


def test_rotation_is_applied(tmp_path: Path) -> None:
    path = media.turned(media.film(tmp_path / "a.mp4", frames=3))
    video = look(path)
    assert (video.width, video.height) == (64, 96)
    with Picture(path, LIMITS) as picture:
        pixels = next(picture.frames()).rgb()
    assert pixels.shape == (96, 64, 3)
    assert pixels[:20, -12:].max() < 40, "the black corner has gone from top left to top right"
    assert pixels[:20, :12].max() > 150


def test_first_of_two_pictures(tmp_path: Path) -> None:
    path = media.film(tmp_path / "a.mkv", frames=10, pictures=2)
    with Picture(path, LIMITS) as picture:
        shades = [frame.rgb()[20, 60] for frame in picture.frames()]
    assert len(shades) == 10
    assert np.abs(np.mean(shades, axis=0) - media.COLOURS[0]).max() < 12


def test_one_frame(tmp_path: Path) -> None:
    times, picture = watch(media.film(tmp_path / "a.mp4", frames=1))
    assert times == [0.0]
    assert picture.duration > 0
    assert picture.coverage == 1


@pytest.mark.parametrize("name", ["ü 新 'x' \"y\" z.mp4", "-dash.mp4", "new\nline.mp4", "a.b"])
def test_odd_names(plain: Path, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / name).write_bytes(plain.read_bytes())
    monkeypatch.chdir(tmp_path)
    assert look(Path(name)).path == str(tmp_path / name)
    assert len(watch(Path(name))[0]) == 50


# What is turned away


@pytest.mark.parametrize(
    "path", ["gone.mp4", "http://localhost:9/a.mp4", "concat:a.mp4|b.mp4", "file:a.mp4", "a\0b", ""]
)
def test_not_found(plain: Path, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(plain.parent)
    (plain.parent / "a.mp4").write_bytes(plain.read_bytes())
    with pytest.raises(VideoNotFoundError) as caught:
        probe(path, "print", LIMITS)
    assert str(caught.value).count("\n") == 0
    with pytest.raises(VideoNotFoundError):
        list(sound(path))


def test_names_that_are_no_text(tmp_path: Path) -> None:
    with pytest.raises(VideoNotFoundError, match="UTF-8"):
        look(tmp_path / "\udcff.mp4")


def test_not_a_regular_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    for path in (tmp_path, tmp_path / "pipe.mp4", Path(os.devnull)):
        with pytest.raises(VideoNotFoundError, match=r"not a regular file|is a folder"):
            look(path)


PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c63"
    "f8cfc0f01f0005000201a5f645400000000049454e44ae426082"
)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0" * 5000,
        b"This is a text about a film.\n" * 200,
        np.random.default_rng(3).bytes(20_000),
        PNG,
        b"GIF89a" + b"\1\0\1\0\0\0\0,\0\0\0\0\1\0\1\0\0\2\2D\1\0;",
        b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nplain.mp4\n#EXT-X-ENDLIST\n",
        b"ffconcat version 1.0\nfile plain.mp4\n",
        b"v=0\nm=video 9 RTP/AVP 96\n",
        b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>",
    ],
    ids=["empty", "zeros", "text", "noise", "png", "gif", "m3u8", "ffconcat", "sdp", "svg"],
)
def test_not_media(plain: Path, data: bytes) -> None:
    path = plain.with_name("fake.mp4")
    path.write_bytes(data)
    with pytest.raises(VideoUnreadableError, match=r"fake\.mp4") as caught:
        look(path)
    assert str(caught.value).count("\n") == 0
    with pytest.raises(VideoUnreadableError):
        list(sound(path))


def test_header_without_a_frame(tmp_path: Path) -> None:
    path = media.damaged(media.film(tmp_path / "a.mp4", movflags="faststart"), 0.45, 1)
    with pytest.raises(VideoUnreadableError, match="neither picture nor sound"):
        look(path)


def test_no_read_permission(plain: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(VideoUnreadableError, match="Permission denied"):
        look(plain)


def test_too_large_is_refused(plain: Path) -> None:
    assert probe(plain, "print", VideoSettings(max_pixels=96 * 64)).has_picture
    limits = VideoSettings(max_pixels=96 * 64 - 1)
    with pytest.raises(VideoTooLargeError, match=r"96x64.*max_pixels"):
        probe(plain, "print", limits)
    with pytest.raises(VideoTooLargeError), Picture(plain, limits):
        pass
    with pytest.raises(VideoTooLargeError):
        list(sound(plain, limits=limits))


def test_growing_too_large_on_the_way_is_lost(tmp_path: Path) -> None:
    path = media.resized(tmp_path / "a.ts", (96, 64), (640, 480), (64, 48))
    assert len(watch(path)[0]) == 30
    small = VideoSettings(max_pixels=96 * 64)
    with Picture(path, small) as picture:
        shapes = [frame.rgb().shape for frame in picture.frames()]
    assert shapes == [(64, 96, 3)] * 10 + [(48, 64, 3)] * 10
    _, watched = watch(path, small)
    assert watched.lost == 10
    assert watched.coverage == pytest.approx(2 / 3)


# Time


def test_variable_rate_keeps_its_own_times(tmp_path: Path) -> None:
    times = [0.04 * i if i < 20 else 0.76 + 0.5 * (i - 19) for i in range(40)]
    path = media.film(tmp_path / "a.mkv", frames=40, times=times, cuts=[30])
    found, watched = watch(path)
    assert found == pytest.approx(times, abs=0.0011)
    assert (watched.coverage, watched.lost) == (1, 0), "pauses are no damage"
    assert watched.dark == []
    with Picture(path, LIMITS) as picture:
        frames = (Frame.of(frame.time, frame.rgb()) for frame in picture.frames())
        cuts = ColourShots().cuts(frames, 0)
    assert cuts == pytest.approx([times[30]], abs=0.0011)


def test_clock_that_starts_late(tmp_path: Path) -> None:
    times = [1000 + i / 25 for i in range(50)]
    pieces = [(1000.0, media.tone(2, *BEEPS))]
    path = media.film(tmp_path / "a.ts", times=times, sound=pieces)
    found, picture = watch(path)
    assert found == [round(i / 25, 6) for i in range(50)]
    assert (picture.duration, picture.coverage) == (2.0, 1.0)
    assert media.beeps(hear(path)) == pytest.approx(BEEPS, abs=0.003)
    assert look(path).offset == pytest.approx(1000, abs=2), "the muxer puts some in front"


@pytest.mark.parametrize("since", [0.0, 14.0])
@pytest.mark.parametrize("frames", ["all", "reference", "key"])
def test_broadcasts_put_end_to_end(
    tmp_path: Path, since: float, frames: Literal["all", "reference", "key"]
) -> None:
    """Each part begins its clock anew."""
    one = media.film(tmp_path / "a.ts", **media.LONG, encoder=media.BOTH_WAYS)
    (both := tmp_path / "b.ts").write_bytes(one.read_bytes() * 3)
    first, all_ = [], []
    for path, found in ((one, first), (both, all_)):
        with Picture(path, VideoSettings(frames=frames)) as picture:
            found += [(frame.time, frame.met, frame.dark) for frame in picture.frames()]
    again = [(round(time + 10 * n, 6), *rest) for n in range(3) for time, *rest in first]
    assert all_ == again
    with Picture(both, VideoSettings(frames=frames), since) as picture:
        later = [frame.time for frame in picture.frames() if frame.time >= since]
        assert later == [time for time, *_ in again if time >= since]
        assert picture.duration == 30


def test_the_sound_of_broadcasts_put_end_to_end(tmp_path: Path) -> None:
    """It goes on where its own last packet ended, within a frame of the picture."""
    one = media.film(tmp_path / "a.ts", **media.LONG, sound=[(0.0, media.tone(10, 1.0, 5.0))])
    (both := tmp_path / "b.ts").write_bytes(one.read_bytes() * 2)
    assert media.beeps(hear(both)) == pytest.approx([1, 5, 11, 15], abs=0.04)


@pytest.mark.parametrize("start", [0.0, 0.75, 90.0])
@pytest.mark.parametrize("pictures", [0, 50])
def test_the_files_own_time_is_kept(tmp_path: Path, start: float, pictures: int) -> None:
    times = [start + i / 25 for i in range(pictures)]
    pieces = [(start, media.tone(2))]
    path = media.film(tmp_path / "a.mkv", frames=pictures, times=times, sound=pieces)
    assert look(path).offset == pytest.approx(start, abs=0.03)
    assert look(path).lead == pytest.approx(0, abs=0.03)


def test_how_much_is_heard_before_the_picture_is_told(tmp_path: Path) -> None:
    path = media.film(
        tmp_path / "a.mkv", times=[7 + i / 25 for i in range(50)], sound=[(0, media.tone(9))]
    )
    assert (look(path).offset, look(path).lead) == pytest.approx((7, 7), abs=0.03)


@pytest.mark.parametrize("start", [0.0, 0.75])
@pytest.mark.parametrize("lead", [-0.5, 0.25, 1.0])
def test_sound_is_aligned_to_the_picture(tmp_path: Path, start: float, lead: float) -> None:
    """The sound starts ``lead`` seconds after the picture, or before it."""
    first = start + max(0, -lead)
    path = media.film(
        tmp_path / "a.mkv",
        times=[first + i / 25 for i in range(50)],
        sound=[(first + lead, media.tone(2, 0.6, 1.6))],
        sound_codec="pcm_s16le",
    )
    samples = hear(path)
    assert media.beeps(samples) == pytest.approx([0.6 + lead, 1.6 + lead], abs=0.002)
    assert len(samples) == pytest.approx((2 + lead) * 16_000, abs=32)


def test_holes_in_the_sound_keep_later_words_in_place(tmp_path: Path) -> None:
    pieces = [(0.0, media.tone(1, 0.5)), (3.0, media.tone(1, 0.25))]
    path = media.film(tmp_path / "a.mkv", frames=100, sound=pieces, sound_codec="pcm_s16le")
    samples = hear(path)
    assert media.beeps(samples) == pytest.approx([0.5, 3.25], abs=0.003)
    assert not samples[17_000:47_000].any()


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(chunk=st.floats(0.001, 3))
def test_blocks_of_any_length_join_to_the_same(plain: Path, chunk: float) -> None:
    size = round(chunk * 16_000)
    blocks = list(sound(plain, chunk=chunk))
    assert [start for start, _ in blocks] == [i * size / 16_000 for i in range(len(blocks))]
    assert all(len(block) == size for _, block in blocks[:-1])
    assert np.array_equal(np.concatenate([block for _, block in blocks]), hear(plain))


def test_channels_are_mixed_without_getting_louder(tmp_path: Path) -> None:
    mono = np.round(32767 * 0.8 * np.sin(np.arange(44_100) / 20)).astype("<i2")
    for channels in (1, 2, 6):
        with wave.open(str(tmp_path / "a.wav"), "wb") as out:
            out.setnchannels(channels)
            out.setsampwidth(2)
            out.setframerate(44_100)
            out.writeframes(np.repeat(mono, channels).tobytes())
        samples = hear(tmp_path / "a.wav")
        assert samples.dtype == np.float32
        assert len(samples) == pytest.approx(16_000, abs=2)
        assert np.abs(samples).max() == pytest.approx(0.8, abs=0.01)


# Damage


def test_truncated_with_its_index_in_front(tmp_path: Path) -> None:
    path = media.film(tmp_path / "a.mp4", frames=250, size=(320, 240), movflags="faststart")
    times, picture = watch(media.cut_short(path, 0.7))
    assert look(path).duration == 10.0, "the header still says so"
    assert 50 < len(times) < 225
    assert picture.duration == pytest.approx(len(times) / 25)
    assert picture.coverage == pytest.approx(picture.duration / 10, abs=0.02)


def test_truncated_with_its_index_at_the_end(plain: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(plain.read_bytes())
    with pytest.raises(VideoUnreadableError, match="cannot be opened"):
        look(media.cut_short(path, 0.7))


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts", "a.flv"])
def test_goes_on_behind_damage(tmp_path: Path, name: str) -> None:
    pieces = [(0.0, media.tone(8, 0.5, 7.5))]
    path = media.film(tmp_path / name, frames=200, size=(320, 240), sound=pieces)
    times, picture = watch(media.damaged(path, 0.4, 0.6))
    assert max(b - a for a, b in pairwise(times)) > 0.1, "something is missing"
    assert times[-1] == pytest.approx(7.96, abs=0.0011)
    assert picture.duration == pytest.approx(8, abs=0.0011)
    assert picture.lost > 0
    assert picture.coverage == pytest.approx(len(times) / 200, abs=0.03)
    pauses = [(a + 0.04, b) for a, b in pairwise(times) if b - a > 0.6]
    assert pauses, "more than half a second of it is missing"
    for pause, hole in zip(pauses, picture.dark, strict=True):
        assert hole == pytest.approx(pause, abs=0.0011)
    assert media.beeps(hear(path, []))[-1] == pytest.approx(7.5, abs=0.11)


@pytest.mark.parametrize(
    ("name", "codecs"),
    [
        ("a.mp4", {}),
        ("a.mkv", {}),
        ("a.flv", {}),
        ("a.ts", {}),
        ("a.asf", {"codec": "wmv2", "sound_codec": "mp3"}),
        ("a.webm", {"codec": "libvpx-vp9", "sound_codec": "libopus"}),
    ],
)
@pytest.mark.parametrize("late", [0.0, 3.0])  # nothing in an ASF file tells so of that one
def test_sound_that_goes_on_longer_is_no_loss_of_picture(
    tmp_path: Path, name: str, codecs: dict[str, str], late: float
) -> None:
    late = 0.0 if name == "a.asf" else late
    times, heard = [late + index / 25 for index in range(50)], media.tone(late + 6)
    path = media.film(tmp_path / name, times=times, sound=[(0, heard)], **codecs)
    assert watch(path)[1].coverage == 1
    short = (2, 0) if late else (2,)  # it is all there, and its sound may be longer
    assert look(path).duration in (*short, pytest.approx(6, abs=0.1)), "the file may tell no more"
    assert len(hear(path)) == pytest.approx(6 * 16_000, abs=400)


@pytest.mark.parametrize(("claim", "coverage"), [(3_600_000, 1.0), (20, 0.1), (1, 1.0)])
def test_a_header_that_lies(tmp_path: Path, claim: float, coverage: float) -> None:
    path = media.promising(media.film(tmp_path / "a.mkv"), claim)
    assert look(path).duration == pytest.approx(claim if claim < 48 * 3600 else 0, abs=0.01)
    times, picture = watch(path)
    assert (len(times), picture.duration) == (50, 2.0)
    assert picture.coverage == pytest.approx(coverage)


@pytest.mark.parametrize("codec", ["libvpx-vp9", "libsvtav1", "libvpx", "libx265"])
@pytest.mark.parametrize("frames", ["all", "reference", "key"])
def test_no_codec_loses_frames(
    tmp_path: Path, codec: str, frames: Literal["all", "reference", "key"]
) -> None:
    quiet = {"x265-params": "log-level=none"} if codec == "libx265" else {"g": "12"}
    path = media.film(tmp_path / "a.mkv", **media.LONG, codec=codec, encoder=quiet)
    with Picture(path, VideoSettings(frames=frames)) as picture:
        found = [(frame.time, frame.met) for frame in picture.frames()]
        assert (picture.duration, picture.promise, picture.trailing) == (10, 10, 0)
    times = [time for time, _ in found]
    assert (times[0], sum(met for _, met in found)) == (0, len(times))
    assert len(times) in {"all": [250], "reference": range(20, 251), "key": range(1, 30)}[frames]


def test_a_bad_sector_is_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pieces = [(0.0, media.tone(8, 0.5, 7.5))]
    path = media.film(tmp_path / "a.mov", frames=200, sound=pieces, sound_codec="pcm_s16le")
    size, opened = path.stat().st_size, Path.open

    def flaky(self: Path, mode: str) -> object:
        file = opened(self, mode, buffering=0)

        class Flaky:
            def read(self, count: int) -> bytes:
                if size * 0.45 < file.tell() < size * 0.5:
                    raise OSError(5, "Input/output error")
                return file.read(count)

            def __getattr__(self, name: str) -> object:
                return getattr(file, name)

            def __enter__(self) -> Flaky:
                return self

            def __exit__(self, *_: object) -> None:
                file.close()

        return Flaky()

    monkeypatch.setattr(Path, "open", flaky)
    times, picture = watch(path)
    assert times[-1] >= 7.9
    assert 100 < len(times) < 190
    assert picture.coverage == pytest.approx(len(times) / 200, abs=0.03)
    assert media.beeps(hear(path, [])) == pytest.approx([0.5, 7.5], abs=0.003)


@pytest.mark.parametrize(
    ("name", "codec", "hole"),
    [
        ("a.m4a", "aac", (7.6, 11.8)),
        ("a.mka", "aac", (7.9, 15)),
        ("b.mka", "libopus", (8.3, 15)),
        ("a.flac", "flac", (7.3, 11.8)),
        ("a.ogg", "libopus", (8.0, 13)),
        ("a.mp3", "mp3", (16.2, 20)),  # it has no times: what is missing, is missing at the end
    ],
)
def test_where_sound_is_lost_is_told(
    tmp_path: Path, name: str, codec: str, hole: tuple[float, float]
) -> None:
    options = {"movflags": "faststart"} if name == "a.m4a" else {}
    beeps = [0.5 + second for second in range(20)]
    path = media.film(
        tmp_path / name,
        frames=0,
        sound=[(0.0, media.humming(20, *beeps))],
        sound_codec=codec,
        **options,
    )
    assert len(media.beeps(hear(path))) == 20
    holes: list[tuple[float, float]] = []
    found = media.beeps(hear(media.damaged(path, 0.4, 0.6), holes))
    assert holes[-1] == pytest.approx(hole, abs=0.3)
    assert sum(end - start for start, end in holes) < hole[1] - hole[0] + 0.5
    if name != "a.mp3":
        kept = [at for at in beeps if not hole[0] - 0.3 < at < hole[1] + 0.3]
        assert [at for at in found if round(at, 1) in kept] == pytest.approx(kept, abs=0.03)


def test_a_pause_is_no_hole(tmp_path: Path) -> None:
    pieces = [(0.0, media.tone(1, 0.5)), (3.0, media.tone(1, 0.25))]
    for name, codec in (("a.mka", "pcm_s16le"), ("b.mka", "aac"), ("a.flv", "aac")):
        path = media.film(tmp_path / name, frames=0, sound=pieces, sound_codec=codec)
        assert len(media.beeps(hear(path))) == 2


def test_sound_whose_clock_is_wrong_for_a_while(tmp_path: Path) -> None:
    beeps = [0.5 + second for second in range(20)]
    pieces = [(100.0, media.tone(20, *beeps))]
    path = media.film(tmp_path / "a.mkv", frames=0, sound=pieces)
    holes: list[tuple[float, float]] = []
    found = media.beeps(hear(media.mistimed(path, 1), holes))
    ((start, end),) = holes
    assert 4.5 < start < end < 11
    assert found == pytest.approx([at for at in beeps if not start < at < end], abs=0.003)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts", "a.flv", "a.mp3", "f.mp4"])
def test_no_mutant_gets_through(tmp_path: Path, name: str) -> None:
    """What is broken anyhow is either refused in our words or read without a fuss."""
    kind = {"a.mp3": {"frames": 0, "sound_codec": "mp3", "cover": True}, "f.mp4": {}}.get(name, {})
    options = {"movflags": "frag_keyframe+empty_moov"} if name == "f.mp4" else {}
    whole = media.film(tmp_path / name, sound=[(0, media.tone(1, 0.5))], **kind, **options)
    data = whole.read_bytes()
    refused = 0
    for seed in range(12):
        path = tmp_path / f"{seed}{name}"
        path.write_bytes(media.mutant(data, seed))
        try:
            if look(path).has_picture:
                times, watched = watch(path)
                assert all(a < b for a, b in pairwise(times))
                assert 0 <= watched.coverage <= 1
                assert watched.lost >= 0
            assert all(np.abs(block).max() <= 1 for _, block in sound(path))
        except VmrError:
            refused += 1
    assert refused < 12


# How it gets on


def test_every_packet_that_leads_on_is_a_sign_of_life(plain: Path) -> None:
    signs: list[None] = []

    def alive() -> None:
        signs.append(None)

    with Picture(plain, LIMITS, 1.9, alive) as picture:
        assert len(signs) >= 1, "where time zero is, is found out first"
        assert 1 <= len(list(picture.frames())) < 9
    assert len(signs) > 50
    signs.clear()
    list(sound(plain, alive=alive))
    assert len(signs) > 90
    signs.clear()
    probe(plain, "print", LIMITS, alive)
    assert len(signs) >= 2


def test_a_reader_that_runs_in_circles_gives_no_sign_of_life(plain: Path) -> None:
    signs: list[None] = []
    with opened(plain, LIMITS) as film:
        track = film_track(film, plain, LIMITS, None, lambda: signs.append(None))
        assert track is not None
        packets = [packet for _, packet in track._packets() if packet.size]
        count = len(signs)
        assert count >= len(packets) == 50
        for packet in packets:
            track._got_on(packet)
        assert len(signs) == count


@pytest.mark.parametrize(("cores", "threads"), [(1, 1), (2, 1), (8, 4), (192, 16)])
def test_a_machine_of_many_cores_gives_a_decoder_few_of_them(
    plain: Path, cores: int, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(container.os, "cpu_count", lambda: cores)
    with opened(plain, LIMITS) as film:
        track = film_track(film, plain, LIMITS)
        assert track is not None
        assert track.stream.codec_context.thread_count == threads


# Frames


def test_frames_are_shrunk_never_enlarged() -> None:
    pixels = media.picture(2, size=(320, 240))
    frame = Frame.of(1.5, pixels)
    assert frame.time == 1.5
    assert np.array_equal(frame.rgb(), pixels)
    assert np.array_equal(frame.rgb(short_side=500), pixels)
    assert frame.rgb(short_side=60).shape == (60, 80, 3)
    assert np.abs(frame.rgb(short_side=60)[20, 60] - np.array(media.COLOURS[2])).max() <= 2


def test_fine_patterns_become_their_mean() -> None:
    checks = np.indices((400, 400)).sum(axis=0) // 2 % 2 * 255
    small = Frame.of(0, np.repeat(checks[..., None], 3, axis=2).astype(np.uint8)).rgb(100)
    assert 100 < small.min() <= small.max() < 155


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 900, 3), (900, 1, 3), (77, 33, 3)])
def test_frames_of_odd_shapes(shape: tuple[int, int, int]) -> None:
    small = Frame.of(0, np.full(shape, 9, np.uint8)).rgb(short_side=20)
    assert min(small.shape[:2]) == min(20, *shape[:2])
    assert small.max() == 9


def test_pixels_that_do_not_lie_side_by_side() -> None:
    pixels = media.picture(1, size=(64, 48))
    assert np.array_equal(Frame.of(0, pixels[:, ::-1]).rgb(), pixels[:, ::-1])
