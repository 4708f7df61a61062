"""Films that were downloaded: counted with what is shelved of them, and forgotten with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from vmr_agent import VMRAgent, downloads
from vmr_agent.errors import VideoUnreadableError
from vmr_agent.library import Shelf, digest
from vmr_agent.testing import colour_toolbox

URL = "https://films.example/colours.mp4"


@pytest.fixture
def agent(tmp_path: Path) -> VMRAgent:
    """One that may fetch films."""
    box = colour_toolbox(tmp_path / "home")
    video = box.settings.video.model_copy(update={"allow_urls": True})
    return VMRAgent(toolbox=replace(box, settings=box.settings.model_copy(update={"video": video})))


def downloaded(home: Path, content: bytes) -> Path:
    """As if the film had been fetched before."""
    path = home / "fetched" / digest(URL) / ("0" * 40)
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    return path


def by_address(path: Path, fingerprint: str) -> str:
    return URL


def by_place(path: Path, fingerprint: str) -> Path:
    return path


def by_fingerprint(path: Path, fingerprint: str) -> str:
    return fingerprint


@pytest.mark.parametrize("named", [by_address, by_place, by_fingerprint])
def test_a_download_is_counted_and_forgotten(
    agent: VMRAgent, tmp_path: Path, colours: Path, named: Callable[[Path, str], str | Path]
) -> None:
    path = downloaded(tmp_path / "home", colours.read_bytes())
    assert agent.index(URL).path == str(path)
    (about,) = agent.shelved()
    assert about.sizes["download"] == colours.stat().st_size
    assert agent.forget(named(path, about.fingerprint)) == about
    assert not list((tmp_path / "home" / "fetched").iterdir())
    assert agent.shelved() == ()
    assert agent.forget(URL) is None


def test_a_download_that_is_no_film_can_be_forgotten(agent: VMRAgent, tmp_path: Path) -> None:
    path = downloaded(tmp_path / "home", b"no film")
    with pytest.raises(VideoUnreadableError):
        agent.index(URL)
    about = agent.forget(URL)
    assert about is not None
    assert (about.video, about.sizes) == (None, {"download": 7})
    assert not path.exists()


def test_a_copy_of_it_elsewhere_is_left_alone(
    agent: VMRAgent, tmp_path: Path, colours: Path
) -> None:
    (copy := tmp_path / "copy.mp4").write_bytes(colours.read_bytes())
    path = downloaded(tmp_path / "home", colours.read_bytes())
    agent.index(copy)
    assert agent.forget(URL) is not None
    assert copy.read_bytes() == colours.read_bytes()
    assert not path.exists()


@pytest.mark.parametrize("place", ["film.mp4", "fetched/film.mp4", "fetched/../film.mp4"])
def test_only_downloads_are_thrown_away(tmp_path: Path, place: str) -> None:
    shelf = Shelf(tmp_path)
    (tmp_path / "fetched").mkdir()
    (path := tmp_path / place).write_bytes(b"film")
    downloads.drop(shelf, path)
    assert path.read_bytes() == b"film"
    assert downloads.size(shelf, path) == 0
