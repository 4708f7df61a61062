"""Where the thresholds come from: other joins and other questions than those reported.

    python -m evals.calibrate CLIPS_DIR [--queries evals/queries/calibration.json] [--films 4]

Joins shuffled parts of a folder of clips, asks of each film what its clips show and what is in
none of them, and prints the shares found and refused for a sweep of the picture channel's
settings. Films are shelved once; only the back half runs again for every setting.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from collections.abc import Iterator
from itertools import product
from pathlib import Path

from evals.ask import Question, is_right
from evals.join import join
from evals.playlist import JoinError, load_clips
from vmr_agent import Settings, Span, VMRAgent, VmrError

QUERIES = Path(__file__).parent / "queries" / "calibration.json"
PART = 7  # clips in each film: the others' questions are then about nothing in it
MIDDLES = (0.36, 0.39, 0.42, 0.45)
OUTSTANDING = (0.0, 0.1, 0.25)
GLIMPSES = (0.0, 0.5, 1.0)


def films(
    folder: Path, queries: Path, count: int, seed: int, out: Path
) -> Iterator[tuple[Path, list[Question]]]:
    """Films of random clips in random order, each with its questions."""
    asked = json.loads(queries.read_text(encoding="utf-8"))
    absent = [Question(query, ()) for query in asked["absent"]]
    pictures = [name for name, clip in load_clips(folder).items() if clip.start is not None]
    chance = random.Random(seed)
    for number in range(count):
        names = chance.sample(pictures, min(PART, len(pictures)))
        film = out / f"calibration-{seed}-{number}.mp4"
        truth = join(folder, film, order=names)
        present = [
            Question(query, (Span(**placed["span"]),))
            for placed in truth["clips"]
            for query in asked["about"].get(placed["file"], [])
        ]
        yield film, present + absent


def measure(settings: Settings, films: list[tuple[Path, list[Question]]]) -> tuple[float, float]:
    """Shares of things found and of absent things refused."""
    agent = VMRAgent(settings)
    marks: dict[bool, list[bool]] = {True: [], False: []}
    for film, questions in films:
        for question in questions:
            right = is_right(question, agent.run(film, question.query))
            marks[bool(question.moments)].append(right)
    found, refused = (sum(marks[there]) / max(1, len(marks[there])) for there in (True, False))
    return found, refused


def variants() -> Iterator[Settings]:
    """The sweep, around the settings in force."""
    now = Settings()
    for middle, outstanding, glimpse in product(MIDDLES, OUTSTANDING, GLIMPSES):
        picture = {"picture_middle": middle, "outstanding": outstanding}
        retrieve = now.retrieve.model_copy(update=picture)
        ground = now.ground.model_copy(update={"glimpse": glimpse})
        yield now.model_copy(update={"retrieve": retrieve, "ground": ground})


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m evals.calibrate")
    parser.add_argument("folder", type=Path, help="a folder of clips with its clips.json")
    parser.add_argument("--queries", type=Path, default=QUERIES)
    parser.add_argument("--films", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory() as scratch:
            made = films(
                options.folder, options.queries, options.films, options.seed, Path(scratch)
            )
            _sweep(list(made))
    except (JoinError, VmrError, OSError, ValueError) as error:
        parser.exit(getattr(error, "exit_code", 2), f"evals.calibrate: {error}\n")


def _sweep(made: list[tuple[Path, list[Question]]]) -> None:
    sys.stdout.write("middle outstanding glimpse  found refused\n")
    for settings in variants():
        found, refused = measure(settings, made)
        middle, outstanding = settings.retrieve.picture_middle, settings.retrieve.outstanding
        row = f"{middle:6.2f} {outstanding:11.2f} {settings.ground.glimpse:7.1f}"
        sys.stdout.write(f"{row}  {found:5.3f} {refused:7.3f}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
