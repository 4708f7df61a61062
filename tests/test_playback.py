"""Reels and blocks from the decoding process, and what happens when it dies, hangs or fails."""

from __future__ import annotations

import json
import os
import resource
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import media
import numpy as np
import pytest
from processes import BESIDE

from vmr_agent import pipe, playback
from vmr_agent.adapters.scenes import SceneShots
from vmr_agent.errors import VideoNotFoundError, VideoUnreadableError
from vmr_agent.frame import Frame
from vmr_agent.limits import VideoSettings
from vmr_agent.playback import Block, Reel, probe, reels, sound
from vmr_agent.settings import Settings
from vmr_agent.strip import Sampler
from vmr_agent.testing import ColourShots
from vmr_agent.video import Picture

LENGTH = 5.0
STRIP = {"fps": 4, "short_side": 64, "key_short_side": 72, "key_gap": 0.5}
SETTINGS = Settings(video={"reel": LENGTH}, strip=STRIP)  # type: ignore[arg-type]
BEEPS = (0.5, 4.75, 9.5)


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    made: dict[str, Path] = {}

    def find(kind: str) -> Path:
        if kind not in made:
            made[kind] = media.KINDS[kind](tmp_path_factory.mktemp("kinds"))
        return made[kind]

    return find


@pytest.fixture(scope="module")
def plain(films: Callable[[str], Path]) -> Path:
    return films("both ways")


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of picture, ten and a half of sound."""
    path = tmp_path_factory.mktemp("heard") / "a.mp4"
    return media.film(path, sound=[(0, media.tone(10.5, *BEEPS))])


def content(reel: Reel) -> dict[str, Any]:
    """All that is in a reel, so that two can be compared."""
    return {
        "number": reel.number,
        "cuts": reel.cuts,
        "samples": [(each.time, each.webp, each.image.tobytes()) for each in reel.samples],
        "keys": [(each.time, each.image.tobytes()) for each in reel.keys],
        "kept": reel.kept,
        "met": reel.met,
        "holes": reel.holes,
        "ending": reel.ending,
    }


def rolled(path: Path, first: int = 0, settings: Settings = SETTINGS) -> list[dict[str, Any]]:
    return [content(reel) for reel in reels(path, ColourShots(), settings, first)]


# ── reels ─────────────────────────────────────────────────────────────────────────────────────


def test_a_film_is_cut_into_reels_and_nothing_of_it_is_lost(plain: Path) -> None:
    found = rolled(plain)
    assert [reel["number"] for reel in found] == [0, 1]
    assert [reel["cuts"] for reel in found] == [(2.4,), (5.2, 7.6)]
    assert [(reel["kept"], reel["met"], reel["holes"]) for reel in found] == [(125, 125, [])] * 2
    assert [reel["ending"] for reel in found] == [None, {"duration": 10.0, "promise": 10.0}]


def test_every_reel_is_sampled_afresh(plain: Path) -> None:
    taken: dict[int, list[Any]] = {0: [], 1: []}
    samplers = [Sampler(SETTINGS.strip), Sampler(SETTINGS.strip)]
    with Picture(plain) as picture:
        for frame in picture.frames():
            number = int(frame.time >= LENGTH)
            sample = samplers[number].take(frame)
            taken[number] += [(frame.time, sample)] if sample else []
    for number, reel in enumerate(rolled(plain)):
        assert reel["samples"] == [(t, s.webp, s.image.tobytes()) for t, s in taken[number]]
        keys = [(t, s.key_image.tobytes()) for t, s in taken[number] if s.key_image is not None]
        assert reel["keys"] == keys
        assert 1 < len(reel["keys"]) <= len(reel["samples"])
        assert reel["samples"][0][0] == number * LENGTH


@pytest.mark.parametrize("kind", ["both ways", "uneven", "broadcast", "damaged mkv"])
def test_begun_in_the_middle_a_reel_is_the_same(films: Callable[[str], Path], kind: str) -> None:
    whole = rolled(films(kind))
    assert len(whole) == 2
    assert rolled(films(kind), first=1) == whole[1:]


def test_a_damaged_film_tells_what_is_lost_and_where(films: Callable[[str], Path]) -> None:
    first, second = rolled(films("damaged mkv"))
    lost = first["met"] + second["met"] - first["kept"] - second["kept"]
    assert 50 < lost < 150
    (hole,) = first["holes"] + second["holes"]
    assert hole.length == pytest.approx(lost / 25, rel=0.5)
    assert second["ending"]["duration"] == pytest.approx(10, abs=0.0011)


def test_a_key_frame_is_held_against_the_one_in_the_reel_before(tmp_path: Path) -> None:
    """Of key frames four seconds apart none has another within what the detector looks back."""
    every = {"encoder": {"g": "100", "x264-params": "scenecut=0"}}
    path = media.film(tmp_path / "a.mp4", **media.LONG, **every)
    video = SETTINGS.video.model_copy(update={"frames": "key"})
    settings = SETTINGS.model_copy(update={"video": video})
    whole = rolled(path, 0, settings)
    assert [reel["cuts"] for reel in whole] == [(4.0,), (8.0,)]
    assert rolled(path, 1, settings) == whole[1:]


@pytest.mark.parametrize("apart", [3.0, 7.0, 45.0])
def test_what_still_shows_when_a_reel_begins_is_held_against_what_comes(
    tmp_path: Path, apart: float
) -> None:
    """Slides: frames far further apart than the detector looks back, or than a reel is long."""
    times = [apart * n for n in range(9)]
    path = media.film(tmp_path / "a.mp4", frames=9, cuts=range(9), times=times)
    shots = SceneShots(SETTINGS.shots)
    whole = [content(reel) for reel in reels(path, shots, SETTINGS)]
    assert [cut for reel in whole for cut in reel["cuts"]] == times[1:]
    for first in (1, 2, 4):
        assert [content(reel) for reel in reels(path, shots, SETTINGS, first)] == whole[first:]


@pytest.mark.parametrize("frames", ["reference", "key"])
def test_fewer_frames_make_no_shorter_film(plain: Path, frames: str) -> None:
    video = SETTINGS.video.model_copy(update={"frames": frames})
    some = rolled(plain, settings=SETTINGS.model_copy(update={"video": video}))
    assert some[-1]["ending"]["duration"] == 10
    assert all(0 < reel["kept"] == reel["met"] < 100 for reel in some)


def test_a_pause_longer_than_a_reel_is_reels_of_nothing(tmp_path: Path) -> None:
    times = [*(i / 25 for i in range(10)), *(21 + i / 25 for i in range(10))]
    path = media.film(tmp_path / "a.mkv", frames=20, cuts=[10], times=times)
    found = rolled(path)
    assert [reel["kept"] for reel in found] == [10, 0, 0, 0, 10]
    assert [len(reel["samples"]) for reel in found] == [1, 0, 0, 0, 1]
    assert rolled(path, first=3) == found[3:]


def test_behind_the_end_there_is_one_reel_of_nothing(plain: Path) -> None:
    (reel,) = rolled(plain, first=2)
    assert (reel["number"], reel["kept"], reel["samples"]) == (2, 0, [])
    assert reel["ending"] == {"duration": 10.0, "promise": 10.0}


class Context(ColourShots):
    """Notes what it is shown."""

    def __init__(self, lead: float) -> None:
        self.lead = lead
        self.seen: list[tuple[float, list[float]]] = []

    def cuts(self, frames: Iterable[Frame], since: float) -> tuple[float, ...]:
        self.seen.append((since, [frame.time for frame in frames]))
        return (since, since + 1)


@pytest.mark.parametrize("lead", [0.0, 0.5, 2.0])
def test_a_detector_sees_a_little_of_what_lay_before(plain: Path, lead: float) -> None:
    detector, later = Context(lead), Context(lead)
    found = list(reels(plain, detector, SETTINGS))
    list(reels(plain, later, SETTINGS, first=1))
    assert [since for since, _ in detector.seen] == [0, LENGTH]
    shown = [times for _, times in detector.seen]
    assert shown[0] == [i / 25 for i in range(125)]
    assert shown[1] == [i / 25 for i in range(124 - round(lead * 25), 250)]
    assert later.seen == detector.seen[1:]
    assert [reel.cuts for reel in found] == [(1,), (5, 6)], "no shot begins at the first frame"


class Bored(ColourShots):
    """Looks at one frame and finds nothing."""

    def cuts(self, frames: Iterable[Frame], since: float) -> tuple[float, ...]:
        next(iter(frames), None)
        return ()


def test_what_a_detector_does_not_look_at_is_there_all_the_same(plain: Path) -> None:
    bored = [content(reel) for reel in reels(plain, Bored(), SETTINGS)]
    assert bored == [{**reel, "cuts": ()} for reel in rolled(plain)]


def test_memory_for_context_has_an_end(plain: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(playback, "MOST_LEAD", 20)
    detector = Context(2.0)
    list(reels(plain, detector, SETTINGS))
    assert len(detector.seen[1][1]) == 145


@pytest.mark.parametrize(
    ("size", "codec", "shape"),
    [((97, 63), "ffv1", (63, 97)), ((2, 2), "libx264", (2, 2)), ((330, 220), "ffv1", (64, 96))],
)
def test_pictures_of_any_size(
    tmp_path: Path, size: tuple[int, int], codec: str, shape: tuple[int, int]
) -> None:
    path = media.film(tmp_path / "a.mkv", frames=5, size=size, codec=codec)
    (reel,) = reels(path, ColourShots(), SETTINGS)
    assert reel.samples[0].image.shape == (*shape, 3)
    assert reel.keys[0].image.shape[0] == min(size[1], 72)
    assert reel.kept == 5


def test_pictures_are_upright(tmp_path: Path) -> None:
    path = media.turned(media.film(tmp_path / "a.mp4", frames=5))
    (reel,) = reels(path, ColourShots(), SETTINGS)
    image = reel.samples[0].image
    assert image.shape == (96, 64, 3)
    assert image[:20, -12:].max() < 40, "the black corner has gone from top left to top right"


# ── sound ─────────────────────────────────────────────────────────────────────────────────────


def played(path: Path, chunk: float, since: float = 0.0) -> list[Block]:
    return list(sound(path, VideoSettings(), chunk, since))


def test_sound_comes_in_blocks_and_the_last_says_so(heard: Path) -> None:
    blocks = played(heard, 4.0)
    assert [block.start for block in blocks] == [0, 4, 8]
    assert [block.last for block in blocks] == [False, False, True]
    assert [len(block.samples) for block in blocks[:2]] == [64_000, 64_000]
    assert len(blocks[2].samples) / 16_000 == pytest.approx(2.5, abs=0.1)
    joined = np.concatenate([block.samples for block in blocks])
    assert joined.dtype == np.float32
    assert media.beeps(joined) == pytest.approx(BEEPS, abs=0.003)


def test_begun_in_the_middle_the_blocks_are_the_same(heard: Path) -> None:
    whole, later = played(heard, 4.0), played(heard, 4.0, since=4.0)
    assert [(block.start, block.last) for block in later] == [(4, False), (8, True)]
    for one, other in zip(whole[1:], later, strict=True):
        assert np.array_equal(one.samples, other.samples)
    assert played(heard, 4.0, since=12.0) == []


def test_a_block_tells_where_sound_was_lost(tmp_path: Path) -> None:
    tone = [(0.0, media.humming(20, *range(20)))]
    path = media.film(tmp_path / "a.mka", frames=0, sound=tone)
    assert [block.holes for block in played(path, 4.0)] == [()] * 6
    whole = played(media.damaged(path, 0.4, 0.6), 4.0)
    assert [len(block.holes) for block in whole] == [0, 1, 0, 0, 0, 0], "where it begins"
    (hole,) = whole[1].holes
    assert (hole.start, hole.end) == pytest.approx((7.94, 14.95), abs=0.1)
    for since in (4.0, 8.0):
        later = played(path, 4.0, since)
        assert [block.holes for block in later] == [b.holes for b in whole if b.start >= since]


def test_what_is_missing_at_the_end_is_told_with_the_last_block(tmp_path: Path) -> None:
    tone = [(0.0, media.humming(20, *range(20)))]
    path = media.film(tmp_path / "a.mp3", frames=0, sound=tone, sound_codec="mp3")
    *_, before, last = played(media.damaged(path, 0.4, 0.6), 4.0)
    assert before.holes == ()
    assert last.last
    assert (last.holes[-1].start, last.holes[-1].end) == pytest.approx((16.15, 20), abs=0.1)


def test_no_sound_is_no_block(plain: Path) -> None:
    assert played(plain, 4.0) == []


# ── probing, and errors in our own words ──────────────────────────────────────────────────────


def test_probing_tells_what_the_film_is(plain: Path) -> None:
    video = probe(plain, "print", VideoSettings())
    assert (video.path, video.fingerprint) == (str(plain), "print")
    assert (video.duration, video.fps, video.width, video.height) == (10, 25, 96, 64)
    assert (video.has_picture, video.has_audio) == (True, False)


def test_errors_of_the_decoder_are_raised_here(tmp_path: Path, decoders: list[Any]) -> None:
    (tmp_path / "text.mp4").write_text("no film")
    with pytest.raises(VideoUnreadableError, match=r"text\.mp4': cannot be opened"):
        probe(tmp_path / "text.mp4", "print", VideoSettings())
    with pytest.raises(VideoNotFoundError, match="nowhere"):
        rolled(tmp_path / "nowhere.mp4")
    assert all(gone(child) for child in decoders)


def test_a_name_that_is_no_text_for_a_command_line(plain: Path, tmp_path: Path) -> None:
    odd = tmp_path / "ü 新 'x' \"y\" $(z)\n.mp4"
    odd.write_bytes(plain.read_bytes())
    assert probe(odd, "print", VideoSettings()).path == str(odd)


def test_nothing_in_the_folder_we_are_called_in_passes_for_a_module(
    plain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "av.py").write_text("raise SystemExit('taken in')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [path for path in sys.path if path])
    assert probe(plain, "print", VideoSettings()).has_picture


# ── the process ───────────────────────────────────────────────────────────────────────────────


def gone(child: Any) -> bool:
    """Ended, and waited for."""
    return child.returncode is not None and not Path(f"/proc/{child.pid}").exists()


def one_line(error: pytest.ExceptionInfo[Exception], path: Path) -> str:
    message = str(error.value)
    assert "\n" not in message
    assert path.name in message
    return message


def under_way(path: Path, alive: Callable[[], None] = playback.always) -> Iterator[Reel]:
    """A film of which a reel has come, and more is waiting to be fetched."""
    rolling = reels(path, ColourShots(), SETTINGS, alive=alive)
    assert next(rolling).number == 0
    return rolling


def test_a_decoder_that_crashes_is_an_error_about_the_film(
    plain: Path, decoders: list[Any]
) -> None:
    rolling = under_way(plain)
    os.kill(decoders[0].pid, signal.SIGSEGV)
    with pytest.raises(VideoUnreadableError, match=r"crashed \(signal 11\)") as caught:
        list(rolling)
    one_line(caught, plain)
    assert gone(decoders[0])


def test_a_decoder_that_says_nothing_is_given_up(
    plain: Path, decoders: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    rolling = under_way(plain)
    os.kill(decoders[0].pid, signal.SIGSTOP)
    looks = select.select
    quick = SimpleNamespace(select=lambda *files: looks(*files[:3], files[3] / 100))
    monkeypatch.setattr(playback, "select", quick)  # its thirty seconds are over soon
    with pytest.raises(VideoUnreadableError, match="says nothing for 30 s") as caught:
        list(rolling)
    assert "settings.video.patience" in one_line(caught, plain)
    assert gone(decoders[0])


SLOW = """
import io, pathlib, time
class Slow(io.FileIO):
    def read(self, size=-1):
        time.sleep(0.05)
        return super().read(size)
