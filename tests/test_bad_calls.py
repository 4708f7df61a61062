"""Calls that cannot work are refused at the door; films that lack something still answer."""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import media
import pytest

from vmr_agent import Settings, VMRAgent
from vmr_agent.errors import (
    CallerError,
    MachineError,
    QueryError,
    SettingsError,
    ShelfError,
    VideoNotFoundError,
    VideoTooLargeError,
    VideoUnreadableError,
)
from vmr_agent.settings import VideoSettings, from_environment
from vmr_agent.testing import colour_toolbox


@pytest.fixture
def agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> VMRAgent:
    """With a toolbox that nobody may open: no model, no shelf, no index."""

    def refuse(settings: Settings) -> None:
        raise AssertionError("the machinery was built before the call was looked at")

    monkeypatch.setattr("vmr_agent.agent.build_toolbox", refuse)
    return VMRAgent(Settings(home=tmp_path / "home"))


class Idle:
    """A machine that nobody may ask for more than its name."""

    name = "idle"

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name} was asked for before the film was looked at")


@pytest.fixture
def watchful(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> VMRAgent:
    """With a shelf on which other films may lie, and with machines that nobody may use."""
    idle: Any = Idle()
    machines = ("detector", "encoder", "sentences", "listener", "index", "transcriber", "reader")
    box = replace(colour_toolbox(tmp_path / "home"), **dict.fromkeys(machines, idle))
    return VMRAgent(toolbox=box)


def missing(folder: Path) -> Path:
    return folder / "no such film.mp4"


def folder(folder: Path) -> Path:
    return folder


def empty(folder: Path) -> Path:
    path = folder / "empty.mp4"
    path.touch()
    return path


def text(folder: Path) -> Path:
    path = folder / "text.mp4"
    path.write_text("This is a text, whatever its name says.\n" * 99)
    return path


def noise(folder: Path) -> Path:
    path = folder / "noise.mkv"
    path.write_bytes(os.urandom(1 << 16))
    return path


def pipe(folder: Path) -> Path:
    path = folder / "pipe.mp4"
    os.mkfifo(path)  # opening it would wait for ever
    return path


def dangling(folder: Path) -> Path:
    path = folder / "link.mp4"
    path.symlink_to(folder / "nowhere.mp4")
    return path


def playlist(folder: Path) -> Path:
    path = folder / "list.mp4"
    path.write_text("#EXTM3U\n#EXTINF:9,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n")
    return path


BAD_FILMS: list[tuple[Callable[[Path], Any], type[CallerError]]] = [
    (missing, VideoNotFoundError),
    (folder, VideoNotFoundError),
    (pipe, VideoNotFoundError),
    (dangling, VideoNotFoundError),
    (lambda _: "https://127.0.0.1:9/film.mp4", VideoNotFoundError),
    (lambda _: "/dev/zero", VideoNotFoundError),
    (lambda _: "", VideoNotFoundError),
    (lambda _: "a\0b.mp4", VideoNotFoundError),
    (lambda _: "a\udc80b.mp4", VideoNotFoundError),
    (lambda _: None, VideoNotFoundError),
    (lambda _: b"film.mp4", VideoNotFoundError),
    (empty, VideoUnreadableError),
    (text, VideoUnreadableError),
    (noise, VideoUnreadableError),
    (playlist, VideoUnreadableError),
]


def refused(agent: VMRAgent, film: Any, call: str, error: type[CallerError]) -> None:
    with pytest.raises(error) as caught:
        agent.run(film, "a cat") if call == "run" else agent.index(film)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) > 20
    if isinstance(film, Path):
        assert film.name in message


@pytest.mark.parametrize("call", ["run", "index"])
@pytest.mark.parametrize(("make", "error"), BAD_FILMS)
def test_a_film_that_is_none_is_refused_in_one_line(
    agent: VMRAgent,
    tmp_path: Path,
    make: Callable[[Path], Any],
    error: type[CallerError],
    call: str,
) -> None:
    refused(agent, make(tmp_path), call, error)
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("make", [empty, text, noise, playlist])
def test_beside_other_films_too_and_nothing_is_shelved(
    watchful: VMRAgent, tmp_path: Path, make: Callable[[Path], Path]
) -> None:
    refused(watchful, make(tmp_path), "run", VideoUnreadableError)
    left = [path for path in (tmp_path / "home").rglob("*") if path.is_file()]
    assert {path.parent.name for path in left} <= {"prints", "locks"}


def test_a_picture_of_too_many_pixels_says_how_many(colours: Path, tmp_path: Path) -> None:
    small = Settings(home=tmp_path / "home", video=VideoSettings(max_pixels=2_000))
    with pytest.raises(VideoTooLargeError, match=r"64x48 pixels .*max_pixels"):
        VMRAgent(small).run(colours, "red")


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("", "empty"),
        (" \t\n", "empty"),
        ("?!", "empty"),
        ("word " * 5_000, "5000 words"),
        ("word," * 5_000, "5000 words"),
        ("word" * 5_000, "20000 letters"),
        (None, "NoneType"),
        (b"a cat", "bytes"),
        (["a", "cat"], "list"),
    ],
)
@pytest.mark.parametrize("call", ["run", "search"])
def test_a_query_that_is_none_is_refused_before_the_film_is_opened(
    agent: VMRAgent, tmp_path: Path, query: Any, says: str, call: str
) -> None:
    with pytest.raises(QueryError, match=says) as caught:
        agent.run(missing(tmp_path), query) if call == "run" else agent.search(query)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("limit", [0, -3, "3", None])
