"""The index over all films: Chroma, on disk, for real."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vmr_agent.adapters.index import ChromaIndex
from vmr_agent.protocols import Array, Row
from vmr_agent.types import Channel, Span, Video

MAKERS = {"picture": "eyes", "speech": "words", "text": "words"}


def film(name: str = "one") -> Video:
    return Video(
        path=f"/films/{name}.mp4", fingerprint=name, duration=9e3, has_picture=True, has_audio=True
    )


def units(count: int, seed: int = 0, size: int = 16) -> Array:
    rows = np.random.default_rng(seed).standard_normal((count, size)).astype(np.float32)
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def rows(vectors: Array, kind: Channel = "picture", length: float = 0.5) -> list[Row]:
    return [
        (kind, Span(start=i * length, end=(i + 1) * length), vector)
        for i, vector in enumerate(vectors)
    ]


def count(index: ChromaIndex, kind: Channel = "picture") -> int:
    return len(index.query(kind, units(1)[0], 100_000))


@pytest.fixture
def index(tmp_path: Path) -> ChromaIndex:
    return ChromaIndex(tmp_path / "chroma", MAKERS)


def test_the_nearest_rows_come_first_with_all_that_is_known(index: ChromaIndex) -> None:
    vectors = units(50)
    index.put(film("one"), "entry", rows(vectors[:25]))
    index.put(film("two"), "entry", rows(vectors[25:]))
    hits = index.query("picture", vectors[30], 5)
    assert len(hits) == 5
    assert hits[0].path == "/films/two.mp4"
    assert (hits[0].span, hits[0].kind) == (Span(start=2.5, end=3.0), "picture")
    cosines = [hit.cosine for hit in hits]
    exact = np.sort(vectors @ vectors[30])[::-1][:5]
    np.testing.assert_allclose(cosines, exact, atol=1e-5)


def test_neighbours_on_clustered_vectors_are_the_true_ones(index: ChromaIndex) -> None:
    # Frames of one shot are near-duplicates, on which Chroma's defaults lose a third of them.
    centres, noise = units(30, size=64), units(3000, seed=1, size=64)
    vectors = np.repeat(centres, 100, axis=0) + 0.05 * noise
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    index.put(film(), "entry", rows(vectors))
    found = {hit.span.start for hit in index.query("picture", centres[7], 50)}
    true = {0.5 * i for i in np.argsort(-(vectors @ centres[7]))[:50].tolist()}
    assert len(found & true) >= 49


def test_no_more_room_is_taken_than_needed(index: ChromaIndex, tmp_path: Path) -> None:
    vectors = units(2_000, size=384)
    index.put(film(), "entry", rows(vectors))
    (path,) = tmp_path.rglob("chroma.sqlite3")
    taken = sum(each.stat().st_size for each in path.parent.rglob("*") if each.is_file())
    assert taken < 2 * vectors.nbytes  # 2.8 times with what its queue leaves behind


def test_kinds_are_kept_apart(index: ChromaIndex) -> None:
    vectors = units(3)
    index.put(film(), "entry", [*rows(vectors[:1], "speech"), *rows(vectors[1:2], "text")])
    assert [hit.kind for hit in index.query("speech", vectors[1], 9)] == ["speech"]
    assert [hit.kind for hit in index.query("text", vectors[1], 9)] == ["text"]
    assert index.query("picture", vectors[1], 9) == []


def test_vectors_of_two_makers_never_meet(index: ChromaIndex, tmp_path: Path) -> None:
    index.put(film(), "entry", rows(units(4)))
    other = ChromaIndex(tmp_path / "chroma", {**MAKERS, "picture": "better eyes"})
    wider = units(2, size=32)
    assert other.query("picture", wider[0], 9) == []
    other.put(film(), "entry", rows(wider))
    assert count(index) == 4
    assert len(other.query("picture", wider[0], 9)) == 2


@pytest.mark.parametrize("limit", [0, -1])
def test_nobody_asked_for_anything(index: ChromaIndex, limit: int) -> None:
    index.put(film(), "entry", rows(units(2)))
    assert index.query("picture", units(1)[0], limit) == []


def test_broken_vectors_stay_outside(index: ChromaIndex) -> None:
    vectors = units(6)
    vectors[0], vectors[1], vectors[2, 3], vectors[3, 3] = 0, 2 * vectors[1], np.nan, np.inf
    index.put(film(), "entry", rows(vectors))
    hits = index.query("picture", vectors[4], 9)
    assert {hit.span.start for hit in hits} == {2.0, 2.5}


def test_more_rows_than_chroma_takes_at_once(index: ChromaIndex) -> None:
    vectors = units(6_000, size=8)
    index.put(film(), "entry", rows(vectors))
    hits = index.query("picture", vectors[5_999], 1)
    assert hits[0].span.end == 3_000
    assert len(index.query("picture", vectors[0], 6_000)) == 6_000


def test_putting_again_changes_nothing(index: ChromaIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    from chromadb.api.models.Collection import Collection

    vectors = units(20)
    index.put(film(), "entry", rows(vectors))
    before = index.query("picture", vectors[3], 20)

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a row that was there was touched")

    for change in ("add", "delete", "update", "upsert"):
        monkeypatch.setattr(Collection, change, refuse)
    index.put(film(), "entry", rows(vectors))
    assert index.query("picture", vectors[3], 20) == before


def test_other_settings_replace_a_films_rows_and_nobody_elses(index: ChromaIndex) -> None:
    index.put(film("one"), "entry", [*rows(units(20)), *rows(units(3), "speech")])
    index.put(film("two"), "entry", rows(units(5, seed=1)))
    index.put(film("one"), "other entry", rows(units(10), length=1.0))
    mine = [h for h in index.query("picture", units(1)[0], 99) if h.path == film("one").path]
    assert sorted(hit.span.end for hit in mine) == list(range(1, 11))
    assert count(index) == 15
    assert count(index, "speech") == 0  # the other settings hear nothing
    assert index.films() == {"one": "other entry", "two": "entry"}


def test_rows_that_are_alike_are_one_and_rows_at_one_time_are_not(index: ChromaIndex) -> None:
    # A line read twice on one key frame; the phrases of one long sentence.
    one, other = rows(units(1), "text")[0], rows(units(1, seed=5), "text")[0]
    index.put(film(), "entry", [one, one, other])
    assert count(index, "text") == 2


def test_another_process_finds_them(index: ChromaIndex, tmp_path: Path) -> None:
    index.put(film(), "entry", rows(np.eye(4, dtype=np.float32)))
    code = (
        "import sys, numpy as np; from pathlib import Path\n"
        "from vmr_agent.adapters.index import ChromaIndex\n"
        f"index = ChromaIndex(Path(sys.argv[1]), {MAKERS!r})\n"
        "print(index.query('picture', np.eye(4, dtype=np.float32)[2], 1)[0].span.start)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "chroma")]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (run.stdout, run.stderr) == ("1.0\n", "")


def test_two_processes_at_once_do_no_harm(index: ChromaIndex, tmp_path: Path) -> None:
    code = (
        "import sys, numpy as np; from pathlib import Path\n"
        "from vmr_agent.adapters.index import ChromaIndex\n"
        "from vmr_agent.types import Span, Video\n"
        "folder, name = sys.argv[1:]\n"
        f"index = ChromaIndex(Path(folder), {MAKERS!r})\n"
        "for turn in range(4):\n"
        "    film = Video(path='/' + name, fingerprint=f'{name}{turn}', duration=9,\n"
        "                 has_picture=True, has_audio=False)\n"
        "    vectors = np.random.default_rng(turn).standard_normal((200, 16)).astype(np.float32)\n"
        "    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)\n"
        "    index.put(film, 'entry', [('picture', Span(start=i, end=i + 1), v)\n"
        "                              for i, v in enumerate(vectors)])\n"
        "    assert index.query('picture', vectors[0], 1)\n"
    )
    commands = [[sys.executable, "-c", code, str(tmp_path / "chroma"), name] for name in "ab"]
    runs = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for command in commands]
    assert [run.communicate()[1] for run in runs] == ["", ""]
    assert [run.returncode for run in runs] == [0, 0]
    assert count(index) == 2 * 4 * 200


def test_nothing_is_reported_home(index: ChromaIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    import chromadb

    seen: list[bool] = []
    make = chromadb.PersistentClient

    def watched(path: str, settings: Any) -> Any:
        seen.append(settings.anonymized_telemetry)
        return make(path, settings=settings)

    monkeypatch.setattr(chromadb, "PersistentClient", watched)
    index.put(film(), "entry", rows(units(1)))  # and conftest's no_network watches
    assert seen == [False]


def test_half_precision_is_made_whole(index: ChromaIndex) -> None:
    vectors = units(40, size=512)
    index.put(film(), "entry", rows(vectors.astype(np.float16)))
    hits = index.query("picture", vectors[7], 40)
    assert (len(hits), hits[0].span.start) == (40, 3.5)
    assert hits[0].cosine == pytest.approx(1, abs=1e-5)


def test_a_film_that_moved_is_found_where_it_is(index: ChromaIndex) -> None:
    vectors = units(3)
    index.put(film(), "entry", rows(vectors))
    assert index.knows(film(), "entry")
    assert not index.knows(film(), "other entry")
    assert not index.knows(film("two"), "entry")
    moved = film().model_copy(update={"path": "/elsewhere/one.mp4"})
    assert not index.knows(moved, "entry")
    index.put(moved, "entry", rows(vectors))
    assert {hit.path for hit in index.query("picture", vectors[0], 9)} == {"/elsewhere/one.mp4"}
    assert count(index) == 3


def test_a_film_can_be_taken_out(index: ChromaIndex) -> None:
    for name, seed in (("one", 0), ("two", 1)):
        index.put(film(name), "entry", [*rows(units(20, seed)), *rows(units(3, seed), "text")])
    index.forget("one")
    index.forget("nobody")
    assert index.films() == {"two": "entry"}
    assert {hit.path for hit in index.query("picture", units(1)[0], 99)} == {film("two").path}
    assert (count(index), count(index, "text")) == (20, 3)
