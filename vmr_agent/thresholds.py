"""The back half's numbers: how a question is answered (see docs/thresholds.md)."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from vmr_agent.limits import Group


class RetrieveSettings(Group):
    """Relevance curves and candidates."""

    step: float = Field(default=0.5, gt=0)
    """Seconds between values of a curve: no finer than the strip, or it only repeats itself."""
    smooth: tuple[float, ...] = Field(default=(2.0, 0.5), min_length=1, max_length=5)
    """Seconds to each side over which the picture curve is averaged within a shot, one for each
    round: first what lasts, then, if that was in vain, what is brief."""
    caution: float = Field(default=0.1, ge=0)
    """By how much more a picture has to convince in every later round: brief is also noisy."""
    picture_middle: float = 0.45
    """Picture relevance, plus its standing out, at which yes and no are equally likely."""
    picture_slope: float = Field(default=27.0, gt=0)
    """Steepness of that decision."""
    outstanding: float = Field(default=0.1, ge=0)
    """Weight of how far the picture stands out from the film's own background."""
    words_middle: float = 0.455
    """Cosine of meanings, plus shared words, at which yes and no are equally likely."""
    words_slope: float = Field(default=15.0, gt=0)
    """Steepness of that decision."""
    shared_words: float = Field(default=0.4, ge=0)
    """Weight of the share of the question's words that are said or written."""
    verbatim: float = Field(default=0.75, gt=0, le=1)
    """Share of the question's words that make speech a quotation of it."""
    misheard: float = Field(default=0.6, gt=0, le=1)
    """The same where the question is about what is said: some of it is misheard."""
    mention: float = Field(default=0.2, ge=0, le=1)
    """Relevance from which what was said or written is noted as evidence."""
    loud: float = 12.0
    """Decibels above the film's median at which a second counts as loud."""
    silent: float = -50.0
    """dBFS at which a second counts as silent."""
    top_k: int = Field(default=5, ge=1)
    """Candidates of the first round; every later round takes twice as many."""
    fall: float = Field(default=0.5, gt=0, lt=1)
    """Share of the way from the background to the peak at which a candidate ends."""
    bridge: float = Field(default=1.5, ge=0)
    """Seconds of dip that do not split a candidate, and by which "while" may be off."""
    out_of_order: float = Field(default=0.4, ge=0, le=1)
    """Share of relevance that is left where "after", "before", "while" or "without" do not hold:
    too little to be accepted, enough to be named as what came nearest."""
    alike: float = Field(default=0.8, ge=0, le=1)
    """Share of the surest place of the other thing that a further place of it has to reach: one
    false early place, and everything would be after it."""
    unrelated: float = Field(default=0.7, ge=0, le=1)
    """Share of it where what the question sets its thing in relation to was found nowhere."""


class FilterSettings(Group):
    """Which candidates go on."""

    keep: float = Field(default=0.5, ge=0, le=1)
    """Relevance from which a candidate is kept."""
    drop: float = Field(default=0.3, ge=0, le=1)
    """Relevance below which it is dropped; in between it needs a rank."""
    ranks: int = Field(default=3, ge=0)
    """How many of the best are kept although they are in between."""


class CaptionSettings(Group):
    """What a chat model describes."""

    mode: Literal["LE", "SE"] = "LE"
    """SMORE's modes. Latency-efficient: a shot's generic caption stays on the shelf for all
    questions to come. Storage-efficient: nothing of it is kept, and the shot is described again."""


class TrimSettings(Group):
    """Coarse clips."""

    pad: float = Field(default=4.0, ge=0)
    """Seconds of context at each side of what is looked at closely."""


class GroundSettings(Group):
    """Boundaries from the curves."""

    fall: float = Field(default=0.5, gt=0, lt=1)
    """Share of the way from the background to the peak at which a moment ends."""
    bridge: float = Field(default=1.5, ge=0)
    """Seconds of dip that do not split a moment."""
    snap: float = Field(default=1.0, ge=0)
    """Seconds within which a boundary moves to a cut."""
    stretch: float = Field(default=1.6, ge=1)
    """Times its own length up to which a spoken mention grows to the shots it is made in."""
    glimpse: float = Field(default=1.0, ge=0)
    """Seconds; a picture seen for only so long counts half: few samples, much noise."""
    faint: float = Field(default=0.5, gt=0, le=1)
    """Share of a clip's highest peak below which a further peak in it is no proposal."""
    min_length: float = Field(default=0.5, gt=0)
    """Seconds; what is shorter is no moment."""


class VerifySettings(Group):
    """Verdicts."""

    accept: float = Field(default=0.5, ge=0, le=1)
    """Probability from which a proposal is a moment."""
    false_alarms: float | None = Field(default=None, ge=0.01, le=0.5)
    """Share of questions about nothing in a film that may find something all the same: ``accept``
    is then set for each film, by asking it some hundreds of them once. None leaves it as it is."""
    overlap: float = Field(default=0.5, gt=0, le=1)
    """IoU above which the lower-scored of two moments is a duplicate."""
    merge: float = Field(default=1.0, ge=0)
    """Seconds; moments nearer to each other than this are one."""
    most: int = Field(default=20, ge=1)
    """Moments in an answer."""
    trust: float = Field(default=0.6, ge=0, le=1)
    """Weight of a chat model's judgement, in log-odds, beside the local score."""
    margin: float = Field(default=0.15, ge=0, le=1)
    """By how much the question must be likelier to hold than the altered ones."""
    judged: int = Field(default=6, ge=1)
    """Proposals that a chat model judges in one round, best first."""


class VisionSettings(Group):
    """How a video-language model looks at clips, where one grounds (see docs/vision.md)."""

    frames: int = Field(default=64, ge=1, le=512)
    """Pictures of a clip, or of a moment that is judged, at most: what it needs of memory beside
    its weights grows with them."""
    fps: float = Field(default=2.0, gt=0, le=30)
    """Pictures a second, where a clip is short enough: the strip has no more by default."""
    pixels: int = Field(default=128 * 32 * 32, ge=4 * 32 * 32, le=1280 * 32 * 32)
    """Pixels of a picture at most; 1024 of them, or 784, are one token. What the strip keeps of
    16:9 has 120,000."""
    quantized: bool = False
    """Whether weights are made 4-bit as they are loaded (bitsandbytes): 11 GiB for 8 billion in
    place of 20, at some loss."""
    stay: bool = False
    """Whether the model stays in memory between questions. Loading one takes seconds; until then
    its memory is others'."""
    moments: int = Field(default=8, ge=1, le=50)
    """Moments of a clip that are judged, in the order in which they were named: each is looked at
    once more."""
    fusion: Path | None = None
    """File of how much it counts beside the small network, as ``grounding.fusion.fit`` finds on
    films of one's own; without one both count the same."""
