"""What counts as a file to open, and that looking whether it is one never fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from vmr_agent.errors import VideoNotFoundError
from vmr_agent.files import is_file, is_folder, regular_file


def test_files_and_folders_are_told_apart(tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    film.write_bytes(b"film")
    assert (is_file(film), is_folder(film)) == (True, False)
    assert (is_file(tmp_path), is_folder(tmp_path)) == (False, True)
    assert regular_file(film).st_size == 4


@pytest.mark.parametrize("name", ["nowhere", "a" * 300, "nowhere/film", "a\0b", "a\udc80b"])
def test_what_is_not_there_is_neither(tmp_path: Path, name: str) -> None:
    assert not is_file(tmp_path / name)
    assert not is_folder(tmp_path / name)
    with pytest.raises(VideoNotFoundError, match=r"give a local file|rename it") as caught:
        regular_file(tmp_path / name)
    assert "\n" not in str(caught.value)


def test_what_may_not_be_looked_at_is_neither(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "stat", refuse)
    assert not is_file(tmp_path)
    assert not is_folder(tmp_path)
    with pytest.raises(VideoNotFoundError, match="Permission denied; give a local file"):
        regular_file(tmp_path)
