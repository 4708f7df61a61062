"""Expected calibration error, against itself worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vmr_agent.metrics.calibration import calibration_error


def test_by_hand() -> None:
    assert calibration_error([0.92, 0.98, 0.12, 0.18], [1, 0, 0, 0]) == pytest.approx(
        0.5 * abs(0.95 - 0.5) + 0.5 * abs(0.15 - 0.0)
    )


def test_certainty_that_holds_is_no_error_and_neither_is_nothing() -> None:
    assert calibration_error([1.0, 0.0], [True, False]) == 0
    assert calibration_error([], []) == 0


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1))
def test_it_is_between_the_gap_of_the_means_and_one(told: list[tuple[float, bool]]) -> None:
    probabilities, right = np.array(told, float).T
    error = calibration_error(probabilities, right)
    assert abs(probabilities.mean() - right.mean()) - 1e-9 <= error <= 1 + 1e-9
