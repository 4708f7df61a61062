"""What is proved is recorded part by part, and what fails is neither recorded nor passed over."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from evals import prove


@pytest.fixture
def record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(prove, "RECORD", tmp_path / "results" / "prove.json")
    monkeypatch.setattr(prove, "commit", lambda: "abc")
    return prove.RECORD


def proved(monkeypatch: pytest.MonkeyPatch, *words: str) -> None:
    monkeypatch.setattr(sys, "argv", ["prove", *words])
    prove.main()


def test_parts_are_recorded_and_not_done_again(
    record: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []

    def one() -> prove.Figures:
        done.append("one")
        return {"found": 1}

    monkeypatch.setattr(prove, "PARTS", {"one": one})
    proved(monkeypatch)
    proved(monkeypatch, "one")
    assert done == ["one"]
    told = json.loads(record.read_text(encoding="utf-8"))
    assert (told["one"]["commit"], told["one"]["figures"]) == ("abc", {"found": 1})
    monkeypatch.setattr(prove, "commit", lambda: "def")
    proved(monkeypatch)
    assert done == ["one", "one"], "another commit is another proof"


def test_what_fails_ends_it_and_what_was_proved_is_kept(
    record: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def bad() -> prove.Figures:
        return prove._held(False, {"wrong": ["film 7"]})

    monkeypatch.setattr(prove, "PARTS", {"good": dict, "bad": bad})
    with pytest.raises(SystemExit, match=r"does not hold.*film 7"):
        proved(monkeypatch)
    assert set(json.loads(record.read_text(encoding="utf-8"))) == {"good"}


def test_a_program_that_fails_fails_its_part() -> None:
    assert prove._printed("-c", "print(5)") == "5\n"
    with pytest.raises(SystemExit, match=r"failed \(3\)"):
        prove._printed("-c", "raise SystemExit(3)")


def test_a_part_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SystemExit, match="no part 'fun'; there are demo, "):
        proved(monkeypatch, "fun")
