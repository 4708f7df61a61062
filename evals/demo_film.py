"""The demo film: a quiet morning in photographs, and what may be asked of it.

`python -m evals.demo_film [OUT_DIR]` writes `demo_film.mp4`, `demo_film.json` and `CREDITS.md`.
It needs scikit-image, whose wheel carries the photographs, and a program that speaks: flite or
espeak-ng. The same programs give the same film.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from pathlib import Path

import cv2
import numpy as np

from evals.demo_script import CREDITS, QUESTIONS, SHOTS, Card, Pan, Shot, View
from evals.film import FilmWriter, Form, Picture, Sound, write_film
from evals.footage import read_sound
from evals.joiner import Stretch
from evals.needle.truth import Truth

# Slow pans over stills compress well: slow x264 at this quality keeps the film under 3 MB.
FORM = Form(rate=24_000, crf=27, preset="veryslow", tune="stillimage", audio_bits=40_000)

LEAD = 1.2
"""Seconds of silence between a cut and the first word."""
PAUSE = 1.5
"""Seconds of silence between two spoken lines."""
HUSH = 0.01
"""Share of the loudest sample below which a voice counts as silent."""
LOUDEST = 0.7
"""The loudest sample of every line: all lines are heard alike, and none is clipped."""
OVERSAMPLE = 2
"""Pictures are drawn this much larger and then averaged down, so that a slow pan glides."""

VOICES = {
    # Of flite's and espeak-ng's voices the one that Whisper base hears best.
    "flite": ("-voice", "rms", "-t", "{text}", "-o", "{out}"),
    "espeak-ng": ("-v", "en-us", "-s", "150", "-w", "{out}", "{text}"),
}

Moments = dict[str, list[Stretch]]
"""Spans in seconds by what is there: the name of a shot, or a spoken line."""


class NotInstalledError(Exception):
    """Something that the film is made with is not installed; the message says what."""


def speak(text: str, voice: str) -> Sound:
    """A line as the program `voice` says it, silence at both ends removed."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "line.wav"
        call = [part.format(text=text, out=out) for part in VOICES[voice]]
        subprocess.run([voice, *call], check=True, capture_output=True)
        said: Sound = np.concatenate(list(read_sound(out, FORM.rate)))
    loud = np.flatnonzero(np.abs(said) > HUSH * np.abs(said).max())
    said = said[loud[0] : loud[-1] + 1]
    return np.asarray(LOUDEST * said / np.abs(said).max(), np.float32)


def soundtrack(shot: Shot, start: float, voice: str, moments: Moments) -> Sound:
    """The sound of one shot that starts at `start` seconds; adds each line's span to `moments`."""
    track = np.zeros(round(shot.seconds * FORM.rate), np.float32)
    at = LEAD
    for line in shot.lines:
        said = speak(line, voice)
        first = round(at * FORM.rate)
        if first + len(said) > len(track):
            raise ValueError(f"the shot {shot.name!r} is too short for {line!r}")
        track[first : first + len(said)] = said
        end = at + len(said) / FORM.rate
        moments[line].append(_stretch(start + at, start + end))
        at = end + PAUSE
    return track


def _stretch(start: float, end: float) -> Stretch:
    return {"start": round(start, 3), "end": round(end, 3)}


