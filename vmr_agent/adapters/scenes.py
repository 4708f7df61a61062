"""Where shots begin: the door to PySceneDetect, which is fed our frames.

    shots = SceneShots(settings.shots)
    shots.cuts(frames, since=60.0)  # frames from ``60 - shots.lead`` on

PySceneDetect's detectors are offered as they are, and ``gradual``: its adaptive detector, a second
look at what that one found, and an eye for fades and dissolves. ``python -m evals.shots`` compares
them; all numbers here were chosen by it, on other films than it reports.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from vmr_agent.frame import Frame, Pixels
from vmr_agent.settings import ShotSettings

SIZE = (128, 72)
"""Pixels that are compared, whatever the film's shape. PySceneDetect's thresholds are made for four
times as many; these take half the time, find as many cuts, and fewer in grain."""
THUMB = (32, 18)
"""Pixels of a second look: what moves a little still looks the same."""
LEAD = 2.0
"""Seconds that any decision looks back: SLOW and HALF."""
BREAK = 0.21
"""Seconds without a frame after which nobody knows what the picture did: the next frame is held
against the last one, there and then, and all begins anew."""
STAYS = (0.2, 0.4, 0.6)
"""Seconds after its time at which a picture that stays is looked at again."""

AROUND = 0.25
"""Seconds before and after a cut that are compared: a camera's flash is over by then."""
ALIKE = 0.7
"""Correlation from which two thumbnails are of the same shot."""
BLANK = 2.0
"""Contrast (0-255) below which there is nothing in a picture."""
PAUSE = 0.4
"""Seconds of nothing, as between two halves of a fade, that are no shot of their own."""

SLOW = 1.2
"""Seconds in which a dissolve is looked for: all of a short one, most of a long one."""
UNLIKE = 0.6
"""Correlation below which the two ends of these show different things."""
MIXED = 0.42
"""How far the middle may be from any mixture of the ends; 1 is as far as they are apart."""
UNEVEN = 0.25
"""By how much the share of an end in the middle may differ from a half."""
SOFT = 0.8
"""Energy of the middle's edges, the ends' being 1: in a mixture edges are half as high."""
NEAR = 0.3
"""Seconds from a cut within which there is no dissolve."""
RECENT = 16
"""Cuts that are remembered for that."""
STEADY = 0.05
"""Change of the share that counts; less is noise."""
HALF = 0.75
"""Seconds for which it may stay at a half, as it does in a dissolve longer than SLOW. If it falls
below a half again within these, a hand has shaken: it is the same dissolve."""


class _Look(Protocol):
    """Looks at one picture after the other."""

    def see(self, time: float, pixels: Pixels) -> list[float]:
        """The cuts that are certain now that this picture is seen."""


class SceneShots:
    """Seconds at which shots begin. Frames are looked at one by one, and none is kept."""

    lead = LEAD

    def __init__(self, settings: ShotSettings) -> None:
        self._settings = settings
        self.name = f"scenedetect-{settings.detector}"

    def cuts(self, frames: Iterable[Frame], since: float) -> tuple[float, ...]:
        """The cuts that the frames from ``since`` on decide, rising; some lie a little before it.

        Pieces of a film give what the whole film gives, if each also has the frames of the ``lead``
        before it, and the last one before those.
        """
        found: set[float] = set()
        look = self._look()
        last: tuple[float, Pixels] | None = None
        for frame in frames:
            now = frame.time, _fitted(frame)
            new: list[float] = []
            if last and now[0] - last[0] > BREAK:
                new += _stays(look, *last) + ([now[0]] if self._differ(last[1], now[1]) else [])
                look = self._look()
            new += look.see(*now)
            if frame.time >= since:
                found.update(new)
            last = now
        return tuple(sorted(found))

    def _differ(self, before: Pixels, after: Pixels) -> bool:
        """Whether there would be a cut if both were shown for a while."""
        look = self._look()
        shown = ((0.0, before), (STAYS[-1] + BREAK, after))
        return any(look.see(*one) + _stays(look, *one) for one in shown)

    def _look(self) -> _Look:
        """The detector chosen. A shot may be as short as a frame: others judge that."""
        from scenedetect import detectors

        kind, threshold = self._settings.detector, self._settings.threshold
        if kind == "content":
            return _Plain(detectors.ContentDetector(threshold or 27.0, min_scene_len=0))
        if kind == "histogram":
            return _Plain(detectors.HistogramDetector(threshold or 0.2, min_scene_len=0))
        if kind == "hash":
            return _Plain(detectors.HashDetector(threshold or 0.35, min_scene_len=0))
        adaptive = detectors.AdaptiveDetector(threshold or 3.0, min_scene_len=0)
        return _Gradual(_Plain(adaptive)) if kind == "gradual" else _Plain(adaptive)


def _stays(look: _Look, time: float, pixels: Pixels) -> list[float]:
    """What becomes certain while a picture that has been seen stays."""
    return [cut for later in STAYS for cut in look.see(time + later, pixels)]


def _fitted(frame: Frame) -> Pixels:
    """The pixels in one size for all films; a film may change its own on the way."""
    pixels = frame.rgb(SIZE[1])
    if pixels.shape[1::-1] != SIZE:
        pixels = np.asarray(cv2.resize(pixels, SIZE, interpolation=cv2.INTER_AREA), np.uint8)
    return pixels


