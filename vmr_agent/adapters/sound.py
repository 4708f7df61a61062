"""Sound without a tagger: loudness by RMS, speech by Silero's detector from faster-whisper."""

from __future__ import annotations

import numpy as np

from vmr_agent.adapters import weights
from vmr_agent.protocols import Array

FLOOR = -100.0  # dBFS of digital silence
RATE = 16_000  # samples per second; given others, the detector answers without a word of warning

# The detector's own 2 s would call a pause that a piece's end cuts short speech, to the last
# sample, and colour silent seconds. With these, a cut moves no second of narration by over 0.2.
PAUSE = 300  # milliseconds without a voice that are no speech
BREATH = 60  # milliseconds that belong to the speech on either side of them


class Levels:
    """Loudness and speech per second. Every piece is heard by itself, as if nothing was before."""

    name = f"rms + silero-vad (pauses from {PAUSE} ms)"
    classes: tuple[str, ...] = ()

    def listen(self, samples: Array, rate: int) -> Array:
        """``(S, 2)``: dBFS, at least -100, and the share of the second that is speech.

        Raises ValueError at another rate than 16 kHz, WeightsError without the packaged detector.
        """
        if rate != RATE:
            raise ValueError(f"the speech detector hears {RATE} samples per second, got {rate}")
        seconds = -(-len(samples) // rate)
        padded = np.pad(samples, (0, seconds * rate - len(samples))).reshape(seconds, rate)
        power = np.square(padded, dtype=np.float64).mean(axis=1)
        loudness = 10 * np.log10(np.maximum(power, 10 ** (FLOOR / 10)))
        return np.stack([loudness, _speech(samples, seconds)], axis=1).astype(np.float32)


def _speech(samples: Array, seconds: int) -> Array:
    weights.find("speech-silero")
    from faster_whisper.vad import VadOptions, get_speech_timestamps

    options = VadOptions(min_silence_duration_ms=PAUSE, speech_pad_ms=BREATH)
    spoken = np.zeros(seconds * RATE, np.float32)
    for stretch in get_speech_timestamps(samples, options):
        spoken[stretch["start"] : stretch["end"]] = 1
    return np.asarray(spoken.reshape(seconds, RATE).mean(axis=1), np.float32)
