"""What the benchmark measures, each time in a new process: `python -m evals.bench_work PART FILM`.

The last line on stdout is JSON. Apart from `decode`, all of it is what users of the library do.
"""

from __future__ import annotations

import json
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

QUESTIONS = """a dog rides a skateboard
someone plays the drums
a woman flips a pancake
a man opens a sliding glass door
hands that play a guitar
people arm wrestling at a table
somebody cleans a swimming pool
a woman does yoga in front of hills
a man dances in a kitchen
a worker inspects a golden mirror
someone practises batting
a text that says velvet lantern
someone says something about their country
someone talks about a telescope
someone mentions the morning
a red car drives along the coast
a cat sleeps on a sofa
snow falls on a mountain
a cup of coffee
a rocket takes off
an orchestra plays on a stage
""".splitlines()
"""For a process that is asked many: the first warms it up, the others are timed."""
COLD = ("a clock on a wall", "a horse in a field", "children at a table")
"""For processes that are asked one: no two the same, for answers leave curves on the shelf."""
LAST = "index_video"
"""The room in which a film's index is complete."""


def decode(film: Path) -> dict[str, Any]:
    """Every picture of the film, by PyAV as it comes."""
    import av

    with av.open(film) as box:
        stream = box.streams.video[0]
        stream.thread_type = "AUTO"
        return {"pictures": sum(1 for _ in box.decode(stream))}


def index(film: Path) -> dict[str, Any]:
    """The once-per-video half, and one answer, with which comes a report of every room's work.

    `at` says when each room was first and last heard of, by `time.monotonic()`, and `busy` how many
    seconds all its visits took. The answer comes after `index_video` and is not part of either.
    """
    from vmr_agent import VMRAgent
    from vmr_agent.settings import from_environment

    at: dict[str, list[float]] = {}
    busy: dict[str, float] = defaultdict(float)

    def note(event: Any) -> None:
        now = time.monotonic()
        at.setdefault(event.room, [now, now])[1] = now

    settings = from_environment()
    steps = VMRAgent(settings, progress=note).run(film, QUESTIONS[0]).steps
    last = max(number for number, step in enumerate(steps) if step.room == LAST)
    for step in steps[: last + 1]:
        busy[step.room] += step.seconds
    return {
        "at": {room: span for room, span in at.items() if room in busy},
        "busy": busy,
        "settings": settings.model_dump(mode="json", exclude={"home"}),
    }


def first(film: Path, number: str = "0") -> dict[str, Any]:
    """The first answer of a process."""
    from vmr_agent import VMRAgent

    return {"status": VMRAgent().run(film, COLD[int(number)]).status}


def later(film: Path) -> dict[str, Any]:
    """Seconds of each of the answers after the first."""
    from vmr_agent import VMRAgent

    agent, seconds = VMRAgent(), []
    agent.run(film, QUESTIONS[0])
    for question in QUESTIONS[1:]:
        began = time.perf_counter()
        agent.run(film, question)
        seconds.append(time.perf_counter() - began)
    return {"seconds": seconds}


PARTS = {part.__name__: part for part in (decode, index, first, later)}


def main(argv: Sequence[str]) -> None:
    """Do one part."""
    part, film, *rest = argv
    print(json.dumps(PARTS[part](Path(film), *rest)))


if __name__ == "__main__":
    main(sys.argv[1:])
