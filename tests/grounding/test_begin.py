"""Where a training begins: sources that say the same are heard as one."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scenes import questions

from vmr_agent.grounding.inputs import Question, cells, collate
from vmr_agent.grounding.judge import judged
from vmr_agent.grounding.network import Network, Sizes
from vmr_agent.grounding.training.begin import begun


def several(question: Question, times: int) -> Question:
    """All say what the one said."""
    return Question(np.repeat(question.curves, times, axis=1), question.candidates * times)


@pytest.mark.parametrize("sources", [1, 2, 4])
def test_sources_that_say_the_same_are_heard_as_one(sources: int) -> None:
    torch.manual_seed(0)
    known = Network(Sizes(2, 1)).eval()
    asked = questions(3)[0]
    starts, ends = cells(min(len(each.curves) for each in asked))
    one = judged([known], collate(asked), starts, ends)
    batch = collate([several(each, sources) for each in asked])
    all_of_them = judged([begun(known, sources).eval()], batch, starts, ends)
    np.testing.assert_allclose(all_of_them.windows, one.windows, atol=1e-4)
    np.testing.assert_allclose(all_of_them.number, one.number, atol=1e-4)


def test_the_known_one_is_left_as_it_is() -> None:
    known = Network(Sizes(2, 1))
    before = {name: part.clone() for name, part in known.state_dict().items()}
    begun(known, 3).votes.weight.data.zero_()
    assert all(torch.equal(part, before[name]) for name, part in known.state_dict().items())
