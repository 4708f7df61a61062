"""Seconds as frames and as SMPTE timecode, right to the frame at every rate that editors use.

Frames are counted from the seconds, at an exact rate: nothing drifts, whatever a film's own
pictures do. Drop-frame timecode leaves out numbers, never frames: two of a minute at 29.97, four at
59.94, none of every tenth minute, so that it keeps to the clock. Written here because an EDL should
not need OpenTimelineIO; tests compare its answers with that library's, over 24 hours.
"""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from vmr_agent.errors import ExportError
from vmr_agent.types import Span, Video

NTSC = Fraction(1000, 1001)
STANDARD = (24 * NTSC, Fraction(24), Fraction(25), 30 * NTSC, Fraction(30), Fraction(48),
            Fraction(50), 60 * NTSC, Fraction(60))  # fmt: skip
"""Frames a second that timecode knows."""
DEFAULT = Fraction(25)
"""Where there is no picture to count."""
NEAR = 4e-4
"""Share by which an average may miss a rate that it is taken for: 23.976 and 24 are 1e-3 apart."""
SHARES = (1.0, *(float(times) for times in range(2, 7)), *(1 / part for part in range(2, 21)))
"""Screen recordings have 10 or 15 pictures a second, slow motion up to 1000."""
HOURS = 24
"""Timecode begins anew after a day."""


class Rate(NamedTuple):
    """Frames a second, exactly."""

    exact: Fraction
    why: str = ""
    """One line for a person where the rate is not simply the film's own."""

    @property
    def nominal(self) -> int:
        """Frames in a second of timecode: 30 for 29.97."""
        return round(self.exact)

    @property
    def drops(self) -> int:
        """Numbers that drop-frame timecode leaves out of a minute; 0 where none are."""
        return 2 * self.nominal // 30 if self.exact in (30 * NTSC, 60 * NTSC) else 0

    def frame(self, seconds: float) -> int:
        """The frame that begins nearest to that second."""
        return round(Fraction(seconds) * self.exact)


def counted(video: Video) -> Rate:
    """The standard rate that the film has on average, or that a multiple or a part of that is.

    Where there is none, as of telephones that film unevenly, the nearest.
    """
    if not video.fps:
        return Rate(DEFAULT, f"no picture: counted at {spelt(DEFAULT)} frames a second")
    for share in SHARES:
        exact = _nearest(video.fps * share)
        if abs(video.fps * share / exact - 1) <= NEAR:
            break
    else:
        share, exact = 0.0, _nearest(video.fps)
    if share == 1:
        return Rate(exact)
    told = f"{video.fps:.6g} pictures a second on average"
    return Rate(exact, f"{told}: counted at {spelt(exact)}, the nearest that timecode knows")


def _nearest(fps: float) -> Fraction:
    return min(STANDARD, key=lambda rate: abs(rate - fps))


def spelt(rate: Fraction) -> str:
    """``29.97`` for 30000/1001."""
    return f"{float(rate):.3f}".rstrip("0").rstrip(".")


def frames(span: Span, rate: Rate, duration: float) -> tuple[int, int]:
    """The first frame and the one behind the last: one frame at least, none behind the film's."""
    last = max(1, rate.frame(duration)) if duration else rate.frame(span.end) + 1
    first = min(rate.frame(span.start), last - 1)
    return first, max(first + 1, min(rate.frame(span.end), last))


def timecode(frame: int, rate: Rate) -> str:
    """``01:00:00:00``, with ``;`` before the frames where it drops numbers.

    Raises ExportError from 24 hours on, where it would begin anew.
    """
    nominal, drops = rate.nominal, rate.drops
    if drops:
        tens, rest = divmod(frame, 600 * nominal - 9 * drops)
        frame += 9 * drops * tens + drops * max(0, (rest - drops) // (60 * nominal - drops))
    seconds, frames = divmod(frame, nominal)
    hours, seconds = divmod(seconds, 3600)
    if hours >= HOURS:
        raise ExportError(f"timecode counts to {HOURS} hours only: use otio, csv or json")
    minutes, seconds = divmod(seconds, 60)
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}{';' if drops else ':'}{frames:02d}"
