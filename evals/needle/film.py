"""Making a needle film, and the truth about it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from random import Random

from evals import join
from evals.film import Form, write_film
from evals.footage import picture_length, sound_length
from evals.joiner import Joiner
from evals.needle.absent import Absent
from evals.needle.plan import plan
from evals.needle.queries import Made, asked
from evals.needle.truth import Asked as Asked
from evals.needle.truth import Laid, Truth
from evals.needle.truth import load as load
from evals.needle.words import Phrases
from evals.playlist import Clip, Clips, JoinError, load_clips

FORM = Form(crf=26, preset="superfast", audio_coder="fast")
"""Half the work of the usual form, for as many bits: an hour in two minutes, on two cores."""
STILL = (4.0, 9.0)
"""Seconds for which a photograph is shown."""


def build(
    folder: Path,
    out: Path,
    minutes: float,
    *,
    seed: int = 0,
    absent: int | None = 100,
    form: Form | None = None,
) -> Truth:
    """Join the clips of a folder into the film `out`, of about so many minutes; truth beside it.

    `absent` is how many queries about nothing in the film are asked at most; None for all. The same
    seed and clips give the same truth. Raises JoinError.
    """
    if not 0 < minutes < 24 * 60:
        raise JoinError("a film lasts more than 0 minutes and less than a day")
    clips = load_clips(folder)
    _check(folder, out, clips)
    listed = Absent.load()
    phrases = Phrases.load().shuffled(clips, listed, Random(f"{seed} phrases"))
    planned = plan(clips, lengths(clips, seed), minutes, seed, phrases.written)
    with write_film(out, form or FORM) as film:
        joiner = Joiner(film, clips)
        for piece in planned.pieces:
            joiner.lay(piece)
        joiner.end()
        made = Made(clips, planned, joiner.placed, joiner.heard, joiner.written)
        truth: Truth = {
            "film": out.name,
            "duration": round(film.seconds, 3),
            "seed": seed,
            "clips": _kinds(made),
            "heard": joiner.heard,
            "written": joiner.written,
            "queries": asked(made, phrases, listed, absent, Random(seed)),
        }
    join.write(out.with_suffix(".json"), json.dumps(truth, indent=1) + "\n")
    return truth


def _check(folder: Path, out: Path, clips: Clips) -> None:
    """Raises JoinError where neither a film nor its truth may be written."""
    truth = out.with_suffix(".json")
    if not out.parent.is_dir():
        raise JoinError(f"the folder {out.parent} is missing")
    if truth == out or out.is_dir() or truth.is_dir():
        raise JoinError(f"{out} cannot be a film with its truth beside it: call it FILM.mp4")
    taken = {(folder / "clips.json").resolve(), *(clip.path.resolve() for clip in clips.values())}
    for path in (out, truth):
        if path.resolve() in taken:
            raise JoinError(f"{path} is one of the clips, or lists them: call the film otherwise")


def lengths(clips: Clips, seed: int) -> Mapping[str, float]:
    """Seconds that each clip lasts: by its pictures, or by its sound if it has none."""
    return {file: _length(clip, Random(f"{seed} {file}")) for file, clip in clips.items()}


def _length(clip: Clip, chance: Random) -> float:
    if clip.still:
        return round(chance.uniform(*STILL), 2)
    return sound_length(clip.path) if clip.start is None else picture_length(clip.path)


def _kinds(made: Made) -> list[Laid]:
    asked_as = {file: kind for kind, family in made.planned.asked for file in family}
    return [{**each, "kind": asked_as.get(each["file"], "filling")} for each in made.placed]
