"""What the rooms may use, and the only place where adapters are made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from vmr_agent.artefacts import Curves, Entry, Footage, Screen, Sounds, Speech, Vectors
from vmr_agent.errors import SettingsError
from vmr_agent.film import Film
from vmr_agent.library import Shelf, digest
from vmr_agent.protocols import (
    Array,
    Arrays,
    Encoder,
    Index,
    Listener,
    Reader,
    Sentences,
    ShotDetector,
    Transcriber,
)
from vmr_agent.settings import Settings
from vmr_agent.state import State
from vmr_agent.types import Record

R = TypeVar("R", bound=Record)
Made = tuple[R, Arrays]
LAYOUT = 1  # raised when artefacts change their meaning: old ones are then made again


@dataclass(frozen=True)
class Toolbox:
    """The machinery and the shelf. Travels in LangGraph's runtime context, never in the state."""

    settings: Settings
    shelf: Shelf
    detector: ShotDetector
    encoder: Encoder
    sentences: Sentences
    listener: Listener
    index: Index
    transcriber: Transcriber | None = None
    reader: Reader | None = None

    def keep(
        self,
        state: State,
        stage: str,
        kind: type[R],
        make: Callable[[], Made[R]],
        about: object = None,
    ) -> str:
        """The artefact of a stage, for this film ``about`` something: made unless shelved."""
        known = self._digests[stage] if about is None else digest(self._digests[stage], about)
        name = f"{state.video.fingerprint}/{stage}-{known}"
        self.shelf.keep(name, kind, make)
        return name

    def entry(self, state: State) -> Entry:
        """What the film turned out to be."""
        return self.shelf.get(state.entry, Entry)[0]

    def curves(self, state: State) -> tuple[Curves, Array]:
        """The relevance curves (C, T) that ``retrieve`` made last."""
        found, arrays = self.shelf.get(state.found.curves, Curves)
        return found, arrays["curves"]

    def film(self, state: State, made: Made[Entry] | None = None) -> Film:
        """Everything the front half shelved about the film; ``made`` is an entry in the making."""
        entry, meanings = made or self.shelf.get(state.entry, Entry)
        vectors = self.shelf.get(state.vectors, Vectors)[1]
        return Film(
            entry=entry,
            shots=self.shelf.get(state.footage, Footage)[0].shots,
            times=vectors["times"],
            vectors=vectors["vectors"],
            utterances=self.shelf.get(state.speech, Speech)[0].utterances,
            speech=meanings["speech"],
            speakers=meanings["speakers"],
            texts=self.shelf.get(state.screen, Screen)[0].texts,
            text=meanings["text"],
            levels=self.shelf.get(state.sounds, Sounds)[1]["levels"],
        )

    @property
    def models(self) -> dict[str, str]:
        """Which model does what, for the report."""
        return {
            "shots": self.detector.name,
            "picture": self.encoder.name,
            "sentences": self.sentences.name,
            "sound": self.listener.name,
            "speech": self.transcriber.name if self.transcriber else "off",
            "text": self.reader.name if self.reader else "off",
            "chat": "off",
            "grounding": "relevance curves",
        }

    @cached_property
    def _digests(self) -> dict[str, str]:
        """What each artefact depends on besides the film itself, in sixteen digits."""
        s, m = self.settings, self.models
        footage = digest(LAYOUT, m["shots"], s.strip.model_dump(), s.shots.model_dump())
        vectors = digest(footage, m["picture"])
        screen = digest(footage, m["text"], s.read.model_dump())
        speech = digest(LAYOUT, m["speech"], s.transcribe.model_dump(), s.models.language)
        sounds = digest(LAYOUT, m["sound"])
        entry = digest(vectors, screen, speech, sounds, m["sentences"])
        return {
            "footage": footage,
            "vectors": vectors,
            "screen": screen,
            "speech": speech,
            "sounds": sounds,
            "entry": entry,
            "curves": digest(entry, s.retrieve.model_dump()),
        }


def build_toolbox(settings: Settings) -> Toolbox:
    """The toolbox that the settings ask for. Models load when they are first used."""
    from vmr_agent.adapters.device import pick
    from vmr_agent.adapters.index import ChromaIndex
    from vmr_agent.adapters.scenes import ContentShots
    from vmr_agent.adapters.sentences import MiniLM
    from vmr_agent.adapters.sound import Levels

    shelf = Shelf(_home(settings))
    sentences = MiniLM(shelf.home)
    device = pick(settings.models.device)
    encoder = _encoder(settings, shelf, sentences, device)
    makers = {"picture": encoder.name, "speech": sentences.name, "text": sentences.name}
    return Toolbox(
        settings=settings,
        shelf=shelf,
        detector=ContentShots(settings.shots),
        encoder=encoder,
        sentences=sentences,
        listener=Levels(),
        transcriber=_transcriber(settings, shelf.home, device),
        reader=_reader(settings),
        index=ChromaIndex(shelf.home / "chroma", makers),
    )


def _home(settings: Settings) -> Path:
    if settings.home is not None:
        return settings.home.expanduser().absolute()
    from platformdirs import user_cache_path

    return user_cache_path("vmr_agent", appauthor=False)


def _encoder(settings: Settings, shelf: Shelf, sentences: Sentences, device: str) -> Encoder:
    choice = settings.models.encoder
    if choice in ("auto", "concepts"):
        from vmr_agent.adapters.concepts import Concepts

        return Concepts(shelf, sentences, device)
    kind, _, rest = choice.partition(":")
    architecture, _, weights = rest.partition(":")
    if kind != "open_clip" or not architecture or not weights:
        raise SettingsError(
            f"models.encoder is {choice!r}: use auto, concepts or open_clip:ARCHITECTURE:WEIGHTS"
        )
    from vmr_agent.adapters.clip import OpenClip

    return OpenClip(architecture, weights, device)


def _transcriber(settings: Settings, home: Path, device: str) -> Transcriber | None:
    model, language = settings.models.whisper, settings.models.language
    if model == "off":
        return None
    from vmr_agent.adapters.whisper import WhisperX

    model = "packaged" if model == "auto" else model
    return WhisperX(home, model, device, language, settings.transcribe)


def _reader(settings: Settings) -> Reader | None:
    if settings.models.reader == "off":
        return None
    from vmr_agent.adapters.ocr import RapidText

    return RapidText()
