"""The index over all films: Chroma, on disk, for real."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vmr_agent.adapters.index import ChromaIndex
from vmr_agent.errors import ShelfError
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
    index.put(film("one"), rows(vectors[:25]))
    index.put(film("two"), rows(vectors[25:]))
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
    index.put(film(), rows(vectors))
    found = {hit.span.start for hit in index.query("picture", centres[7], 50)}
    true = {0.5 * i for i in np.argsort(-(vectors @ centres[7]))[:50].tolist()}
    assert len(found & true) >= 49


def test_kinds_are_kept_apart(index: ChromaIndex) -> None:
    vectors = units(3)
    index.put(film(), [*rows(vectors[:1], "speech"), *rows(vectors[1:2], "text")])
    assert [hit.kind for hit in index.query("speech", vectors[1], 9)] == ["speech"]
    assert [hit.kind for hit in index.query("text", vectors[1], 9)] == ["text"]
    assert index.query("picture", vectors[1], 9) == []


def test_vectors_of_two_makers_never_meet(index: ChromaIndex, tmp_path: Path) -> None:
    index.put(film(), rows(units(4)))
    other = ChromaIndex(tmp_path / "chroma", {**MAKERS, "picture": "better eyes"})
    wider = units(2, size=32)
    assert other.query("picture", wider[0], 9) == []
    other.put(film(), rows(wider))
    assert count(index) == 4
    assert len(other.query("picture", wider[0], 9)) == 2


@pytest.mark.parametrize("limit", [0, -1])
def test_nobody_asked_for_anything(index: ChromaIndex, limit: int) -> None:
    index.put(film(), rows(units(2)))
    assert index.query("picture", units(1)[0], limit) == []


def test_broken_vectors_stay_outside(index: ChromaIndex) -> None:
    vectors = units(6)
    vectors[0], vectors[1], vectors[2, 3], vectors[3, 3] = 0, 2 * vectors[1], np.nan, np.inf
    index.put(film(), rows(vectors))
    hits = index.query("picture", vectors[4], 9)
    assert {hit.span.start for hit in hits} == {2.0, 2.5}


def test_more_rows_than_chroma_takes_at_once(index: ChromaIndex) -> None:
    vectors = units(6_000, size=8)
    index.put(film(), rows(vectors))
    hits = index.query("picture", vectors[5_999], 1)
    assert hits[0].span.end == 3_000
    assert len(index.query("picture", vectors[0], 6_000)) == 6_000


def test_putting_again_changes_nothing(index: ChromaIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    from chromadb.api.models.Collection import Collection

    vectors = units(20)
    index.put(film(), rows(vectors))
    before = index.query("picture", vectors[3], 20)

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a row that was there was touched")

    for change in ("add", "delete", "update", "upsert"):
        monkeypatch.setattr(Collection, change, refuse)
    index.put(film(), rows(vectors))
    assert index.query("picture", vectors[3], 20) == before


def test_other_settings_replace_a_films_rows_and_nobody_elses(index: ChromaIndex) -> None:
    index.put(film("one"), [*rows(units(20)), *rows(units(3), "speech")])
    index.put(film("two"), rows(units(5, seed=1)))
    index.put(film("one"), rows(units(10), length=1.0))
    mine = [h for h in index.query("picture", units(1)[0], 99) if h.path == film("one").path]
    assert sorted(hit.span.end for hit in mine) == list(range(1, 11))
    assert count(index) == 15
    assert count(index, "speech") == 3


def test_rows_that_are_alike_are_one_and_rows_at_one_time_are_not(index: ChromaIndex) -> None:
    # A line read twice on one key frame; the phrases of one long sentence.
    one, other = rows(units(1), "text")[0], rows(units(1, seed=5), "text")[0]
    index.put(film(), [one, one, other])
    assert count(index, "text") == 2


def test_another_process_finds_them(index: ChromaIndex, tmp_path: Path) -> None:
    index.put(film(), rows(np.eye(4, dtype=np.float32)))
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
        "    index.put(film, [('picture', Span(start=i, end=i + 1), v)\n"
        "                     for i, v in enumerate(vectors)])\n"
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
    index.put(film(), rows(units(1)))  # and conftest's no_network watches
    assert seen == [False]


@pytest.mark.parametrize("tries", [1, 2])
@pytest.mark.parametrize("harm", ["database", "vectors", "folder"])
def test_damage_is_told_in_one_line_and_cured_by_what_it_says(
    tmp_path: Path, harm: str, tries: int
) -> None:
    folder = tmp_path / "chroma"
    index = ChromaIndex(folder, MAKERS)
    index.put(film(), rows(units(1_100)))  # from a thousand rows on vectors have their own files
    if harm == "database":
        (folder / "chroma.sqlite3").write_bytes(b"no database " * 999)
    elif harm == "vectors":
        for path in folder.glob("*/*"):
            path.write_bytes(b"no vectors")
    else:
        folder.rename(tmp_path / "away")
        folder.write_text("no folder")
    for _ in range(tries):  # Chroma itself fails in another way every second time
        with pytest.raises(ShelfError, match=r"cannot be used .*: delete that folder") as caught:
            index.put(film("two"), rows(units(1)))
        assert "\n" not in str(caught.value)
    folder.unlink() if harm == "folder" else shutil.rmtree(folder)
    index.put(film("two"), rows(units(1)))
    assert count(index) == 1
