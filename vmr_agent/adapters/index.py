"""The index over all films: Chroma, derived from the shelf and filled from it again when in doubt.

``python -m vmr_agent.adapters.index FOLDER`` ends well if the index in the folder is sound.
"""

from __future__ import annotations

import hashlib
import os
import random
import sqlite3
import sys
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from vmr_agent.adapters.register import Held, Register, films_in
from vmr_agent.errors import ShelfError
from vmr_agent.library import digest
from vmr_agent.protocols import Array, Row
from vmr_agent.types import Channel, Hit, Span, Video

# Default HNSW loses a third of the true neighbours on clustered frame vectors; these settle it and
# can only be chosen at creation. With more neighbours no more are found.
HNSW = {"space": "ip", "ef_search": 400, "ef_construction": 200, "max_neighbors": 16}
# Fewer rows than that wait in Chroma's queue, to be sorted in anew at every start.
HNSW |= {"sync_threshold": 100}

UNIT = 1e-3  # how far from 1 the length of a unit vector may be: those of half precision are nearer
PAGE = 2_000  # rows handed to and fro at a time; Chroma takes five thousand at most
SAMPLE = 100  # rows that must find themselves
NEAR = 10  # among so many
MISSES = 5  # that may fail to: HNSW is approximate; after two writers at once twenty do
TWIN = 1e-4  # what cosines of one and the same vector may differ by

FILM = 16  # digits of its fingerprint in the name of a row, which Chroma keeps five times
ROW = 8  # times its bytes is what a row may take on disk while it is put, at half precision too

CHECK = ("-P", "-m", "vmr_agent.adapters.index")


