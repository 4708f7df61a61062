"""Sound without a tagger: loudness by RMS, and the share of speech."""

from __future__ import annotations

import numpy as np

from vmr_agent.protocols import Array
from vmr_agent.spoken import stretches

FLOOR = -100.0  # dBFS of digital silence
RATE = 16_000  # samples per second, of which the probabilities of speech are

# Silero's own 2 s would call a pause that a piece's end cuts short speech, to the last sample, and
# colour silent seconds. With these, a cut moves no second of narration by over 0.2.
PAUSE = 0.3  # seconds without a voice that are no speech
BREATH = 0.06  # seconds that belong to the speech on either side of them


class Levels:
    """Loudness and speech per second. Every piece is heard by itself, as if nothing was before."""

    name = f"rms, speech (pauses from {PAUSE:g} s)"
    classes: tuple[str, ...] = ()

    def listen(self, samples: Array, rate: int, voice: Array) -> Array:
        """``(S, 2)``: dBFS, at least -100, and the share of the second that is speech.

        Raises ValueError at another rate than 16 kHz.
        """
        if rate != RATE:
            raise ValueError(f"sound is measured at {RATE} samples per second, got {rate}")
        seconds = -(-len(samples) // rate)
        padded = np.pad(samples, (0, seconds * rate - len(samples))).reshape(seconds, rate)
        power = np.square(padded, dtype=np.float64).mean(axis=1)
        loudness = 10 * np.log10(np.maximum(power, 10 ** (FLOOR / 10)))
        spoken = _speech(voice, len(samples), seconds)
        return np.stack([loudness, spoken], axis=1).astype(np.float32)


def _speech(voice: Array, count: int, seconds: int) -> Array:
    spoken = np.zeros(seconds * RATE, np.float32)
    for start, end in stretches(voice, count / RATE, PAUSE):
        last = min(count, round((end + BREATH) * RATE))
        spoken[max(0, round((start - BREATH) * RATE)) : last] = 1
    return np.asarray(spoken.reshape(seconds, RATE).mean(axis=1), np.float32)
