"""Settings that the process that decodes needs too: it starts often, and must start quickly."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Group(BaseModel):
    """Base of a room's settings."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        use_attribute_docstrings=True,
        hide_input_in_errors=True,  # what was set may be a key
    )


class VideoSettings(Group):
    """What may be opened, and how much of it is decoded."""

    frames: Literal["all", "reference", "key"] = "all"
    """Which frames are decoded: all; those that others refer to, about every second one; or key
    frames, which stand some seconds apart."""
    reel: float = Field(default=60.0, ge=5, le=600)
    """Seconds of picture that are worked on, and shelved, together: what a kill costs at most."""
    patience: float = Field(default=30.0, gt=0)
    """Seconds without a sign of life after which the decoder is given up; a third of them for
    finding out what the file is."""
    allow_urls: bool = False
    """Whether a film may be an https address, downloaded first; public hosts only."""
    max_download: int = Field(default=8 * 2**30, gt=0)
    """Bytes of one download: a film of several hours in good quality."""
    download_seconds: float = Field(default=3600.0, gt=0)
    """Seconds one download may take, from first byte asked to last."""
    max_pixels: int = Field(default=8192 * 4608, gt=0)
    """Pixels in a frame. 8K film passes; a 16k x 16k bomb of a few hundred kilobytes does not."""


class StripSettings(Group):
    """The sampled frames that every later room reads."""

    fps: float = Field(default=2.0, gt=0, le=30)
    """Most samples per second of film. Boundaries inside a shot are no finer than half of 1/fps."""
    still: float = Field(default=0.02, ge=0, lt=1)
    """Mean absolute change (of 1) since the last sample up to which the picture stands still: it
    gives no new sample."""
    rest: float = Field(default=30.0, gt=0)
    """Seconds after which a picture gives a new sample although it stands still."""
    short_side: int = Field(default=260, ge=64, le=1080)
    """Pixels. 260 is what the packaged picture encoder looks at."""
    key_short_side: int = Field(default=540, ge=64, le=2160)
    """Pixels of key frames. Subtitles stay readable at 540, and OCR takes no longer than at 360."""
    key_gap: float = Field(default=2.0, ge=0)
    """Seconds between key frames at least: what is to be read stands longer than that."""
    key_every: float = Field(default=10.0, gt=0)
    """Seconds after which an unchanged picture gives a key frame again."""
    key_change: float = Field(default=0.04, gt=0, lt=1)
    """Mean absolute luma change (of 1) since the last key frame that makes a new one."""
    key_writing: bool = True
    """Whether writing that comes or goes gives a key frame, whatever else is seen; for nothing
    where nobody reads."""
    quality: int = Field(default=40, ge=10, le=100)
    """WebP quality of what is kept for people and for chat models to look at: 6 kB a sample. The
    picture encoder sees the decoded frame itself, for at 40 its vectors would move by .1."""
