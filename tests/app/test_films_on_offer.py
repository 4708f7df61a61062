"""Films are named by keys alone; nothing outside what was given is opened."""

from __future__ import annotations

from pathlib import Path

import pytest

from vmr_agent.app.films import Films
from vmr_agent.errors import VideoNotFoundError
from vmr_agent.files import FILMS


def test_a_folder_offers_its_films_and_nothing_else(films: Path) -> None:
    offered = Films([str(films)], FILMS).listed()
    assert [film.label for film in offered] == ["<script>one.mp4", "more/two.MP4"]
    assert len({film.key for film in offered}) == 2
    assert all(len(film.key) >= 20 for film in offered)


def test_keys_are_new_every_time(films: Path) -> None:
    one, other = (Films([str(films)], FILMS).listed()[0] for _ in range(2))
    assert one.key != other.key


def test_what_is_named_twice_is_offered_once(films: Path) -> None:
    given = [str(films), str(films / "more" / "two.MP4"), str(films / "notes.txt")]
    labels = [film.label for film in Films(given, FILMS).listed()]
    assert labels == ["<script>one.mp4", "more/two.MP4", "notes.txt"]


@pytest.mark.parametrize("key", ["", "../secret.mp4", None, 3, [], {"path": "/etc/passwd"}])
def test_what_is_no_key_opens_nothing(films: Path, key: object) -> None:
    with pytest.raises(VideoNotFoundError, match="not on offer"):
        Films([str(films)], FILMS).film(key)


def test_uploads_are_for_whoever_uploaded_them(films: Path, colours: Path) -> None:
    offered = Films([str(films)], FILMS)
    mine = offered.upload(colours)
    assert mine not in offered.listed()
    assert offered.listed(mine.key)[-1] == mine
    assert offered.film(mine.key).path == colours


def test_a_folder_without_films_is_told_of(tmp_path: Path) -> None:
    with pytest.raises(VideoNotFoundError, match="no film in this folder"):
        Films([str(tmp_path)], FILMS)
    with pytest.raises(VideoNotFoundError, match="give a local file"):
        Films([str(tmp_path / "gone.mp4")], FILMS)
