"""What the rooms ask chat models: each question, the answer it is read as, and what it is worth.

Models pick among ids that they were given, and return a yes or no, or a few words. Nothing that
they answer chooses the next room, opens anything, or is believed without bounds.
"""

from vmr_agent.questions.caption import captions
from vmr_agent.questions.filter_relevance import sightings
from vmr_agent.questions.understand import reading
from vmr_agent.questions.verify import Judgement, judgements
from vmr_agent.questions.views import View, views
from vmr_agent.questions.widen import rephrased

__all__ = [
    "Judgement",
    "View",
    "captions",
    "judgements",
    "reading",
    "rephrased",
    "sightings",
    "views",
]
