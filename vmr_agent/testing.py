"""The colour film and honest fakes: the whole agent, without a model, on pixels that are real.

    box = colour_toolbox(home)
    report = VMRAgent(toolbox=box).run(colour_film(folder), "the red one")

The film is a real file that is really decoded; the fakes really look at its pixels. Users can test
their own programs with them; nothing here touches the network or loads a model library.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np

from vmr_agent.frame import Frame
from vmr_agent.library import Shelf
from vmr_agent.limits import StripSettings
from vmr_agent.protocols import Array, Image, Row
from vmr_agent.settings import GroundSettings, RetrieveSettings, Settings
from vmr_agent.spoken import FRAME
from vmr_agent.toolbox import Toolbox
from vmr_agent.types import Channel, Hit, Span, Video
from vmr_agent.words import tokens

COLOURS = {
    "red": (220, 30, 30),
    "green": (30, 200, 40),
    "blue": (40, 60, 220),
    "yellow": (230, 220, 40),
    "purple": (150, 30, 200),
}
GREY = (120, 120, 120)
FPS = 10
SIZE = (48, 64)  # height, width in pixels
SHOTS = (("grey", 2.0), ("red", 3.0), ("grey", 5.0), ("blue", 2.0), ("red", 2.0), ("grey", 2.0))
FLASH = (6.8, 7.4)  # seconds: a green patch comes and goes inside the long grey shot
TRUTH = {
    "red": (Span(start=2, end=5), Span(start=12, end=14)),
    "green": (Span(start=6.8, end=7.4),),
}


def colour_film(folder: Path) -> Path:
    """Write the colour film, 16 s of plain shots, one of them with a brief green patch."""
    import av

    path = folder / "colours.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=FPS)
        stream.height, stream.width = SIZE
        stream.pix_fmt, stream.bit_rate = "yuv420p", 1_000_000
        for index, image in enumerate(_images()):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, FPS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def _images() -> Iterable[Image]:
    index = 0
    for name, seconds in SHOTS:
        for _ in range(round(seconds * FPS)):
            image = np.full((*SIZE, 3), COLOURS.get(name, GREY), np.uint8)
            if FLASH[0] - 1e-6 <= index / FPS < FLASH[1] - 1e-6:
                image[12:36, 20:44] = COLOURS["green"]
            yield image
            index += 1


class ColourShots:
    """A cut is where the mean colour jumps."""

    name = "colour-shots"
    lead = 0.5
    jump = 40.0  # of 255

    def cuts(self, frames: Iterable[Frame], since: float) -> tuple[float, ...]:
        """Where it jumps."""
        found: list[float] = []
        before: Array | None = None
        for frame in frames:
            mean = frame.rgb().mean(axis=(0, 1), dtype=np.float32)
            jumps = before is not None and np.abs(mean - before).max() > self.jump
            if jumps and frame.time >= since:
                found.append(frame.time)
            before = mean
        return tuple(found)


class ColourEncoder:
    """A picture is the share of it that has each of the named colours, and grey."""

    name = "colours"
    size = 48

    def look(self, images: Sequence[Image]) -> Array:
        """Unit vectors ``(N, 6)``."""
        palette = np.array([*COLOURS.values(), GREY], np.float32)
        rows = []
        for image in images:
            pixels = image.reshape(-1, 3).astype(np.float32)
            nearest = np.linalg.norm(pixels[:, None] - palette, axis=2).argmin(axis=1)
            rows.append(np.sqrt(np.bincount(nearest, minlength=len(palette)) / len(pixels)))
        return np.asarray(rows, np.float32)

    def relevance(self, vectors: Array, texts: Sequence[str]) -> Array:
        """How much of the colours named there is in each vector (N, 6); half a share is plenty."""
        return np.asarray(np.clip(2 * vectors @ self.place(" ".join(texts)), 0, 1), np.float32)

    def place(self, text: str) -> Array:
        """The unit vector (6,) of the colours named; zero when none is."""
        found = np.array([*(name in tokens(text) for name in COLOURS), False], np.float32)
        return np.asarray(found / max(1.0, float(np.linalg.norm(found))), np.float32)

    def describe(self, vectors: Array, most: int) -> tuple[str, ...]:
        """The colours there is most of in vectors (N, 6)."""
        order = np.argsort(-vectors.mean(axis=0))
        return tuple([*COLOURS, "grey"][index] for index in order[:most])


class WordSentences:
    """A sentence is the set of its words, each hashed into one of 64 places."""

    name = "words"

    def embed(self, texts: Sequence[str]) -> Array:
        """Unit vectors ``(N, 64)``."""
        rows = np.zeros((len(texts), 64), np.float32)
        for row, text in zip(rows, texts, strict=True):
            for token in tokens(text):
                row[sum(token.encode()) % 64] += 1
        norms = np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
        return np.asarray(rows / norms, np.float32)


class Nobody:
    """Nobody ever speaks."""

    name = "nobody"

    def hear(self, samples: Array) -> Array:
        """A zero for every 512 samples (N,)."""
        return np.zeros(-(-len(samples) // FRAME), np.float32)


class Loudness:
    """Loudness per second; nobody speaks."""

    name = "loudness"
    classes: tuple[str, ...] = ()

    def listen(self, samples: Array, rate: int, voice: Array) -> Array:  # noqa: ARG002
        """``(S, 2)``: dBFS and 0."""
        seconds = -(-len(samples) // rate)
        padded = np.pad(samples, (0, seconds * rate - len(samples))).reshape(seconds, rate)
        power = np.maximum(np.square(padded).mean(axis=1), 1e-10)
        return np.stack([10 * np.log10(power), np.zeros(seconds)], axis=1).astype(np.float32)


class ListIndex:
    """All rows in a list, searched exactly."""

    name = "list"

    def __init__(self) -> None:
        self._films: dict[str, tuple[Video, str, Sequence[Row]]] = {}

    def knows(self, video: Video, mark: str) -> bool:
        """Whether it was put."""
        known = self._films.get(video.fingerprint)
        return known is not None and (known[0].path, known[1]) == (video.path, mark)

    def put(self, video: Video, mark: str, rows: Sequence[Row]) -> None:
        """Make these the film's rows."""
        self._films[video.fingerprint] = video, mark, rows

    def forget(self, fingerprint: str) -> None:
        """Drop a film."""
        self._films.pop(fingerprint, None)

    def films(self) -> dict[str, str]:
        """Marks by fingerprint."""
        return {film: mark for film, (_, mark, _) in self._films.items()}

    def query(self, kind: Channel, vector: Array, limit: int) -> list[Hit]:
        """The rows of a kind that are nearest to a vector (D,)."""
        mine = [(v, row) for v, _, rows in self._films.values() for row in rows if row[0] == kind]
        hits = [
            Hit(path=video.path, span=row[1], kind=kind, cosine=float(row[2] @ vector))
            for video, row in mine
        ]
        return sorted(hits, key=lambda hit: -hit.cosine)[:limit]


def colour_toolbox(home: Path) -> Toolbox:
    """Fakes for everything, fine enough in time for the colour film's brief patch."""
    settings = Settings(
        home=home,
        strip=StripSettings(fps=FPS, short_side=64),
        retrieve=RetrieveSettings(step=1 / FPS, smooth=(2.0, 0.1), bridge=0.2),
        ground=GroundSettings(glimpse=0.2, bridge=0.2, snap=0.2),
    )
    return Toolbox(
        settings=settings,
        shelf=Shelf(home),
        detector=ColourShots(),
        encoder=ColourEncoder(),
        sentences=WordSentences(),
        voice=Nobody(),
        listener=Loudness(),
        index=ListIndex(),
    )
