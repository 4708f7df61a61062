"""Makes what nobody should have to open: broken, lying and hostile files, byte by byte.

Each maker is given a folder and returns the path to give to the agent, a relative one being the
folder's. ``CANARY`` in the folder is a whole film that no other file may talk anybody into opening;
``PORT`` is where nobody may call.
"""

from __future__ import annotations

import os
import random
import socket
import struct
import zipfile
import zlib
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import media

Maker = Callable[[Path], Path]
Change = Callable[[bytearray], object]

CANARY = "canary.mp4"
EAR = socket.create_server(("127.0.0.1", 0))
PORT: int = EAR.getsockname()[1]
TWO = ((0.0, media.tone(2, 0.5)),)


# ── bytes ─────────────────────────────────────────────────────────────────────────────────────


def holding(content: bytes | str, name: str = "film.mp4") -> Maker:
    """A file that holds this; ``{canary}`` in a text becomes the canary's path."""

    def make(folder: Path) -> Path:
        if isinstance(content, bytes):
            data = content
        else:
            data = content.replace("{canary}", str(folder / CANARY)).encode()
        (folder / name).write_bytes(data)
        return folder / name

    return make


def png(width: int, height: int) -> bytes:
    """A black picture of one bit per pixel, a thousandth of the size of its zeros."""
    squeeze = zlib.compressobj(9)
    rows = [squeeze.compress(bytes(1 + -(-width // 8))) for _ in range(height)]
    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)),
        (b"IDAT", b"".join(rows) + squeeze.flush()),
        (b"IEND", b""),
    ]
    framed = [
        struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in parts
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(framed)


def still(codec: str, form: str, pixels: str, frames: int = 1) -> Maker:
    """A picture, or some of them, that call themselves a film."""

    def make(folder: Path) -> Path:
        with av.open(str(folder / "still"), "w", format=form) as out:
            stream = out.add_stream(codec, rate=10)
            stream.width, stream.height, stream.pix_fmt = 96, 64, pixels
            for step in range(frames):
                frame = av.VideoFrame.from_ndarray(media.picture(0, step), "rgb24")
                out.mux(stream.encode(frame.reformat(format=pixels)))
            out.mux(stream.encode(None))
        return (folder / "still").rename(folder / "film.mp4")

    return make


def wav(rate: int, channels: int = 1) -> Maker:
    """A second of noise whose header says any rate and number of channels."""
    each = 2 * channels % 2**16
    head = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, channels, rate, rate * each % 2**32, each, 16)
    body = (
        b"WAVE" + head + struct.pack("<4sI", b"data", 96_000) + random.Random(5).randbytes(96_000)
    )
    return holding(b"RIFF" + struct.pack("<I", len(body)) + body, "film.wav")


def zipped(folder: Path) -> Path:
    """The canary in an archive."""
    with zipfile.ZipFile(folder / "film.mp4", "w") as out:
        out.write(folder / CANARY, "film.mp4")
    return folder / "film.mp4"


def covered(data: bytes) -> Maker:
    """An mp3 with this as the picture on its cover."""

    def make(folder: Path) -> Path:
        path = media.film(folder / "film.mp3", frames=0, sound=TWO, sound_codec="mp3")
        apic = b"\0image/png\0\3\0" + data
        frame = b"APIC" + struct.pack(">IH", len(apic), 0) + apic
        size = bytes(len(frame) >> shift & 127 for shift in (21, 14, 7, 0))
        path.write_bytes(b"ID3\3\0\0" + size + frame + path.read_bytes())
        return path

    return make


# ── films, and what is done to their bytes ────────────────────────────────────────────────────


def film(name: str = "film.mp4", **options: Any) -> Maker:
    """A film of ``media``'s making."""
    return lambda folder: media.film(folder / name, **options)


def changed(change: Change, name: str = "film.mp4", **options: Any) -> Maker:
    """The same, with its bytes changed afterwards."""

    def make(folder: Path) -> Path:
        path = media.film(folder / name, **options)
        data = bytearray(path.read_bytes())
        change(data)
        path.write_bytes(data)
        return path

    return make


def cut(share: float) -> Change:
    """The end is gone."""
    return lambda data: data.__delitem__(slice(int(len(data) * share), None))


def noise(start: float, end: float) -> Change:
    """Noise between two shares of the file."""

    def change(data: bytearray) -> None:
        first, last = int(len(data) * start), int(len(data) * end)
        data[first:last] = random.Random(3).randbytes(last - first)

    return change


def swapped(old: bytes, new: bytes) -> Change:
    """Every ``old`` is ``new``; there is one at least."""

    def change(data: bytearray) -> None:
        assert old in data
        data[:] = data.replace(old, new)

    return change


def box(data: bytes | bytearray, *kinds: bytes) -> int:
    """Where the content of an mp4 box starts: the last of ``kinds``, each inside the one before."""
    at = 0
    for kind in kinds:
        at = data.index(kind, at) + 4
    return at


def atom(kind: bytes, content: bytes) -> bytes:
    """An mp4 box."""
    return struct.pack(">I4s", 8 + len(content), kind) + content


def lasting(hours: float) -> Change:
    """An mp4's headers say, in all three places, that it lasts so many hours."""

    def change(data: bytearray) -> None:
        for kind, clock, length in ((b"mvhd", 12, 16), (b"mdhd", 12, 16), (b"tkhd", 0, 20)):
            at = box(data, kind)
            (ticks,) = struct.unpack_from(">I", data, at + clock) if clock else (1000,)
            struct.pack_into(">I", data, at + length, min(round(hours * 3600 * ticks), 2**32 - 16))

    return change


def promising(seconds: float) -> Maker:
    """An mkv's header says that it lasts so many seconds."""
    return lambda folder: media.promising(media.film(folder / "film.mkv", sound=TWO), seconds)


def indexed(count: int, size: int) -> Change:
    """An mp4's index says that there are ``count`` frames, all alike: it takes a few bytes."""

    def change(data: bytearray) -> None:
        struct.pack_into(">II", data, box(data, b"stsz") + 4, size, count)
        struct.pack_into(">I", data, box(data, b"stts") + 8, count)
        struct.pack_into(">I", data, box(data, b"stsc") + 12, count)

    return change


def renumbered(data: bytearray) -> None:
    """The track's number is one that FFmpeg searches for half a second in every fragment."""
    struct.pack_into(">I", data, box(data, b"tkhd") + 12, 2**32 - 16)


def endless(data: bytearray) -> None:
    """The header's box says that it is as long as a box can be."""
    at = box(data, b"moov") - 8
    data[at : at + 8] = struct.pack(">I4sQ", 1, b"moov", 2**63 - 1)


def squeezed(size: int) -> Maker:
    """A compressed header (QuickTime's cmov) that unpacks to ``size`` zeros."""
    data = struct.pack(">I", size) + zlib.compress(bytes(size), 9)
    header = atom(b"moov", atom(b"cmov", atom(b"dcom", b"zlib") + atom(b"cmvd", data)))
    return holding(atom(b"ftyp", b"qt  \0\0\0\0qt  ") + header, "film.mov")


def nested(depth: int) -> Maker:
    """Boxes within boxes within boxes."""
    data = b""
    for _ in range(depth):
        data = atom(b"trak", data)
    return holding(atom(b"ftyp", b"isom\0\0\2\0isom") + atom(b"moov", data))


def elsewhere(folder: Path) -> Path:
    """A QuickTime film that says its frames lie in another file, the canary."""
    path = media.film(folder / "film.mov")
    data = bytearray(path.read_bytes())
    there = str(folder / CANARY).encode()
    there += b"\0" * (len(there) % 2)
    alias = bytes(150) + struct.pack(">HH", 2, len(there)) + there + struct.pack(">hH", -1, 0)
    entry = atom(b"alis", bytes(4) + alias)
    parents = [b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref"]
    for depth in range(1, 1 + len(parents)):
        at = box(data, *parents[:depth]) - 8
        struct.pack_into(">I", data, at, struct.unpack_from(">I", data, at)[0] + len(entry) - 12)
    at = box(data, *parents) + 8
    data[at : at + 12] = entry  # in the place of "in this very file"
    path.write_bytes(data)
    return path


def pictures(*each: bytes, size: tuple[int, int]) -> Maker:
    """A film of ready-made PNGs, whose header says that they are of this size."""

    def make(folder: Path) -> Path:
        with av.open(str(folder / "film.mov"), "w") as out:
            stream = out.add_stream("png", rate=10)
            stream.width, stream.height, stream.pix_fmt = *size, "monob"
            for number, data in enumerate(each):
                packet = av.Packet(data)
                packet.stream, packet.time_base = stream, Fraction(1, 10)
                packet.pts = packet.dts = number
                out.mux(packet)
        return folder / "film.mov"

    return make


def tagged(title: str | bytes, name: str = "film.mkv") -> Maker:
    """A film with a title; bytes are no text and take the place of as many letters."""

    def make(folder: Path) -> Path:
        letters = title if isinstance(title, str) else "Q" * len(title)
        with av.open(str(folder / name), "w") as out:
            out.metadata["title"] = letters
            stream = out.add_stream("libx264", rate=media.FPS)
            stream.width, stream.height, stream.pix_fmt = *media.SIZE, "yuv420p"
            for step in range(10):
                out.mux(stream.encode(av.VideoFrame.from_ndarray(media.picture(0, step), "rgb24")))
            out.mux(stream.encode(None))
        if isinstance(title, bytes):
            data = bytearray((folder / name).read_bytes())
            swapped(letters.encode(), title)(data)
            (folder / name).write_bytes(data)
        return folder / name

    return make


def subtitles(data: bytearray) -> None:
    """The mkv's only track says that it is text."""
    swapped(b"\x83\x81\x01", b"\x83\x81\x11")(data)
    swapped(b"V_MPEG4/ISO/AVC", b"S_TEXT/UTF8\0\0\0\0")(data)


# ── paths ─────────────────────────────────────────────────────────────────────────────────────


def called(name: str) -> Maker:
    """A film under this name, given by the name alone."""
    return lambda folder: media.film(folder / "film.mp4").rename(folder / name).relative_to(folder)


def pipe(folder: Path) -> Path:
    """Whoever opens it waits for ever."""
    os.mkfifo(folder / "film.mp4")
    return folder / "film.mp4"


def link(to: str) -> Maker:
    """A symbolic link; there is a film called ``film.mp4``."""

    def make(folder: Path) -> Path:
        media.film(folder / "film.mp4")
        (folder / "link.mp4").symlink_to(to)
        return folder / "link.mp4"

    return make


def locked(folder: Path) -> Path:
    """Nobody may read it."""
    path = media.film(folder / "film.mp4")
    path.chmod(0)
    return path
