"""Which films and sounds PyAV can decode here, and whether it can write H.264."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import cast

import av
import numpy as np
from av.video.stream import VideoStream

from vmr_agent.doctor.finding import Finding

DECODERS = {
    "H.264": ("h264",),
    "HEVC": ("hevc",),
    "VP9": ("vp9", "libvpx-vp9"),
    "AV1": ("libdav1d", "libaom-av1"),  # FFmpeg's own needs a card that does it
    "MPEG-4": ("mpeg4",),
    "AAC": ("aac",),
    "Opus": ("opus", "libopus"),
    "MP3": ("mp3float", "mp3"),
    "Vorbis": ("vorbis", "libvorbis"),
    "FLAC": ("flac",),
}
"""What decodes each; the first that there is."""
CURE = "run pip install --force-reinstall 'av>=16', whose wheels have it"


def findings() -> Iterator[Finding]:
    """Decoders, all in one unless one is missing, and the encoder that cuts exactly."""
    found = {name: _decoder(names) for name, names in DECODERS.items()}
    there = [name for name, decoder in found.items() if decoder]
    figures = {"decoders": found, "version": av.__version__}
    yield Finding("codecs", "codecs", "good", f"{', '.join(there)} decode", None, figures)
    for name in (each for each, decoder in found.items() if not decoder):
        yield Finding("codecs", name, "bad", "it cannot be decoded", CURE)
    yield encoder()


def encoder(name: str = "libx264") -> Finding:
    """Whether a film of two frames can really be written, which takes some milliseconds."""
    try:
        with av.open(io.BytesIO(), "w", format="mp4") as media:
            stream = cast(VideoStream, media.add_stream(name, rate=25))
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
            for _ in range(2):
                picture = np.zeros((48, 64, 3), np.uint8)
                media.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
            media.mux(stream.encode())
    except (av.FFmpegError, ValueError) as error:
        told = f"it cannot be written ({error}), which vmr cut --exact does"
        return Finding("codecs", "H.264", "missing", told, CURE)
    return Finding("codecs", "H.264", "good", f"{name} writes it", None, {"encoder": name})


def _decoder(names: tuple[str, ...]) -> str | None:
    return next((name for name in names if name in av.codecs_available and _reads(name)), None)


def _reads(name: str) -> bool:
    try:
        av.Codec(name, "r")
    except ValueError:  # av's own error for one that only writes is of this kind
        return False
    return True
