"""What the rooms may use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

import numpy as np

from vmr_agent import workshop
from vmr_agent.artefacts import Curves, Entry, Footage, Screen, Sounds, Speech, Vectors
from vmr_agent.counsel import Counsel, Rungs
from vmr_agent.errors import WeightsError
from vmr_agent.film import Film
from vmr_agent.library import Shelf, digest
from vmr_agent.library import home as home
from vmr_agent.playback import probe
from vmr_agent.prompts import load
from vmr_agent.protocols import (
    Array,
    Arrays,
    ChatModel,
    Encoder,
    Gate,
    Grounder,
    Index,
    Listener,
    Reader,
    Sentences,
    ShotDetector,
    Transcriber,
    Voice,
)
from vmr_agent.settings import Settings
from vmr_agent.showing import Showing
from vmr_agent.state import State
from vmr_agent.types import Record, Video

R = TypeVar("R", bound=Record)
Made = tuple[R, Arrays]
LAYOUT = 6  # raised when artefacts change their meaning: old ones are then made again
FILMS = 4  # films held in memory, ready to be asked about
BY_HAND = "relevance curves"  # what grounds without a grounder
WHOLE: dict[str, type[Record]] = {
    "footage": Footage,
    "vectors": Vectors,
    "screen": Screen,
    "sounds": Sounds,
    "speech": Speech,
    "entry": Entry,
}
"""What the artefact of each stage of the front half is."""


@dataclass(frozen=True)
class Toolbox:
    """The machinery and the shelf. Travels in LangGraph's runtime context, never in the state."""

    settings: Settings
    shelf: Shelf
    detector: ShotDetector
    encoder: Encoder
    sentences: Sentences
    voice: Voice
    listener: Listener
    index: Index
    transcriber: Transcriber | None = None
    reader: Reader | None = None
    grounder: Grounder | None = None
    """Places boundaries; None where the hand rules do."""
    gate: Gate | None = None
    """Says what sound counts; None where it counts as much as what is seen."""
    chat: ChatModel | None = None
    rungs: Rungs = field(default_factory=Rungs)
    """What the chat endpoint was found to take."""
    counsel: Counsel | None = None
    """The chat model for this run; every run has its own budget."""
    showing: Showing = field(default_factory=Showing)
    """What this run is looking at; every run has its own."""
    films: dict[str, Film] = field(default_factory=dict)
    """The last few films asked about, by their entry."""
    opening: Lock = field(default_factory=Lock)
    """Held while one of them is fetched: an agent may be asked by several threads at once."""

    def check(self) -> None:
        """Raises SettingsError if a chat model is to be asked and cannot be."""
        if self.chat is not None:
            self.chat.check()

    def running(self) -> Toolbox:
        """The same for one run, which has its own view of the film and its own budget."""
        showing, counsel = Showing(), None
        if self.chat is not None:
            counsel = Counsel(self.chat, self.shelf, self.settings.chat, self.rungs, showing.alive)
        return replace(self, showing=showing, counsel=counsel)

    def name(self, state: State, stage: str, about: object = None) -> str:
        """What the artefact of a stage is called, for this film ``about`` something."""
        if about is None:
            return self.called(state.video.fingerprint, stage)
        return f"{state.video.fingerprint}/{stage}/{digest(self._digests[stage], about)}"

    def called(self, film: str, stage: str) -> str:
        """The same for a film of which only the fingerprint is known."""
        return f"{film}/{stage}-{self._digests[stage]}"

    def keep(
        self,
        state: State,
        stage: str,
        kind: type[R],
        make: Callable[[], Made[R]],
        about: object = None,
    ) -> str:
        """The name of a stage's artefact: made unless shelved."""
        name = self.name(state, stage, about)
        self.shelf.keep(name, kind, make)
        return name

    def probe(self, path: Path) -> Video:
        """What the file is; a film that was opened before is not opened again."""
        film, limits = self.shelf.fingerprint(path), self.settings.video
        name = self.probed(film)
        self.shelf.keep(name, Video, lambda: (probe(path, film, limits), {}))
        return self.shelf.get(name, Video)[0].model_copy(update={"path": str(path)})

    def probed(self, film: str) -> str:
        """What that is called of which only the fingerprint is known."""
        return f"{film}/probe-{digest(LAYOUT, self.settings.video.max_pixels)}"

    def shelved(self, state: State) -> bool:
        """Whether the whole front half is done for the film, and the index has it."""
        entry = self.name(state, "entry")
        return not self.lacking(state, *WHOLE) and self.index.knows(state.video, entry)

    def lacking(self, state: State, *stages: str) -> list[str]:
        """Those of the stages whose artefacts are not on the shelf."""
        has = self.shelf.has
        return [each for each in stages if not has(self.name(state, each), WHOLE[each])]

    def entry(self, state: State) -> Entry:
        """What the film turned out to be."""
        return self.shelf.get(self.name(state, "entry"), Entry)[0]

    def curves(self, state: State) -> tuple[Curves, Array]:
        """The relevance curves (C, T) that ``retrieve`` made last."""
        found, arrays = self.shelf.get(state.found.curves, Curves)
        return found, arrays["curves"]

    def film(self, state: State) -> Film:
        """Everything the front half shelved about the film."""
        name = self.name(state, "entry")
        with self.opening:
            if name not in self.films:
                while len(self.films) >= FILMS:
                    self.films.pop(next(iter(self.films)))
                self.films[name] = self._film(state).less(self.settings.without)
            return self.films[name]

    def _film(self, state: State) -> Film:
        def shelved(stage: str) -> tuple[Any, Arrays]:
            return self.shelf.get(self.name(state, stage), WHOLE[stage])

        entry, meanings = shelved("entry")
        vectors, levels = shelved("vectors")[1], shelved("sounds")
        return Film(
            entry=entry,
            shots=shelved("footage")[0].shots,
            times=vectors["times"],
            vectors=vectors["vectors"].astype(np.float32),
            utterances=shelved("speech")[0].utterances,
            speech=meanings["speech"].astype(np.float32),
            speakers=meanings["speakers"],
            texts=shelved("screen")[0].texts,
            text=meanings["text"].astype(np.float32),
            levels=levels[1]["levels"].astype(np.float32),
            classes=levels[0].classes,
        )

    def beside(self, state: State) -> dict[str, str]:
        """What lies on the shelf beside an answer, by stage, less what it was not to use."""
        left_out = {"speech": "transcribe", "screen": "read_text"}
        stages = ("footage", "speech", "screen")
        used = (each for each in stages if left_out.get(each) not in self.settings.without)
        names = {stage: self.name(state, stage) for stage in used}
        return {**names, "curves": state.found.curves}

    @property
    def models(self) -> dict[str, str]:
        """Which model does what, for the report."""
        gate = self.gate.name if self.gate else "off"
        return {**self._makers, "gate": gate, "grounding": self._grounding}

    @property
    def _grounding(self) -> str:
        """The hand rules where there is no grounder, or only one that lacks its weights."""
        try:
            return self.grounder.name if self.grounder else BY_HAND
        except WeightsError:
            return BY_HAND

    @property
    def _makers(self) -> dict[str, str]:
        """All that artefacts may depend on."""
        return {
            "shots": self.detector.name,
            "picture": self.encoder.name,
            "sentences": self.sentences.name,
            "sound": self.listener.name + ("" if self.listener.classes else ", no tagger"),
            "voice": self.voice.name,
            "speech": self.transcriber.name if self.transcriber else "off",
            "text": self.reader.name if self.reader else "off",
            "chat": self.chat.name if self.chat else "off",
        }

    @cached_property
    def _digests(self) -> dict[str, str]:
        """What each artefact depends on besides the film itself, in sixteen digits."""
        s, m = self.settings, self._makers
        decode = s.video.model_dump(include={"frames", "reel", "max_pixels"})
        looks = (s.strip.model_dump(), s.shots.model_dump())
        footage = digest(LAYOUT, m["shots"], decode, *looks)
        vectors = digest(footage, m["picture"], s.embed.model_dump())
        screen = digest(footage, m["text"], s.read.model_dump())
        voice = digest(LAYOUT, m["voice"], s.transcribe.chunk)
        speech = digest(voice, m["speech"], s.transcribe.model_dump(), s.models.language)
        sounds = digest(voice, m["sound"])
        asked = (self.chat.name, self.chat.address) if self.chat else ()
        prompts = [load(name).digest for name in ("preface", "caption")]
        entry = digest(vectors, screen, speech, sounds, m["sentences"])
        curves = digest(entry, s.retrieve.model_dump(), sorted(s.without))
        return {
            "footage": footage,
            "vectors": vectors,
            "screen": screen,
            "speech": speech,
            "sounds": sounds,
            "entry": entry,
            "curves": curves,
            "weighed": digest(curves, self.gate.name if self.gate else ""),
            "generic": digest(entry, asked, prompts, s.chat.image_side),
        }


def build_toolbox(settings: Settings) -> Toolbox:
    """The toolbox that the settings ask for. Models load when they are first used."""
    from vmr_agent.adapters.device import pick
    from vmr_agent.adapters.index import ChromaIndex
    from vmr_agent.adapters.scenes import SceneShots
    from vmr_agent.adapters.sentences import MiniLM
    from vmr_agent.adapters.voice import Silero

    shelf = Shelf(home(settings))
    sentences = MiniLM(shelf.home)
    device = pick(settings.models.device)
    encoder = workshop.encoder(settings, shelf, sentences, device)
    makers = {"picture": encoder.name, "speech": sentences.name, "text": sentences.name}
    return Toolbox(
        settings=settings,
        shelf=shelf,
        detector=SceneShots(settings.shots),
        encoder=encoder,
        sentences=sentences,
        voice=Silero(),
        listener=workshop.listener(settings, device),
        transcriber=workshop.transcriber(settings, shelf.home, device),
        reader=workshop.reader(settings),
        grounder=workshop.grounder(settings, device),
        gate=workshop.gate(settings),
        chat=workshop.chat(settings),
        index=ChromaIndex(shelf.home / "chroma", makers),
    )
