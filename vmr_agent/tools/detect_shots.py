"""detect_shots: the one decode of the picture gives the shots and the strip (SMART: structure)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from vmr_agent.artefacts import Footage
from vmr_agent.protocols import Arrays, ShotDetector
from vmr_agent.settings import Settings
from vmr_agent.strip import Sampler
from vmr_agent.types import Video
from vmr_agent.video import Frame, Picture


def detect_shots(
    video: Video, detector: ShotDetector, settings: Settings, tick: Callable[[float], None]
) -> tuple[Footage, Arrays]:
    """Shots of the film, and its strip as arrays (see ``Sampler.arrays``).

    ``tick`` is told the time of every frame. A film without picture has neither.
    """
    sampler = Sampler(settings.strip)
    if not video.has_picture:
        return Footage(duration=0, coverage=0, lost=0, shots=()), sampler.arrays()
    with Picture(video.path, settings.video) as picture:

        def watched() -> Iterator[Frame]:
            for frame in picture.frames():
                sampler.see(frame)
                tick(frame.time)
                yield frame

        shots = detector.detect(watched())
    footage = Footage(
        duration=picture.duration, coverage=picture.coverage, lost=picture.lost, shots=shots
    )
    return footage, sampler.arrays()