class ChromaIndex:
    """A folder for each set of makers, for their vectors must not meet; a collection for each kind.

    Two processes on one Chroma folder corrupt it, and a corrupt one can crash the process that
    opens it: the register keeps us from both.
    """

    name = "chroma"

    def __init__(self, folder: Path, makers: Mapping[str, str]) -> None:
        self._folder = folder / digest(dict(makers))
        self._kinds = sorted(makers)
        self._register = Register(self._folder, "chromadb", CHECK, _overgrown)

    def films(self) -> dict[str, str]:
        """The marks of all films that are in, by fingerprint: the index is tried if need be."""
        return {film: held.mark for film, held in self._register.sound_films().items()}

    def knows(self, video: Video, mark: str) -> bool:
        """Whether the film was put from there to this mark. Waits for nobody, tries nothing."""
        held = self._register.films().get(video.fingerprint)
        return held is not None and (held.mark, held.path) == (mark, video.path)

    def put(self, video: Video, mark: str, rows: Sequence[Row]) -> None:
        """Make these the film's rows. Those that are there already stay untouched, never upsert."""
        film = video.fingerprint
        by_kind: dict[str, list[tuple[Span, Array]]] = {kind: [] for kind in self._kinds}
        for kind, span, vector in rows:
            by_kind[kind].append((span, vector))
        with self._open() as client:
            # Chroma does not notice a full disk and writes half of its vectors: see that it is not.
            self._register.need(ROW * sum(vector.nbytes for _, _, vector in rows))
            others = self._others(film)
            counts = {
                kind: _put(_collection(client, kind), film, its) for kind, its in by_kind.items()
            }
            self._register.need(0)
            held = Held(mark=mark, path=video.path, rows=counts)
            self._register.write({**others, film: held})

    def forget(self, fingerprint: str) -> None:
        """Take a film out."""
        if fingerprint not in self._register.films():
            return
        with self._open() as client:
            self._others(fingerprint)
            for kind in self._kinds:
                _put(_collection(client, kind), fingerprint, [])

    def query(self, kind: Channel, vector: Array, limit: int) -> list[Hit]:
        """The nearest rows of one kind over all films, best first."""
        if limit < 1 or not self._register.films():
            return []
        with self._open() as client:
            known = self._register.films()
            collection = _collection(client, kind)
            total = collection.count()
            # A kill leaves rows of films that are not in as yet: these are found, and left out.
            beside = total - sum(held.rows.get(kind, 0) for held in known.values())
            count = min(limit + beside, total)
            if count < 1:
                return []
            found = collection.query(query_embeddings=[vector], n_results=count)
        hits = [
            Hit(
                path=known[row["film"]].path,
                span=Span(start=row["start"], end=row["end"]),
                kind=kind,
                cosine=1 - distance,
            )
            for row, distance in zip(found["metadatas"][0], found["distances"][0], strict=True)
            if row["film"] in known
        ]
        # Chroma deals out equals by chance.
        return sorted(hits, key=lambda hit: (-hit.cosine, hit.path, hit.span.start))[:limit]

    def _others(self, film: str) -> dict[str, Held]:
        """All films in the index but this one, which is out while its rows change."""
        known = self._register.films()
        if known.pop(film, None) is not None:
            self._register.write(known)
        return known

    @contextmanager
    def _open(self) -> Iterator[Any]:
        with self._register.visit():
            from chromadb.errors import ChromaError

            try:
                client = _client(self._folder)
                try:
                    yield client
                finally:
                    client.close()
                _shrink(self._folder)
            except ChromaError as error:
                reason = str(error).partition("\n")[0]
                raise ShelfError(
                    f"the index in {self._folder} failed ({reason}): see that the disk is not "
                    "full and try again; it will be checked and, if need be, made again"
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


def _shrink(folder: Path) -> None:
    """Give back what Chroma's queue has left free, where that is more than half of its file."""
    # Where there is no room for that, all stays as it is.
    with suppress(sqlite3.Error), closing(sqlite3.connect(folder / "chroma.sqlite3")) as database:
        (free,) = database.execute("PRAGMA freelist_count").fetchone()
        (pages,) = database.execute("PRAGMA page_count").fetchone()
        if 2 * free > pages:
            database.execute("VACUUM")


def _overgrown(folder: Path) -> bool:
    """Whether Chroma's links have outgrown the vectors they link: those take the smaller part.

    It finds its place in their file by lengths that a kill leaves unwritten: four terabytes were
    seen, hardly any of them on the disk, and all of them to be read.
    """
    pairs = [(links, links.parent / "data_level0.bin") for links in folder.glob("*/link_lists.bin")]
    return any(
        links.stat().st_size > (vectors.stat().st_size if vectors.exists() else 0)
        for links, vectors in pairs
    )


def _collection(client: Any, kind: str) -> Any:
    return client.get_or_create_collection(
        kind, embedding_function=None, configuration={"hnsw": HNSW}
    )


def _put(collection: Any, film: str, rows: Iterable[tuple[Span, Array]]) -> int:
    """Make these the film's rows in the collection. How many it has now."""
    wanted = {
        _name(film, span.start, span.end, unit): (span, unit)
        for span, vector in rows
        for unit in _units(vector)
    }
    present = set(collection.get(where={"film": film}, include=[])["ids"])
    for names in _pages(sorted(present - wanted.keys())):
        collection.delete(ids=names)
    for names in _pages([name for name in wanted if name not in present]):
        spans = [wanted[name][0] for name in names]
        collection.add(
            ids=names,
            embeddings=[wanted[name][1] for name in names],
            metadatas=[{"film": film, "start": each.start, "end": each.end} for each in spans],
        )
    return len(wanted)


def _units(vector: Array) -> Iterator[Array]:
    """The vector at full precision; a zero or broken one would be found everywhere."""
    full = np.asarray(vector, np.float32)
    length = np.linalg.norm(full)
    if abs(length - 1) < UNIT:
        yield np.asarray(full / length, np.float32)


def _name(film: str, start: float, end: float, unit: Array) -> str:
    """By content, so that the same row is the same everywhere and no two rows are one."""
    about = f"{start}|{end}|".encode()
    unique = hashlib.blake2b(about + unit.tobytes(), digest_size=8).hexdigest()
    return f"{film[:FILM]}-{unique}"


def _pages(names: Sequence[str]) -> Iterator[list[str]]:
    for first in range(0, len(names), PAGE):
        yield list(names[first : first + PAGE])


def sound(folder: Path) -> bool:
    """Whether all that should be in the index is there, unharmed, and is found.

    Only for a process that may crash.
    """
    with closing(sqlite3.connect(folder / "chroma.sqlite3")) as database:
        if database.execute("PRAGMA integrity_check").fetchall() != [("ok",)]:
            return False
    expected: dict[str, Counter[str]] = {}
    for film, held in films_in(folder).items():
        for kind, count in held.rows.items():
            expected.setdefault(kind, Counter())[film] = count
    client = _client(folder)
    try:
        return all(_whole(_collection(client, kind), rows) for kind, rows in expected.items())
    finally:
        client.close()


def _whole(collection: Any, expected: Counter[str]) -> bool:
    everything = collection.get(include=[])["ids"]
    found: Counter[str] = Counter()
    for names in _pages(everything):
        rows = collection.get(ids=names, include=["embeddings", "metadatas"])
        units = np.asarray(rows["embeddings"], np.float32)
        for name, row, unit in zip(rows["ids"], rows["metadatas"], units, strict=True):
            if name != _name(row["film"], row["start"], row["end"], unit):
                return False
            found[row["film"]] += 1
    if any(found[film] != count for film, count in expected.items()):
        return False
    return not everything or _searchable(collection, everything)


def _searchable(collection: Any, names: Sequence[str]) -> bool:
    sample = random.sample(names, min(SAMPLE, len(names)))
    some = collection.get(ids=sample, include=["embeddings"])
    near = collection.query(
        query_embeddings=some["embeddings"],
        n_results=min(NEAR, len(names)),
        include=["distances"],
    )
    answers = zip(some["ids"], near["ids"], near["distances"], strict=True)
    # One of many alike need not be among the nearest, but then all of these are where it is.
    lost = [name for name, ids, far in answers if name not in ids and far[-1] > TWIN]
    return len(lost) <= MISSES


def _end_with_parent() -> None:
    """Its lock ends with it: nobody may be in the folder then."""
    os.read(sys.stdin.fileno(), 1)
    os._exit(1)


if __name__ == "__main__":
    threading.Thread(target=_end_with_parent, daemon=True).start()
    sys.exit(0 if sound(Path(sys.argv[1])) else 1)
