"""The ablation measures what it says, on the colour film."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from evals import compression
from evals.ask import Question
from evals.compression import THETAS, Kept, above, compare, embed, judge, relevance, table, variants
from vmr_agent.film import Film
from vmr_agent.testing import TRUTH, colour_toolbox
from vmr_agent.toolbox import Toolbox
from vmr_agent.types import Span

BLUE, RED = Span(start=10, end=12), TRUTH["red"][0]
ASKED = [
    Question("the blue one", (BLUE,)),
    Question("red", (RED,)),
    Question("something purple", ()),
]
WAYS = ("svd", "mean", "first", "uniform")


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Toolbox:
    return colour_toolbox(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def film(colours: Path, box: Toolbox) -> Film:
    return embed(colours, box)


@pytest.fixture(scope="module")
def rows(film: Film, box: Toolbox) -> dict:
    return compare([(film, ASKED)], {"red": "a clip"}, box)


def test_a_film_is_looked_at_twice_a_second(film):
    assert film.times == pytest.approx(np.arange(32) / 2)
    assert film.vectors.shape == (32, 6)
    assert film.video.duration == pytest.approx(16)
    assert film.cuts == pytest.approx([0, 2, 5, 10, 12, 14, 16], abs=0.01)


def test_full_vectors_are_what_the_others_are_held_against(rows):
    full = rows["none, float32"]
    assert full["vectors per hour"] == 7200
    assert full["bytes per hour"] == 7200 * (8 + 6 * 4)
    assert full["shift"] == 0
    assert all(edges == [0, 0] for edges in full["change"].values())
    assert full["refusal AUC"] == 1


def test_half_precision_saves_half_of_the_vectors_and_changes_nothing_that_counts(rows):
    assert rows["none"]["bytes per hour"] == 7200 * (8 + 6 * 2)
    assert rows["none"]["shift"] < 1e-3
    assert rows["none"]["R@1"] == rows["none, float32"]["R@1"]


def test_at_each_theta_all_ways_keep_as_little(rows, film):
    for theta in THETAS:
        assert len({rows[f"{way} {theta:.2f}"]["vectors per hour"] for way in WAYS}) == 1
    for name, variant in variants().items():
        kept = variant(film)
        assert len(kept.times) == len(kept.vectors) <= 32
        assert (np.diff(kept.times) > 0).all()
        assert kept.times[0] == 0
        assert np.linalg.norm(kept.vectors, axis=1) == pytest.approx(1, abs=2e-3), name


def test_plain_shots_lose_nothing_to_compression_but_to_uniform_sampling(rows):
    for way in ("svd", "mean", "first"):
        assert rows[f"{way} 0.90"]["vectors per hour"] < 7200 / 3
        assert rows[f"{way} 0.90"]["AUC"] == rows["none, float32"]["AUC"]
        assert rows[f"{way} 0.90"]["change"]["IoU"] == [0, 0]
    assert rows["uniform 0.90"]["shift"] > rows["svd 0.90"]["shift"]


def test_a_perfect_curve_has_perfect_marks(film, box):
    full = Kept(film.times, film.vectors)
    r1, mrr, auc, iou = judge(relevance("blue", film, full, box), BLUE, [BLUE, RED], box)
    assert (r1, mrr, auc) == (1, 1, 1)
    assert iou == pytest.approx(1, abs=0.1)


def test_a_curve_that_says_something_else_has_bad_marks(film, box):
    full = Kept(film.times, film.vectors)
    r1, mrr, auc, iou = judge(relevance("blue", film, full, box), RED, [BLUE, RED], box)
    assert (r1, mrr, iou) == (0, 0.5, 0)
    assert auc < 0.6


def test_what_is_equal_is_as_good_as_lost(film, box):
    flat = np.full(160, 0.5, np.float32)
    assert judge(flat, RED, [BLUE, RED], box)[:3] == (0, 0.5, 0.5)


def test_above_counts_pairs_and_halves_ties():
    assert above([0.9, 0.5], [0.1, 0.5]) == pytest.approx((2 + 1.5) / 4)
    assert above([1.0], [0.0]) == 1
    assert above([0.0], [1.0]) == 0


def test_the_table_has_a_line_for_each_variant(rows):
    lines = table(rows).splitlines()
    assert len(lines) == 2 + len(variants()) == 2 + 3 + 4 * len(THETAS)
    assert len({line.count("|") for line in lines}) == 1


def test_a_folder_without_clips_is_named_in_one_line(monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("VMR_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("sys.argv", ["compression", str(tmp_path), "--json", "unused"])
    with pytest.raises(SystemExit) as stopped:
        compression.main()
    assert stopped.value.code == 2
    assert "clips.json is missing" in capsys.readouterr().err
