"""Clips cut out of films whose every picture and beep is known.

What is hard about films comes one by one here, and in many kinds in ``test_cut_grid``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import media
import numpy as np
import pytest
from answered import moment, report

from vmr_agent import Span
from vmr_agent.cutter import cut as by_packets
from vmr_agent.encoder import encode
from vmr_agent.errors import ExportError, VideoUnreadableError
from vmr_agent.export import clips
from vmr_agent.export.clips import Clip, cut
from vmr_agent.files import fingerprint
from vmr_agent.limits import VideoSettings
from vmr_agent.types import Video
from vmr_agent.video import Picture, probe

BEEPS = (1.0, 4.5, 5.5, 7.0)
SOUND = ((0.0, media.humming(10, *BEEPS)),)
ALL = VideoSettings(frames="all")
HARD = [
    pytest.param(kind, marks=() if kind in ("avi", "starting late") else pytest.mark.slow)
    for kind in sorted(set(media.KINDS) - {"one key frame"})
]


def known(path: Path) -> Video:
    return probe(path, fingerprint(path), VideoSettings())


def shown(path: Path) -> tuple[list[float], list[Any]]:
    """Times and pictures, as a player that honours edit lists has them."""
    with av.open(str(path)) as box:
        found = [
            (float(frame.pts * frame.time_base), frame.to_ndarray(format="gray").astype(int))
            for frame in box.decode(video=0)
        ]
    return [time for time, _ in found], [picture for _, picture in found]


def by_our_clock(path: Path) -> tuple[list[float], list[Any]]:
    """The same of films whose own times are not to be trusted."""
    with Picture(path, ALL) as film:
        found = [
            (each.time, each.picture.to_ndarray(format="gray").astype(int))
            for each in film.frames()
        ]
    return [time for time, _ in found], [picture for _, picture in found]


def heard(path: Path) -> tuple[float, list[float]]:
    """When the sound begins, and its beeps, in seconds of the clip."""
    with av.open(str(path)) as box:
        rate = box.streams.audio[0].rate
        frames = list(box.decode(audio=0))
    begin = float(frames[0].pts * frames[0].time_base)
    samples = np.concatenate([frame.to_ndarray()[0] for frame in frames])
    if samples.dtype.kind == "i":
        samples = samples / np.float32(np.iinfo(samples.dtype).max)
    return begin, [begin + each for each in media.beeps(samples, rate)]


def same(pictures: list[Any], whole: list[Any], first: int) -> bool:
    """Whether they are those of the film from there on: liker to them than to those beside."""
    return all(
        int(np.argmin([np.abs(picture - each).mean() for each in whole[at - 3 : at + 4]])) == 3
        for at, picture in enumerate(pictures, first)
    )


def near(found: Any, wanted: Any) -> bool:
    return bool(np.abs(found - wanted).mean() < 4)


def clip(path: Path, start: float, end: float, to: str, exact: bool = False) -> Clip:
    """As ``clips.cut``, without the process that it is done in."""
    out, asked = path.parent / to, Span(start=start, end=end)
    made = (encode if exact else by_packets)(path, out, start, end, ALL)
    span = Span(start=max(0.0, made.start), end=made.end)
    return Clip(path=str(out), asked=asked, span=span, exact=exact, made=made.made)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten seconds, a key frame each second but for the cuts, frames that refer to later ones."""
    to = tmp_path_factory.mktemp("films") / "a.mp4"
    return media.film(to, **media.LONG, encoder=media.BOTH_WAYS, sound=SOUND)


def test_packets_are_taken_from_the_key_frame_before(film: Path) -> None:
    made = clip(film, 4.3, 6.0, "quick.mp4")
    keys = key_times(film)
    begun = max(each for each in keys if each <= 4.3)
    assert made.span.start == pytest.approx(begun, abs=0.001)
    assert made.early == pytest.approx(4.3 - begun, abs=0.001)
    assert made.made == ""
    times, pictures = shown(Path(made.path))
    whole_times, whole = shown(film)
    first = round(begun * media.FPS)
    assert times[0] == pytest.approx(0, abs=0.001)
    for at, picture in enumerate(pictures[: round((6.0 - begun) * media.FPS)]):
        assert times[at] == pytest.approx(whole_times[first + at] - begun, abs=0.002)
        assert (picture == whole[first + at]).all()
    assert times[-1] < 6.0 - begun + 0.2
    assert heard(Path(made.path))[1] == pytest.approx([4.5 - begun, 5.5 - begun], abs=0.03)


