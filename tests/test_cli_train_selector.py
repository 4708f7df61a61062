"""``vmr train selector`` as users start it, of a free curve and a dear one."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import numpy as np
import pytest
from processes import at_work, one_line, started, until, vmr

from vmr_agent.grounding.checkpoint import CARD, WEIGHTS, load_selector, read
from vmr_agent.grounding.inputs import Question
from vmr_agent.grounding.selector import select

TOY = ("train", "selector", "--data", "simulated:40", "--epochs", "4", "--batch", "9")
WAYS = {
    f"{name}{way}"
    for name in ("nll", "best_iou")
    for way in ("_full_look", "_free_only", "_at_random")
}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.mark.slow
def test_a_toy_is_trained_and_killed_it_gives_the_same_bytes(home: Path, tmp_path: Path) -> None:
    calm, out = tmp_path / "calm", tmp_path / "out"
    run = vmr(home, *TOY, "--out", calm)
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.startswith(f"{calm}: selector, loss ")
    assert sorted(content(calm)) == [CARD, WEIGHTS]
    card = read(calm)
    assert (card.kind, card.channels, card.sources) == ("selector", ("free", "dear"), ("free",))
    assert (card.data, card.licence) == ("simulated:40, seed 0", "Apache-2.0")
    first = {"loss", "nll", "count_nll", "best_iou", "r1_50", "r1_70", "ece"}
    assert set(card.metrics) == first | WAYS
    with started(home, *TOY, "--out", out) as killed:
        until(lambda: (out / ".training" / "state.pt").exists())
        killed.send_signal(signal.SIGKILL)
        killed.communicate(timeout=60)
        until(lambda: not at_work(home))
    assert not content(out)
    again = vmr(home, *TOY, "--out", out)
    assert (again.returncode, again.stderr) == (0, "")
    assert content(out) == content(calm)


def test_it_is_trained_from_a_file_and_chooses_where_to_look(home: Path, tmp_path: Path) -> None:
    dice, lines = np.random.default_rng(0), []
    for film in range(20):
        start, steps = int(dice.integers(0, 20)), 24
        inside = (np.arange(steps) >= start) & (np.arange(steps) < start + 4)
        curves = {name: inside * by + dice.normal(size=steps) for name, by in (("b", 3), ("a", 1))}
        lines.append(
            {
                "step": 2.0,
                "curves": {"c": [0.0] * steps} | {n: c.tolist() for n, c in curves.items()},
                "candidates": {"b": [], "a": [[2 * start, 2 * start + 8, 0.5]]},
                "moments": [[2 * start, 2 * start + 8]],
                "film": f"film {film}",
            }
        )
    (tmp_path / "mine.jsonl").write_text("".join(json.dumps(each) + "\n" for each in lines))
    words = ["--data", "mine.jsonl", "--licence", "CC0", "--epochs", "2", "--out", "out", "--json"]
    named = ["train", "selector", *words, "--free", "a", "--dear"]
    run = vmr(home, *named, "b", cwd=tmp_path)
    assert (run.returncode, run.stderr) == (0, "")
    selector, card = load_selector(tmp_path / "out", ("a", "b"), ("a",))
    assert json.loads(run.stdout)["card"] == card.model_dump(mode="json")
    assert (card.licence, card.step) == ("CC0", 2.0)
    assert set(card.metrics) >= WAYS
    dear = [np.array(line["curves"]["b"]) for line in lines]  # type: ignore[index]
    assert float(selector.nature[0]) == pytest.approx(np.std(dear), rel=0.2)
    asked = Question(np.array(lines[0]["curves"]["a"])[:, None], (np.zeros((0, 3)),))  # type: ignore[index]
    seen = select(selector.worth, asked, dear[0].take, 5)
    assert len(set(seen.steps.tolist())) == 5
    other = vmr(home, *named, "c", cwd=tmp_path)
    assert "was begun with channels ['a', 'b'], not ['a', 'c']: give --fresh" in one_line(other)
    assert read(tmp_path / "out") == card