quick = pathlib.Path.open
def slow(path, mode="r", *more, **others):
    return Slow(path) if mode == "rb" else quick(path, mode, *more, **others)
pathlib.Path.open = slow
"""


def test_a_decoder_that_gets_on_is_not_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long there is nothing to send: of a large film, a block of sound takes minutes."""
    path = media.film(tmp_path / "a.mkv", sound=[(0, media.tone(30, 1))], sound_codec="pcm_s16le")
    assert path.stat().st_size > 80 * 32_768, "reads of a twentieth of a second"
    (tmp_path / "sitecustomize.py").write_text(SLOW)
    monkeypatch.syspath_prepend(tmp_path)
    began = time.monotonic()
    (block,) = sound(path, VideoSettings(patience=3.0), 240.0)
    assert len(block.samples) == pytest.approx(30 * 16_000, abs=32)
    assert time.monotonic() - began > 4


def test_ctrl_c_is_for_the_caller(plain: Path, decoders: list[Any]) -> None:
    """A terminal sends it to all processes, and the caller may well want to go on."""
    rolling = under_way(plain)
    os.kill(decoders[0].pid, signal.SIGINT)
    assert [reel.ending for reel in rolling] == [{"duration": 10.0, "promise": 10.0}]


class Enough(Exception):  # noqa: N818
    """Nobody wants to see more."""


