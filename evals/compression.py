"""What is lost when less is stored: retrieval quality against bytes.

    python -m evals.compression CLIPS_DIR [--films 8] [--json FILE]

Films of random clips (see ``evals.calibrate``) are embedded once, two samples a second. Then what
is kept of their vectors is varied, SMORE's compression against simpler ways to keep as little, and
each film is asked about its clips through the house's own picture channel. In every variant a
vector counts from its time until the next one's.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from evals.ask import Question
from evals.bench_record import commit, machine
from evals.calibrate import QUERIES, films
from evals.playlist import JoinError
from vmr_agent import Settings, Span, VmrError, channels, curves, tools
from vmr_agent.artefacts import Ending, Entry, Take
from vmr_agent.compress import compress, groups
from vmr_agent.film import Film
from vmr_agent.keyframes import keyframes
from vmr_agent.protocols import Array, Image
from vmr_agent.toolbox import Toolbox, build_toolbox
from vmr_agent.types import Video
from vmr_agent.video import Picture

RESULT = Path(__file__).parent / "results" / "compression.json"
THETAS = (0.50, 0.80, 0.90, 0.93, 0.95, 0.97, 0.98, 0.99)
FPS, BATCH, HOUR = 2, 32, 3600  # samples per second, images, seconds
DRAWS = 2000  # of the bootstrap
MEASURES = ("R@1", "MRR", "AUC", "IoU")

Floats = NDArray[np.float64]
Row = dict[str, Any]


class Kept(NamedTuple):
    """What is stored of a film's picture: times (G,) seconds and vectors (G, D)."""

    times: Floats
    vectors: NDArray[np.floating[Any]]

    @property
    def bytes(self) -> int:
        """On the shelf, before any file format."""
        return self.times.nbytes + self.vectors.nbytes


class Marks(NamedTuple):
    """How one question went."""

    clip: str | None
    """What it is about; None for nothing in the film."""
    values: tuple[float, ...]
    """``MEASURES``: whether the right clip has the highest relevance of all clips, 1 / its rank;
    how often a step in it is above one outside; IoU of it and the region around the highest."""
    best: float
    """The highest relevance."""
    shift: float
    """Mean absolute difference of the curve to that of the full vectors."""


Variant = Callable[[Film], Kept]
Asked = tuple[Film, list[Question]]


def variants() -> dict[str, Variant]:
    """All that is compared, the full vectors first; four ways to keep as little at each theta."""
    ways: dict[str, Variant] = {
        "none, float32": lambda film: Kept(film.times, film.vectors),
        "none": lambda film: Kept(film.times, film.vectors.astype(np.float16)),
        "key frames": lambda film: _some(film, keyframes(film.times, film.vectors, film.cuts)),
    }
    for theta in THETAS:
        for way in (_svd, _mean, _first, _uniform):
            ways[f"{way.__name__[1:]} {theta:.2f}"] = partial(way, theta=theta)
    return ways


def _svd(film: Film, theta: float) -> Kept:
    kept = compress(film.times, film.vectors, film.cuts, theta)
    return Kept(kept.starts, kept.vectors)


def _mean(film: Film, theta: float) -> Kept:
    first = _walk(film, theta)
    sums = np.add.reduceat(film.vectors, first)
    rows = sums / np.linalg.norm(sums, axis=1, keepdims=True)
    return Kept(film.times[first], rows.astype(np.float16))


def _first(film: Film, theta: float) -> Kept:
    return _some(film, _walk(film, theta))


