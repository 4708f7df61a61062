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
    found = (candidate(0, 1, 0.6), candidate(2, 3, 0.29))
    sieve = filter_relevance(found, SETTINGS)
    assert (len(sieve.kept), len(sieve.dropped), sieve.passing) == (1, 1, True)


def test_when_nothing_passes_the_best_few_are_kept_and_marked() -> None:
    found = tuple(candidate(n, n + 1, 0.2 - n / 100) for n in range(4))
    sieve = filter_relevance(found, SETTINGS)
    assert not sieve.passing
    assert [each.score for each in sieve.kept] == [0.2, 0.19]
    assert {each.evidence[-1].note for each in sieve.kept} == {"kept though it did not pass"}
    assert len(sieve.dropped) == 2
    nothing = filter_relevance((), SETTINGS)
    assert (nothing.kept, nothing.dropped, nothing.passing) == ((), (), False)


def test_a_model_has_the_last_word_where_it_has_one() -> None:
    found = tuple(candidate(n, n + 1, score) for n, score in enumerate((0.9, 0.4, 0.35, 0.2)))
    sieve = filter_relevance(found, SETTINGS, {0: 0.1, 1: 0.4, 3: 0.8})
    assert [each.score for each in sieve.kept] == [0.4, 0.2]
    notes = [each.evidence[-1].note for each in (*sieve.kept, *sieve.dropped)]
    assert notes == [
        "relevant by what a model sees in it",
        "relevant by what a model sees in it",
        "not relevant by what a model sees in it",
        "not relevant by rank",
    ]


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
    told = [each.model_copy(update={"evidence": ()}) for each in (*sieve.kept, *sieve.dropped)]
    assert all(each.model_copy(update={"evidence": ()}) in told for each in found)
