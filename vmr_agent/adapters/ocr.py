"""Reads words in pictures: PP-OCR by rapidocr, from the models in its wheel."""

from __future__ import annotations

import os
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vmr_agent.adapters import weights

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


class RapidText:
    """Lines of text in a picture. ``RapidText().read(image)``.

    Making one is cheap; the first ``read`` checks and loads the weights and may raise WeightsError.
    """

    name = "PP-OCRv6 small (rapidocr, packaged)"

    def read(self, image: Image) -> tuple[tuple[str, float], ...]:
        """Lines with confidences in [0, 1], top to bottom, of an RGB picture ``(H, W, 3)``.

        Text is looked for first and only what was found is read. Upright text only.
        """
        # rapidocr wants BGR, and returns None where it found nothing.
        found = self._engine(np.ascontiguousarray(image[..., ::-1]))
        lines = zip(found.txts or (), found.scores or (), strict=True)
        return tuple(
            (text.strip(), min(1.0, float(score)))
            for text, score in lines
            if score >= CONFIDENCE and sum(map(str.isalnum, text)) >= LETTERS
        )

    @cached_property
    def _engine(self) -> Any:
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
                "Det.limit_side_len": LONG_SIDE,
                "Rec.model_path": str(recognise),
                "EngineConfig.onnxruntime.intra_op_num_threads": min(THREADS, os.cpu_count() or 1),
            }
        )
