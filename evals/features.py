"""A benchmark asked from published features, without any film: the back half of the real graph.

For every film the shelf gets what the front half would have put there: a vector for each clip, cuts
where SlowFast's motion changes, no sound, no words. Nothing is seen of a film but these vectors,
and nothing known of a query but its own: so it is not taken apart, and nothing is described.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from evals import published
from evals.datasets import Asked
from evals.desk import Told
from evals.published import FeatureError
from evals.saliency import Noting
from vmr_agent import Settings, VMRAgent, tools
from vmr_agent.artefacts import Ending, Screen, Sounds, Speech, Take, Vectors
from vmr_agent.errors import SettingsError
from vmr_agent.metrics.qvhighlights import CLIP
from vmr_agent.protocols import Array, Encoder, Image
from vmr_agent.settings import Ablation
from vmr_agent.state import State
from vmr_agent.testing import ListIndex
from vmr_agent.toolbox import Made, Toolbox, build_toolbox
from vmr_agent.types import Record, Video

NEAR = 0.28
"""Cosine from which a picture and a text are a pair: where LAION-5B (Schuhmann et al. 2022) drew
the line with CLIP ViT-B/32. It is what ``Encoder.relevance`` calls 0.5."""
CLIP_MODEL = "open_clip:"
"""What the setting of an encoder begins with that has a text tower in the features' space."""
UNFIT: tuple[Ablation, ...] = ("caption", "understand")
"""Rooms that want more than vectors."""


class PublishedClip:
    """An ``Encoder`` whose vectors come from files; ``words`` places texts that have none."""

    name = "published CLIP features"
    size = 1

    def __init__(self, words: Encoder | None) -> None:
        self._words = words
        self._known: dict[str, Array] = {}

    def know(self, text: str, vector: Array | None) -> None:
        """The query that comes next, in place of the last one."""
        self._known = {} if vector is None else {" ".join(text.split()): vector}

    def look(self, images: Sequence[Image]) -> Array:
        """Raises SettingsError: it has never seen a picture."""
        raise SettingsError(f"{len(images)} pictures cannot be looked at: features alone are there")

    def place(self, text: str) -> Array:
        """The text as a unit vector (D,). Raises FeatureError where none is known."""
        if text in self._known:
            return self._known[text]
        if self._words is None:
            raise FeatureError(f"there is no text feature of {text!r}")
        return self._words.place(text)

    def relevance(self, vectors: Array, texts: Sequence[str]) -> Array:
        """Cosines (N,) with the nearest of the texts, 0.5 at ``NEAR``, in [0, 1]."""
        best = np.zeros(len(vectors), np.float32)
        for text in texts:
            place = self.place(text)
            if place.shape != vectors.shape[1:]:
                raise FeatureError(f"clips have {vectors.shape[1]} numbers, texts {len(place)}")
            best = np.maximum(best, vectors @ place)
        return np.asarray(np.clip(best / (2 * NEAR), 0, 1), np.float32)

    def describe(self, vectors: Array, most: int) -> tuple[str, ...]:  # noqa: ARG002
        """Nothing: it knows no names of things."""
        return ()


