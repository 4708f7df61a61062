"""Clips joined end to end into one film whose cuts, and so whose moments, are known exactly.

`python -m evals.join CLIPS_DIR OUT.mp4` joins what `CLIPS_DIR/clips.json` lists: entries
`{"file", "queries"}`. Repeating a clip gives its queries several moments; a clip left out gives
its queries none. Sound alone can be laid under a clip: `--under speech.flac=clip.mp4`.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import NoReturn, TypedDict

import av

from evals.film import Form, write_film
from evals.joiner import Joiner, Piece, Placed, Stretch
from evals.playlist import SPOKEN, Clips, JoinError, Order, find, load_clips, rounds


class Asked(TypedDict):
    """A query and all of its moments in the film."""

    query: str
    file: str
    spoken: bool
    """True where it is about what is said."""
    moments: list[Stretch]


class Truth(TypedDict):
    """What is in a film."""

    film: str
    duration: float
    clips: list[Placed]
    queries: list[Asked]


def join(
    folder: Path,
    out: Path,
    *,
    order: Order = None,
    repeat: Mapping[str, int] | None = None,
    seconds: float = 0.0,
    seed: int = 0,
    under: Mapping[str, str] | None = None,
    form: Form | None = None,
) -> Truth:
    """Join the clips of a folder into the film `out` and say what is where.

    `repeat` says how often a clip comes in each round; whole rounds, shuffled from the second on,
    follow each other until the film is `seconds` long. `under` names, for a sound file, the
    picture clip with which it begins, each time; it goes on under the next clips until it is over.
    """
    if not math.isfinite(seconds):
        raise JoinError("a film cannot be endless")
    clips = load_clips(folder)
    laid: dict[str, list[str]] = defaultdict(list)
    for sound, clip in (under or {}).items():
        laid[find(clips, clip)].append(find(clips, sound))
    if out.resolve() in [clip.path.resolve() for clip in clips.values()]:
        raise JoinError(f"{out} is one of the clips")
    with write_film(out, form or Form()) as film:
        joiner = Joiner(film, clips)
        for names in rounds(clips, order, repeat, seed):
            for name in names:
                joiner.lay(Piece(name, under=tuple(laid.get(name, ()))))
            if film.seconds >= seconds:
                break
        joiner.end()
    return {
        "film": out.name,
        "duration": round(film.seconds, 3),
        "clips": joiner.placed,
        "queries": _queries(clips, [*joiner.placed, *joiner.heard]),
    }


def _queries(clips: Clips, placed: Sequence[Placed]) -> list[Asked]:
    return [
        {
            "query": query.removesuffix(SPOKEN).strip(),
            "file": file,
            "spoken": query.endswith(SPOKEN),
            "moments": [p["span"] for p in placed if p["file"] == file],
        }
        for file, clip in clips.items()
        for query in clip.queries
    ]


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"join: {' '.join(message.split())}\n")


def size(text: str) -> tuple[int, int]:
    """A film's size from `640x360`, for argparse."""
    wide, _, high = text.partition("x")
    if not (wide.isdecimal() and high.isdecimal()):
        raise argparse.ArgumentTypeError(f"{text!r} is not a size like 640x360")
    if min(int(wide), int(high)) < 16 or int(wide) % 2 or int(high) % 2:
        raise argparse.ArgumentTypeError(f"{text!r}: both sides must be even, 16 or more")
    return int(wide), int(high)


def rate(text: str) -> Fraction:
    """Pictures per second from `25` or `30000/1001`, for argparse."""
    try:
        value = Fraction(text)
    except (ValueError, ZeroDivisionError):
        value = Fraction(0)
    if not 1 <= value <= 240:
        raise argparse.ArgumentTypeError(f"{text!r} is not a rate between 1 and 240")
    return value


def _pair(text: str) -> tuple[str, str]:
    name, sign, value = text.rpartition("=")
    if not (name and sign and value):
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value


def _times(text: str) -> tuple[str, int]:
    name, value = _pair(text)
    if not value.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=K")
    return name, int(value)


def _parser() -> _Parser:
    parser = _Parser(prog="python -m evals.join", description=__doc__)
    add = parser.add_argument
    add("folder", type=Path, metavar="CLIPS_DIR", help="has clips.json and the clips it lists")
    add("out", type=Path, metavar="OUT.mp4")
    add("--order", help="names with commas between, or 'shuffle'; else that of clips.json")
    add("--seed", type=int, default=0, help="of every shuffle")
    add("--repeat", type=_times, action="append", default=[], metavar="NAME=K")
    add("--seconds", type=float, default=0.0, help="repeat whole rounds until it is this long")
    add("--size", type=size, default=(640, 360), metavar="WIDTHxHEIGHT")
    add("--fps", type=rate, default=Fraction(25), help="pictures per second")
    add("--under", type=_pair, action="append", default=[], metavar="SPEECH=CLIP")
    add("--truth", type=Path, metavar="OUT.json", help="write what is where")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Join clips as the command line asks."""
    parser = _parser()
    args = parser.parse_args(argv)
    try:
        for path in [args.out, *([args.truth] if args.truth else [])]:
            if not path.parent.is_dir():
                raise JoinError(f"the folder {path.parent} is missing")
        order = args.order if args.order in (None, "shuffle") else args.order.split(",")
        truth = join(
            args.folder,
            args.out,
            order=order,
            repeat=dict(args.repeat),
            seconds=args.seconds,
            seed=args.seed,
            under=dict(args.under),
            form=Form(width=args.size[0], height=args.size[1], fps=args.fps),
        )
        if args.truth:
            write(args.truth, json.dumps(truth, indent=1) + "\n")
    except (JoinError, OSError, av.FFmpegError) as error:
        parser.error(str(error))
    print(f"{args.out}: {truth['duration']:.1f} s, {len(truth['clips'])} clips", file=sys.stdout)
    return 0


def write(path: Path, text: str) -> None:
    """Whole or not at all."""
    part = path.with_name(f".{path.name}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


if __name__ == "__main__":
    raise SystemExit(main())
