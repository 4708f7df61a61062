"""Odd files end to end: shots, vectors and utterances land within a frame of the truth.

Every film shows 250 frames in four colours and beeps where the colour changes. Real decoding and
the real shot detector; a vector is what colours there are, and somebody who speaks in beeps.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import media
import numpy as np
import pytest
from media import tone

from vmr_agent import VMRAgent
from vmr_agent.adapters.scenes import SceneShots
from vmr_agent.film import Film
from vmr_agent.protocols import Array
from vmr_agent.settings import ShotSettings
from vmr_agent.state import State
from vmr_agent.testing import COLOURS, colour_toolbox
from vmr_agent.types import Span, Utterance, Word

CUTS = (60, 130, 190)
FRAMES = 250
SHOWN = ("red", "green", "blue", "yellow")
EVEN = [i / 25 for i in range(FRAMES)]
FILM_24 = [i * 1001 / 24_000 for i in range(FRAMES)]
NTSC = [i * 1001 / 30_000 for i in range(FRAMES)]
LOST = [i / 25 for i in range(FRAMES + 25) if not 100 <= i < 125]
"""A second without a frame, as when a camera was overheated."""


class Beeps:
    """A word for every beep."""

    name = "beeps"

    def transcribe(self, samples: Array, rate: int, voice: Array) -> tuple[Utterance, ...]:
        """Where beeps begin."""
        spans = [Span(start=at, end=at + 0.05) for at in media.beeps(samples, rate)]
        said = [Word(text="beep", span=span) for span in spans]
        return tuple(
            Utterance(span=w.span, text="beep", words=(w,), timing="attention") for w in said
        )


class Case(NamedTuple):
    """A film and the true times of its frames, from the first one on."""

    make: Callable[[Path], Path]
    times: Sequence[float]
    beeps: Sequence[float] | None = None
    """The cuts unless said otherwise."""
    slack: float = 2e-3
    """Seconds by which the file's own clock may be off."""


def told(
    name: str, times: Sequence[float] = EVEN, start: float = 0.0, seconds: float = 11.0, **more: Any
) -> Case:
    """A film whose clock begins at ``start``, with ``seconds`` of sound from there on."""
    cuts = [times[cut] for cut in CUTS]
    sound = [(start, tone(seconds, *cuts))]

    def make(to: Path) -> Path:
        clock = [start + time for time in times]
        return media.film(to / name, frames=FRAMES, cuts=CUTS, times=clock, sound=sound, **more)

    return Case(make, times, [cut for cut in cuts if cut < seconds])


def early(to: Path) -> Path:
    """The sound begins half a second before the picture."""
    clock = [0.5 + time for time in EVEN]
    sound = [(0.0, tone(11.0, *(0.5 + EVEN[cut] for cut in CUTS)))]
    return media.film(to / "a.mkv", frames=FRAMES, cuts=CUTS, times=clock, sound=sound)


def turned(to: Path) -> Path:
    return media.turned(told("a.mp4", movflags="faststart").make(to))


def cut_in(to: Path) -> Path:
    """The first second is in the file, and its header says to leave it out."""
    return told("a.mp4", start=-1.0, encoder=media.BOTH_WAYS, **NEGATIVE).make(to)


NEGATIVE = {"avoid_negative_ts": "disabled"}
CASES = {
    "even": told("a.mp4"),
    "both ways": told("a.mp4", encoder=media.BOTH_WAYS),
    "both ways avi": told("a.avi", encoder=media.BOTH_WAYS),
    "23.976": told("a.mkv", FILM_24, encoder=media.BOTH_WAYS),
    "29.97": told("a.mp4", NTSC, encoder=media.BOTH_WAYS),
    "variable": told("a.mkv", media.UNEVEN, encoder=media.BOTH_WAYS),
    "a second lost": told("a.mkv", LOST, seconds=12.0),
    "turned": Case(turned, EVEN),
    # It counts frames, and its writer counts one more where the encoder holds one back.
    "no timestamps": told("a.avi", codec="mpeg4", sound_codec="mp3")._replace(slack=0.041),
    "from 1000 s": told("a.ts", start=1000.0, encoder=media.BOTH_WAYS),
    "from 1000 s mkv": told("a.mkv", start=1000.0),
    # Broadcasts whose clock runs over are read as if they had begun before zero.
    "before zero": told("a.ts", start=-3.0, encoder=media.BOTH_WAYS, **NEGATIVE),
    "cut in": Case(cut_in, [time - 1 for time in EVEN]),
    "sound early": Case(early, EVEN),
    "sound long": told("a.mp4", seconds=25.0),
    "sound short": told("a.mp4", seconds=6.0),
    "two pictures": told("a.mkv", pictures=2),
    "cover": told("a.mp4", cover=True),
    "sizes": Case(lambda to: media.resized(to / "a.ts", *SIZES, shots=CUTS), EVEN, ()),
}
SIZES = ((96, 64), (192, 128), (64, 96), (128, 96), (96, 64))


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("frames", ["all", pytest.param("reference", marks=pytest.mark.slow)])
def test_everything_lands_within_a_frame(name: str, frames: str, tmp_path: Path) -> None:
    case = CASES[name]
    path = case.make(tmp_path)
    film = indexed(path, tmp_path / "home", frames)
    cuts = [case.times[cut] for cut in CUTS]
    frame = max(b - a for a, b in zip(case.times, case.times[1:], strict=False) if b - a < 0.5)

    starts = [shot.span.start for shot in film.shots]
    assert starts == pytest.approx([0.0, *cuts], abs=frame + 1e-3)
    assert film.shots[-1].span.end == pytest.approx(case.times[-1], abs=2.5 * frame)
    seen_and_heard(film, case, frame)


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_key_frames_are_of_their_time_and_shots_begin_with_one(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    film = indexed(case.make(tmp_path), tmp_path / "home", "key")
    cuts = [case.times[cut] for cut in CUTS]
    _, *starts = [shot.span.start for shot in film.shots]
    assert np.isin(starts, film.times).all()
    found = [int(np.searchsorted(cuts, start + case.slack, "right")) for start in starts]
    # Key frames a fifth of a second apart pass for frames of a film that has no others.
    assert found == ([1, 3] if name == "variable" else [1, 2, 3])
    assert film.shots[-1].span.end == pytest.approx(case.times[-1], abs=0.1)
    seen_and_heard(film, case, 0.05)


def seen_and_heard(film: Film, case: Case, frame: float) -> None:
    cuts = [case.times[cut] for cut in CUTS]
    nearest = np.abs(film.times[:, None] - np.asarray(case.times)).min(axis=1)
    assert nearest.max() < case.slack, "a vector has the time of a frame"
    seen = [[*COLOURS][column] for column in film.vectors[:, : len(COLOURS)].argmax(axis=1)]
    shown = [SHOWN[np.searchsorted(cuts, time + 1e-3, side="right")] for time in film.times]
    assert seen == shown, "and is of what was shown then"
    assert set(shown) == set(SHOWN)

    heard = [utterance.span.start for utterance in film.utterances]
    assert heard == pytest.approx([*(cuts if case.beeps is None else case.beeps)], abs=frame)


def indexed(path: Path, home: Path, frames: str) -> Film:
    """The film with all that the front half shelved about it."""
    box = colour_toolbox(home)
    video = box.settings.video.model_copy(update={"frames": frames, "reel": 5.0})
    settings = box.settings.model_copy(update={"video": video})
    detector = SceneShots(ShotSettings())
    box = replace(box, settings=settings, detector=detector, transcriber=Beeps())
    return box.film(State(video=VMRAgent(toolbox=box).index(path)))