def key_times(path: Path) -> list[float]:
    with av.open(str(path)) as box:
        packets = [each for each in box.demux(video=0) if each.size]
        return [float(each.pts * each.time_base) for each in packets if each.is_keyframe]


def test_exact_is_exact(film: Path) -> None:
    told: list[float] = []
    span = Span(start=4.32, end=6.0)
    made = cut(known(film), span, film.with_name("exact.mp4"), exact=True, watch=told.append)
    assert made.made == "H.264 and AAC"
    assert told == [pytest.approx(1.0, abs=0.1)]
    assert (made.span.start, made.span.end) == (pytest.approx(4.32), pytest.approx(6.0))
    assert made.early == 0
    times, pictures = shown(Path(made.path))
    whole = shown(film)[1]
    assert times == pytest.approx([number / 25 for number in range(42)], abs=0.002)
    assert same(pictures, whole, 108)
    begin, beeps = heard(Path(made.path))
    assert begin == pytest.approx(0, abs=0.03)
    assert beeps == pytest.approx([0.18, 1.18], abs=0.03)
    again = known(Path(made.path))
    assert again.duration == pytest.approx(1.68, abs=0.05)


@pytest.mark.parametrize("exact", [False, True], ids=["packets", "exact"])
@pytest.mark.parametrize("kind", HARD)
def test_films_that_are_hard_to_enter(kind: str, exact: bool, tmp_path: Path) -> None:
    """The clip's first picture is the one that the film shows then, and all of them can be read."""
    path = media.KINDS[kind](tmp_path)
    suffix = ".mkv" if kind == "open groups" else path.suffix
    if kind == "avi" and not exact:
        with pytest.raises(ExportError, match=r"does not say when its pictures .* use --exact"):
            clip(path, 3.5, 6.1, "c.mkv")
        return
    made = clip(path, 3.5, 6.1, f"c{'.mp4' if exact else suffix}", exact)
    if kind.startswith("damaged"):
        assert known(Path(made.path)).duration > 0.5
        return
    times, pictures = shown(Path(made.path))
    whole_times, whole = by_our_clock(path)
    assert made.span.start <= 3.5 + 0.021
    assert not exact or made.span.start == pytest.approx(3.5, abs=0.021)
    on_show = max(i for i, each in enumerate(whole_times) if each <= made.span.start + 0.003)
    assert near(pictures[0], whole[on_show])
    gaps = np.diff(times)
    wanted = np.diff(whole_times[on_show : on_show + len(times)])
    inside = np.array(times[1:]) < 2.5
    assert np.abs(gaps - wanted)[inside[: len(wanted)]][1:].max() < 0.003


