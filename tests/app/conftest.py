"""The page's rooms, on the colour film and the honest fakes."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("gradio")

from vmr_agent.app.acts import Acts
from vmr_agent.app.desk import Desk
from vmr_agent.app.films import Films
from vmr_agent.app.site import uploads
from vmr_agent.export import FORMATS
from vmr_agent.files import FILMS
from vmr_agent.serving import ServeSettings
from vmr_agent.testing import colour_toolbox


@pytest.fixture
def films(tmp_path: Path, colours: Path) -> Path:
    """A folder of films, one of them in a folder of its own."""
    folder = tmp_path / "films"
    (folder / "more").mkdir(parents=True)
    for name in ("<script>one.mp4", "more/two.MP4", ".hidden.mp4", "notes.txt"):
        shutil.copy(colours, folder / name)
    (tmp_path / "secret.mp4").write_bytes(b"secret")
    (folder / "out.mp4").symlink_to(tmp_path / "secret.mp4")
    return folder


@pytest.fixture
def desk(tmp_path: Path, films: Path) -> Desk:
    settings = ServeSettings(answers=3, max_upload=200_000)
    return Desk(colour_toolbox(tmp_path / "home"), Films([str(films)], FILMS), settings)


@pytest.fixture
def uploaded(desk: Desk) -> Iterator[Path]:
    with uploads(desk.box.settings) as folder:
        yield folder


@pytest.fixture
def acts(desk: Desk, uploaded: Path) -> Acts:
    return Acts(desk, uploaded, tuple(FORMATS))
