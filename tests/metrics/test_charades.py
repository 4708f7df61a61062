"""One moment a query, and how scorers disagree about it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vmr_agent.metrics.charades import SPLITS, VARIANTS, evaluate, overlaps, tally

WINDOWS = "pred_relevant_windows"
FILM = 30.5


Window = list[float]


def told(variant: str, windows: list[Window], true: Window, **more: Any) -> dict[str, float]:
    rows = [{"qid": 1, WINDOWS: windows}]
    truth = [{"qid": 1, "relevant_windows": [true], "duration": FILM}]
    return evaluate(rows, truth, VARIANTS[variant], **more)


def near(variant: str, windows: list[list[float]], true: list[float]) -> float:
    return told(variant, windows, true)["mIoU"]


@pytest.mark.parametrize("variant", VARIANTS)
def test_what_is_found_exactly_counts_whole_and_silence_nothing(variant: str) -> None:
    assert set(told(variant, [[10, 20, 0.9]], [10, 20]).values()) == {100.0}
    assert set(told(variant, [], [10, 20]).values()) == {0.0}
    assert set(told(variant, [[12, 8], [50, 60]], [20, 25]).values()) == {0.0}


def test_a_truth_beyond_the_film_is_cut_or_not() -> None:
    """10 to 30.5 of 10 to 32."""
    assert near("raw", [[10, 30.5]], [10, 32]) == 93.18
    assert near("clipped", [[10, 30.5]], [10, 32]) == 100.0
    assert near("videomind", [[10, 40]], [10, 32]) == 93.18, "the prediction is cut"
    assert near("lighthouse", [[10, 200]], [0, 32]) == pytest.approx(100 * 20.5 / 150, abs=0.01)


def test_times_are_rounded_or_not() -> None:
    assert near("lighthouse", [[9.6, 20.4]], [10, 20]) == 100.0
    assert near("videomind", [[9.96, 20.04]], [10, 20]) == 100.0
    assert near("videomind", [[9.6, 20.4]], [10, 20]) < 100.0
    assert told("lighthouse", [[9.2, 21]], [10, 22], dataset="tacos")["mIoU"] == pytest.approx(
        100 * 10 / 12, abs=0.01
    ), "9.2 is 10 there and 21 is 20: numpy and torch round to even"


def test_a_threshold_is_reached_or_has_to_be_exceeded() -> None:
    half = [[0, 10]], [0, 20]
    assert {name: told(name, *half)["R1@0.5"] for name in VARIANTS} == {
        name: 0.0 if name in ("unitime", "time-r1-all") else 100.0 for name in VARIANTS
    }


def test_a_window_that_ends_before_it_begins_is_turned_round_by_one() -> None:
    assert {n for n in VARIANTS if near(n, [[20, 10]], [10, 20]) > 0} == {"chrono"}


def test_all_windows_together_or_the_first_alone() -> None:
    windows = [[0.0, 5.0], [5.0, 10.0], [4.0, 6.0]]
    assert near("raw", windows, [0, 10]) == 50.0
    assert near("unitime", windows, [0, 10]) == 100.0


def test_the_first_five_are_looked_at_in_file_order() -> None:
    late = [[20.0, 21.0, 0.1]] * 5 + [[0, 10, 0.9]]
    assert told("raw", late, [0, 10])["R5@0.3"] == 0.0
    assert told("raw", late[1:], [0, 10])["R5@0.7"] == 100.0
    assert told("raw", late[1:], [0, 10])["R1@0.3"] == 0.0


def test_single_precision_reaches_its_own_threshold() -> None:
    """.3 of 32 bits is above .3 of 64."""
    rows = [{"qid": 1, WINDOWS: [[0, 3]]}]
    truth = [{"qid": 1, "relevant_windows": [[0, 10]], "duration": FILM}]
    assert float(overlaps(rows, truth, VARIANTS["videomind"], "charades-sta")[1][0]) != 0.3
    assert told("videomind", [[0, 3]], [0, 10])["R1@0.3"] == 100.0


times = st.floats(0, FILM, width=32)
spans = st.tuples(times, times).map(sorted).filter(lambda w: w[1] - w[0] > 0.01)


@given(st.lists(spans, min_size=1, max_size=6), spans)
def test_variants_agree_where_nothing_is_cut_or_rounded(windows: Any, true: Any) -> None:
    """Hull and sum are the same for windows that overlap; what is exact is not compared with >."""
    figures = [near(name, windows, true) for name in ("raw", "clipped", "chrono", "img", "time-r1")]
    assert max(figures) - min(figures) <= 0.01
    rows, truth = [{"qid": 1, WINDOWS: windows}], [{"qid": 1, "relevant_windows": [true]}]
    each = overlaps(rows, truth, VARIANTS["raw"], "charades-sta")
    assert 0 <= each[1][0] <= each[5][0] <= 1


def test_what_queries_add_is_what_is_printed() -> None:
    dice = np.random.default_rng(3)
    starts = dice.uniform(0, 20, 50)
    truth = [
        {"qid": n, "relevant_windows": [[at, at + 8]], "duration": FILM}
        for n, at in enumerate(starts)
    ]
    told = [at + dice.normal(0, 3, 6) for at in starts]
    rows = [{"qid": n, WINDOWS: [[s, s + 7] for s in each]} for n, each in enumerate(told)]
    for variant in VARIANTS.values():
        found = evaluate(rows, truth, variant)
        added = tally(rows, truth, variant, "charades-sta")
        assert added.names == tuple(found)
        assert added.figures(np.ones((1, 50)))[0] == pytest.approx(list(found.values()), abs=0.006)


def test_splits_are_known_by_their_size() -> None:
    assert "val_1" in SPLITS[17505]
    assert "val_2" in SPLITS[17031]
