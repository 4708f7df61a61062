"""Which pictures a clip shows, on any times."""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vmr_agent.stills import Stills


class Seen(NamedTuple):
    time: float
    length: float
    picture: int


@given(
    gaps=st.lists(st.floats(0.005, 0.5), min_size=1, max_size=40),
    start=st.floats(0, 5),
    length=st.floats(0.05, 5),
)
def test_a_clip_shows_what_the_film_does(gaps: list[float], start: float, length: float) -> None:
    """At every instant inside, up to half a picture beside the boundaries; none twice, no gap."""
    times = [0.0, *np.cumsum(gaps)[:-1].tolist()]
    film = [Seen(t, gap, n) for n, (t, gap) in enumerate(zip(times, gaps, strict=True))]
    since = max((i for i, each in enumerate(film) if each.time <= start), default=0)
    end = start + length
    if sum(gaps) <= start:
        with pytest.raises(LookupError):
            Stills(iter(film[since:]), start, end)
        return
    stills = Stills(iter(film[since:]), start, end)
    found = list(stills)
    half = 0.05 + 1e-6
    assert abs(stills.begin - start) <= half
    assert stills.begin == found[0].time
    assert all(each.length > 0 for each in found)
    for one, after in itertools.pairwise(found):
        assert one.time + one.length == pytest.approx(after.time)
        assert after.picture == one.picture + 1
    for each in found[1:]:
        assert film[each.picture].time == each.time
    assert found[-1].time + found[-1].length == pytest.approx(stills.end)
    assert stills.end <= max(end + half, stills.begin + half) + 1e-9