class Nobody:
    """Wants to see it until told otherwise."""

    enough = False

    def __call__(self) -> None:
        if self.enough:
            raise Enough


@pytest.mark.parametrize("state", ["at work", "silent"])
def test_whoever_has_seen_enough_need_not_wait(
    plain: Path, decoders: list[Any], state: str
) -> None:
    nobody = Nobody()
    rolling = under_way(plain, nobody)
    if state == "silent":
        os.kill(decoders[0].pid, signal.SIGSTOP)
    nobody.enough, began = True, time.monotonic()
    with pytest.raises(Enough):
        list(rolling)
    assert time.monotonic() - began < BESIDE
    assert gone(decoders[0])


def test_it_is_asked_often_however_slow_the_detector_is(plain: Path) -> None:
    """The decoder is then always ahead and never waited for."""
    asked: list[float] = []
    rolling = reels(plain, ColourShots(), SETTINGS, alive=lambda: asked.append(time.monotonic()))
    next(rolling)
    assert len(asked) > 100
    rolling.close()  # type: ignore[attr-defined]


def test_a_film_left_in_the_middle_leaves_no_process(plain: Path, decoders: list[Any]) -> None:
    rolling = under_way(plain)
    assert not gone(decoders[0])
    rolling.close()  # type: ignore[attr-defined]
    assert gone(decoders[0])


