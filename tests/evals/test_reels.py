"""What is encoded once and laid again is the film that it would have been, tick for tick."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from join_clips import even, make_clip, steady

from evals import bench_needle, joiner
from evals.film import Form, Packet, write_film
from evals.footage import read_pictures, read_sound
from evals.joiner import Joiner, Look, Piece, Words
from evals.lettering import Style
from evals.playlist import Clips, load_clips
from evals.reels import Shelf

FORM = Form(width=64, height=36, fps=Fraction(5), rate=8_000, crf=10, preset="superfast")
WORDS = Words("ONE WAY", Style(0.5, 0.5, 0.4, (255, 255, 255), (0, 0, 0), True), 0.5, 2.0)


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Clips:
    """Clips whose pictures grow lighter: which is shown when can be told."""
    here = tmp_path_factory.mktemp("clips")
    for name, length, tone in (("long", 110, steady), ("short", 30, None)):
        greys = [(40 + n, 40 + n, 40 + n) for n in range(length)]
        make_clip(here / f"{name}.mp4", greys, even(length, 10), size=(64, 36), tone=tone)
    (here / "clips.json").write_text(json.dumps([{"file": "long.mp4"}, {"file": "short.mp4"}]))
    return load_clips(here)


def joined(clips: Clips, out: Path, pieces: Sequence[Piece], room: int) -> Joiner:
    with write_film(out, FORM) as writer:
        made = Joiner(writer, clips, _shelf=Shelf(room))
        for piece in pieces:
            made.lay(piece)
        made.end()
    return made


def ticks(clips: Clips, file: str) -> int:
    return len([*read_pictures(clips[file].path, FORM)])


def shown(film: Path) -> list[float]:
    """When each picture is shown, in seconds."""
    with av.open(film) as box:
        return [frame.time for frame in box.decode(video=0)]


PIECES = st.builds(
    lambda file, first, look, fade, words: Piece(file, first, look=look, fade=fade, words=words),
    st.sampled_from(["long.mp4", "short.mp4"]),
    st.sampled_from([0.0, 0.55]),
    st.sampled_from([Look(), Look(zoom=1.1)]),
    st.sampled_from([0.0, 0.0, 0.6, 1.2]),
    st.sampled_from([(), (), (WORDS,)]),
)


@pytest.mark.slow
@given(st.lists(PIECES, min_size=2, max_size=5))
@settings(max_examples=8, deadline=None)
def test_it_makes_no_difference_what_is_kept(clips, tmp_path_factory, pieces):
    here = tmp_path_factory.mktemp("films")
    pieces[-1] = pieces[-1]._replace(fade=0)
    kept = joined(clips, here / "kept.mp4", pieces, 1 << 20)
    anew = joined(clips, here / "anew.mp4", pieces, 0)
    assert (kept.placed, kept.written) == (anew.placed, anew.written)
    one, other = (np.stack([*read_pictures(here / f"{n}.mp4", FORM)]) for n in ("kept", "anew"))
    assert one.shape == other.shape
    assert one.shape[0] == round(kept.placed[-1]["span"]["end"] * 5)
    assert np.abs(one.astype(int) - other).mean(axis=(1, 2, 3)).max() < 3
    heard = [np.concatenate([*read_sound(here / f"{n}.mp4", 8_000)]) for n in ("kept", "anew")]
    np.testing.assert_array_equal(*heard)


def test_a_clip_that_comes_again_is_neither_decoded_nor_encoded(clips, tmp_path, monkeypatch):
    decoded = []

    def counted(*args):
        for picture in read_pictures(*args):
            decoded.append(picture)
            yield picture

    monkeypatch.setattr(joiner, "read_pictures", counted)
    pieces = [Piece("long.mp4"), Piece("short.mp4", fade=0.6), *[Piece("long.mp4")] * 3]
    made = joined(clips, tmp_path / "f.mp4", pieces, 1 << 20)
    # Of the second showing the first four seconds: something dissolves into them.
    long, short = (ticks(clips, name) for name in ("long.mp4", "short.mp4"))
    assert len(decoded) == long + short + 20
    ends = np.cumsum([long, short - 1.5, long - 1.5, long, long]) / 5
    assert [placed["span"]["end"] for placed in made.placed] == pytest.approx(ends)
    assert shown(tmp_path / "f.mp4") == pytest.approx(np.arange(4 * long + short - 3) / 5)


def test_what_there_is_no_room_for_is_let_go():
    shelf, reel = Shelf(room=250), (Packet(b"x" * 100, 0, True),)
    for name in "abc":
        shelf.of(name).keep(0, reel)
    assert shelf.of("c").parts
    assert shelf.of("b").parts
    assert not shelf.of("a").parts


def test_a_film_of_any_preset_keeps_its_times(clips, tmp_path):
    for preset in ("ultrafast", "medium"):
        with write_film(tmp_path / "f.mp4", replace(FORM, preset=preset)) as writer:
            made = Joiner(writer, clips)
            for _ in range(3):
                made.lay(Piece("long.mp4"))
            made.end()
        times = np.arange(3 * ticks(clips, "long.mp4")) / 5
        assert shown(tmp_path / "f.mp4") == pytest.approx(times)


def test_building_is_measured(clips, tmp_path, capsys):
    missing = ["--clips", str(tmp_path / "none"), "--minutes", "1"]
    assert bench_needle.main([*missing, "--json", str(tmp_path / "r.json")]) == 2
    assert "is missing" in capsys.readouterr().err
