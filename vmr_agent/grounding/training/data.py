"""What a network learns from: simulated questions, or those of a file (see ``lines``).

Nothing here needs torch: data that will not do is told before anything is loaded.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from vmr_agent.errors import TrainingError
from vmr_agent.grounding.inputs import Floats, Question
from vmr_agent.grounding.training import lines
from vmr_agent.grounding.training.lines import Line
from vmr_agent.grounding.training.simulate import Dice, World

SIMULATED = "simulated"
OURS = "Apache-2.0"
"""Licence of what is simulated: it comes out of this code."""
QUESTIONS = 6000
"""Simulated, if it is not said how many."""
WINDOWS = 150_000_000
"""Of all films of all questions: each is weighed, 4 bytes a number, forwards and backwards."""

Simulate = Callable[[World, Dice], tuple[Question, Floats]]


@dataclass(frozen=True, eq=False)
class Data:
    """Questions, and what is true of them."""

    questions: list[Question]
    moments: list[Floats]
    """Of each question (G, 2): true starts and ends in steps, none where it is not there."""
    films: list[str]
    """Which film each question is about."""
    channels: tuple[str, ...]
    """Names of the curves, in order."""
    sources: tuple[str, ...]
    """Names of those who propose candidates, in order."""
    step: float | None
    """Seconds; None if it is not the same everywhere."""
    about: str
    """What it is, so that no other data is called the same."""
    licence: str

    def __len__(self) -> int:
        return len(self.questions)

    def split(self, share: float, seed: int) -> tuple[Data, Data]:
        """What is learned from and what is held out: all of a film in one of the two.

        Neither is empty, unless the share is 0. Raises TrainingError if there is only one film.
        """
        known = Counter(self.films)
        films = sorted(known)
        if share and len(films) == 1:
            raise TrainingError(
                "nothing can be held out, for all questions are about one film: "
                "give more films, or --held-out 0"
            )
        order = [films[n] for n in np.random.default_rng(seed).permutation(len(films))]
        sizes = np.array([known[film] for film in order])
        taken = np.cumsum(sizes) - sizes / 2 < share * len(self)  # by the middle of each film
        taken[0], taken[-1] = share > 0, False
        out = {film for film, held_out in zip(order, taken, strict=True) if held_out}
        return self._those(lambda film: film not in out), self._those(lambda film: film in out)

    def of(self, channels: tuple[str, ...], sources: tuple[str, ...]) -> Data:
        """Of these alone, in this order. Raises TrainingError, by name, if there are none."""
        for what, known, names in (
            ("curve", self.channels, channels),
            ("candidates", self.sources, sources),
        ):
            for name in names:
                if name not in known:
                    raise TrainingError(f"there is no {what} {name!r}, only {', '.join(known)}")
        curves = [self.channels.index(name) for name in channels]
        given = [self.sources.index(name) for name in sources]
        questions = [
            Question(each.curves[:, curves], tuple(each.candidates[n] for n in given))
            for each in self.questions
        ]
        return replace(self, questions=questions, channels=channels, sources=sources)

    def _those(self, wanted: Callable[[str], bool]) -> Data:
        rows = [n for n, film in enumerate(self.films) if wanted(film)]
        return replace(
            self,
            questions=[self.questions[n] for n in rows],
            moments=[self.moments[n] for n in rows],
            films=[self.films[n] for n in rows],
        )


def simulated(
    told: str, seed: int, made: Simulate, channels: tuple[str, ...], sources: tuple[str, ...]
) -> Data:
    """``simulated`` or ``simulated:N``: each question with a film of its own."""
    name, colon, number = told.partition(":")
    if name != SIMULATED or (colon and not re.fullmatch("0*[1-9][0-9]{0,8}", number)):
        raise TrainingError(f"{told!r} is no data: say {SIMULATED}:N, N a number above 0")
    count = int(number) if colon else QUESTIONS
    _weighed(count, World().steps[1])
    dice = np.random.default_rng(seed)
    questions, moments = zip(*(made(World(), dice) for _ in range(count)), strict=True)
    films = [f"{n:09}" for n in range(count)]
    about = f"{SIMULATED}:{count}, seed {seed}"
    return Data(list(questions), list(moments), films, channels, sources, None, about, OURS)


def from_file(path: Path, licence: str) -> Data:
    """Of a file in the form of ``lines``. Raises TrainingError, by line, if it is not."""
    content = lines.content(path)
    read = lines.parse(content, path.name)
    _weighed(len(read), max(line.steps for line in read))
    channels, sources = tuple(read[0].curves), tuple(read[0].candidates)
    steps = {line.step for line in read}
    digest = hashlib.sha256(content).hexdigest()
    return Data(
        [_question(line, channels, sources) for line in read],
        [_moments(line) for line in read],
        [f"line {n}" if line.film is None else f"film {line.film}" for n, line in enumerate(read)],
        channels,
        sources,
        steps.pop() if len(steps) == 1 else None,
        f"{path.name}, {len(read)} questions, SHA-256 {digest}",
        licence,
    )


def _weighed(count: int, steps: int) -> None:
    windows = count * steps * (steps + 1) // 2
    if windows > WINDOWS:
        raise TrainingError(
            f"{count} questions about films of up to {steps} steps have {windows:.3g} windows, "
            f"more than {WINDOWS:.3g}: give fewer questions, longer steps or shorter films"
        )


def _question(line: Line, channels: Sequence[str], sources: Sequence[str]) -> Question:
    curves = np.array([line.curves[name] for name in channels], np.float32).T
    return Question(curves, tuple(_candidates(line, name) for name in sources))


def _candidates(line: Line, source: str) -> Floats:
    found = np.array(line.candidates[source], np.float64).reshape(-1, 3)
    found[:, :2] = np.clip(found[:, :2] / line.step, 0, line.steps)
    return found[np.argsort(-found[:, 2], kind="stable")].astype(np.float32)


def _moments(line: Line) -> Floats:
    """(G, 2) in steps, rising; those shorter than a step are all of the step that they are in."""
    found = np.clip(np.array(line.moments, np.float64).reshape(-1, 2) / line.step, 0, line.steps)
    brief = found[:, 1] - found[:, 0] < 1
    first = np.minimum(np.floor(found.mean(axis=1)), line.steps - 1)
    found[brief] = np.stack([first, first + 1], axis=1)[brief]
    return found[np.argsort(found[:, 0], kind="stable")].astype(np.float32)
