"""verify: does it hold, and does it hold better than what is nearly the same?

The model judges two altered statements beside the question's own (counterfactual verification): a
model that says yes to everything says yes to those as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from vmr_agent.counsel import Counsel, Question
from vmr_agent.prompts import load
from vmr_agent.questions.sheet import ballot, weighed
from vmr_agent.questions.views import View
from vmr_agent.types import Query
from vmr_agent.words import tokens


class Judgement(NamedTuple):
    """What a model makes of a proposal."""

    chance: float
    """Probability that the question's own statement holds."""
    rival: float
    """The same of the likelier of the altered ones, 0 without any."""

    def weakened(self, share: float) -> Judgement:
        """With so much left of either."""
        return Judgement(share * self.chance, share * self.rival)


def judgements(
    counsel: Counsel, film: str, query: Query, seen: Sequence[View]
) -> dict[str, Judgement]:
    """What the model makes of each proposal, by its id; those unanswered are left out."""
    # Frames cannot show what is asked about order: the curves have seen to that.
    own_text = query.scene if query.relations or query.occurrence else query.text
    rivals = (text for text in query.altered if tokens(text) != tokens(own_text))
    statements = {"s1": own_text} | {f"s{n}": text for n, text in enumerate(rivals, 2)}
    # Its own must not be known by its place: sorted by what they say, they stand anywhere.
    shuffled = dict(sorted(statements.items(), key=lambda each: each[1][::-1]))
    asked = {f"s{n}": text for n, text in enumerate(shuffled.values(), 1)}
    own = next(name for name, text in asked.items() if text == own_text)
    # The altered ones are a model's, who has read a little of the film: data like the rest.
    data = {"statements": asked, "proposals": [view.facts for view in seen]}
    pictures = tuple(shown for view in seen for shown in view.pictures)
    question = Question(load("verify"), {}, data, pictures, probabilities=True)
    found = weighed(counsel.ask(film, question, ballot([view.id for view in seen], asked)))
    return {
        place: Judgement(row.pop(own), max(row.values(), default=0.0))
        for place, row in found.items()
        if own in row
    }
