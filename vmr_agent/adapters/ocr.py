"""Reads words in pictures: PP-OCR by rapidocr, from the models in its wheel."""

from __future__ import annotations

from functools import cached_property
from threading import Lock
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from vmr_agent.adapters import weights
from vmr_agent.adapters.device import workers

Image = NDArray[np.uint8]

LONG_SIDE = 736
"""Pixels to which pictures are reduced before text is looked for. Subtitles of a fiftieth of the
height are still read, and a 540-line frame takes a third of the time of rapidocr's own setting."""
CONFIDENCE = 0.5
"""Lines below it are guesses."""
LETTERS = 2
"""Letters and digits a line has at least: single ones are found in leaves and window frames."""
THREADS = 4
"""Cores used at most; more do not make models this small faster."""
GLANCE_SIDE = 384
"""Pixels to which pictures are reduced to see whether there is any text: a quarter of the time."""
TALL = 1 / 3
"""Share of the height above which what was found is seldom text."""
SLENDER = 30
"""Times its short side that a picture is long, from which on rapidocr shrinks it to nothing."""
BAND_SIDES = (360, 120)
"""Pixels of the short side at which bands are looked for: of small letters, and of large ones."""
BAND_ASPECT = 4
"""Longer pictures are reduced further: there are some of 65535 x 2 pixels."""
BAND_WIDTH = 16
"""Pixels that a band has at least."""
BAND_CORES = ((4, 7), (6, 30))
"""Height and width in pixels of what a band is made up of: a small letter, and the half of a word,
which tells a line of letters from what it is written across."""
EDGE = 30
"""Steps of brightness within three pixels that may be the edge of a letter."""


class _Piece(NamedTuple):
    """Text that was found, and its box in pixels."""

    text: str
    confidence: float
    left: float
    right: float
    top: float
    bottom: float


class RapidText:
    """Lines of text in a picture. ``RapidText().read(image)``.

    Making one is cheap; the first ``read`` checks and loads the weights and may raise WeightsError.
    """

    name = "PP-OCRv6 small (rapidocr, packaged)"

    def __init__(self) -> None:
        self._busy = Lock()  # an engine keeps what it works on in itself

    def read(self, image: Image) -> tuple[tuple[str, float], ...]:
        """Lines with confidences in [0, 1], top to bottom, of an RGB picture ``(H, W, 3)``.

        Text is looked for first and only what was found is read. Upright text only.
        """
        slender = max(image.shape[:2]) > SLENDER * min(image.shape[:2])
        if slender or not has_bands(image):
            return ()
        swapped = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2BGR), np.uint8)  # as rapidocr wants
        with self._busy:
            boxes = self._glance(swapped, use_det=True, use_rec=False).boxes
            if boxes is None or not self._likely(swapped, boxes):
                return ()
            found = self._engine(swapped)
        if found.txts is None:  # it says so of a picture without text
            return ()
        pieces = zip(found.boxes, found.txts, found.scores, strict=True)
        rows = _joined([_piece(*each) for each in pieces if each[2] >= CONFIDENCE])
        return tuple((row.text, row.confidence) for row in rows if _letters(row.text) >= LETTERS)

    def _likely(self, image: Image, boxes: NDArray[np.float32]) -> bool:
        """Whether one of the boxes (N, 4, 2) is no taller than text mostly is, or can be read.

        Leaves and railings are found as one box of half the picture and more. To read that takes a
        sixth of the time of looking for text in it again.
        """
        ends = boxes.max(axis=1)
        begins = np.maximum(boxes.min(axis=1), 0)
        if (ends[:, 1] - begins[:, 1] <= TALL * image.shape[0]).any():
            return True
        for left, top, right, bottom in np.hstack([begins, np.ceil(ends)]).astype(int):
            found = self._glance(image[top:bottom, left:right], use_det=False, use_rec=True)
            read = zip(found.txts or (), found.scores or (), strict=True)
            if any(score >= CONFIDENCE and _letters(text) >= LETTERS for text, score in read):
                return True
        return False

    @cached_property
    def _engine(self) -> Any:
        return self._load(LONG_SIDE)

    @cached_property
    def _glance(self) -> Any:
        return self._load(GLANCE_SIDE)

    def _load(self, side: int) -> Any:
        detect, recognise = weights.find("ocr-detect"), weights.find("ocr-recognise")
        from rapidocr import RapidOCR

        # With its model paths given rapidocr has nothing left to download.
        return RapidOCR(
            params={
                "Global.log_level": "error",
                "Global.use_cls": False,
                "Global.text_score": CONFIDENCE,
                "Det.model_path": str(detect),
                "Det.limit_type": "max",
                "Det.limit_side_len": side,
                "Rec.model_path": str(recognise),
                "EngineConfig.onnxruntime.intra_op_num_threads": min(THREADS, workers()),
            }
        )


def has_bands(image: Image) -> bool:
    """Whether there are bands of dense edges in the picture, as text makes; leaves do as well.

    Six milliseconds. Of 332 titles and subtitles that are read, in pairs of eight colours, two did
    not pass; of key frames without text nine tenths do.
    """
    return any(_banded(image, side) for side in BAND_SIDES)


def _banded(image: Image, side: int) -> bool:
    scale = min(side / min(image.shape[:2]), BAND_ASPECT * side / max(image.shape[:2]))
    size = [max(1, round(length * scale)) for length in image.shape[1::-1]]
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    # Of each colour, for letters may have one of them as bright as what is behind them.
    steps = cv2.morphologyEx(small, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    edges = np.asarray(np.maximum.reduce(cv2.split(steps)) > EDGE, np.uint8)
    rows = cv2.morphologyEx(edges, cv2.MORPH_CLOSE, np.ones((1, 9), np.uint8))
    for core in BAND_CORES:
        bands = cv2.morphologyEx(rows, cv2.MORPH_OPEN, np.ones(core, np.uint8))
        _, _, found, _ = cv2.connectedComponentsWithStats(bands)
        _, _, width, height, area = found[1:].T
        flat = (width >= 1.5 * height) & (height <= side / 4)
        if (flat & (width >= BAND_WIDTH) & (area >= 0.6 * width * height)).any():
            return True
    return False


def _letters(text: str) -> int:
    return sum(map(str.isalnum, text))


def _piece(box: NDArray[np.float32], text: str, score: float) -> _Piece:
    (left, top), (right, bottom) = box.min(axis=0), box.max(axis=0)
    return _Piece(text.strip(), min(1.0, float(score)), left, right, top, bottom)


def _joined(pieces: list[_Piece]) -> list[_Piece]:
    """Pieces side by side, less than their height apart, become one line."""
    lines: list[_Piece] = []
    for piece in pieces:
        if lines and _follows(lines[-1], piece):
            line = lines[-1]
            text = f"{line.text} {piece.text}"
            lowest = min(line.confidence, piece.confidence)
            lines[-1] = piece._replace(text=text, confidence=lowest, left=line.left)
        else:
            lines.append(piece)
    return lines


def _follows(line: _Piece, piece: _Piece) -> bool:
    height = min(line.bottom - line.top, piece.bottom - piece.top)
    level = abs(line.top + line.bottom - piece.top - piece.bottom) < height
    return bool(level and -height < piece.left - line.right < height)
