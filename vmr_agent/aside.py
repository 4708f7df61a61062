"""A shelf on which nothing is left: for questions that nobody asked."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import TypeVar

from vmr_agent.library import Shelf
from vmr_agent.protocols import Arrays
from vmr_agent.types import Record

R = TypeVar("R", bound=Record)


class Aside(Shelf):
    """What lies on another shelf; what is made besides is held in memory, the last few of it."""

    def __init__(self, other: Shelf) -> None:
        self.home = other.home
        self._loaded = OrderedDict()

    def keep(
        self,
        name: str,
        kind: type[R],
        make: Callable[[], tuple[R, Arrays]],
        alive: Callable[[], None] = lambda: None,
    ) -> None:
        """Make the artefact unless it is there; nothing is written, and nobody waits."""
        if not self.has(name, kind):
            alive()
            self._remember(name, make())

    def has(self, name: str, kind: type[Record]) -> bool:
        """Whether it is there, in one place or the other."""
        return self._find(name, kind) is not None