class _Plain:
    """A detector of PySceneDetect's. To it a picture's time is its number: ours may be uneven."""

    def __init__(self, detector: Any) -> None:
        self._detector = detector
        self._times: list[float] = []

    def see(self, time: float, pixels: Pixels) -> list[float]:
        """The cuts that are certain now that this picture is seen."""
        from scenedetect.common import FrameTimecode

        number = FrameTimecode(len(self._times), 25.0)
        self._times.append(time)
        found = self._detector.process_frame(number, cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))
        return [self._times[code.frame_num] for code in found]


@dataclass(frozen=True, slots=True, eq=False)
class _Glance:
    """What is remembered of a picture."""

    time: float
    thumb: NDArray[np.float32] = field(repr=False)
    shape: NDArray[np.float32] = field(repr=False)
    """The thumbnail in any light: without its mean, of length 1. Products are correlations."""
    contrast: float
    """Standard deviation (0-255)."""
    edges: float
    """Their energy."""

    @classmethod
    def of(cls, time: float, pixels: Pixels) -> _Glance:
        """A glance at a picture."""
        half = cv2.resize(pixels, (SIZE[0] // 2, SIZE[1] // 2), interpolation=cv2.INTER_AREA)
        edges = cv2.Laplacian(cv2.cvtColor(half, cv2.COLOR_RGB2GRAY), cv2.CV_32F)
        thumb = cv2.resize(half, THUMB, interpolation=cv2.INTER_AREA).astype(np.float32).ravel()
        shape = thumb - thumb.mean()
        length = float(np.linalg.norm(shape))
        contrast = length / float(np.sqrt(thumb.size))
        energy = float(np.square(edges).mean())
        return cls(time, thumb, shape / max(length, 1e-6), contrast, energy)

    @property
    def blank(self) -> bool:
        """Whether there is nothing in it."""
        return self.contrast < BLANK


class _Gradual:
    """Cuts, fades and dissolves, told from flashes, lamps and cameras that turn."""

    def __init__(self, abrupt: _Look) -> None:
        self._abrupt = abrupt
        self._past: deque[_Glance] = deque()
        self._suspects: set[float] = set()
        self._cuts: deque[float] = deque(maxlen=RECENT)
        self._shares: deque[tuple[float, float, bool]] = deque()

    def see(self, time: float, pixels: Pixels) -> list[float]:
        """The cuts that are certain now that this picture is seen."""
        now = _Glance.of(time, pixels)
        self._suspects.update(self._abrupt.see(time, pixels))
        if self._past and self._past[-1].blank != now.blank:
            self._suspects.add(time)
        self._past.append(now)
        while self._past[0].time < time - SLOW:
            self._past.popleft()
        due = sorted(suspect for suspect in self._suspects if time - suspect >= PAUSE)
        self._suspects.difference_update(due)
        found = [suspect for suspect in due if self._is_cut(suspect)]
        self._cuts.extend(found)
        return found + self._dissolve(now)

    def _is_cut(self, time: float) -> bool:
        """Whether something is to be seen from then on that was not to be seen before.

        Nothing that lasts is a shot of its own; nothing that does not is cut out of the film.
        """
        before = [glance for glance in self._past if glance.time < time]
        after = [glance for glance in self._past if time <= glance.time <= time + PAUSE]
        if after[0].blank:
            return not before[-1].blank and all(glance.blank for glance in after)
        seen = [glance for glance in before if not glance.blank]
        last = seen[-1].time if seen else before[0].time
        if not seen or time - last > PAUSE:
            return time - last > PAUSE
        old = [glance.shape for glance in seen if last - glance.time <= AROUND]
        new = [g.shape for g in after if not g.blank and g.time - time <= AROUND]
        return float((np.stack(old) @ np.stack(new).T).max()) < ALIKE

    def _dissolve(self, now: _Glance) -> list[float]:
        """The middle of a dissolve, when the last seconds show both its sides.

        Half-way in its turn a camera shows other things, and what moves hides but does not mix.
        """
        old = self._past[0]
        if old.time > now.time - SLOW + BREAK:
            return []
        middle = next(glance for glance in self._past if glance.time >= now.time - SLOW / 2)
        whole, part = old.thumb - now.thumb, middle.thumb - now.thumb
        share = float(part @ whole) / max(float(whole @ whole), 1.0)
        mixed = (
            abs(share - 0.5) < UNEVEN
            and float(old.shape @ now.shape) < UNLIKE
            and np.linalg.norm(part - share * whole) < MIXED * np.linalg.norm(whole)
            and middle.edges < SOFT * (old.edges + now.edges) / 2
            and not any(glance.blank for glance in self._past)
        )
        self._shares.append((now.time, share, mixed))
        while self._shares[0][0] < now.time - HALF:
            self._shares.popleft()
        return self._fell(now.time)

    def _fell(self, now: float) -> list[float]:
        """When the old picture's share was a half, if it has just become less."""
        shares = list(self._shares)
        low, high = 0.5 - STEADY, 0.5 + STEADY
        falls = [at for at in range(1, len(shares)) if shares[at - 1][1] >= low > shares[at][1]]
        if not falls or falls[-1] != len(shares) - 1:
            return []
        above = max((at for at, (_, share, _) in enumerate(shares) if share > high), default=0)
        if not any(mixed for *_, mixed in shares[above:]):
            return []
        if len(falls) > 1 and any(mixed for *_, mixed in shares[: falls[-2] + 1]):
            return []
        half = (shares[above][0] + now) / 2 - SLOW / 2
        if any(abs(cut - half) <= NEAR for cut in self._cuts):
            return []
        return [min((abs(glance.time - half), glance.time) for glance in self._past)[1]]
