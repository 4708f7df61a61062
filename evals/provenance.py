"""Under what a run is made, and whether two runs were made under the same."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from evals.bench_process import PROC
from evals.bench_record import commit, machine
from evals.datasets import BENCHMARKS
from evals.logbook import Dataset, Header, LogbookError, Sample, read
from vmr_agent import Settings, __version__
from vmr_agent.keys import scrubber
from vmr_agent.prompts import load, names

PACKAGES = (
    *("av", "faster-whisper", "langgraph", "numpy", "open_clip_torch", "rapidocr", "scenedetect"),
    *("timm", "torch", "transformers", "whisperx"),
)
"""Those whose version may change an answer."""
HERE = ("home",)
"""Settings that say where things are, and change no answer."""


def dataset(name: str, split: str, path: Path, queries: int, missing: Sequence[str]) -> Dataset:
    """What is asked. Raises OSError without the file."""
    return Dataset(
        name=name,
        split=split,
        file=path.name,
        sha256=digest(path),
        queries=queries,
        missing=tuple(missing),
    )


def digest(path: Path) -> str:
    """Of a whole file: SHA-256 in hexadecimal digits. Raises OSError without it."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def header(asked: Dataset, settings: Settings, models: dict[str, str], command: str) -> Header:
    """Of a run that begins now. No key is in it."""
    return Header(
        dataset=asked,
        commit=_commit(),
        versions={"vmr_agent": __version__, **_versions()},
        settings=settings.model_dump(mode="json"),
        models=models,
        prompts={name: load(name).label for name in names()},
        machine=machine() | {"cards": _cards()},
        command=scrubber(os.environ.get("OPENAI_API_KEY", "").strip())(command),
        began=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def whole(paths: Sequence[Path], annotations: Path) -> tuple[Header, dict[str, Sample]]:
    """A run, or what parts of one come to: of a query an answer counts more than a failure.

    Raises LogbookError where they are not parts of one run of a benchmark, or not of these
    annotations, and OSError.
    """
    books = [read(path) for path in paths]
    first = books[0].header
    for path, book in zip(paths, books, strict=True):
        if other := difference(first, book.header):
            raise LogbookError(f"{path} is of another run than {paths[0]}: {other}")
    if first.dataset.name not in BENCHMARKS:
        raise LogbookError(f"{paths[0]} is a run of {first.dataset.name}, which is no benchmark")
    if digest(annotations) != first.dataset.sha256:
        raise LogbookError(
            f"{annotations} is not the {first.dataset.file} that {paths[0]} was asked from"
        )
    samples: dict[str, Sample] = {}
    for each in (sample for book in books for sample in book.samples):
        if each.report is not None or each.id not in samples:
            samples[each.id] = each
    missing = sorted(set.intersection(*(set(book.header.dataset.missing) for book in books)))
    known = first.dataset.model_copy(update={"missing": tuple(missing)})
    return first.model_copy(update={"dataset": known}), samples


def difference(one: Header, other: Header) -> str:
    """What the first was made under and the second was not, in words; empty if nothing."""
    here, there = dict(_marks(one)), dict(_marks(other))
    for name in {**here, **there}:
        if here.get(name) != there.get(name):
            return f"{name} was {here.get(name)!r} and is {there.get(name)!r}"
    return ""


def _marks(header: Header) -> Iterator[tuple[str, Any]]:
    """By dotted name all that makes a run what it is: not where, when and how far it went."""
    asked = header.dataset
    yield "dataset", asked.name
    yield "split", asked.split
    yield "annotation file", asked.sha256
    yield "system", header.system
    yield "commit", header.commit
    settings = {key: told for key, told in header.settings.items() if key not in HERE}
    for name in ("settings", "models", "prompts", "versions"):
        told = settings if name == "settings" else getattr(header, name)
        yield from _flat(name, told)


def _flat(name: str, told: Any) -> Iterator[tuple[str, Any]]:
    if not isinstance(told, dict):
        yield name, told
        return
    for key, each in told.items():
        yield from _flat(f"{name}.{key}", each)


def _commit() -> str:
    try:
        return commit()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _versions() -> dict[str, str]:
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "none"
    return found


def _cards() -> list[str]:
    """Names of graphics cards, as their driver tells them."""
    told = sorted((PROC / "driver" / "nvidia" / "gpus").glob("*/information"))
    lines = (line for path in told for line in path.read_text().splitlines())
    return [line.partition(":")[2].strip() for line in lines if line.startswith("Model:")]
