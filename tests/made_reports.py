"""Reports and what lies beside them, made by hand: short ones, long ones and hostile ones."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from vmr_agent.panorama import Curve, Panorama, Thumbnail
from vmr_agent.report import Coverage, Fault, PassedOver, RunReport, Step
from vmr_agent.types import Evidence, Moment, ScreenText, Shot, Span, Utterance, Video

HOSTILE = (
    "</style></title></svg><script>alert(1)</script><img src=http://evil.example/x onerror='x()'>"
    '" onload="x\' {{ 7*7 }} {% raw %} &lt;b&gt; <iframe srcdoc="&lt;script&gt;">'
    "\x00\x1b[2J\x07\u202egnp.exe\u2066 \x85\u2028 ]]>--><!-- $x_1$ "
)


def span(start: float, end: float) -> Span:
    return Span(start=start, end=end)


def moment(start: float, end: float, score: float = 0.9, note: str = "looks like it") -> Moment:
    reasons = (
        Evidence(source="picture", note=note, score=0.93, span=span(start, end)),
        Evidence(source="verification", note="holds", score=score),
    )
    return Moment(span=span(start, end), score=score, evidence=reasons)


def video(duration: float = 100.0, **more: Any) -> Video:
    known: dict[str, Any] = {
        "path": "/nowhere/film.mp4",
        "fingerprint": "0" * 40,
        "duration": duration,
        "has_picture": True,
        "has_audio": True,
    }
    return Video(**(known | more))


def report(*moments: Moment, **more: Any) -> RunReport:
    known: dict[str, Any] = {
        "status": "found" if moments else "not_found",
        "query": "a cat",
        "video": video(),
        "moments": moments,
        "rounds": 1,
        "coverage": Coverage(
            picture=1,
            speech=1,
            text=0.5,
            closely=(span(5, 14),),
            passed_over=(PassedOver(span=span(14, 100), why="it resembles the question less"),),
        ),
        "steps": (Step(room="retrieve", seconds=0.01, made="3 candidates"),),
        "models": {"picture": "concepts", "chat": "off"},
        "settings": {"retrieve": {"top_k": 5}, "without": []},
        "version": "0",
    }
    return RunReport(**(known | more))


def jpeg(shade: int = 120) -> bytes:
    return cv2.imencode(".jpg", np.full((90, 160, 3), shade, np.uint8))[1].tobytes()


def around(duration: float = 100.0, words: int = 3, text: str = "hello there") -> Panorama:
    """Curves, shots, words and pictures all over the film."""
    part = duration / max(1, words)
    values = tuple(float(x) for x in np.round(np.abs(np.sin(np.arange(200) / 20)), 4))
    return Panorama(
        curves=(
            Curve(channel="picture", step=duration / 200, values=values),
            Curve(channel="sound", step=duration / 200, values=(0.0,) * 200),
        ),
        shots=tuple(Shot(span=span(n * duration / 20, (n + 1) * duration / 20)) for n in range(20)),
        utterances=tuple(
            Utterance(span=span(n * part, (n + 0.6) * part), text=text, timing="attention")
            for n in range(words)
        ),
        texts=(ScreenText(span=span(1, 4), text=text, confidence=0.9),),
        thumbnails=tuple(
            Thumbnail(time=(n + 0.5) * duration / 10, jpeg=jpeg(20 * n)) for n in range(10)
        ),
    )


def hostile() -> RunReport:
    """Everything in it that is text would like to be more."""
    return report(
        *(moment(10 * n, 10 * n + 5, note=HOSTILE) for n in range(3)),
        query=HOSTILE,
        video=video(path=f"/{HOSTILE}.mp4".replace("\x00", ""), fingerprint=HOSTILE[:40]),
        faults=(Fault(room=HOSTILE, kind="k", message=HOSTILE),),
        steps=(Step(room=HOSTILE, seconds=1, made=HOSTILE),),
        models={HOSTILE: HOSTILE},
        prompts={HOSTILE: HOSTILE},
        settings={HOSTILE: {HOSTILE: [HOSTILE]}},
        version=HOSTILE,
    )
