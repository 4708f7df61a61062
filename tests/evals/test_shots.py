"""The films are what they say they are, and detectors are judged by the truth about them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import count, islice
from pathlib import Path

import numpy as np
import pytest

from evals import shots
from evals.shot_events import EVENTS, calm, flash, whip
from evals.shot_films import HEIGHT, WIDTH, Change, Film, clips, make, photographs, textures
from vmr_agent.frame import Frame

HARD = Change("hard", 2.0, 2.0)
SLOW = Change("dissolve", 2.0, 3.0)
STOCK = textures(7)


class Saying:
    """A detector that has its mind made up."""

    name, lead = "saying", 0.0

    def __init__(self, *cuts: float) -> None:
        self._cuts = cuts

    def cuts(self, frames: Iterable[Frame], since: float) -> tuple[float, ...]:
        return self._cuts


def difference(first: np.ndarray, second: np.ndarray) -> float:
    return float(np.abs(first.astype(int) - second).mean())


@pytest.mark.parametrize(
    ("change", "cuts", "found"),
    [
        (HARD, (2.0,), [2.0]),
        (HARD, (1.92, 2.2), [1.92]),  # two frames of 25 a second
        (HARD, (1.88, 2.12), []),
        (HARD, (1.96, 2.0), [2.0]),  # the nearest; the other one is false
        (SLOW, (1.8, 2.4, 3.2), [2.4]),
        (SLOW, (1.75,), [1.75]),
        (SLOW, (1.7, 3.3), []),
        (SLOW, (), []),
    ],
)
def test_a_cut_must_be_where_the_change_is(change, cuts, found):
    assert shots.matched(cuts, [change], 25.0) == [(change, cut) for cut in found]


def test_no_cut_is_counted_twice():
    near = Change("hard", 2.04, 2.04)
    assert shots.matched([2.0], [HARD, near], 25.0) == [(HARD, 2.0)]


def judged(*cuts: float, kind: shots.Kind = "hard") -> shots.Score:
    truth = () if kind == "none" else (HARD, Change(kind, 4.0, 4.0))
    film = Film(25.0, [np.zeros((8, 8, 3), np.uint8)] * 150, truth)
    return shots.score({"it": Saying(*cuts)}, iter([(kind, film)]))["it"]


@pytest.mark.parametrize(
    ("cuts", "precision", "recall", "f1"),
    [
        ((), 0, 0, 0),
        ((2.0, 4.0), 1, 1, 1),
        ((2.0,), 1, 0.5, 2 / 3),
        ((2.0, 3.0, 4.0, 5.0), 0.5, 1, 2 / 3),
        ((3.0,), 0, 0, 0),
    ],
)
def test_precision_and_recall(cuts, precision, recall, f1):
    hard = judged(*cuts).counts["hard"]
    assert (hard.precision, hard.recall, hard.f1) == pytest.approx((precision, recall, f1))


def test_what_is_found_where_nothing_changes_is_false():
    assert judged(1.0, 2.0, 3.0, kind="none").figures()["false_per_minute"] == 30.0


def test_hard_cuts_are_timed():
    assert judged(2.04, 4.0).figures()["off_ms"] == 20.0


def test_a_seed_always_gives_the_same_film():
    first, second, other = (make("dissolve", seed, STOCK, 4) for seed in (3, 3, 4))
    assert first.truth == second.truth != other.truth
    assert np.array_equal(first.pictures, second.pictures)


def test_a_hard_cut_is_between_two_frames():
    film = make("hard", 1, STOCK, 12)
    assert len(film.truth) > 1
    for change in film.truth:
        at = round(change.start * film.fps)
        assert change.start == change.end
        across = difference(film.pictures[at - 1], film.pictures[at])
        assert across > 2 * difference(film.pictures[at], film.pictures[at + 1])


def test_a_dissolve_is_pure_on_both_sides_and_mixed_between():
    film = make("dissolve", 1, STOCK, 6)
    for change in film.truth:
        assert 0.28 <= change.end - change.start <= 2.02
        first, last = (round(at * film.fps) for at in (change.start, change.end))
        old, middle, new = (film.pictures[at] for at in (first - 1, (first + last) // 2, last))
        assert max(difference(old, middle), difference(middle, new)) < difference(old, new)


def test_a_fade_goes_through_one_colour():
    film = make("fade", 1, STOCK, 6)
    for change in film.truth:
        inside = film.pictures[round(change.start * film.fps) : round(change.end * film.fps)]
        assert min(float(picture.std()) for picture in inside) == 0


@pytest.mark.parametrize("number", range(len(EVENTS)))
def test_events_are_films_without_a_change(number):
    film = make("none", number, STOCK)
    assert film.truth == ()
    assert len(film.pictures) > 5 * film.fps
    assert {picture.shape for picture in film.pictures} == {(HEIGHT, WIDTH, 3)}


def test_a_flash_is_over_soon_and_a_whip_ends_elsewhere():
    chance, still = np.random.default_rng(1), next(STOCK[0](np.random.default_rng(1), 25.0, 1.0))
    roll = (still.copy() for _ in count())
    assert 1 <= len(list(flash(roll, chance, 25.0))) <= 3
    assert difference(list(islice(whip(roll, chance, 25.0), 60))[-1], still) > 5
    assert difference(next(calm(roll, chance, 25.0)), still) == 0


def test_footage_is_taken_from_a_folder(demo_film: Path, tmp_path: Path):
    (tmp_path / "film.mp4").symlink_to(demo_film)
    (tmp_path / "notes.txt").write_text("no clip")
    (stock,) = clips(tmp_path)
    shown = list(islice(stock(np.random.default_rng(1), 25.0, 1.2), 3))
    assert [picture.shape for picture in shown] == [(HEIGHT, WIDTH, 3)] * 3


def test_the_demo_film_has_photographs():
    assert len(photographs()) == 9


def test_a_table_for_people_and_figures_for_the_record(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(shots, "photographs", lambda: [])
    monkeypatch.setattr(shots, "EVENTS", EVENTS[:1])
    where = tmp_path / "shots.json"
    shots.main(["--films", "1", "--seconds", "8", "--json", str(where)])
    told, printed = json.loads(where.read_text()), capsys.readouterr().out
    assert set(told) >= {"commit", "machine", "settings", "made"}
    assert set(told["made"]) == set(shots.DETECTORS)
    for name, figures in told["made"].items():
        assert set(figures) >= {"hard", "dissolve", "fade", "false_per_minute", "ms_per_frame"}
        assert f"\n{name} " in printed
    assert told["made"]["gradual"]["hard"]["recall"] == 1
