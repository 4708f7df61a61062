"""Official annotation files read as they are, and films found by the benchmarks' names for them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evals.datasets import BENCHMARKS, AnnotationError, Asked, films

QVH = {"qid": 7, "query": "A girl cooks.", "duration": 150, "vid": "NUs_210.0_360.0"}
LABELS = {
    "relevant_windows": [[82, 150]],
    "relevant_clip_ids": [41],
    "saliency_scores": [[1, 1, 2]],
}


def loaded(folder: Path, name: str, content: str) -> list[Asked]:
    path = folder / "annotations"
    path.write_text(content, encoding="utf-8")
    return BENCHMARKS[name].load(path)


def jsonl(*rows: object) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


@pytest.mark.parametrize("name", ["qvhighlights", "qvm2"])
def test_qvhighlights(tmp_path: Path, name: str) -> None:
    first, other = loaded(tmp_path, name, jsonl(QVH | LABELS, QVH | {"qid": 8}))
    assert first[:5] == ("7", "NUs_210.0_360.0", "A girl cooks.", ((82, 150),), 150)
    assert first.row == QVH | LABELS
    assert other.truth is None  # the test split


def test_charades_text_and_lighthouse_rows_ask_the_same(tmp_path: Path) -> None:
    text = "3MSZA 24.3 30.4##person turn a light on.\n\nAMT7R 4.3 12.5##a ## b.\n"
    first, other = loaded(tmp_path, "charades-sta", text)
    assert first[:5] == ("3MSZA/1", "3MSZA", "person turn a light on.", ((24.3, 30.4),), 0)
    assert (other.id, other.query) == ("AMT7R/3", "a ## b.")
    row = {"qid": 1, "query": "person turn a light on.", "duration": 30.96, "vid": "3MSZA"}
    told = loaded(
        tmp_path, "charades-audiomatter", jsonl(row | {"relevant_windows": [[24.3, 30.4]]})
    )
    assert told[0][1:4] == first[1:4]
    assert told[0].duration == 30.96


def test_activitynet(tmp_path: Path) -> None:
    content = {
        "v_uqi": {
            "duration": 55.15,
            "timestamps": [[0.28, 55.15], [13.79, 2]],
            "sentences": [" A weight lifting tutorial.", "Later on."],
        }
    }
    for layout in (json.dumps(content), json.dumps(content, indent=2)):
        first, other = loaded(tmp_path, "activitynet", layout)
        assert first[:5] == (
            "v_uqi/0",
            "v_uqi",
            "A weight lifting tutorial.",
            ((0.28, 55.15),),
            55.15,
        )
        assert other.truth == ((2, 13.79),)
    assert loaded(tmp_path, "activitynet", jsonl(QVH | LABELS))[0].id == "7"


def test_tacos_frames_become_seconds(tmp_path: Path) -> None:
    told = {"timestamps": [[50, 100]], "sentences": ["He cuts."], "fps": 25.0, "num_frames": 250}
    only = loaded(tmp_path, "tacos", json.dumps({"s27-d50.avi": told}))[0]
    assert only[:5] == ("s27-d50.avi/0", "s27-d50.avi", "He cuts.", ((2, 4),), 10)
    assert loaded(tmp_path, "tacos", jsonl(QVH | LABELS))[0].id == "7"


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("qvhighlights", "", "no query in it"),
        ("qvhighlights", jsonl(QVH) + "{", "2: no query"),
        ("qvhighlights", jsonl({"query": "a"}), "KeyError"),
        ("qvhighlights", jsonl(QVH, QVH), "query 7 is in it twice"),
        ("qvhighlights", jsonl(QVH | {"query": " "}), "no query of this benchmark"),
        ("qvhighlights", jsonl(QVH | {"relevant_windows": [[1]]}), "no query of this"),
        ("qvhighlights", jsonl(QVH | {"relevant_windows": [["a", 2]]}), "no query of this"),
        (
            "qvhighlights",
            '{"qid": 1, "query": "a", "vid": "b", "duration": NaN}',
            "no query of this",
        ),
        ("qvhighlights", jsonl(QVH | {"duration": "150"}), "duration is '150'"),
        ("qvhighlights", jsonl(QVH | {"duration": 0}), "duration is 0"),
        ("qvhighlights", jsonl(QVH | LABELS | {"relevant_clip_ids": [75]}), "from 0 to 74"),
        ("qvhighlights", jsonl(QVH | LABELS | {"saliency_scores": [[1, 2]]}), "three numbers"),
        ("qvhighlights", jsonl(QVH | {"query": "\ud800"}), "surrogates not allowed"),
        ("qvhighlights", "[" * 100_000, "recursion"),
        ("activitynet", "[" * 100_000, "recursion"),
        ("charades-sta", "3MSZA 24.3##x.\n", "line 1"),
        ("charades-sta", "3MSZA 24.3 inf##x.\n", "line 1"),
        ("charades-sta", "", "no query in it"),
        ("activitynet", "[]", "no JSON of films"),
        ("activitynet", "{", "no JSON of films"),
        ("activitynet", '{"v": {"duration": 1, "timestamps": [], "sentences": ["a"]}}', ", v: no"),
        ("tacos", '{"v": {"fps": 0, "timestamps": [[1, 2]], "sentences": ["a"]}}', ", v: no"),
    ],
)
def test_what_is_no_annotation_is_told_in_one_line(
    tmp_path: Path, name: str, content: str, says: str
) -> None:
    with pytest.raises(AnnotationError, match=says) as caught:
        loaded(tmp_path, name, content)
    assert "\n" not in str(caught.value)


def test_a_line_ends_where_it_ends(tmp_path: Path) -> None:
    only = loaded(
        tmp_path, "qvhighlights", json.dumps(QVH | {"query": "a\u2028b"}, ensure_ascii=False)
    )
    assert only[0].query == "a\u2028b"


def test_files_that_are_none_are_told(tmp_path: Path) -> None:
    with pytest.raises(AnnotationError, match="cannot be read"):
        BENCHMARKS["qvm2"].load(tmp_path / "none")
    (tmp_path / "film").write_bytes(b"\xff\xfe\0")
    with pytest.raises(AnnotationError, match="is no text"):
        BENCHMARKS["qvm2"].load(tmp_path / "film")


def test_films_are_found_by_name_whatever_they_end_with(tmp_path: Path) -> None:
    names = ["a_60.0_210.0", "b_0.0_150.0", "s27-d50.avi", "s13-d21", "v_x", "gone"]
    files = ["a_60.0_210.0.mp4", "b_0.0_150.0.MKV", "s27-d50.mp4", "s13-d21.avi", "v_x.webm"]
    for file in [*files, "gone.txt", "v_x.json"]:
        (tmp_path / file).touch()
    found = films.find(tmp_path, names)
    assert {name: path.name for name, path in found.items()} == dict(
        zip(names[:5], files, strict=True)
    )
    with pytest.raises(AnnotationError, match="no folder with films"):
        films.find(tmp_path / "none", names)
