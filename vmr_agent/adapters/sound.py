"""Sound without a tagger: loudness by RMS, speech by Silero's detector from faster-whisper."""

from __future__ import annotations

import numpy as np

from vmr_agent.adapters import weights
from vmr_agent.protocols import Array

FLOOR = -100.0  # dBFS of digital silence


class Levels:
    """Loudness and speech per second."""

    name = "rms + silero-vad"

    def listen(self, samples: Array, rate: int) -> Array:
        """``(S, 2)``: dBFS, at least -100, and the share of the second that is speech."""
        seconds = -(-len(samples) // rate)
        padded = np.pad(samples, (0, seconds * rate - len(samples))).reshape(seconds, rate)
        power = np.square(padded, dtype=np.float64).mean(axis=1)
        loudness = 10 * np.log10(np.maximum(power, 10 ** (FLOOR / 10)))
        return np.stack([loudness, _speech(samples, rate, seconds)], axis=1).astype(np.float32)


def _speech(samples: Array, rate: int, seconds: int) -> Array:
    weights.find("speech-silero")
    from faster_whisper.vad import get_speech_timestamps

    spoken = np.zeros(seconds * rate, np.float32)
    for stretch in get_speech_timestamps(samples, sampling_rate=rate):
        spoken[stretch["start"] : stretch["end"]] = 1
    return np.asarray(spoken.reshape(seconds, rate).mean(axis=1), np.float32)
