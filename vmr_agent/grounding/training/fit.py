"""The training loop. Broken off at any instant, it goes on from its last epoch as if it never was.

On a CPU the same seed gives the same network, to the bit, however often it was broken off.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from vmr_agent.errors import TrainingError
from vmr_agent.grounding.inputs import Batch
from vmr_agent.grounding.network import Network, Sizes
from vmr_agent.grounding.training.lesson import Course, Lesson, Task
from vmr_agent.grounding.training.targets import Ints, Moments
from vmr_agent.grounding.training.team import ALONE, Team

M = TypeVar("M", bound=nn.Module)
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
Dice = np.random.Generator
Tell = Callable[[float, float], None]
"""Is told how many epochs are over, the last one in part, and its mean loss so far."""


class NotFiniteError(ArithmeticError):
    """The network no longer computes numbers."""


class Lessons(Protocol[T_co]):
    """What is to be learned."""

    def task(self, rows: Ints, dice: Dice) -> T_co:
        """Some of the questions, as one step of training looks at them."""


class Keeper(Protocol):
    """Keeps the state of a training from epoch to epoch, whole or not at all."""

    def keep(self, state: bytes) -> None:
        """In place of the last one."""

    def kept(self) -> bytes | None:
        """The last one, if there is any."""


class Run(NamedTuple):
    """Who trains, who is told, and where the state is kept: nothing that is learned."""

    team: Team = ALONE
    tell: Tell = lambda *_: None
    keeper: Keeper | None = None


def fit(
    batch: Batch,
    moments: Moments,
    sizes: Sizes,
    course: Course,
    seed: int,
    run: Run | None = None,
    begin: Network | None = None,
) -> Network:
    """A network that learned from these questions. The same seed gives the same one on a CPU.

    It goes on from where ``begin`` is, which stays as it is. Raises NotFiniteError as soon as it
    diverges.
    """
    run = run or Run()
    torch.manual_seed(seed)
    network = Network(sizes)
    if begin is not None:
        network.load_state_dict(begin.state_dict())
    network.to(run.team.device)
    lesson = Lesson(batch, moments, course, run.team.device)

    def cost(task: Task, _: int) -> Tensor:
        return task.cost(network(task.asked, task.starts, task.ends), course).mean()

    return train(network, lesson, len(batch), cost, course, seed, run)


def train(
    module: M,
    lesson: Lessons[T],
    count: int,
    cost: Callable[[T, int], Tensor],
    course: Course,
    seed: int,
    run: Run | None = None,
) -> M:
    """Lower the cost of ``count`` questions, epoch after epoch; the module, ready to judge.

    ``cost`` is a task's in an epoch, a mean over its questions.
    """
    run = run or Run()
    training = Training(module, lesson, cost, course, seed, count, run)
    training.restore()
    module.train()
    while len(training.losses) < course.epochs:
        training.epoch()
        training.keep()
    return module.eval()


class Training(Generic[T]):
    """All that changes while a network learns."""

    def __init__(
        self,
        module: nn.Module,
        lesson: Lessons[T],
        cost: Callable[[T, int], Tensor],
        course: Course,
        seed: int,
        count: int,
        run: Run,
    ) -> None:
        self._module, self._lesson, self._cost = module, lesson, cost
        self._count, self._size, self._run = count, course.batch, run
        self._optimizer = torch.optim.AdamW(
            module.parameters(), lr=course.rate, weight_decay=course.decay
        )
        self._steps = -(-count // course.batch)
        self._schedule = torch.optim.lr_scheduler.OneCycleLR(
            self._optimizer, course.rate, total_steps=course.epochs * self._steps, pct_start=0.1
        )
        # All draw the same batches; each has dice of its own for the rest.
        self._order = self._dice = np.random.default_rng(seed)
        if not run.team.alone:
            self._dice = np.random.default_rng([seed, run.team.rank])
            torch.manual_seed(int(self._dice.integers(2**62)))
        self.losses: list[float] = []
        """Mean loss of each epoch that is over."""

    def epoch(self) -> None:
        """Every question once. Raises NotFiniteError."""
        losses: list[float] = []
        for rows in _shuffled(self._count, self._size, self._order):
            losses.append(self._step(rows))
            over = len(self.losses) + len(losses) / self._steps
            self._run.tell(over, float(np.mean(losses)))
        self.losses.append(float(np.mean(losses)))

    def keep(self) -> None:
        """Write down the state, if it is kept."""
        dice = self._run.team.gathered(self._chance())
        if self._run.keeper is None:
            return
        buffer = BytesIO()
        state = {"losses": self.losses, "chance": dice}
        torch.save(state | {name: part.state_dict() for name, part in self._parts()}, buffer)
        self._run.keeper.keep(buffer.getvalue())

    def restore(self) -> None:
        """Go on where it was left, and tell where. Raises TrainingError if that is damaged."""
        kept = self._run.keeper.kept() if self._run.keeper else None
        kept = self._run.team.told(kept)
        if kept is None:
            return
        try:
            state = torch.load(BytesIO(kept), map_location="cpu", weights_only=True)
            for name, part in self._parts():
                part.load_state_dict(state[name])
            self._chances(state["chance"][self._run.team.rank])
            self.losses = list(state["losses"])
        except (RuntimeError, ValueError, LookupError, EOFError, pickle.UnpicklingError) as error:
            first = (str(error).splitlines() or [""])[0]
            raise TrainingError(
                f"the state of the training is damaged ({first}): give --fresh to begin anew"
            ) from error
        self._run.tell(len(self.losses), self.losses[-1])

    def _step(self, rows: Ints) -> float:
        team, mine = self._run.team, self._run.team.share(rows)
        self._optimizer.zero_grad()
        loss = torch.zeros((), device=team.device)
        if len(mine):
            loss = self._cost(self._lesson.task(mine, self._dice), len(self.losses))
            loss = loss * (len(mine) / len(rows))
            loss.backward()  # type: ignore[no-untyped-call]
        total = team.summed(self._module, loss)
        if not np.isfinite(total):
            raise NotFiniteError(f"the loss is {total} in epoch {len(self.losses)}: lower the rate")
        nn.utils.clip_grad_norm_(self._module.parameters(), 1.0)
        self._optimizer.step()
        self._schedule.step()
        return total

    def _parts(self) -> Iterator[tuple[str, Any]]:
        yield "module", self._module
        yield "optimizer", self._optimizer
        yield "schedule", self._schedule

    def _chance(self) -> dict[str, Any]:
        """Where this process's generators of random numbers are."""
        cuda = self._run.team.device != "cpu"
        return {
            "torch": torch.get_rng_state(),
            "cuda": torch.cuda.get_rng_state() if cuda else None,
            "order": self._order.bit_generator.state,
            "dice": self._dice.bit_generator.state,
        }

    def _chances(self, state: dict[str, Any]) -> None:
        torch.set_rng_state(state["torch"])
        if state["cuda"] is not None:
            torch.cuda.set_rng_state(state["cuda"])
        self._order.bit_generator.state = state["order"]
        self._dice.bit_generator.state = state["dice"]


def _shuffled(count: int, size: int, dice: Dice) -> Iterator[Ints]:
    order = dice.permutation(count)
    for first in range(0, count, size):
        yield order[first : first + size]
