"""Which paths agents may have opened, whatever they call them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vmr_agent.errors import SettingsError, VideoNotFoundError
from vmr_agent.mcp.allowed import Allowed

SHUT = "is not in a folder that this server may open"


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A disk with two folders to be allowed, and much beside them."""
    disk = tmp_path_factory.mktemp("disk")
    for name in ("films/a.mp4", "films/below/b.mkv", "films/c.txt", "films/.d.mp4", "more/e.mp4"):
        (disk / name).parent.mkdir(parents=True, exist_ok=True)
        (disk / name).write_text("film")
    for name in ("films-private/a.mp4", "private/f.mp4", "private/a.mp4", "film/a.mp4"):
        (disk / name).parent.mkdir(parents=True, exist_ok=True)
        (disk / name).write_text("secret")
    films = disk / "films"
    (films / "out.mp4").symlink_to(disk / "private" / "f.mp4")
    (films / "way").symlink_to(disk / "private")
    (films / "in.mp4").symlink_to(disk / "more" / "e.mp4")
    (films / "again.mp4").symlink_to("a.mp4")
    (films / "round.mp4").symlink_to("round.mp4")
    (films / "gone.mp4").symlink_to(disk / "private" / "nowhere.mp4")
    (films / "passwords.mp4").symlink_to("/etc/passwd")
    (films / "fd.mp4").symlink_to("/proc/self/fd/0")
    (films / "null.mp4").symlink_to("/dev/null")
    os.mkfifo(films / "pipe.mp4")
    (disk / "link").symlink_to(films)
    return disk


@pytest.fixture(scope="module")
def allowed(disk: Path) -> Allowed:
    return Allowed([disk / "link", disk / "more"])


def test_films_inside_are_found_by_whole_and_by_short_names(allowed: Allowed, disk: Path) -> None:
    films = disk / "films"
    assert allowed.roots == (films, disk / "more")
    for named in ("a.mp4", str(films / "a.mp4"), str(disk / "link" / "a.mp4"), "below/../a.mp4"):
        assert allowed.film(named) == films / "a.mp4"
    assert allowed.film("below/b.mkv") == films / "below" / "b.mkv"
    assert allowed.film("e.mp4") == disk / "more" / "e.mp4", "in the second folder"
    assert allowed.film("in.mp4") == disk / "more" / "e.mp4", "a link from one to the other"
    assert allowed.film("again.mp4") == films / "a.mp4"


@pytest.mark.parametrize(
    "named",
    [
        *("", ".", "..", "/", "../private/f.mp4", "below/../../private/f.mp4", "way/f.mp4"),
        *("way/../films/a.mp4/../../private/f.mp4", "out.mp4", "passwords.mp4", "gone.mp4"),
        *("/etc/passwd", "//etc/passwd", "/proc/self/fd/0", "/proc/self/environ", "/dev/zero"),
        *("/dev/stdin", "fd.mp4", "null.mp4", "~/a.mp4", "a.mp4\0.txt", "\0", "a\udc80.mp4"),
        *("https://example.com/a.mp4", "file:///etc/passwd", "FILE:///etc/passwd"),
        *("concat:/etc/passwd", "x" * 5000, "a/" * 3000, "$HOME/a.mp4", "*", "A.MP4", "a.mp4 "),
    ],
)
def test_all_else_is_refused(allowed: Allowed, named: str) -> None:
    with pytest.raises(VideoNotFoundError) as caught:
        allowed.film(named)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 5200


def test_the_refusal_does_not_tell_what_is_outside(allowed: Allowed, disk: Path) -> None:
    told = []
    for name in ("private/f.mp4", "private/nowhere.mp4", "private", "nowhere/f.mp4"):
        with pytest.raises(VideoNotFoundError, match=SHUT) as caught:
            allowed.film(str(disk / name))
        told.append(str(caught.value).replace(str(disk / name), ""))
    assert len(set(told)) == 1


def test_folders_whose_names_begin_alike_are_others(allowed: Allowed, disk: Path) -> None:
    for name in ("films-private/a.mp4", "film/a.mp4"):
        with pytest.raises(VideoNotFoundError, match=SHUT):
            allowed.film(str(disk / name))


@pytest.mark.parametrize("named", ["pipe.mp4", "below", "round.mp4", "missing.mp4"])
def test_what_is_no_file_inside_is_told_as_what_it_is(allowed: Allowed, named: str) -> None:
    with pytest.raises(VideoNotFoundError):
        allowed.film(named)
    assert not allowed.has(named)


def test_the_system_is_no_place_for_films_even_in_the_root_of_the_disk(disk: Path) -> None:
    everything = Allowed([Path("/")])
    assert everything.film(str(disk / "private" / "f.mp4"))
    for named in ("/proc/self/environ", f"/proc/self/{'root'}/etc/passwd", "/sys/kernel/notes"):
        with pytest.raises(VideoNotFoundError, match=SHUT):
            everything.film(named)
    with pytest.raises(VideoNotFoundError, match=SHUT):
        everything.film(str(disk / "films" / "null.mp4"))


def test_films_are_listed_by_their_names_and_nothing_else(allowed: Allowed, disk: Path) -> None:
    films = disk / "films"
    listed = [films / "a.mp4", films / "below" / "b.mkv", disk / "more" / "e.mp4"]
    assert allowed.films(10) == (listed, True)
    assert allowed.films(3) == (listed, True)
    few, whole = allowed.films(2)
    assert (len(few), whole) == (2, False)


def test_what_is_shelved_is_told_of_only_where_it_is_there_and_allowed(
    allowed: Allowed, disk: Path
) -> None:
    assert allowed.has(str(disk / "films" / "a.mp4"))
    assert allowed.has(str(disk / "link" / "a.mp4"))
    for name in ("private/f.mp4", "films/missing.mp4", "films/out.mp4", "films/below"):
        assert not allowed.has(str(disk / name))
    assert not allowed.has("")


@pytest.mark.parametrize("name", ["missing", "films/a.mp4", "films/pipe.mp4"])
def test_a_folder_that_is_none_is_named(disk: Path, name: str) -> None:
    with pytest.raises(SettingsError, match=name):
        Allowed([disk / "films", disk / name])


def test_without_a_folder_there_is_no_server() -> None:
    with pytest.raises(SettingsError, match=r"--allow FOLDER.*VMR_MCP__ROOTS"):
        Allowed([])


PART = st.sampled_from(
    [
        *("..", ".", "", "/", "films", "private", "more", "link", "way", "below", "a.mp4", "f.mp4"),
        *("out.mp4", "in.mp4", "e.mp4", "round.mp4", "proc", "self", "root", "cwd", "~", "\0"),
    ]
)


@settings(max_examples=600, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parts=st.lists(PART | st.text(max_size=6), max_size=9), start=st.sampled_from(range(4)))
def test_whatever_it_is_called_what_is_opened_lies_inside(
    allowed: Allowed, disk: Path, parts: list[str], start: int
) -> None:
    begin = ["", "/", f"{disk}/", f"{disk}/films/"][start]
    try:
        found = allowed.film(begin + "/".join(parts))
    except VideoNotFoundError:
        return
    assert found.resolve(strict=True) == found, "no link is left for others to turn"
    assert found.is_file()
    assert found.is_relative_to(disk / "films") or found.is_relative_to(disk / "more")
    assert found.read_text() == "film"
