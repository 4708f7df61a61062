"""The index over all films: Chroma, derived from the shelf and rebuilt from it when in doubt."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock

from vmr_agent.errors import ShelfError
from vmr_agent.library import digest
from vmr_agent.protocols import Array, Row
from vmr_agent.types import Channel, Hit, Span, Video

# Default HNSW loses a third of the true neighbours on clustered frame vectors; these settle it and
# can only be chosen at creation.
HNSW = {"space": "ip", "ef_search": 400, "ef_construction": 200, "max_neighbors": 32}

UNIT = 1e-3  # how far from 1 the length of a unit vector may be


class ChromaIndex:
    """One collection per kind of vector and its maker; rows carry fingerprint and span.

    Two processes on one Chroma folder corrupt it, so every visit holds an exclusive lock.
    """

    name = "chroma"

    def __init__(self, folder: Path, makers: dict[str, str]) -> None:
        self._folder = folder
        self._makers = makers

    def put(self, video: Video, rows: Sequence[Row]) -> None:
        """Make these the film's rows, of every kind among them.

        Rows that are there already stay untouched (never upsert); what the film had under other
        settings goes.
        """
        with self._open() as client:
            for kind in sorted({row[0] for row in rows}):
                self._add(client, kind, video, [row for row in rows if row[0] == kind])

    def query(self, kind: Channel, vector: Array, limit: int) -> list[Hit]:
        """The nearest rows of one kind over all films, best first."""
        with self._open() as client:
            collection = self._collection(client, kind)
            count = min(limit, collection.count())
            if count < 1:
                return []
            found = collection.query(query_embeddings=[vector], n_results=count)
        rows = zip(found["metadatas"][0], found["distances"][0], strict=True)
        return [
            Hit(
                path=row["path"],
                span=Span(start=row["start"], end=row["end"]),
                kind=kind,
                cosine=1 - distance,
            )
            for row, distance in rows
        ]

    def _add(self, client: Any, kind: Channel, video: Video, rows: Sequence[Row]) -> None:
        collection = self._collection(client, kind)
        # A zero or broken vector would be accepted and then found everywhere.
        sound = [row for row in rows if abs(np.linalg.norm(row[2]) - 1) < UNIT]
        wanted = {_name(video, span, vector): (span, vector) for _, span, vector in sound}
        present = set(collection.get(where={"film": video.fingerprint}, include=[])["ids"])
        most = client.get_max_batch_size()
        for names in _batches(sorted(present - wanted.keys()), most):
            collection.delete(ids=names)
        for names in _batches([name for name in wanted if name not in present], most):
            collection.add(
                ids=names,
                embeddings=[wanted[name][1] for name in names],
                metadatas=[_about(video, wanted[name][0]) for name in names],
            )

    def _collection(self, client: Any, kind: str) -> Any:
        # Vectors of two makers never share a collection.
        name = f"{kind}-{digest(self._makers[kind])}"
        return client.get_or_create_collection(
            name, embedding_function=None, configuration={"hnsw": HNSW}
        )

    @contextmanager
    def _open(self) -> Iterator[Any]:
        from chromadb.errors import ChromaError

        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with FileLock(f"{self._folder}.lock"):
                client = _client(self._folder)
                try:
                    yield client
                finally:
                    client.close()
        except (ChromaError, OSError) as error:
            reason = str(error).partition("\n")[0]
            raise ShelfError(
                f"the index in {self._folder} cannot be used ({reason}): delete that folder"
            ) from error


def _client(folder: Path) -> Any:
    import chromadb
    from chromadb.config import Settings

    def start() -> Any:
        return chromadb.PersistentClient(str(folder), settings=Settings(anonymized_telemetry=False))

    try:
        return start()
    except AttributeError:
        # What Chroma met was left in this process by a start that failed; now that is cleared away.
        return start()


def _name(video: Video, span: Span, vector: Array) -> str:
    """By content, so that the same row is the same everywhere and no two rows are one."""
    about = f"{video.path}|{span.start}|{span.end}|".encode()
    unique = hashlib.blake2b(about + vector.tobytes(), digest_size=8).hexdigest()
    return f"{video.fingerprint}-{unique}"


def _about(video: Video, span: Span) -> dict[str, str | float]:
    film = {"film": video.fingerprint, "path": video.path}
    return {**film, "start": span.start, "end": span.end}


def _batches(names: Sequence[str], most: int) -> Iterator[list[str]]:
    for first in range(0, len(names), most):
        yield list(names[first : first + most])