def test_a_bug_in_the_decoder_is_told_as_it_is(plain: Path, decoders: list[Any]) -> None:
    job = {"do": "nonsense", "path": str(plain)}
    with (
        pytest.raises(VideoUnreadableError, match=r"failed.*KeyError: 'nonsense'") as caught,
        playback.served(job, VideoSettings(), playback.always) as messages,
    ):
        next(messages)
    one_line(caught, plain)
    assert decoders[0].returncode == 1


@pytest.mark.parametrize("memory", [None, 3 << 30], ids=["free", "limited"])
def test_a_decoder_that_is_done_ends_well(plain: Path, memory: int | None) -> None:
    """Whatever memory whoever started us has left us."""

    def limit() -> None:
        if memory is not None:
            resource.setrlimit(resource.RLIMIT_AS, (memory, memory))

    job = {"do": "probe", "path": str(plain), "fingerprint": "print", "limits": {}}
    child = subprocess.Popen(
        [sys.executable, "-m", "vmr_agent.decoder", json.dumps(job)],
        stdin=subprocess.PIPE,  # and it stays open: the caller lives
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=limit,
    )
    assert child.stdout is not None
    assert child.stderr is not None
    assert b"print" in child.stdout.read()
    assert child.stderr.read() == b""
    assert child.wait(30) == 0
    child.communicate()


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="there is no other way to look")
def test_a_decoder_ends_with_its_caller(plain: Path) -> None:
    """Even one that nobody could wait for any more."""
    code = (
        "import sys, time; from pathlib import Path; from vmr_agent import playback\n"
        "from vmr_agent.settings import Settings; from vmr_agent.testing import ColourShots\n"
        "settings = Settings(video={'reel': 5})\n"
        "rolling = playback.reels(Path(sys.argv[1]), ColourShots(), settings); next(rolling)\n"
        "print('under way', flush=True); time.sleep(100)\n"
    )
    caller = subprocess.Popen([sys.executable, "-c", code, str(plain)], stdout=subprocess.PIPE)
    assert caller.stdout is not None
    assert caller.stdout.readline() == b"under way\n"
    tasks = Path(f"/proc/{caller.pid}/task").glob("*/children")
    (child,) = [int(each) for task in tasks for each in task.read_text().split()]
    caller.kill()
    caller.communicate()
    give_up = time.monotonic() + 20
    while running(child):
        assert time.monotonic() < give_up
        time.sleep(0.05)


