"""A training that is broken off anywhere comes to the same, and so do several processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import two_ranks
from filelock import FileLock
from scenes import TOY, questions

from vmr_agent.errors import MachineError, TrainingError
from vmr_agent.grounding.features import Tensors
from vmr_agent.grounding.gate import Gated
from vmr_agent.grounding.inputs import Question, cells, collate, iou
from vmr_agent.grounding.judge import judged
from vmr_agent.grounding.network import COUNTS, KINDS, Judged, Network, Sizes
from vmr_agent.grounding.selector import Selector
from vmr_agent.grounding.training.figures import SHARP, figures, sharpest
from vmr_agent.grounding.training.fit import Run, fit
from vmr_agent.grounding.training.gate import fit_gated
from vmr_agent.grounding.training.lesson import Course
from vmr_agent.grounding.training.looks import parted
from vmr_agent.grounding.training.place import Place
from vmr_agent.grounding.training.selector import fit_selector
from vmr_agent.grounding.training.simulate import simulate_look, simulate_sound
from vmr_agent.grounding.training.team import Team

SHORT = Course(epochs=3, batch=8, near=60, others=20)
SIZES = Sizes(2, 1, 16, 32)
Learn = Callable[[Run], torch.nn.Module]


class CrashError(Exception):
    """The process is gone."""


class Drawer:
    """Keeps a state as a folder does."""

    state: bytes | None = None

    def keep(self, state: bytes) -> None:
        self.state = state

    def kept(self) -> bytes | None:
        return self.state


def ground(run: Run) -> Network:
    asked, moments = questions(20, seed=1)
    return fit(collate(asked), moments, SIZES, SHORT, 5, run)


def gate(run: Run) -> Gated:
    asked, moments = heard(20, 1)
    return fit_gated(collate(asked), moments, Sizes(4, 2, 16, 32), SHORT, 5, run=run)


def look(run: Run) -> Selector:
    dice = np.random.default_rng(1)
    made = [simulate_look(TOY, dice) for _ in range(20)]
    asked, dear = parted([question for question, _ in made])
    return fit_selector(asked, dear, [true for _, true in made], SIZES, SHORT, 5, run=run)


def heard(count: int, seed: int, world: Any = TOY) -> tuple[list[Any], list[Any]]:
    dice = np.random.default_rng(seed)
    made = [simulate_sound(world, dice) for _ in range(count)]
    return [question for question, _ in made], [moments for _, moments in made]


def weights(module: torch.nn.Module) -> bytes:
    return b"".join(part.detach().numpy().tobytes() for part in module.state_dict().values())


def crashing(at: int) -> Callable[[float, float], None]:
    """Breaks off at the step of that number."""
    calls: list[float] = []

    def tell(over: float, loss: float) -> None:
        calls.append(over)
        if len(calls) == at:
            raise CrashError

    return tell


@pytest.mark.parametrize("learn", [ground, gate, look])
def test_broken_off_at_any_step_it_comes_to_the_same(learn: Learn) -> None:
    calm = weights(learn(Run()))
    for steps in ([1], [3], [4], [2, 4, 4], [9]):
        drawer = Drawer()
        for step in steps:
            with pytest.raises(CrashError):
                learn(Run(tell=crashing(step), keeper=drawer))
        assert weights(learn(Run(keeper=drawer))) == calm


def test_of_what_is_told_nothing_is_lost() -> None:
    """A training that goes on says where it is before it takes a step."""
    told: list[tuple[float, float]] = []
    drawer = Drawer()
    with pytest.raises(CrashError):
        ground(Run(tell=crashing(4), keeper=drawer))
    ground(Run(tell=lambda *each: told.append(each), keeper=drawer))
    overs = [over for over, _ in told]
    assert overs == pytest.approx([1, 4 / 3, 5 / 3, 2, 7 / 3, 8 / 3, 3])
    assert all(np.isfinite(loss) for _, loss in told)
    again: list[tuple[float, float]] = []
    ground(Run(tell=lambda *each: again.append(each), keeper=drawer))
    assert again == [told[-1]], "all is done: only the last loss is told"


@pytest.mark.parametrize("kept", [b"", b"no state", None])
def test_a_damaged_state_is_told(kept: bytes | None) -> None:
    drawer = Drawer()
    with pytest.raises(CrashError):
        ground(Run(tell=crashing(4), keeper=drawer))
    assert drawer.state is not None
    drawer.state = drawer.state[:-200] if kept is None else kept
    with pytest.raises(TrainingError, match=r"damaged.*--fresh"):
        ground(Run(keeper=drawer))


def test_a_state_of_another_network_is_no_state() -> None:
    drawer = Drawer()
    gate(Run(keeper=drawer))
    with pytest.raises(TrainingError, match="damaged"):
        ground(Run(keeper=drawer))


# ── the folder ────────────────────────────────────────────────────────────────────────────────


def test_a_place_is_begun_gone_on_with_and_finished(tmp_path: Path) -> None:
    place = Place(tmp_path / "a/b", {"seed": 1})
    assert not place.begin(fresh=False)
    assert place.kept() is None
    place.keep(b"one")
    place.keep(b"two")
    place.leave()
    again = Place(tmp_path / "a/b", {"seed": 1})
    assert not again.begin(fresh=False)
    assert again.kept() == b"two"
    (tmp_path / "a/b/card.json").touch()
    again.finish()
    again.leave()
    last = Place(tmp_path / "a/b", {"seed": 1})
    assert last.begin(fresh=False)
    assert last.kept() is None
    last.leave()
    assert not last.begin(fresh=True)
    assert not list((tmp_path / "a/b").rglob("*.part"))


def test_without_its_card_nothing_is_finished(tmp_path: Path) -> None:
    place = Place(tmp_path, {})
    place.begin(fresh=False)
    place.finish()
    assert not place.begin(fresh=False)


def test_what_was_begun_otherwise_is_refused_by_name(tmp_path: Path) -> None:
    place = Place(tmp_path, {"seed": 1, "data": "a", "rate": 0.1})
    place.begin(fresh=False)
    place.keep(b"state")
    place.leave()
    other = Place(tmp_path, {"seed": 2, "data": "a", "rate": 0.2})
    with pytest.raises(TrainingError, match=r"begun with rate 0\.1, not 0\.2; seed 1, not 2: give"):
        other.begin(fresh=False)
    assert place.kept() == b"state"
    assert not other.begin(fresh=True), "it was let go of"
    assert other.kept() is None


def test_weights_from_elsewhere_are_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "card.json").write_text("a card")
    place = Place(tmp_path, {})
    with pytest.raises(TrainingError, match="not trained by this command"):
        place.begin(fresh=False)
    assert not place.begin(fresh=True)
    assert (tmp_path / "card.json").read_text() == "a card", "until there is another"


def test_two_do_not_train_into_one_folder(tmp_path: Path) -> None:
    Place(tmp_path, {}).begin(fresh=False)
    with (
        FileLock(tmp_path / ".training" / "lock"),
        pytest.raises(TrainingError, match="another process is training"),
    ):
        Place(tmp_path, {}).begin(fresh=False)


@pytest.mark.parametrize("recipe", ["", "[]", "{}", '{"recipe": 1}'])
def test_a_damaged_recipe_is_told(tmp_path: Path, recipe: str) -> None:
    (tmp_path / ".training").mkdir()
    (tmp_path / ".training" / "recipe.json").write_text(recipe)
    place = Place(tmp_path, {})
    with pytest.raises(TrainingError, match=r"damaged.*--fresh"):
        place.begin(fresh=False)
    assert not place.begin(fresh=True)


def test_a_folder_that_cannot_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(TrainingError, match="is a file"):
        Place(tmp_path / "file", {}).begin(fresh=False)
    with pytest.raises(MachineError, match=r"cannot write to .*Not a directory"):
        Place(tmp_path / "file" / "below", {}).begin(fresh=False)


# ── several processes ─────────────────────────────────────────────────────────────────────────


@pytest.mark.slow
def test_two_processes_learn_what_one_does(tmp_path: Path) -> None:
    words = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    run = subprocess.run(
        [sys.executable, *words, str(Path(two_ranks.__file__)), str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    first, second = (json.loads((tmp_path / f"{rank}.json").read_text()) for rank in (0, 1))
    alone = two_ranks.learned(Team())
    assert first["weights"] == second["weights"]
    assert first["loss"] == second["loss"]
    # Adam takes steps of a size: where a gradient is next to nothing, rounding decides which way.
    np.testing.assert_allclose(first["weights"], alone["weights"], atol=1e-2)
    batches: Any = alone["seen"]
    assert [len(batch) for batch in batches] == [4, 4, 4, 4, 1]
    shares = list(zip(first["seen"], [*second["seen"], []], strict=True))
    for whole, (one, other) in zip(batches, shares, strict=True):
        assert sorted([*one, *other]) == sorted(whole)
        assert abs(len(one) - len(other)) < 2
    assert first["everybody"] == second["everybody"] == [[0, 1], 0]


# ── what it is worth ──────────────────────────────────────────────────────────────────────────


def judge(likely: float, truth: list[Any]) -> Callable[..., Judged]:
    """Is so sure of the first true moment of each question, in their order, and of their number.

    It is asked forwards and backwards in turn; what it says backwards is only of the number.
    """
    asked, calls = iter(truth), iter(range(1000))
    some: list[Any] = []

    def judged(batch: Tensors, starts: torch.Tensor, ends: torch.Tensor) -> Judged:
        windows = torch.zeros(*starts.shape, 3)
        number = torch.zeros(len(batch.valid), COUNTS)
        forwards = next(calls) % 2 == 0
        if forwards:
            some[:] = [next(asked) for _ in batch.valid]
        for row, true in enumerate(some):
            number[row, len(true)] = 50
            if len(true) and forwards:
                alike = iou(starts[row].numpy(), ends[row].numpy(), *true[0])
                windows[row, int(alike.argmax())] = likely
        return Judged(windows, number, torch.zeros(0))

    return judged


def test_who_knows_is_worth_most_and_who_guesses_little() -> None:
    asked, moments = questions(40, seed=3)
    one = [(q, m) for q, m in zip(asked, moments, strict=True) if len(m) == 1]
    batch, true = collate([q for q, _ in one]), [m for _, m in one]
    knows = figures(judge(100.0, true), batch, true, 1.0, "cpu")
    assert knows["nll"] == pytest.approx(0, abs=1e-3)
    assert knows["count_nll"] == pytest.approx(0, abs=1e-3)
    assert knows["best_iou"] == knows["r1_50"] == knows["r1_70"] == 1
    assert knows["ece"] < 0.02
    guesses = figures(judge(0.0, true), batch, true, 1.0, "cpu")
    steps = batch.valid.sum(axis=1)
    assert guesses["nll"] == pytest.approx(np.log(steps * (steps + 1) / 2).mean(), abs=1e-3)
    assert guesses["best_iou"] < 0.5


def by_height(sharp: float) -> Callable[..., Judged]:
    """Believes in windows by how much curve is inside, told that much too sharply."""

    def judged(batch: Tensors, starts: torch.Tensor, ends: torch.Tensor) -> Judged:
        total = torch.nn.functional.pad(batch.channels[..., 0].cumsum(1), (1, 0))
        inside = sharp * (total.gather(1, ends) - total.gather(1, starts))
        windows = inside[..., None].expand(-1, -1, KINDS)
        return Judged(windows, torch.zeros(len(inside), COUNTS), torch.zeros(0))

    return judged


@pytest.mark.parametrize("sharp", [0.6, 1.0, 1.8])
def test_what_is_told_too_sharply_is_made_less_sharp(sharp: float) -> None:
    """Moments are drawn from what is believed: told so many times as sharp, it is made as dull."""
    dice, steps = np.random.default_rng(4), 8
    asked = [Question(dice.normal(size=(steps, 1)), (np.zeros((0, 3)),)) for _ in range(400)]
    batch, (starts, ends) = collate(asked), cells(steps)
    told = judged([by_height(1.0)], batch, starts, ends).windows[..., 0]
    drawn = (told + dice.gumbel(size=told.shape)).argmax(axis=1)
    true = [np.array([[starts[n], ends[n]]], np.float32) for n in drawn]
    assert sharpest(by_height(sharp), batch, true, "cpu") == pytest.approx(1 / sharp, abs=0.16)


def test_what_is_sharpened_is_what_is_measured() -> None:
    asked, moments = questions(10, seed=3)
    batch = collate(asked)
    found = sharpest(by_height(1.5), batch, moments, "cpu")
    nll = {by: figures(by_height(1.5), batch, moments, by, "cpu")["nll"] for by in (found, *SHARP)}
    assert nll[found] == min(nll.values())


def test_without_moments_nothing_is_sharpened() -> None:
    asked, _ = questions(3, seed=3)
    none = [np.zeros((0, 2), np.float32)] * 3
    assert sharpest(by_height(3.0), collate(asked), none, "cpu") == 1


def test_without_moments_there_is_only_the_count() -> None:
    asked, _ = questions(3, seed=3)
    none = [np.zeros((0, 2), np.float32)] * 3
    assert figures(judge(1.0, none), collate(asked), none, 1.0, "cpu") == {"count_nll": 0}
