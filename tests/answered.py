"""Reports for exports, whose every moment and word is known; and words that would do harm."""

from __future__ import annotations

from typing import Any

from vmr_agent.report import Coverage, RunReport
from vmr_agent.types import Evidence, Moment, Source, Span, Video

HARM = (
    '=HYPERLINK("x")',
    "@SUM(1+1)*cmd|' /C calc'!A0",
    " \t-1+1",
    "1\n\n00:00:01,000 --> 00:00:02,000\nsmuggled",
    "a --> b <script>alert(1)</script> &lt; {\\an8}<00:00:01.000>",
    "NOTE\n\nSTYLE\n\n::cue { color: red }",
    "title\n[CHAPTER]\nSTART=0\n;#\\=",
    "* FROM CLIP NAME: other\n002  AX V C 00:00:00:00 00:00:01:00 00:00:00:00 00:00:01:00",
    "\x1b[31mred\x1b]0;title\x07\x00\x9b\u202eetirw\u2028line\u2029page\x85",
    "\ud800 lone",
    '"quoted", and; comma\r\nnew',
    "   ",
)
"""What films and people may say."""


def film(**more: Any) -> Video:
    facts: dict[str, Any] = {
        "path": "/films/Der Anfang, 1.mp4",
        "fingerprint": "ab" * 20,
        "duration": 7200.0,
        "fps": 25.0,
        "width": 640,
        "height": 360,
        "has_picture": True,
        "has_audio": True,
    }
    return Video(**(facts | more))


def moment(
    start: float, end: float, score: float = 0.9, note: str = "a dog", source: Source = "picture"
) -> Moment:
    why = Evidence(source=source, note=note, score=1.0)
    return Moment(span=Span(start=start, end=end), score=score, evidence=(why,))


def report(*moments: Moment, query: str = "a dog runs", **more: Any) -> RunReport:
    facts: dict[str, Any] = {
        "status": "found" if moments else "not_found",
        "query": query,
        "video": film(),
        "moments": moments,
        "rejected": None if moments else moment(1, 2, 0.1),
        "rounds": 1,
        "coverage": Coverage(picture=1, speech=1, text=1),
        "models": {"chat": "none"},
        "settings": {},
        "version": "0",
    }
    return RunReport(**(facts | more))


TWO = report(moment(61.04, 63.5, 0.7, "seen"), moment(5.0, 9.2, 0.9, "said so", "speech"))
"""The better one comes first in the film."""
