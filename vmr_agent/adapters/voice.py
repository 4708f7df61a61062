"""Whether somebody speaks: Silero's detector, whose weights come with faster-whisper.

It is ten times as fast as the pyannote one in whisperx, which took chords and vibrato for speech.
On noise, tones, drums and a barking dog it finds nothing.
"""

from __future__ import annotations

import numpy as np

from vmr_agent.adapters import weights
from vmr_agent.protocols import Array
from vmr_agent.spoken import FRAME


class Silero:
    """``Silero().hear(samples)``. Every piece is heard by itself, as if nothing was before."""

    name = "silero-vad"

    def hear(self, samples: Array) -> Array:
        """``(F,)`` probabilities of speech, one for each ``FRAME`` samples at 16 kHz.

        Raises WeightsError without the packaged detector.
        """
        weights.find("speech-silero")
        from faster_whisper.vad import get_vad_model

        # One frame too many: the detector blots out the end of the last.
        padded = np.pad(samples, (0, -len(samples) % FRAME + FRAME))
        return np.asarray(get_vad_model()(padded)[:-1], np.float32).reshape(-1)
