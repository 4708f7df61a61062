"""Whose part of the agent is what, and how it is switched off for needle films.

Worth is what is shipped, less the variation. What a paper does is in docs/papers.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal, NamedTuple

from evals.logbook import Sample
from evals.papers.importance import reordered
from vmr_agent.adapters.grounder import End, SmallGrounder
from vmr_agent.toolbox import Toolbox

Paper = Literal["SMART", "SMORE", "SpotVMR", "FlashMMR", "IMG", "none"]
"""Whose part it is; ``none`` of what the house has from no paper."""


After = Callable[[Sequence[Sample], Mapping[str, Path], Toolbox], list[Sample]]
"""Other answers from the answers, the places of films, and the toolbox."""


class Variation(NamedTuple):
    """One part switched off, or turned to something else."""

    name: str
    """What ``--only`` calls it."""
    paper: Paper
    part: str
    """What is worth something or nothing, in words."""
    words: tuple[str, ...] = ()
    """Settings, as ``--set`` takes them, behind those of the whole run."""
    without: tuple[str, ...] = ()
    """Rooms left out."""
    change: Callable[[Toolbox], Toolbox] | None = None
    """What is done to the toolbox."""
    after: After | None = None
    """What is made of the answers as shipped, where nothing is asked anew. Such a part is off as
    shipped, and this is with it."""

    @property
    def looks(self) -> bool:
        """Whether films are looked at again, which takes as long as the first time."""
        return any(word.startswith(("strip.", "embed.", "video.")) for word in self.words)

    @property
    def how(self) -> str:
        """How it is switched off."""
        rooms = [f"--without {room}" for room in self.without]
        words = [f"--set {word}" for word in self.words]
        return " ".join([*rooms, *words]) or "by the evaluation"

    @property
    def told(self) -> dict[str, str]:
        """For the file."""
        shipped = "off" if self.after else "on"
        about = {"name": self.name, "paper": self.paper, "part": self.part}
        return {**about, "switched": self.how, "shipped": shipped}


def _unheld(box: Toolbox) -> Toolbox:
    return _ending(box, "refined")


def _unmoved(box: Toolbox) -> Toolbox:
    return _ending(box, "adjusted")


def _ending(box: Toolbox, *kept: End) -> Toolbox:
    """With less done to the ends of what the small network says; the same where it says nothing."""
    small = box.grounder
    return replace(box, grounder=small.ending(*kept)) if isinstance(small, SmallGrounder) else box


VARIATIONS = (
    Variation("smart-shots", "SMART", "shots: structure", without=("detect_shots",)),
    Variation("smart-frames-half", "SMART", "2 samples a second, not .5", ("strip.fps=0.5",)),
    Variation("smart-frames-one", "SMART", "2 samples a second, not 1", ("strip.fps=1",)),
    Variation("smart-frames-four", "SMART", "2 samples a second, not 4", ("strip.fps=4",)),
    Variation("smart-still", "SMART", "no samples of what stands still", ("strip.still=0",)),
    Variation("smart-decoded", "SMART", "all frames decoded", ("video.frames=key",)),
    Variation("smart-keys", "SMART", "key frames by shot, not every 2 s", ("strip.key_every=2",)),
    Variation("smore-parsing", "SMORE", "questions taken apart", without=("understand",)),
    Variation("smore-filter", "SMORE", "QA filter", without=("filter_relevance",)),
    Variation("smore-captions", "SMORE", "captions", without=("caption",)),
    Variation("smore-importance", "SMORE", "importance of moments", after=reordered),
    Variation("smore-svd", "SMORE", "frames alike are one vector", ("embed.alike=1",)),
    Variation("spotvmr-budget", "SpotVMR", "5 places a round, not 50", ("retrieve.top_k=50",)),
    Variation("spotvmr-trim", "SpotVMR", "clips trimmed and padded", without=("trim",)),
    Variation("spotvmr-rounds", "SpotVMR", "a second round", without=("widen",)),
    Variation("flashmmr-adjustment", "FlashMMR", "constrained adjustment", change=_unheld),
    Variation("flashmmr-verification", "FlashMMR", "verification", without=("verify",)),
    Variation("img-gate", "IMG", "audio gate, as shipped", ("models.gate=off",)),
    Variation("ours-grounder", "none", "grounding network", ("models.grounder=rules",)),
    Variation("ours-ends", "none", "ends moved to cuts and curves", change=_unmoved),
    Variation("ours-speech", "none", "speech", without=("transcribe",)),
    Variation("ours-text", "none", "text on screen", without=("read_text",)),
    Variation("ours-sound", "none", "loudness and classes of sound", without=("listen",)),
)
