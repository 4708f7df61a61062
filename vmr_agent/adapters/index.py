"""The index over all films: Chroma, derived from the shelf and rebuilt from it when in doubt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock

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
        """Add a film's rows. Rows that are there already stay as they are: never upsert."""
        with self._open() as client:
            for kind in sorted({row[0] for row in rows}):
                self._add(client, kind, video, [row for row in rows if row[0] == kind])

    def query(self, kind: Channel, vector: Array, limit: int) -> list[Hit]:
        """The nearest rows of one kind over all films, best first."""
        with self._open() as client:
            collection = self._collection(client, kind)
            count = min(limit, collection.count())
            if not count:
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
        present = set(collection.get(where={"film": video.fingerprint}, include=[])["ids"])
        named = [(f"{video.fingerprint}-{number}", row) for number, row in enumerate(rows)]
        # A zero or broken vector would be accepted and then found everywhere.
        new = [
            (name, span, vector)
            for name, (_, span, vector) in named
            if name not in present and abs(np.linalg.norm(vector) - 1) < UNIT
        ]
        most = client.get_max_batch_size()
        for batch in (new[first : first + most] for first in range(0, len(new), most)):
            collection.add(
                ids=[name for name, _, _ in batch],
                embeddings=[vector for _, _, vector in batch],
                metadatas=[
                    {
                        "film": video.fingerprint,
                        "path": video.path,
                        "start": span.start,
                        "end": span.end,
                    }
                    for _, span, _ in batch
                ],
            )

    def _collection(self, client: Any, kind: str) -> Any:
        # Vectors of two makers never share a collection.
        name = f"{kind}-{digest(self._makers[kind])}"
        return client.get_or_create_collection(
            name, embedding_function=None, configuration={"hnsw": HNSW}
        )

    @contextmanager
    def _open(self) -> Iterator[Any]:
        import chromadb
        from chromadb.config import Settings

        self._folder.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{self._folder}.lock"):
            client = chromadb.PersistentClient(
                str(self._folder), settings=Settings(anonymized_telemetry=False)
            )
            try:
                yield client
            finally:
                client.close()