@dataclass(frozen=True)
class Features:
    """A ``Source``: folders in HERO's layout."""

    given: Settings
    """As they were chosen."""
    folder: Path
    places: Mapping[str, Path] = field(repr=False)
    """The clips of each film."""
    clip: float | None
    """Seconds of a clip; None: the film's length over their number."""
    wanted: bool = False
    """Whether each clip wants a score."""
    build: Callable[[Settings], Toolbox] = build_toolbox

    @cached_property
    def settings(self) -> Settings:
        """Without the work of rooms that want more than vectors. Raises SettingsError."""
        s = self.given
        if s.chat.model or s.models.grounder.startswith("vision:"):
            raise SettingsError("published features have no frames that a model could look at")
        if s.verify.false_alarms is not None and not self._has_words:
            raise SettingsError("verify.false_alarms asks what no published feature is about")
        return s.model_copy(update={"without": tuple(sorted({*s.without, *UNFIT}))})

    def check(self, asked: Sequence[Asked]) -> None:
        """Whether texts are there for all, and all of the first. Raises FeatureError."""
        lacking = [a for a in asked if not published.text_file(self.folder, a.id).is_file()]
        if lacking and not self._has_words:
            first = published.text_file(self.folder, lacking[0].id)
            raise FeatureError(
                f"{len(lacking)} queries have no text features, the first would be {first}; or "
                "--set models.encoder=open_clip:ARCHITECTURE:WEIGHTS of the same CLIP"
            )
        for each in asked[:1]:
            self.seconds(each, len(published.film(self.folder, each.video)[0]))

    def seconds(self, asked: Asked, clips: int) -> float:
        """Of a clip. Raises FeatureError where so many clips are not the film."""
        if self.clip is None and not asked.duration:
            raise FeatureError(f"{asked.video}: say with --clip how many seconds a clip has")
        clip = self.clip or asked.duration / clips
        if asked.duration and abs(clips * clip - asked.duration) > published.APART * clip:
            raise FeatureError(
                f"{self.places[asked.video]}: {clips} clips of {clip:g} s are not the "
                f"{asked.duration:g} s of the film: see --clip"
            )
        return clip

    def models(self) -> dict[str, str]:
        """Who did what; nobody decoded, read or listened."""
        motion = published.MOTION if (self.folder / published.MOTION).is_dir() else "clip features"
        used = self.build(self.settings).models
        words = self.settings.models.encoder if self._has_words else "published"
        off = dict.fromkeys(("voice", "sound", "speech", "text", "chat"), "off")
        told = {"picture": PublishedClip.name, "query": words, "shots": f"novelty of {motion}"}
        return used | off | told

    def open(self) -> FeatureDesk:
        """With an agent and a shelf of its own."""
        return FeatureDesk(self)

    @property
    def _has_words(self) -> bool:
        return self.given.models.encoder.startswith(CLIP_MODEL)


class FeatureDesk:
    """A ``Desk`` for them."""

    def __init__(self, source: Features) -> None:
        self._source, self._folder = source, TemporaryDirectory(prefix="vmr-features-")
        box = source.build(source.settings)
        self._encoder = PublishedClip(box.encoder if source._has_words else None)
        self._shelf = Noting(Path(self._folder.name))
        self._box = replace(
            box,
            shelf=self._shelf,
            encoder=self._encoder,
            index=ListIndex(),
            transcriber=None,
            reader=None,
        )
        self._agent = VMRAgent(toolbox=self._box)
        self._models, self._film = source.models(), ""

    def ask(self, asked: Asked) -> Told:
        """Puts the film on the shelf first, unless it was asked about just now."""
        source = self._source
        path = published.text_file(source.folder, asked.id)
        known = published.text(path) if path.is_file() else None
        self._encoder.know(asked.query, known)
        if asked.video != self._film:
            for film in self._shelf.films():
                self._shelf.forget(film)  # nobody asks about it again
            clips, motion = published.film(source.folder, asked.video)
            clip = source.seconds(asked, len(clips))
            duration = asked.duration or len(clips) * clip
            shelve(self._box, source.places[asked.video], clips, motion, clip, duration)
            self._film = asked.video
        report = self._agent.run(source.places[asked.video], asked.query)
        report = report.model_copy(update={"models": self._models})
        duration = asked.duration or report.video.duration
        return Told(report, self._shelf.saliency(CLIP, duration) if source.wanted else None)


def shelve(
    box: Toolbox, place: Path, clips: Array, motion: Array, clip: float, duration: float
) -> None:
    """A film of vectors (T, D), one every ``clip`` seconds, as the front half would shelve it."""
    film = Video(
        path=str(place.absolute()),
        fingerprint=box.shelf.fingerprint(place.absolute()),
        duration=duration,
        fps=1 / clip,
        has_picture=True,
        has_audio=False,
    )
    tray = State(video=film)
    take = Take(
        kept=len(clips),
        met=len(clips),
        cuts=published.cuts(motion, clip),
        holes=(),
        ending=Ending(duration=duration, promise=0),
    )
    footage = tools.detect_shots([take], box.settings.shots.min_length)
    speech, screen = Speech(utterances=(), heard=0), Screen(texts=(), read=False)
    sounds = Sounds(duration=0)
    entry = tools.index_video(film, footage, speech, screen, sounds, box.sentences)
    times = np.arange(len(clips)) * clip
    seen = Vectors(encoder=box.encoder.name), {"times": times, "vectors": clips}
    made: dict[str, Made[Record]] = {
        "footage": (footage, {}),
        "vectors": seen,
        "screen": (screen, {}),
        "sounds": (sounds, {"levels": np.zeros((0, 2), np.float32)}),
        "speech": (speech, {}),
        "entry": entry,
    }
    box.shelf.put(box.probed(film.fingerprint), film, {})
    for stage, artefact in made.items():
        box.shelf.put(box.name(tray, stage), *artefact)
    box.index.put(film, box.name(tray, "entry"), ())