def _uniform(film: Film, theta: float) -> Kept:
    count = len(_walk(film, theta))
    return _some(film, np.arange(count) * len(film.times) // count)


def _walk(film: Film, theta: float) -> NDArray[np.int64]:
    return groups(film.vectors, np.searchsorted(film.cuts, film.times, side="right"), theta)


def _some(film: Film, indices: NDArray[np.int64]) -> Kept:
    return Kept(film.times[indices], film.vectors[indices].astype(np.float16))


def embed(path: Path, box: Toolbox) -> Film:
    """The picture of a film, and nothing else of it, shelved nowhere."""
    times: list[float] = []
    images: list[Image] = []
    with Picture(path, box.settings.video) as picture:

        def watched() -> Iterator[Any]:
            for frame in picture.frames():
                if frame.time + 1e-6 >= len(times) / FPS:
                    times.append(frame.time)
                    images.append(frame.rgb(box.encoder.size))
                yield frame

        cuts = box.detector.cuts(watched(), since=0.0)
    batches = [images[first : first + BATCH] for first in range(0, len(images), BATCH)]
    name, length, none = path.name, picture.duration, np.zeros((0, 0), np.float32)
    video = Video(path=name, fingerprint="", duration=length, has_picture=True, has_audio=False)
    ending = Ending(duration=length, promise=length)
    take = Take(kept=len(times), met=len(times), cuts=cuts, holes=(), ending=ending)
    return Film(
        entry=Entry(video=video, heard=0, read=False),
        shots=tools.detect_shots([take], box.settings.shots.min_length).shots,
        times=np.asarray(times),
        vectors=np.concatenate([box.encoder.look(batch) for batch in batches]),
        utterances=(),
        speech=none,
        speakers=np.zeros(0, np.int64),
        texts=(),
        text=none,
        levels=none,
    )


def relevance(query: str, film: Film, kept: Kept, box: Toolbox) -> Array:
    """The picture curve (T,) over what is kept, as it is in the first round."""
    seen = replace(film, times=kept.times, vectors=kept.vectors.astype(np.float32))
    settings = box.settings.retrieve
    count = curves.steps(film.video.duration, settings.step)
    return channels.picture(tools.understand(query), seen, 1, box.encoder, settings, count)


def judge(curve: Array, truth: Span, clips: Iterable[Span], box: Toolbox) -> tuple[float, ...]:
    """``MEASURES`` of a curve (T,) for a question about one of the clips."""
    settings = box.settings.retrieve
    middles = (np.arange(len(curve)) + 0.5) * settings.step
    inside = {clip: (middles >= clip.start) & (middles < clip.end) for clip in clips}
    peaks = {clip: curve[steps].max(initial=0) for clip, steps in inside.items()}
    rank = sum(peak >= peaks[truth] for peak in peaks.values())
    best, usual = float(curve.max()), curves.background(curve)
    level = min(best, usual + settings.fall * (best - usual))
    gap = round(settings.bridge / settings.step)
    first, last = curves.region(curve, int(curve.argmax()), level, gap)
    found = Span(start=first * settings.step, end=last * settings.step)
    auc = above(curve[inside[truth]], curve[~inside[truth]])
    return float(rank == 1), 1 / rank, auc, found.iou(truth)


def above(high: Sequence[float] | Array, low: Sequence[float] | Array) -> float:
    """The area under the ROC curve: how often one of ``high`` is above one of ``low``."""
    ordered = np.sort(low)
    below, upto = (np.searchsorted(ordered, high, side=side) for side in ("left", "right"))
    return float((below + upto).mean() / 2 / len(ordered))


def compare(asked: list[Asked], owner: Mapping[str, str], box: Toolbox) -> dict[str, Row]:
    """Bytes and marks of every variant; ``owner`` names the clip that a query is about."""
    hours = sum(film.video.duration for film, _ in asked) / HOUR
    rows: dict[str, Row] = {}
    full: list[Array] = []
    before: list[Marks] = []
    for name, variant in variants().items():
        kept = [variant(film) for film, _ in asked]
        found = [
            relevance(question.query, film, some, box)
            for (film, questions), some in zip(asked, kept, strict=True)
            for question in questions
        ]
        full = full or found
        marks = list(_marks(asked, zip(found, full, strict=True), owner, box))
        before = before or marks
        rows[name] = {
            "vectors per hour": round(sum(len(some.times) for some in kept) / hours),
            "bytes per hour": round(sum(some.bytes for some in kept) / hours),
            **_summary(marks, before),
        }
    return rows


def _marks(
    asked: list[Asked], pairs: Iterator[tuple[Array, Array]], owner: Mapping[str, str], box: Toolbox
) -> Iterator[Marks]:
    for _, questions in asked:
        clips = {span for question in questions for span in question.moments}
        for query, moments in questions:
            curve, usual = next(pairs)
            best, shift = float(curve.max()), float(np.abs(curve - usual).mean())
            for truth in moments:
                values = judge(curve, truth, clips, box)
                yield Marks(owner.get(query, query), values, best, shift)
            if not moments:
                yield Marks(None, (0, 0, 0, 0), best, shift)


def _summary(marks: list[Marks], before: list[Marks]) -> Row:
    """Means, and 95 % of the paired difference to the full vectors: it is clips that are drawn."""
    clips = sorted({mark.clip for mark in marks if mark.clip is not None})
    gained = np.subtract([mark.values for mark in marks], [mark.values for mark in before])
    about = np.asarray([[mark.clip == clip for mark in marks] for clip in clips])
    drawn = np.random.default_rng(0).integers(len(clips), size=(DRAWS, len(clips)))
    weights = about.sum(axis=1)[drawn]
    sums = np.asarray([gained[mine].sum(axis=0) for mine in about])[drawn]
    draws = sums.sum(axis=1) / weights.sum(axis=1)[:, None]
    edges = np.percentile(draws, (2.5, 97.5), axis=0).round(4)
    present = [mark for mark in marks if mark.clip is not None]
    absent = [mark.best for mark in marks if mark.clip is None]
    means = np.mean([mark.values for mark in present], axis=0).round(4)
    return {
        **dict(zip(MEASURES, means.tolist(), strict=True)),
        "refusal AUC": round(above([mark.best for mark in present], absent), 4),
        "shift": round(float(np.mean([mark.shift for mark in marks])), 4),
        "change": dict(zip(MEASURES, edges.T.tolist(), strict=True)),
    }


def table(rows: Mapping[str, Row]) -> str:
    """The rows as Markdown; in brackets the 95 % of the difference to the full vectors."""
    heads = ["variant", "vectors / h", "kB / h", *MEASURES, "refusal AUC", "shift"]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for name, row in rows.items():
        cells = [name, str(row["vectors per hour"]), f"{row['bytes per hour'] / 1000:.0f}"]
        for each in MEASURES:
            low, high = row["change"][each]
            cells.append(f"{row[each]:.3f} ({low:+.3f} … {high:+.3f})")
        cells += [f"{row[each]:.3f}" for each in ("refusal AUC", "shift")]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m evals.compression")
    parser.add_argument("folder", type=Path, help="a folder of clips with its clips.json")
    parser.add_argument("--json", type=Path, default=RESULT, help="where the figures go")
    parser.add_argument("--films", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    about = json.loads(QUERIES.read_text(encoding="utf-8"))["about"]
    owner = {query: clip for clip, queries in about.items() for query in queries}
    try:
        box = build_toolbox(Settings())
        with tempfile.TemporaryDirectory() as scratch:
            # All are joined first: PyAV may wait for ever on what torchvision, once loaded, set.
            made = list(films(options.folder, QUERIES, options.films, options.seed, Path(scratch)))
            asked = [(embed(film, box), questions) for film, questions in made]
        rows = compare(asked, owner, box)
        record = {
            "commit": commit(),
            "machine": machine(),
            "films": f"{options.films} of {options.folder.name}, seed {options.seed}",
            "encoder": box.encoder.name,
            "variants": rows,
        }
        options.json.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    except (JoinError, VmrError, OSError) as error:
        parser.exit(getattr(error, "exit_code", 2), f"evals.compression: {error}\n")
    sys.stdout.write(table(rows))


if __name__ == "__main__":
    main()
