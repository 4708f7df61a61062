"""The strip: sampled small frames with exact times, and larger key frames for reading text.

``Sampler`` decides which frames are taken, in the process that decodes; ``Strip`` is how they lie
on the shelf.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from vmr_agent.limits import StripSettings
from vmr_agent.writing import News, Writing

if TYPE_CHECKING:
    from vmr_agent.protocols import Arrays, Image

NAMES = ("times", "offsets", "webp")
THUMB = 32  # pixels: the thumbnail on which "has the picture changed" is decided
LONGEST = 16_383
LOOKS = 4  # times per sample that a picture standing still is looked at again
OFTEN = 0.75  # of the time between two samples: that after which writing is looked for again
EFFORT = 2  # of 6: half the bytes of 0 in twice the time; more effort gains little


class Picture(Protocol):
    """A frame that can still give any size: ``Decoded``, or a ``Frame``."""

    @property
    def time(self) -> float:
        """Seconds from the start of the video."""

    def rgb(self, short_side: int | None = None) -> Image:
        """Pixels ``(H, W, 3)``."""


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """A frame that was taken: pixels for the encoder and the reader, and small for the shelf."""

    image: Image
    webp: bytes
    key_image: Image | None = None
    """Larger; only of key frames. Few of them are kept, so they are encoded later."""
    news: News | None = None
    """Of key frames that show writing come or gone."""
    shown: float | None = None
    """Since when there is writing that was new on the key frame before this sample."""


class Sampler:
    """Sees the frames of one reel in order and takes a few of them."""

    def __init__(self, settings: StripSettings) -> None:
        self._settings = settings
        self._next = -np.inf
        self._sampled: tuple[float, NDArray[np.float32]] | None = None
        self._keyed: tuple[float, NDArray[np.float32]] | None = None
        self._writing, self._looked = Writing(), -np.inf
        self._shown: float | None = None

    def take(self, frame: Picture) -> Sample | None:
        """The frame as a sample if its time has come and it shows something new, else None."""
        if frame.time + 1e-6 < self._next:
            return None
        settings, now, step = self._settings, frame.time, 1 / self._settings.fps
        image = frame.rgb(settings.short_side)
        thumb = _thumbnail(image)
        moves = _is_news(self._sampled, now, thumb, settings.still, settings.rest)
        news = self._look(now, image)
        key = news is not None or self._is_key(now, thumb, moves)
        if not moves and not key:
            self._next = now + step / LOOKS
            return None
        due = self._next if self._sampled else now
        self._next, self._sampled = max(due + step, now + step / 2), (now, thumb)
        webp = encoded(image, settings.quality)
        if not key:
            return Sample(image, webp, shown=self._tell())
        self._keyed = (now, thumb)
        self._writing.noted(image)
        return Sample(image, webp, frame.rgb(settings.key_short_side), news, self._tell())

    def _look(self, now: float, image: Image) -> News | None:
        """What writing came or went; of pictures that stand still as often as of others."""
        if not self._settings.key_writing or now < self._looked + OFTEN / self._settings.fps:
            return None
        self._looked = now
        news, shown = self._writing.look(now, image)
        self._shown = shown if self._shown is None else self._shown
        return news

    def _tell(self) -> float | None:
        """What is known of the last key frame by now; once."""
        shown, self._shown = self._shown, None
        return shown

    def _is_key(self, now: float, thumb: NDArray[np.float32], moves: bool) -> bool:
        """Of what moves now and then one; what stands, as title cards do, at once."""
        settings = self._settings
        if moves and self._keyed and now - self._keyed[0] < settings.key_gap - 1e-6:
            return False
        every = settings.key_every if moves else np.inf
        return _is_news(self._keyed, now, thumb, settings.key_change, every)


@dataclass(frozen=True, slots=True)
class Strip:
    """Pictures and their times: ``times`` (N,) seconds, rising."""

    times: NDArray[np.float64]
    offsets: NDArray[np.int64]
    webp: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.times)

    def images(self) -> Iterator[Image]:
        """Each frame as uint8 (H, W, 3) RGB, decoded as asked for."""
        return (self.image(index) for index in range(len(self)))

    def image(self, index: int) -> Image:
        """One frame, decoded."""
        packed = self.webp[self.offsets[index] : self.offsets[index + 1]]
        image = cv2.imdecode(packed, cv2.IMREAD_COLOR)
        assert image is not None, "the strip holds only what we have encoded"
        return cv2.cvtColor(image, cv2.COLOR_BGR2RGB).astype(np.uint8, copy=False)

    def arrays(self, prefix: str = "") -> Arrays:
        """As they are shelved: the samples (no prefix) or the key frames (``"key_"``)."""
        return {prefix + name: getattr(self, name) for name in NAMES}

    @classmethod
    def load(cls, arrays: Arrays, prefix: str = "") -> Strip:
        """Back from the shelf."""
        return cls(*(arrays[prefix + name] for name in NAMES))

    @classmethod
    def of(cls, times: Sequence[float], pictures: Sequence[bytes]) -> Strip:
        """From times and as many encoded pictures."""
        offsets = np.cumsum([0, *map(len, pictures)])
        packed = np.frombuffer(b"".join(pictures), dtype=np.uint8)
        return cls(np.asarray(times, np.float64), offsets.astype(np.int64), packed)


def encoded(image: Image, quality: int) -> bytes:
    """The picture as WebP, which no side of more than ``LONGEST`` pixels can have."""
    from PIL import Image as Pictures

    buffer = BytesIO()
    height, width = (min(side, LONGEST) for side in image.shape[:2])
    if (height, width) != image.shape[:2]:
        shrunk = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
        image = np.asarray(shrunk, np.uint8)
    Pictures.fromarray(image).save(buffer, "webp", quality=quality, method=EFFORT)
    return buffer.getvalue()


def likeness(images: Sequence[Image]) -> NDArray[np.float32]:
    """Unit rows (N, D): cosines between them tell how alike pictures of one size are."""
    rows = np.stack([_thumbnail(image).ravel() for image in images]) + np.float32(1e-3)
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def _thumbnail(image: Image) -> NDArray[np.float32]:
    small = cv2.resize(image, (THUMB, THUMB), interpolation=cv2.INTER_AREA)
    return small.astype(np.float32) / np.float32(255)


def _is_news(
    last: tuple[float, NDArray[np.float32]] | None,
    now: float,
    thumb: NDArray[np.float32],
    change: float,
    rest: float,
) -> bool:
    """Whether a picture differs from the last one taken, or that one is too long ago."""
    if last is None or now - last[0] >= rest - 1e-6:
        return True
    return float(np.abs(thumb - last[1]).mean()) > change
