"""How well each detector tells where shots begin: hard cuts, dissolves, fades, and none of these.

    python -m evals.shots                # the table; also evals/results/shots.json
    python -m evals.shots --clips DIR    # a second table, with real footage in the films

The films are made on the spot (see `evals.shot_films`) and handed over undecoded. A hard cut is
found within two frames, a slow change from a quarter of a second before it to one after; a second
cut in the same place is a false one. Time is that of the processor: other programs do not count.
The numbers in `vmr_agent.adapters.scenes` were chosen with films of lower seeds, and with other
clips than the record names.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import fmean
from typing import get_args

import cv2

from evals.bench_record import commit, machine
from evals.shot_events import EVENTS
from evals.shot_films import (
    KINDS,
    Change,
    Film,
    Kind,
    Stock,
    clips,
    listed,
    make,
    photographs,
    textures,
)
from vmr_agent.adapters.scenes import SceneShots
from vmr_agent.frame import Frame
from vmr_agent.protocols import ShotDetector
from vmr_agent.settings import ShotSettings

RESULTS = Path(__file__).parent / "results" / "shots.json"
DETECTORS = get_args(ShotSettings.model_fields["detector"].annotation)
SEED = 1000
"""The first; the detectors were made with films of lower ones."""
FRAMES, SECONDS = 2, 0.25
"""How far beside a hard cut and a slow change a cut may lie."""
HEAD = """\
          |    hard cuts     |    dissolves     |      fades       |  false   |  off  | ms of
detector  | prec  rec   F1   | prec  rec   F1   | prec  rec   F1   | a minute | by ms | a frame"""


@dataclass
class Count:
    """Changes of one kind."""

    there: int = 0
    found: int = 0
    extra: int = 0

    def add(self, there: int, found: int, extra: int) -> None:
        """What a film held, and what was found in it."""
        self.there, self.found, self.extra = (
            self.there + there,
            self.found + found,
            self.extra + extra,
        )

    @property
    def precision(self) -> float:
        """Share of what was found that was there."""
        return self.found / max(1, self.found + self.extra)

    @property
    def recall(self) -> float:
        """Share of what was there that was found."""
        return self.found / max(1, self.there)

    @property
    def f1(self) -> float:
        """Both in one."""
        return 2 * self.found / max(1, self.there + self.found + self.extra)


@dataclass
class Score:
    """What one detector made of all films."""

    counts: dict[Kind, Count] = field(default_factory=lambda: {kind: Count() for kind in KINDS})
    off: list[float] = field(default_factory=list)
    """Seconds between hard cuts and where they were found."""
    eventful: float = 0.0
    """Seconds of film without a change."""
    frames: int = 0
    took: float = 0.0
    """Seconds of processor."""

    def add(self, kind: Kind, film: Film, cuts: Sequence[float], took: float) -> None:
        """A film, what was found in it, and in what time."""
        pairs = matched(cuts, film.truth, film.fps)
        self.counts[kind].add(len(film.truth), len(pairs), len(cuts) - len(pairs))
        self.off += [abs(cut - change.start) for change, cut in pairs if change.kind == "hard"]
        self.eventful += len(film.pictures) / film.fps if kind == "none" else 0.0
        self.frames, self.took = self.frames + len(film.pictures), self.took + took

    def figures(self) -> dict[str, object]:
        """What is written down."""
        changes: dict[str, object] = {
            kind: {
                **asdict(count),
                "precision": round(count.precision, 3),
                "recall": round(count.recall, 3),
                "f1": round(count.f1, 3),
            }
            for kind, count in self.counts.items()
            if kind != "none"
        }
        return {
            **changes,
            "false_per_minute": round(60 * self.counts["none"].extra / max(1.0, self.eventful), 2),
            "off_ms": round(1000 * fmean(self.off or [0.0]), 1),
            "ms_per_frame": round(1000 * self.took / max(1, self.frames), 3),
        }


def matched(
    cuts: Sequence[float], truth: Sequence[Change], fps: float
) -> list[tuple[Change, float]]:
    """Changes and the cut that each was found by; no cut counts twice."""
    free, pairs = sorted(cuts), []
    for change in truth:
        slack = (FRAMES + 0.01) / fps if change.kind == "hard" else SECONDS
        near = [cut for cut in free if change.start - slack <= cut <= change.end + slack]
        if near:
            middle = (change.start + change.end) / 2
            _, best = min((abs(cut - middle), cut) for cut in near)
            free.remove(best)
            pairs.append((change, best))
    return pairs


def films(stock: Sequence[Stock], count: int, seconds: float) -> Iterator[tuple[Kind, Film]]:
    """So many films of each kind of change, and one for each event in each of them."""
    for kind in KINDS:
        for seed in range(count * (len(EVENTS) if kind == "none" else 1)):
            yield kind, make(kind, SEED + seed, stock, seconds)


def score(
    detectors: dict[str, ShotDetector], shown: Iterator[tuple[Kind, Film]]
) -> dict[str, Score]:
    """All detectors, on the same films."""
    scores = {name: Score() for name in detectors}
    for kind, film in shown:
        frames = [Frame.of(number / film.fps, each) for number, each in enumerate(film.pictures)]
        for name, detector in detectors.items():
            began = time.process_time()
            cuts = detector.cuts(frames, 0.0)
            scores[name].add(kind, film, cuts, time.process_time() - began)
    return scores


def table(scores: dict[str, Score]) -> str:
    """For people."""
    lines = [HEAD]
    for name, each in scores.items():
        shares = " | ".join(
            f"{count.precision:.3f} {count.recall:.3f} {count.f1:.3f}"
            for kind, count in each.counts.items()
            if kind != "none"
        )
        told = each.figures()
        rest = f"{told['false_per_minute']:8} | {told['off_ms']:5} | {told['ms_per_frame']}"
        lines.append(f"{name:9} | {shares} | {rest}")
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m evals.shots")
    parser.add_argument("--clips", type=Path, help="a folder of real clips")
    parser.add_argument("--json", type=Path, default=RESULTS, help="where to write the figures")
    parser.add_argument("--films", type=int, default=8, help="of each kind")
    parser.add_argument("--seconds", type=float, default=50.0, help="of each film with changes")
    options = parser.parse_args(argv)
    cv2.setNumThreads(1)
    stocks = {"made": [*textures(SEED), *photographs()]}
    about = {"films": options.films, "seconds": options.seconds, "seed": SEED}
    if options.clips:
        stocks["real"] = clips(options.clips)
        about["clips"] = [path.name for path in listed(options.clips)]
    told: dict[str, object] = {"commit": commit(), "machine": machine(), "settings": about}
    for name, stock in stocks.items():
        detectors: dict[str, ShotDetector] = {
            kind: SceneShots(ShotSettings(detector=kind)) for kind in DETECTORS
        }
        scores = score(detectors, films(stock, options.films, options.seconds))
        print(f"{name}\n{table(scores)}\n")
        told[name] = {kind: each.figures() for kind, each in scores.items()}
        options.json.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