def pan(photo: Picture, start: View, end: View, frames: int) -> Iterator[Picture]:
    """`frames` pictures of a camera that glides over a photograph from one view to another."""
    height, width = photo.shape[:2]
    out = (FORM.width * OVERSAMPLE, FORM.height * OVERSAMPLE)
    for share in np.linspace(0, 1, frames):
        eased = share * share * (3 - 2 * share)
        x, y, across = (a + (b - a) * eased for a, b in zip(start, end, strict=True))
        scale = across * width / out[0]
        left, top = x * width - scale * out[0] / 2, y * height - scale * out[1] / 2
        to_photo = np.array([[scale, 0, left], [0, scale, top]])
        large = cv2.warpAffine(
            photo,
            to_photo,
            out,
            flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        small = cv2.resize(large, (FORM.width, FORM.height), interpolation=cv2.INTER_AREA)
        yield np.asarray(small, np.uint8)


def draw(card: Card) -> Picture:
    """A title card: pale letters on dark blue, a thin line between title and subtitle."""
    from PIL import Image, ImageDraw, ImageFont

    image = Image.new("RGB", (FORM.width, FORM.height), (18, 24, 38))
    pen = ImageDraw.Draw(image)
    middle = (FORM.width / 2, FORM.height / 2)
    # Pillow carries this font, so the card is the same on every machine.
    big, small = ImageFont.load_default(54), ImageFont.load_default(24)
    pen.text((middle[0], middle[1] - 30), card.title, (240, 232, 214), big, anchor="mm")
    pen.line((middle[0] - 90, middle[1] + 14, middle[0] + 90, middle[1] + 14), (196, 150, 90), 2)
    pen.text((middle[0], middle[1] + 46), card.subtitle, (180, 184, 196), small, anchor="mm")
    return np.asarray(image)


def pictures(shot: Shot) -> Iterator[Picture]:
    """The pictures of one shot."""
    frames = round(shot.seconds * FORM.fps)
    if isinstance(shot.picture, Card):
        yield from [draw(shot.picture)] * frames
    elif isinstance(shot.picture, Pan):
        move = shot.picture
        yield from pan(photograph(move.photo), move.start, move.end, frames)


def photograph(name: str) -> Picture:
    """One of scikit-image's photographs, in colour."""
    from skimage import data

    photo = np.asarray(getattr(data, name)(), np.uint8)
    return photo if photo.ndim == 3 else np.repeat(photo[..., None], 3, axis=2)


def film_shot(film: FilmWriter, shot: Shot, voice: str, moments: Moments) -> None:
    """Write one shot and note where it lies."""
    start, first = film.seconds, film.samples
    track = soundtrack(shot, start, voice, moments)
    for picture in pictures(shot):
        at = film.samples - first
        film.write(picture, track[at : at + film.due])
    moments[shot.name].append(_stretch(start, film.seconds))


def make(folder: Path, voice: str) -> None:
    """Write the film, its truth and its credits into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    moments: Moments = defaultdict(list)
    with write_film(folder / "demo_film.mp4", FORM) as film:
        for shot in SHOTS:
            film_shot(film, shot, voice, moments)
    (folder / "demo_film.json").write_text(json.dumps(truth(moments), indent=1) + "\n")
    (folder / "CREDITS.md").write_text(CREDITS.format(voice=voice))


def truth(moments: Moments) -> Truth:
    """What is in the film and asked of it, as of any needle film."""
    ends = [*accumulate((shot.seconds for shot in SHOTS), initial=0.0)]
    shots = [(shot, _stretch(*span)) for shot, span in zip(SHOTS, pairwise(ends), strict=True)]
    kinds = {asked.about: asked.kind for asked in QUESTIONS}
    cards = [(shot.picture.title, span) for shot, span in shots if isinstance(shot.picture, Card)]
    found: Moments = {"": [], **moments}
    lines = [asked.about for asked in QUESTIONS if asked.kind == "heard"]
    return {
        "film": "demo_film.mp4",
        "duration": ends[-1],
        "seed": 0,
        "clips": [
            {"file": shot.name, "span": span, "kind": kinds.get(shot.name, "filling")}
            for shot, span in shots
        ],
        "heard": [{"file": line, "span": span} for line in lines for span in found[line]],
        "written": [{"text": title, "span": span} for title, span in cards],
        "queries": [
            {
                "query": asked.query,
                "kind": asked.kind,
                "file": asked.about,
                "spoken": asked.kind == "heard",
                "moments": found[asked.about],
            }
            for asked in QUESTIONS
        ],
    }


def find_voice() -> str:
    """The name of an installed program that speaks; an error if the film cannot be made here."""
    if importlib.util.find_spec("skimage") is None:
        raise NotInstalledError("scikit-image is not installed: pip install scikit-image")
    for voice in VOICES:
        if shutil.which(voice):
            return voice
    raise NotInstalledError("no program that speaks is installed: install flite or espeak-ng")


def main(argv: Sequence[str] | None = None) -> int:
    """Make the demo film."""
    parser = argparse.ArgumentParser(prog="python -m evals.demo_film", description=__doc__)
    here = Path(__file__).parent / "demo"
    parser.add_argument("out", nargs="?", type=Path, default=here, help="folder to write to")
    folder: Path = parser.parse_args(argv).out
    try:
        make(folder, find_voice())
    except NotInstalledError as error:
        print(f"demo_film: {error}", file=sys.stderr)
        return 2
    print(folder / "demo_film.mp4")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
