"""Benchmarks of made films, in the layouts of the real ones, and fakes that answer them."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from join_clips import make_clip

from evals.logbook import Logbook
from evals.run import main
from vmr_agent import Settings
from vmr_agent.errors import ShelfError
from vmr_agent.protocols import Array
from vmr_agent.testing import COLOURS, GREY, ColourEncoder, colour_toolbox
from vmr_agent.toolbox import Toolbox

ROOT = Path(__file__).parents[2]
FPS = 5
Shots = Sequence[tuple[str, float]]
FILMS: dict[str, Shots] = {
    "AAAAAAAAAAA_60.0_210.0": [("grey", 4), ("red", 6), ("grey", 4), ("blue", 6)],
    "b-_bBbBbBbB_0.0_150.0": [("green", 4), ("grey", 6), ("green", 4), ("grey", 4)],
    "CCCCCCCCCCC_210.0_360.0": [("yellow", 8), ("grey", 6), ("red", 2)],
    "DDDDDDDDDDD_0.0_150.0": [("grey", 2), ("purple", 6), ("grey", 12)],
}
QUERIES = ("the {} one", "something {} is to be seen", "a {} thing")


def film(path: Path, shots: Shots) -> None:
    """Plain pictures, five a second."""
    seen = [name for name, seconds in shots for _ in range(round(seconds * FPS))]
    colours = [COLOURS.get(name, GREY) for name in seen]
    make_clip(path, colours, [n / FPS for n in range(len(seen) + 1)], size=(64, 48))


def windows(shots: Shots, colour: str) -> list[list[float]]:
    """Where a colour is to be seen."""
    edges = np.cumsum([0.0, *(seconds for _, seconds in shots)])
    return [[float(edges[n]), float(edges[n + 1])] for n, s in enumerate(shots) if s[0] == colour]


def highlights(folder: Path, labels: bool = True) -> Path:
    """QVHighlights: films, and the annotations beside them."""
    rows: list[dict[str, Any]] = []
    for vid, shots in FILMS.items():
        film(folder / f"{vid}.mp4", shots)
        for colour in dict.fromkeys(name for name, _ in shots if name != "grey"):
            for query in QUERIES:
                row = {"qid": 100 + len(rows), "query": query.format(colour), "vid": vid}
                row["duration"] = int(sum(seconds for _, seconds in shots))
                rows.append(row | (_labels(shots, colour) if labels else {}))
    path = folder / "highlight_val_release.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def _labels(shots: Shots, colour: str) -> dict[str, Any]:
    true = windows(shots, colour)
    clips = [clip for start, end in true for clip in range(int(start / 2), int(end / 2))]
    return {
        "relevant_windows": true,
        "relevant_clip_ids": clips,
        "saliency_scores": [[4, 3, 2 + clip % 3] for clip in clips],
    }


def charades(folder: Path) -> Path:
    """Charades-STA: films under five letters, and a line for each query."""
    lines = []
    for name, (vid, shots) in zip(("3MSZA", "AMT7R", "YVKIV", "VXJS4"), FILMS.items(), strict=True):
        assert vid
        film(folder / f"{name}.mp4", shots)
        for colour in dict.fromkeys(colour for colour, _ in shots if colour != "grey"):
            start, end = windows(shots, colour)[0]
            lines.append(f"{name} {start} {end}##person looks at the {colour} one.\n")
    path = folder / "charades_sta_test.txt"
    path.write_text("".join(lines))
    return path


def features(folder: Path, annotations: Path, seed: int = 0) -> Path:
    """Published features of QVHighlights: a clip looks like its colour's name, with some noise."""
    rng, width = np.random.default_rng(seed), 512
    places = {name: rng.normal(size=width) for name in [*COLOURS, "grey"]}
    for kind in ("clip_features", "slowfast_features", "clip_text_features"):
        (folder / kind).mkdir(parents=True)
    for vid, shots in FILMS.items():
        seen = [name for name, seconds in shots for _ in range(round(seconds / 2))]
        rows = np.stack([places[name] + 1.5 * rng.normal(size=width) for name in seen])
        motion = np.stack([np.resize(places[name], 2304) for name in seen])
        np.savez(folder / "clip_features" / f"{vid}.npz", features=rows.astype(np.float32))
        np.savez(folder / "slowfast_features" / f"{vid}.npz", features=motion.astype(np.float32))
    for line in annotations.read_text().splitlines():
        row = json.loads(line)
        colour = next(name for name in COLOURS if name in row["query"])
        told = places[colour] + 1.0 * rng.normal(size=width)
        words = rng.normal(size=(7, width))
        path = folder / "clip_text_features" / f"qid{row['qid']}.npz"
        np.savez(path, last_hidden_state=words, pooler_output=told.astype(np.float32))
    return folder


def toolbox(settings: Settings) -> Toolbox:
    """Fakes, under what of the settings a command line may change."""
    assert settings.home is not None
    box = colour_toolbox(settings.home)
    chosen = {"without": settings.without, "verify": settings.verify}
    changed = box.settings.model_copy(update=chosen)
    return replace(box, settings=changed, encoder=Troubled())


KILLS, FULL, SLOW = "TOY_KILLS", "TOY_FULL", "TOY_SLOW"
"""What the environment may say. Kills: how many, and a file that counts them. Seconds for slow."""


class Troubled(ColourEncoder):
    """Sees what the other one does, where nothing comes in between."""

    def relevance(self, vectors: Array, texts: Sequence[str]) -> Array:
        """Killed by the kernel, for all that anybody can tell, when asked for something purple."""
        if FULL in os.environ:
            raise ShelfError("the shelf is full: free some room")
        time.sleep(float(os.environ.get(SLOW, "0")))
        times, _, log = os.environ.get(KILLS, "0").partition(" ")
        if any("something purple" in text for text in texts) and _lines(log) < int(times):
            with Path(log).open("a") as out:
                out.write("killed\n")
            os.kill(os.getpid(), signal.SIGKILL)
        return super().relevance(vectors, texts)


def _lines(log: str) -> int:
    return len(Path(log).read_text().splitlines()) if log and Path(log).exists() else 0


def words(films: Path, out: Path, *more: object, annotations: Path | None = None) -> list[str]:
    """The command line of a run on the made QVHighlights."""
    file = annotations or films / "highlight_val_release.jsonl"
    told = ["--videos", films, "--annotations", file, "--split", "val", "--out", out, *more]
    return ["--dataset", "qvhighlights", *map(str, told)]


def asked(films: Path, out: Path, *more: object, annotations: Path | None = None) -> int:
    """Its exit code, in this process."""
    return main(words(films, out, *more, annotations=annotations), build=toolbox)


def answers(book: Logbook) -> dict[str, Any]:
    """What was answered, without how long that took."""
    return {
        each.id: (
            each.video,
            each.truth,
            each.saliency,
            each.report and [(m.span, m.score) for m in each.report.moments],
            each.error and each.error.kind,
        )
        for each in book.samples
    }


if __name__ == "__main__":
    sys.exit(main(build=toolbox))
