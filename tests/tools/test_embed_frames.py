"""Vectors of what is seen: reel by reel, and of the film."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from shelved import plain, reel, shown

from vmr_agent.protocols import Array, Arrays, Image
from vmr_agent.settings import EmbedSettings
from vmr_agent.testing import ColourEncoder
from vmr_agent.tools import embed_frames, embed_reel

SETTINGS = EmbedSettings(alike=0.97)


class Counting(ColourEncoder):
    """Notes how many pictures it is shown at once."""

    def __init__(self) -> None:
        self.batches: list[int] = []

    def look(self, images: Sequence[Image]) -> Array:
        self.batches.append(len(images))
        return super().look(images)


def embedded(*colours: str, since: float = 0.0, cuts: Sequence[float] = ()) -> Arrays:
    """Pictures of these colours, one a second."""
    pictures = [(since + time, plain(colour)) for time, colour in enumerate(colours)]
    made, arrays = embed_reel(
        reel(samples=pictures, cuts=cuts), ColourEncoder(), SETTINGS, lambda time: None
    )
    assert made.encoder == "colours"
    return arrays


def test_neighbours_that_look_alike_are_one_with_the_time_of_the_first() -> None:
    arrays = embedded("red", "red", "blue", "blue", "blue", "red")
    assert arrays["times"].tolist() == [0, 2, 5]
    assert arrays["vectors"] == pytest.approx(shown("red", "blue", "red"), abs=1e-3)
    assert arrays["vectors"].dtype == np.float16


def test_no_vector_stands_for_two_shots() -> None:
    assert embedded("red", "red", "red", "red", cuts=[2.0])["times"].tolist() == [0, 2]


def test_the_encoder_is_shown_a_few_at_once_and_each_time_told_of() -> None:
    encoder, ticks = Counting(), list[float]()
    pictures = [(float(time), plain("red")) for time in range(35)]
    embed_reel(reel(samples=pictures), encoder, SETTINGS, ticks.append)
    assert encoder.batches == [16, 16, 3]
    assert ticks == [0, 16, 32]


def test_a_reel_of_nothing_has_no_vectors_and_wakes_no_encoder() -> None:
    encoder = Counting()
    _, arrays = embed_reel(reel(), encoder, SETTINGS, lambda time: None)
    assert len(arrays["times"]) == len(arrays["vectors"]) == 0
    assert encoder.batches == []


def test_the_film_is_all_its_reels_in_order() -> None:
    encoder = ColourEncoder()
    made = [
        embed_reel(reel(number, samples=pictures), encoder, SETTINGS, lambda time: None)
        for number, pictures in enumerate([[(0.0, plain("red"))], [], [(12.0, plain("blue"))]])
    ]
    record, arrays = embed_frames(made, encoder)
    assert record.encoder == "colours"
    assert arrays["times"].tolist() == [0, 12]
    assert arrays["vectors"] == pytest.approx(shown("red", "blue"), abs=1e-3)
    assert arrays["vectors"].dtype == np.float16


@pytest.mark.parametrize("reels", [0, 2])
def test_a_film_of_nothing_has_no_vectors(reels: int) -> None:
    encoder = ColourEncoder()
    nothing = [embed_reel(reel(), encoder, SETTINGS, lambda time: None)] * reels
    _, arrays = embed_frames(nothing, encoder)
    assert (len(arrays["times"]), len(arrays["vectors"])) == (0, 0)
