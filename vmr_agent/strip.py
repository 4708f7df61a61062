"""The strip: sampled small frames with exact times, and larger key frames for reading text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vmr_agent.protocols import Arrays, Image
from vmr_agent.settings import StripSettings
from vmr_agent.video import Frame

NAMES = ("times", "offsets", "jpeg")
LUMA = 32  # pixels: the thumbnail on which "has the picture changed" is decided


@dataclass(frozen=True, slots=True)
class Reel:
    """JPEGs and their times: ``times`` (N,) seconds, rising."""

    times: NDArray[np.float64]
    offsets: NDArray[np.int64]
    jpeg: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.times)

    def images(self) -> Iterator[Image]:
        """Each frame as uint8 (H, W, 3) RGB, decoded as asked for."""
        for start, end in zip(self.offsets[:-1], self.offsets[1:], strict=True):
            image = cv2.imdecode(self.jpeg[start:end], cv2.IMREAD_COLOR)
            assert image is not None, "the strip holds only what cv2 has encoded"
            yield cv2.cvtColor(image, cv2.COLOR_BGR2RGB).astype(np.uint8, copy=False)

    @classmethod
    def load(cls, arrays: Arrays, prefix: str = "") -> Reel:
        """The samples (no prefix) or the key frames (``"key_"``) of a shelved strip."""
        return cls(*(arrays[prefix + name] for name in NAMES))

    @classmethod
    def of(cls, times: list[float], jpegs: list[bytes]) -> Reel:
        """From a list of times and as many encoded pictures."""
        offsets = np.cumsum([0] + [len(jpeg) for jpeg in jpegs])
        packed = np.frombuffer(b"".join(jpegs), dtype=np.uint8)
        return cls(np.asarray(times, np.float64), offsets.astype(np.int64), packed)


class Sampler:
    """Sees every frame once and keeps a few: ``see(frame)`` for each, then ``arrays()``."""

    def __init__(self, settings: StripSettings) -> None:
        self._settings = settings
        self._next = 0.0
        self._samples: tuple[list[float], list[bytes]] = ([], [])
        self._keys: tuple[list[float], list[bytes]] = ([], [])
        self._last_key: tuple[float, NDArray[np.float32]] | None = None

    def see(self, frame: Frame) -> None:
        """Keep the frame if the time for a sample has come, as a key frame too if it is news."""
        if frame.time + 1e-6 < self._next:
            return
        self._next = max(self._next + 1 / self._settings.fps, frame.time)
        image = frame.rgb(self._settings.short_side)
        self._add(self._samples, frame.time, image)
        if self._is_news(frame.time, image):
            self._add(self._keys, frame.time, frame.rgb(self._settings.key_short_side))

    def arrays(self) -> Arrays:
        """The strip as it is shelved: samples, and key frames with the prefix ``key_``."""
        reels = {"": Reel.of(*self._samples), "key_": Reel.of(*self._keys)}
        return {
            prefix + name: getattr(reel, name) for prefix, reel in reels.items() for name in NAMES
        }

    def _is_news(self, time: float, image: Image) -> bool:
        small = cv2.resize(image, (LUMA, LUMA), interpolation=cv2.INTER_AREA)
        luma = small.mean(axis=2, dtype=np.float32) / np.float32(255)
        if self._last_key is not None:
            since, before = self._last_key
            still = np.abs(luma - before).mean() < self._settings.key_change
            if still and time - since < self._settings.key_every:
                return False
        self._last_key = (time, luma)
        return True

    def _add(self, reel: tuple[list[float], list[bytes]], time: float, image: Image) -> None:
        quality = [cv2.IMWRITE_JPEG_QUALITY, self._settings.jpeg_quality]
        bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
        _, jpeg = cv2.imencode(".jpg", bgr, quality)
        reel[0].append(time)
        reel[1].append(jpeg.tobytes())