def test_a_search_for_no_place_is_refused(agent: VMRAgent, limit: Any) -> None:
    with pytest.raises(QueryError, match="one at least"):
        agent.search("a cat", limit)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("VMR_RETRIEVE__TOP_K", "zero", "VMR_RETRIEVE__TOP_K: .* integer.*, not 'zero'"),
        ("VMR_RETRIEVE__TOP_K", "0", "VMR_RETRIEVE__TOP_K: .*, not '0'"),
        ("VMR_STRIP__FPS", "nan", "VMR_STRIP__FPS: "),
        ("VMR_MODELS__DEVICE", "tpu", "VMR_MODELS__DEVICE: .*'cpu'.*, not 'tpu'"),
        ("VMR_MODELS__LANGUAGE", "english", "VMR_MODELS__LANGUAGE: .* en or de, not 'english'"),
        ("VMR_MODELS__LANGUAGE", "EN", "VMR_MODELS__LANGUAGE: .*, not 'EN'"),
        ("VMR_RETRIEVE__TOPK", "3", "VMR_RETRIEVE__TOPK: there is no such setting"),
        ("VMR_NONSENSE__X", "1", "VMR_NONSENSE__X: there is no such setting"),
        ("VMR_RETRIEVE_TOP_K", "3", "VMR_RETRIEVE_TOP_K: there is no such setting"),
        ("VMR_PROFIL", "lean", "VMR_PROFIL: there is no such setting"),
        ("VMR_HOME__X", "1", "VMR_HOME__X: there is no such setting"),
        ("VMR_RETRIEVE__SMOOTH", "2,1", "'2,1' is not JSON"),
        ("VMR_RETRIEVE", "everything", "'everything' is not JSON"),
    ],
)
def test_a_setting_that_is_wrong_or_misspelt_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, says: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=says) as caught:
        VMRAgent()
    assert "\n" not in str(caught.value)


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VMR_RETRIEVE__TOP_K", "7")
    monkeypatch.setenv("VMR_RETRIEVE__SMOOTH", "[3, 1]")
    monkeypatch.setenv("VMR_HOME", "")  # set to nothing is not set
    monkeypatch.setenv("VMR_CLIPS", "/clips")  # somebody else's
    found = from_environment()
    assert (found.retrieve.top_k, found.retrieve.smooth, found.home) == (7, (3.0, 1.0), None)


def test_a_model_that_is_unknown_is_named(colours: Path, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, models={"encoder": "clip"})  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="'clip': use auto, concepts or open_clip:"):
        VMRAgent(settings).run(colours, "red")


@pytest.mark.parametrize("name", ["home", "home/below", "a" * 300])
def test_a_home_that_cannot_be_written_says_which_setting_helps(
    colours: Path, tmp_path: Path, name: str
) -> None:
    (tmp_path / "home").write_text("a file")
    with pytest.raises(ShelfError, match="VMR_HOME") as caught:
        VMRAgent(Settings(home=tmp_path / name)).run(colours, "red")
    assert isinstance(caught.value, MachineError)


def test_sound_without_picture_answers_by_speech(
    demo_agent: VMRAgent, demo_film: Path, tmp_path: Path
) -> None:
    path = media.spoken(demo_film, tmp_path / "narration.wav", 60, 75)
    report = demo_agent.run(path, "the ferry leaves the harbour at seven")
    (moment,) = report.moments
    assert moment.span.start == pytest.approx(67.9 - 60, abs=0.6)
    assert moment.span.end == pytest.approx(70.1 - 60, abs=0.6)
    assert moment.evidence[0].source == "speech"
    assert [fault.kind for fault in report.faults] == ["no_picture"]
    assert (report.coverage.picture, report.coverage.text) == (0, 0)
    assert report.coverage.speech > 0.99
    assert not report.video.has_picture
    absent = demo_agent.run(path, "a giraffe eating leaves")
    assert absent.status == "not_found"
    assert json.loads(absent.model_dump_json())["video"]["width"] == 0


def test_picture_without_sound_answers_by_picture(
    demo_agent: VMRAgent, demo_film: Path, tmp_path: Path
) -> None:
    path = media.silent(demo_film, tmp_path / "silent.mp4", 26)
    report = demo_agent.run(path, "a cup of coffee on a wooden table")
    (moment,) = report.moments
    assert (moment.span.start, moment.span.end) == pytest.approx((14, 26), abs=0.5)
    assert moment.evidence[0].source == "picture"
    assert [fault.kind for fault in report.faults] == ["no_audio"]
    assert report.coverage.speech == 0
    assert demo_agent.run(path, "a giraffe eating leaves").status == "not_found"