def running(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


# ── messages ──────────────────────────────────────────────────────────────────────────────────


def test_signs_of_life_come_once_a_second_and_are_no_messages(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 100.0
    monkeypatch.setattr(pipe, "time", SimpleNamespace(monotonic=lambda: now))
    source, drain = os.pipe()
    with os.fdopen(source, "rb") as read, os.fdopen(drain, "wb") as out:
        sender = pipe.Sender(out)
        for number in range(4):
            sender.send({"number": number})
            for _ in range(9):
                now += 0.3
                sender.alive()
        sender.send({"error": "VideoUnreadableError", "message": "over"})
        sender.flush()
        child: Any = SimpleNamespace(stdout=read)
        messages = playback._Line(child, "a.mp4", 5.0, playback.always).messages()
        assert [next(messages) for _ in range(4)] == [({"number": n}, []) for n in range(4)]
        with pytest.raises(VideoUnreadableError, match="over"):
            next(messages)
    wire = BytesIO()
    sender = pipe.Sender(wire)
    for _ in range(100):
        now += 0.1
        sender.alive()
    assert wire.getvalue().count(b"alive") in (9, 10)


def test_messages_come_out_as_they_went_in() -> None:
    wire = BytesIO()
    pixels = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    pipe.send(wire, {"time": 1.5, "name": "ü"}, [pixels.data.cast("B"), b"", b"webp"])
    pipe.send(wire, {"end": True})
    wire.seek(0)

    def exactly(count: int) -> bytearray:
        return bytearray(wire.read(count))

    facts, parts = pipe.receive(exactly)
    assert facts == {"time": 1.5, "name": "ü"}
    assert [bytes(part) for part in parts] == [pixels.tobytes(), b"", b"webp"]
    assert pipe.receive(exactly) == ({"end": True}, [])
    assert wire.read() == b""
