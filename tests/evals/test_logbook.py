"""The log of a run: what was added is there, whatever happened to the process that added it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evals.logbook import Dataset, Header, LogbookError, Metrics, Sample, Trouble, read, writing

ASKED = Dataset(name="needle", split="val", file="a.json", sha256="0" * 64, queries=2)
HEADER = Header(dataset=ASKED, commit="abc", versions={"numpy": "2"}, settings={"without": []})


def sample(name: str, message: str = "gone") -> Sample:
    trouble = Trouble(kind="Error", message=message)
    return Sample(id=name, video="v", query="é “q”\u2028", duration=9, truth=(), error=trouble)


def filled(path: Path, *names: str) -> Path:
    with writing(path) as log:
        log.add(HEADER)
        for name in names:
            log.add(sample(name))
    return path


def test_what_was_added_is_read_and_of_each_id_the_last_counts(tmp_path: Path) -> None:
    path = filled(tmp_path / "r.jsonl", "a", "b")
    with writing(path) as log:
        log.add(sample("a", "again"))
        for scored in (1, 2):
            log.add(Metrics(scored=scored, failed=0, figures={"R1": float("nan")}))
    book = read(path)
    assert book.header == HEADER
    assert [(each.id, each.error and each.error.message) for each in book.samples] == [
        ("a", "again"),
        ("b", "gone"),
    ]
    assert book.metrics
    assert book.metrics.scored == 2
    assert len(path.read_bytes().splitlines()) == 6


def test_a_line_is_on_the_disk_before_the_next(tmp_path: Path) -> None:
    with writing(tmp_path / "r.jsonl") as log:
        log.add(HEADER)
        assert read(tmp_path / "r.jsonl").samples == ()
        log.add(sample("a"))
        assert len(read(tmp_path / "r.jsonl").samples) == 1


def test_a_kill_at_any_byte_costs_the_line_it_fell_into(tmp_path: Path) -> None:
    whole = filled(tmp_path / "whole.jsonl", "a", "b").read_bytes()
    path = tmp_path / "r.jsonl"
    ends = [place + 1 for place, byte in enumerate(whole) if byte == ord("\n")]
    for cut in range(0, len(whole) + 1, 7):
        path.write_bytes(whole[:cut])
        finished = sum(end <= cut for end in ends)
        if finished:
            assert len(read(path).samples) == finished - 1
        with writing(path) as log:
            assert path.read_bytes() == whole[: ends[finished - 1] if finished else 0]
            log.add(HEADER if not finished else sample("c"))
        assert path.read_bytes().endswith(b"}\n")
        assert len(read(path).samples) == finished


def test_two_do_not_write_at_once(tmp_path: Path) -> None:
    path = filled(tmp_path / "r.jsonl", "a")
    with (
        writing(path),
        pytest.raises(LogbookError, match="written by another process"),
        writing(path),
    ):
        pass
    with writing(path):
        pass


@pytest.mark.parametrize("content", [b"notes of mine", b"notes\n", b'{"kind":"sample"}\n', b"\0\n"])
def test_what_is_no_run_stays_as_it_is(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(content)
    with pytest.raises(LogbookError, match="is no run"), writing(path):
        pass
    assert path.read_bytes() == content


def test_begun_anew_nothing_of_before_is_left(tmp_path: Path) -> None:
    path = filled(tmp_path / "r.jsonl", "a", "b")
    with writing(path) as log:
        log.clear()
        log.add(HEADER)
    assert read(path).samples == ()


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ([], "does not begin with the header"),
        ([sample("a").model_dump_json()], "does not begin with the header"),
        ([HEADER.model_dump_json(), "{"], "line 2"),
        ([HEADER.model_dump_json(), json.dumps({"kind": "other"})], "line 2"),
        ([HEADER.model_dump_json(), json.dumps({"kind": "sample", "id": 3})], "line 2"),
        ([HEADER.model_dump_json(), "[]"], "line 2"),
    ],
)
def test_what_is_damaged_is_told_in_one_line(tmp_path: Path, lines: list[str], says: str) -> None:
    path = tmp_path / "r.jsonl"
    path.write_text("".join(f"{line}\n" for line in lines))
    with pytest.raises(LogbookError, match=says) as caught:
        read(path)
    assert "\n" not in str(caught.value)


def test_the_folder_of_a_new_file_is_made(tmp_path: Path) -> None:
    with writing(tmp_path / "runs" / "r") as log:
        log.add(HEADER)
    assert read(tmp_path / "runs" / "r").header == HEADER


def test_where_nothing_can_be_written_or_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LogbookError, match="cannot be written"), writing(tmp_path / "file" / "r"):
        pass
    with pytest.raises(LogbookError, match="cannot be read"):
        read(tmp_path / "no")