@pytest.mark.parametrize("exact", [False, True], ids=["packets", "exact"])
def test_telephones_hold_their_films_sideways(exact: bool, tmp_path: Path) -> None:
    path = media.turned(media.film(tmp_path / "a.mp4", frames=100, sound=SOUND))
    made = clip(path, 0.0, 3.0, "c.mp4", exact)
    again = known(Path(made.path))
    assert (again.width, again.height) == (media.SIZE[1], media.SIZE[0])
    assert (known(path).width, known(path).height) == (media.SIZE[1], media.SIZE[0])
    if exact:
        with av.open(made.path) as box:
            frame = next(box.decode(video=0))
        assert (frame.width, frame.height, frame.rotation) == (64, 96, 0)
        with av.open(str(path)) as box:
            sideways = next(box.decode(video=0))
        upright = np.rot90(sideways.to_ndarray(format="gray"), sideways.rotation // 90)
        assert near(frame.to_ndarray(format="gray")[:20].astype(int), upright[:20].astype(int))


@pytest.mark.parametrize(
    ("exact", "name"), [(False, "c.m4a"), (True, "c.m4a"), (False, "c.mka"), (True, "c.mka")]
)
def test_sound_alone(exact: bool, name: str, tmp_path: Path) -> None:
    path = media.film(tmp_path / "a.m4a", frames=0, sound=SOUND)
    made = clip(path, 4.0, 6.0, name, exact)
    assert made.span.start == pytest.approx(4.0, abs=0.0 if exact else 0.03)
    _begin, beeps = heard(Path(made.path))
    assert beeps == pytest.approx([0.5, 1.5], abs=0.05)
    assert not known(Path(made.path)).has_picture


def test_picture_alone(tmp_path: Path) -> None:
    path = media.film(tmp_path / "a.mp4", frames=100)
    for exact in (False, True):
        made = clip(path, 1.0, 2.0, f"c{exact}.mp4", exact)
        assert made.made == ("H.264" if exact else "")
        assert not known(Path(made.path)).has_audio


def test_sound_that_begins_late_stays_where_it_was(tmp_path: Path) -> None:
    late = ((1.0, media.humming(4, 1.5)),)  # its beep at 2.5 s of the film
    path = media.film(tmp_path / "a.mkv", frames=125, sound=late)
    for exact in (False, True):
        made = clip(path, 0.4, 4.0, f"c{exact}.mkv", exact)
        beeps = heard(Path(made.path))[1]
        assert beeps == pytest.approx([2.5 - made.span.start], abs=0.04)


def test_a_frame_size_that_changes_is_that_of_the_first(tmp_path: Path) -> None:
    path = media.resized(tmp_path / "a.ts", (96, 64), (128, 96), (96, 64))
    made = clip(path, 0.0, 1.2, "c.mp4", exact=True)
    with av.open(made.path) as box:
        assert {(each.width, each.height) for each in box.decode(video=0)} == {(96, 64)}


def test_what_a_clip_cannot_be_is_said_before_any_work(film: Path, decoders: list[Any]) -> None:
    video = known(film).model_copy(update={"path": str(film)})
    decoders.clear()
    span = Span(start=1, end=2)
    for name in ("c.txt", "c", "c.m4a"):
        with pytest.raises(ExportError, match=r"end the name of the clip in \.m"):
            cut(video, span, film.with_name(name))
    with pytest.raises(ExportError, match="is the film itself"):
        cut(video, span, film)
    with pytest.raises(ExportError, match=r"11\.0 s is behind its end at 10\.0 s"):
        cut(video, Span(start=11, end=12), film.with_name("c.mp4"))
    with pytest.raises(ExportError, match="there is no folder"):
        cut(video, span, film.parent / "no" / "c.mp4")
    assert not decoders


def test_nothing_half_made_is_left(film: Path, tmp_path: Path) -> None:
    out = tmp_path / "c.webm"  # which takes neither H.264 nor AAC
    out.write_bytes(b"before")
    with pytest.raises(ExportError, match=r"a \.webm file cannot hold h264 and aac .*--exact"):
        cut(known(film), Span(start=1, end=2), out)
    broken = tmp_path / "b.mp4"
    broken.write_bytes(b"no film")
    lie = known(film).model_copy(update={"path": str(broken)})
    with pytest.raises(VideoUnreadableError):
        cut(lie, Span(start=1, end=2), tmp_path / "d.mp4")
    assert out.read_bytes() == b"before"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["b.mp4", "c.webm"]


def test_it_can_be_broken_off(film: Path, tmp_path: Path) -> None:
    video = known(film)

    def enough() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cut(video, Span(start=1, end=9), tmp_path / "c.mp4", exact=True, alive=enough)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("path", "exact", "name"),
    [
        ("/f/talk.mkv", False, "talk-02-1h01m01s.mkv"),
        ("/f/talk.avi", False, "talk-02-1h01m01s.mkv"),
        ("/f/talk.avi", True, "talk-02-1h01m01s.mp4"),
        ("/f/.mp4", False, ".mp4-02-1h01m01s.mkv"),
        ("/f/a\n b.mp4", False, "a b-02-1h01m01s.mp4"),
        (f"/f/{'n' * 250}.mp4", False, f"{'n' * 160}-02-1h01m01s.mp4"),
        (f"/f/{'☃' * 80}.mp4", False, None),
    ],
)
def test_names_of_clips(path: str, exact: bool, name: str | None, film: Path) -> None:
    video = known(film).model_copy(update={"path": path})
    found = clips.called(video, 2, Span(start=3661.5, end=3662), exact)
    assert name is None or found == name
    assert len(f".vmr-1234567-123456789012345.part{found}".encode()) <= 255 or name is None
    assert len(found.encode()) <= 255
    assert "/" not in found


def test_the_best_come_first_and_grow_by_the_pad(film: Path) -> None:
    asked = report(moment(5, 6, 0.2), moment(1, 2, 0.9), moment(8, 9, 0.5), video=known(film))
    found = clips.moments(asked, limit=2, pad=1.5)
    assert [(rank, span.start, span.end) for rank, span in found] == [(1, 0, 3.5), (2, 6.5, 10.5)]
