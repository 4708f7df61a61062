"""Sure ones stay, hopeless ones go, those in between need a rank."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from shelved import candidate

from vmr_agent.settings import FilterSettings
from vmr_agent.tools import filter_relevance

SETTINGS = FilterSettings(keep=0.5, drop=0.3, ranks=2)


def test_hysteresis() -> None:
    scores = (0.9, 0.4, 0.45, 0.5, 0.2)
    found = tuple(candidate(10 * n, 10 * n + 5, score) for n, score in enumerate(scores))
    sieve = filter_relevance(found, SETTINGS)
    assert [each.score for each in sieve.kept] == [0.9, 0.4, 0.5]
    assert [each.score for each in sieve.dropped] == [0.45, 0.2]
    assert [each.evidence[-1].note for each in sieve.kept] == [
        "relevant by score",
        "relevant by rank",
        "relevant by score",
    ]
    assert all(each.evidence[-1].source == "relevance" for each in sieve.kept)


def test_a_rank_does_not_save_the_hopeless() -> None:
    sieve = filter_relevance((candidate(0, 1, 0.29),), SETTINGS)
    assert (len(sieve.kept), len(sieve.dropped)) == (0, 1)
    assert filter_relevance((), SETTINGS).kept == ()


@given(st.lists(st.floats(0, 1), max_size=12))
def test_nothing_is_lost_doubled_or_reordered(scores: list[float]) -> None:
    ordered = sorted(scores, reverse=True)
    found = tuple(candidate(n, n + 1, score) for n, score in enumerate(ordered))
    sieve = filter_relevance(found, SETTINGS)
    for part in (sieve.kept, sieve.dropped):
        starts = [each.span.start for each in part]
        assert starts == sorted(starts)
    spans = sorted(each.span.start for each in (*sieve.kept, *sieve.dropped))
    assert spans == [each.span.start for each in found]
    assert all(each in found for each in sieve.dropped)
