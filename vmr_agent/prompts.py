"""Prompts, as released: ``prompts/<name>.v<N>.md``, loaded from the checkout or from the wheel.

A released version is never edited, only followed by the next: answers are kept under its digest.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

FENCE = "---\n"
SYSTEM, USER = "## system\n", "## user\n"
QUOTED = re.compile(r'"([^"\n]+)"')


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a chat model is told, and what it is asked."""

    name: str
    version: int
    inputs: tuple[str, ...]
    """What ``user`` has places for: ``{{query}}``."""
    answer: str
    """The record that the answer is read as."""
    system: str
    user: str
    digest: str
    """Sixteen hex digits of the file, whatever its line endings."""

    @property
    def label(self) -> str:
        """``filter_relevance.v1 3f0c…``, for reports."""
        return f"{self.name}.v{self.version} {self.digest}"

    @property
    def examples(self) -> str:
        """What it quotes as an example: an honest answer may be the same."""
        return "\n".join(QUOTED.findall(self.system))

    def fill(self, given: Mapping[str, str]) -> str:
        """The question with its inputs in their places; no input can open another place."""
        assert set(given) == set(self.inputs), f"{self.name} takes {self.inputs}"
        head, *rest = self.user.split("{{")
        parts = [head]
        for piece in rest:
            name, _, tail = piece.partition("}}")
            parts += [given[name], tail]
        return "".join(parts)


@cache
def load(name: str) -> Prompt:
    """The newest version of a prompt."""
    versions = {int(path.name.split(".")[1].removeprefix("v")): path for path in _paths(name)}
    newest = max(versions)
    return parse(name, newest, versions[newest].read_text(encoding="utf-8"))


def parse(name: str, version: int, text: str) -> Prompt:
    """A prompt from its file: front matter, then what is told, then what is asked."""
    text = text.replace("\r\n", "\n")
    _, head, body = text.split(FENCE, 2)
    facts = dict(line.split(": ", 1) for line in head.strip().splitlines())
    system, user = body.split(SYSTEM, 1)[1].split(USER, 1)
    return Prompt(
        name=name,
        version=version,
        inputs=tuple(name for name in facts["inputs"].split(", ") if name != "none"),
        answer=facts["answer"],
        system=system.strip(),
        user=user.strip(),
        digest=hashlib.sha256(text.encode()).hexdigest()[:16],
    )


def names() -> list[str]:
    """All prompts there are."""
    return sorted({path.name.split(".")[0] for path in _paths("*")})


def _paths(name: str) -> list[Path]:
    return sorted(_folder().glob(f"{name}.v*.md"))


@cache
def _folder() -> Path:
    """In a wheel they lie inside the package, in a checkout beside it."""
    inside = Path(str(files("vmr_agent"))) / "_prompts"
    return inside if inside.is_dir() else inside.parents[1] / "prompts"
