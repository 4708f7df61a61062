"""What was answered, kept for a while, by keys that nobody guesses."""

from __future__ import annotations

import re
import secrets
from collections import OrderedDict
from threading import Lock
from typing import NamedTuple

from vmr_agent.app.films import KEY
from vmr_agent.app.follow import Trace
from vmr_agent.report import RunReport

NAME = 60  # letters of a question that a file is called after


class Answer(NamedTuple):
    """A question about a film, and what came of it."""

    key: str
    film: str
    """The film's key."""
    report: RunReport
    trace: Trace | None
    """Its relevance curves, None where there are none."""

    @property
    def verdict(self) -> str:
        """In two words: ``3 moments``."""
        number = len(self.report.moments)
        return f"{number} moment{'s' * (number != 1)}" if number else "not found"

    @property
    def file_name(self) -> str:
        """What its exports are called, without ending: letters and digits of the question."""
        words = re.sub(r"[^\w]+", "-", self.report.query, flags=re.ASCII).strip("-").lower()
        return words[:NAME].strip("-") or "answer"


class Answers:
    """The last ``most`` answers. Safe between threads."""

    def __init__(self, most: int) -> None:
        self._most, self._lock = most, Lock()
        self._answers: OrderedDict[str, Answer] = OrderedDict()

    def keep(self, film: str, report: RunReport, trace: Trace | None) -> Answer:
        """Keep it under a new key."""
        answer = Answer(secrets.token_urlsafe(KEY), film, report, trace)
        with self._lock:
            self._answers[answer.key] = answer
            while len(self._answers) > self._most:
                self._answers.popitem(last=False)
        return answer

    def find(self, key: object) -> Answer | None:
        """The answer, None if there never was one or it is no longer kept."""
        with self._lock:
            return self._answers.get(key) if isinstance(key, str) else None
