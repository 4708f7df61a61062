"""Broken, lying and hostile media, and what must become of each. ``CASES`` is the list."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import media
from forged import (
    CANARY,
    PORT,
    TWO,
    Maker,
    called,
    changed,
    covered,
    cut,
    elsewhere,
    endless,
    film,
    holding,
    indexed,
    lasting,
    link,
    locked,
    nested,
    noise,
    pictures,
    pipe,
    png,
    promising,
    renumbered,
    squeezed,
    still,
    subtitles,
    swapped,
    tagged,
    wav,
    zipped,
)

from vmr_agent.errors import (
    VideoNotFoundError,
    VideoTooLargeError,
    VideoUnreadableError,
    VmrError,
)


@dataclass(frozen=True)
class Hostile:
    """One case: what is given to the agent, and what must come of it."""

    name: str
    make: Maker
    error: type[VmrError] | None = None
    duration: float | None = None
    """Seconds, give or take a tenth."""
    coverage: tuple[float, float] = (0.995, 1.0)
    picture: bool = True
    sound: bool = False


NO, BAD, BIG = VideoNotFoundError, VideoUnreadableError, VideoTooLargeError
FOUR = ((0.0, media.tone(4, 0.5)),)
LONG: dict[str, Any] = {"frames": 100, "size": (320, 240), "sound": FOUR}
NOISE = random.Random(7).randbytes(60_000)
BOMB = png(16_000, 16_000)
HLS = "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n%s\n#EXT-X-ENDLIST\n"
SDP = f"v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=video {PORT} RTP/AVP 96\n"
DASH = (
    "<?xml version='1.0'?><MPD xmlns='urn:mpeg:dash:schema:mpd:2011' type='static'><Period>"
    "<AdaptationSet mimeType='video/mp4'><Representation id='1' bandwidth='9'>"
    "<BaseURL>%s</BaseURL></Representation></AdaptationSet></Period></MPD>"
)


def _refused(error: type[VmrError], **makers: Maker) -> Sequence[Hostile]:
    return [Hostile(name.replace("_", " "), make, error) for name, make in makers.items()]


def _whole(duration: float, **makers: Maker) -> Sequence[Hostile]:
    return [
        Hostile(name.replace("_", " "), make, duration=duration) for name, make in makers.items()
    ]


def _partly(least: float, most: float, **makers: Maker) -> Sequence[Hostile]:
    return [
        Hostile(name.replace("_", " "), make, coverage=(least, most), sound=True)
        for name, make in makers.items()
    ]


NO_MEDIA = _refused(
    BAD,
    zero_bytes=holding(b""),
    one_byte=holding(b"\0"),
    zeros=holding(bytes(100_000)),
    random_bytes=holding(NOISE),
    text=holding(3 * "Once upon a time there was a film that was none.\n"),
    archive=zipped,
    pdf=holding(b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>"),
    png=holding(png(64, 48)),
    jpeg=still("mjpeg", "image2", "yuvj420p"),
    gif=still("gif", "gif", "rgb8", 5),
    svg=holding("<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>"),
    srt=holding("1\n00:00:01,000 --> 00:00:02,000\nHello\n"),
    subtitles_alone=changed(subtitles, "film.mkv"),
    unknown_codec=changed(swapped(b"avc1", b"zzzz")),
    encrypted=changed(swapped(b"avc1", b"encv")),
)
POINTERS = _refused(
    BAD,
    hls_to_a_file=holding(HLS % "{canary}"),
    hls_to_a_file_named_so=holding(HLS % "{canary}", "film.m3u8"),
    hls_to_a_server=holding(HLS % f"http://127.0.0.1:{PORT}/a.ts"),
    ffconcat=holding("ffconcat version 1.0\nfile '{canary}'\n"),
    concat_text=holding("concat:{canary}|{canary}"),
    subfile_text=holding("subfile,,start,0,end,99,,:{canary}"),
    sdp=holding(SDP, "film.sdp"),
    dash_to_a_file=holding(DASH % "{canary}", "film.mpd"),
    dash_to_a_server=holding(DASH % f"http://127.0.0.1:{PORT}/a.mp4"),
    rtsp_text=holding(f"RTSPtext\nrtsp://127.0.0.1:{PORT}/a\n", "film.mov"),
    quicktime_to_a_file=elsewhere,
)
PATHS = [
    *_refused(
        NO,
        concat_path=lambda folder: Path(f"concat:{folder / CANARY}"),
        file_path=lambda folder: Path(f"file:{folder / CANARY}"),
        subfile_path=lambda folder: Path(f"subfile,,end,9,,:{folder / CANARY}"),
        http_path=lambda folder: Path(f"http://127.0.0.1:{PORT}/a.mp4"),
        dangling_link=link("nowhere.mp4"),
        link_to_itself=link("link.mp4"),
        pipe=pipe,
        device=lambda folder: Path("/dev/zero"),
        folder=lambda folder: folder,
        missing=lambda folder: folder / "film.mp4",
    ),
    *_refused(BAD, locked=locked),
    *_whole(
        2,
        odd_letters=called("ü 新 'x' \"y\" $(z).mp4"),
        leading_dash=called("-dash.mp4"),
        line_break=called("new\nline.mp4"),
        percent=called("%03d*?.mp4"),
        link=link("film.mp4"),
    ),
]
HEADERS = [
    *_refused(
        BAD,
        many_empty_frames=changed(indexed(100_000_000, 0)),
        too_many_frames=changed(indexed(2**31 - 1, 1)),
        million_frames=changed(indexed(1_000_000, 1), frames=1),
        squeezed=squeezed(32 << 20),
        nested=nested(20_000),
        zero_hertz=wav(0),
        sixty_thousand_channels=wav(48_000, 60_000),
    ),
    *_whole(
        2,
        hours_1000=changed(lasting(1000)),
        hours_47=changed(lasting(47)),
        endless_box=changed(endless),
    ),
    *_whole(
        0.4,
        broken_letters=tagged(b"\xff\xfe\x80\xc3("),
        long_title=tagged("la" * 500_000),
        long_title_mp4=tagged("la" * 500_000, "film.mp4"),
        commands_in_title=tagged("\x1b[2J\x07$(reboot)\n; rm"),
    ),
    *_partly(0, 0.001, hours_47_mkv=promising(47 * 3600)),
    *(
        Hostile(f"{seconds} s, mkv", promising(seconds), duration=2, sound=True)
        for seconds in (3_600_000.0, float("inf"), float("nan"), -1.0)
    ),
    Hostile("bomb", pictures(BOMB, size=(16_000, 16_000)), BIG),
    Hostile("secret bomb", pictures(BOMB, size=(64, 48)), BIG),
    Hostile("late bomb", pictures(*[png(64, 48)] * 20, BOMB, size=(64, 48)), coverage=(0.05, 0.99)),
    Hostile(
        "mad number",
        changed(renumbered, frames=5, sound=TWO, movflags="frag_keyframe+empty_moov"),
        picture=False,
        sound=True,
    ),
    Hostile("cover bomb", covered(BOMB), duration=2, picture=False, sound=True),
    Hostile("2 GHz", wav(2_000_000_000), BAD),
    Hostile(
        "unknown codec, sound",
        changed(swapped(b"avc1", b"zzzz"), sound=TWO),
        duration=2,
        picture=False,
        sound=True,
    ),
]
DAMAGE = [
    *_refused(
        BAD,
        cut_index_behind=changed(cut(0.7), **LONG),
        header_alone=changed(cut(0.05), "film.mkv", **LONG),
    ),
    *_partly(
        0.3,
        0.9,
        cut_index_in_front=changed(cut(0.7), movflags="faststart", **LONG),
        cut_mkv=changed(cut(0.7), "film.mkv", **LONG),
        noise_inside=changed(noise(0.4, 0.6), **LONG),
        noise_inside_mkv=changed(noise(0.4, 0.6), "film.mkv", **LONG),
        noise_inside_ts=changed(noise(0.4, 0.6), "film.ts", **LONG),
    ),
    *_partly(
        0.99,
        1,
        cut_ts=changed(cut(0.7), "film.ts", **LONG),
        noise_behind=changed(lambda data: data.extend(NOISE), **LONG),
        noise_behind_mkv=changed(lambda data: data.extend(NOISE), "film.mkv", **LONG),
        noise_before=changed(lambda data: data.__setitem__(slice(0), NOISE), "film.ts", **LONG),
    ),
]
ODD = [
    *_whole(0.04, one_frame=film(frames=1)),
    *_whole(0.1, one_pixel=pictures(png(1, 1), size=(1, 1))),
    *_whole(0.1, line=pictures(png(65_535, 2), size=(65_535, 2))),
    *_whole(
        0.2,
        two_by_two=film(frames=5, size=(2, 2)),
        tall=film(frames=5, size=(16, 4096)),
        wide=film(frames=5, size=(4096, 16)),
    ),
    *_whole(
        0.5, thousand_a_second=film("film.mkv", times=[i / 1000 for i in range(500)], frames=500)
    ),
    *_whole(
        2,
        from_1000_s_on=film("film.ts", times=[1000 + i / 25 for i in range(50)]),
        two_pictures=film("film.mkv", pictures=2),
    ),
    *_whole(
        1.2,
        changing_size=lambda folder: media.resized(
            folder / "film.ts", (96, 64), (640, 480), (64, 48)
        ),
    ),
    Hostile(
        "before zero",
        film("film.mkv", times=[i / 25 - 1 for i in range(50)], avoid_negative_ts="disabled"),
        coverage=(0.4, 0.6),
    ),
    Hostile(
        "hours of nothing",
        film(
            "film.mkv",
            frames=3,
            times=[0, 0.04, 2e4],
            sound=[(0.0, media.tone(1)), (2e4, media.tone(1))],
        ),
        duration=20_001,
        sound=True,
    ),
    *(
        Hostile(
            name,
            film(name, frames=0, sound=TWO, sound_codec=codec, cover=cover),
            duration=2,
            picture=False,
            sound=True,
        )
        for name, codec, cover in (("sound.m4a", "aac", False), ("cover art.mp3", "mp3", True))
    ),
]
CASES: Sequence[Hostile] = [*NO_MEDIA, *POINTERS, *PATHS, *HEADERS, *DAMAGE, *ODD]
