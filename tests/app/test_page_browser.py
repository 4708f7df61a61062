"""The page as people use it: a real server, a real browser, by mouse, by thumb and by keyboard."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from chromium import NEEDED, Opened, chromium
from served import SLOWLY, Served, film, serving

from vmr_agent.export import FORMATS

pytestmark = NEEDED
VIDEO = "document.querySelector('#vmr-player video')"
FOCUSED = "document.activeElement"
HOSTILE = "<script>alert(1)<script>"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory, colours: Path) -> Path:
    folder = tmp_path_factory.mktemp("films")
    film(folder / "a film.mp4", colours)
    film(folder / f"{HOSTILE}.mp4", colours)
    return folder


@pytest.fixture(scope="module")
def served(films: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    more = {"VMR_SERVE__MAX_UPLOAD": "100000"}
    with serving(tmp_path_factory.mktemp("home"), films / "a film.mp4", films, **more) as found:
        yield found


class Asked(Opened):
    """The page of a server."""

    def __init__(self, browser: Any, url: str, **how: Any) -> None:
        super().__init__(browser, url, **how)
        self.url = url
        self.page.wait_for_selector("#vmr-ask")

    def choose(self, name: str) -> None:
        self.page.click("#vmr-film input")
        self.page.get_by_role("option", name=name).click()
        self.page.wait_for_selector("#vmr-player video")

    def ask(self, question: str) -> None:
        self.page.fill("#vmr-question textarea", question)
        self.page.click("#vmr-ask")
        self.answered(question)

    def answered(self, question: str) -> None:
        self.page.locator(".vmr-answer h2", has_text=question).wait_for()
        self.page.locator("#vmr-stop").wait_for(state="hidden")

    def told(self) -> str:
        """The line on the page that says what went wrong."""
        self.page.wait_for_selector(".vmr-error")
        assert self.page.locator(".vmr-error").count() == 1
        return str(self.page.locator(".vmr-error").inner_text())

    def well(self) -> None:
        """Nothing went wrong, nobody else was asked, nothing sticks out."""
        assert self.said == []
        assert self.outside(self.url, f"blob:{self.url}") == []
        width = self.page.viewport_size["width"]
        assert self.page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_a_film_is_chosen_asked_played_and_asked_again(
    browser: Any, served: Served, width: int, scheme: str
) -> None:
    seen = Asked(browser, served.url, viewport={"width": width, "height": 850}, color_scheme=scheme)
    seen.choose("a film.mp4")
    seen.ask("the blue one")
    seen.page.click(".vmr-play >> nth=0")
    seen.until(f"{VIDEO}.currentTime > 10.2")
    assert seen.page.locator("button.vmr-on").count() == 2  # in the list and on the timeline
    seen.until(f"{VIDEO}.paused")
    assert seen.page.evaluate(f"{VIDEO}.currentTime") == pytest.approx(12, abs=0.3)
    seen.ask("the green one")
    assert seen.page.evaluate(f"{VIDEO}.currentTime") > 11, "the player stays where it is"
    seen.page.click(".vmr-timeline .vmr-mark")
    seen.until(f"{VIDEO}.currentTime < 8 && {VIDEO}.currentTime > 6.8")
    seen.page.click("label:has-text('the blue one — 1 moment')")
    seen.answered("the blue one")
    seen.page.click("#vmr-timeline .vmr-lanes", position={"x": 200, "y": 45})
    seen.well()


def test_an_index_is_watched_and_stopped(browser: Any, films: Path, tmp_path: Path) -> None:
    with serving(tmp_path, films / "a film.mp4", before=SLOWLY) as served:
        seen = Asked(browser, served.url)
        seen.page.click("#vmr-index")
        seen.page.wait_for_selector(".vmr-stages")
        assert seen.page.get_by_role("progressbar").count() == 6
        other = Asked(browser, served.url)
        other.page.wait_for_selector("#vmr-player video")
        other.page.fill("#vmr-question textarea", "red")
        other.page.click("#vmr-ask")
        other.page.get_by_text("Waiting for another run to end").wait_for()
        other.page.click("#vmr-stop")
        other.page.get_by_text("Stopped; what was finished is kept").wait_for()
        seen.page.click("#vmr-stop")
        seen.page.get_by_text("Stopped; what was finished is kept").wait_for(timeout=5_000)
        seen.page.locator("#vmr-stop").wait_for(state="hidden")
        seen.ask("the red one")
        seen.well()
        other.well()


def test_it_can_be_used_by_keyboard_alone(browser: Any, served: Served) -> None:
    seen = Asked(browser, served.url)
    press = seen.page.keyboard.press

    def reach(what: str) -> None:
        for _ in range(60):
            if seen.page.evaluate(f"{FOCUSED}.matches({what!r})"):
                shown = f"getComputedStyle({FOCUSED})"
                ring = seen.page.evaluate(f"{shown}.outlineStyle + {shown}.boxShadow")
                assert ring != "nonenone", what
                return
            press("Tab")
        raise AssertionError(f"{what} is never reached")

    reach("#vmr-film input")
    press("ArrowDown")
    press("Enter")
    seen.page.wait_for_selector("#vmr-player video")
    reach("#vmr-upload, #vmr-upload *")
    reach("#vmr-player video")
    reach("#vmr-question textarea")
    seen.page.keyboard.type("the green one")
    press("Enter")
    seen.answered("the green one")
    reach(".vmr-play")
    press("Enter")
    seen.until(f"{VIDEO}.currentTime > 6.8")
    reach("summary")
    press("Space")
    assert seen.page.locator(".vmr-card dl >> nth=0").is_visible()
    reach(".vmr-exports a")
    with seen.page.expect_download() as coming:
        press("Enter")
    assert coming.value.suggested_filename == "the-green-one.json"
    reach("#vmr-asked input")
    seen.well()


def test_every_export_is_downloaded(browser: Any, served: Served) -> None:
    seen = Asked(browser, served.url)
    seen.choose("a film.mp4")
    seen.ask("the green one")
    for form in FORMATS.values():
        with seen.page.expect_download() as coming:
            seen.page.locator(".vmr-exports").get_by_text(form.name, exact=True).click()
        assert coming.value.suggested_filename == f"the-green-one{form.suffix}"
        assert Path(coming.value.path()).stat().st_size > 40
    seen.well()


def test_a_film_is_uploaded_and_asked(browser: Any, served: Served, films: Path) -> None:
    seen = Asked(browser, served.url)
    seen.page.set_input_files("input[type=file]", films / "a film.mp4")
    seen.page.wait_for_selector("#vmr-player video")
    seen.ask("the yellow one")
    seen.well()
    other = Asked(browser, served.url)
    other.page.click("#vmr-film input")
    assert other.page.get_by_role("option").count() == 2, "nobody sees what others upload"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"a text\n" * 99, "is it a whole film?"),
        (b"", "is it a whole film?"),
    ],
)
def test_a_bad_file_is_told_of_in_one_line(
    browser: Any, served: Served, tmp_path: Path, content: bytes, says: str
) -> None:
    path = tmp_path / "<b>bad.mp4"
    path.write_bytes(content)
    seen = Asked(browser, served.url)
    seen.page.set_input_files("input[type=file]", path)
    assert says in seen.told().lower()
    seen.choose("a film.mp4")  # and it goes on
    seen.well()


def test_too_large_a_file_is_not_even_sent(browser: Any, served: Served, tmp_path: Path) -> None:
    (tmp_path / "large.mp4").write_bytes(b"0" * 100_001)
    seen = Asked(browser, served.url)
    seen.page.set_input_files("input[type=file]", tmp_path / "large.mp4")
    seen.page.get_by_text("File(s) exceed the maximum allowed size").wait_for()
    assert not [url for url in seen.asked if "/upload?" in url]
    seen.well()


def test_what_is_named_like_a_script_stays_text(browser: Any, served: Served) -> None:
    seen = Asked(browser, served.url)
    seen.choose(HOSTILE)
    seen.ask('<script>alert(1)</script><img src="http://evil.example/x" onerror=alert(2)> green')
    seen.page.wait_for_timeout(300)
    assert seen.page.locator(".vmr-answer img, .vmr-answer script").count() == 0
    seen.well()


def test_an_endpoint_that_is_down_is_noted(browser: Any, films: Path, tmp_path: Path) -> None:
    down = {
        "VMR_CHAT__MODEL": "nobody",
        "VMR_CHAT__BASE_URL": "http://127.0.0.1:1/v1",
        "VMR_CHAT__RETRIES": "0",
    }
    with serving(tmp_path, films / "a film.mp4", **down) as served:
        seen = Asked(browser, served.url)
        seen.page.wait_for_selector("#vmr-player video")
        seen.ask("the green one")
        assert seen.page.locator(".vmr-play").count() >= 1
        assert "cannot be reached" in seen.page.locator(".vmr-notes").inner_text()
        seen.well()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_and_leaves_nothing_behind(
    browser: Any, films: Path, tmp_path: Path, number: int, code: int
) -> None:
    with serving(tmp_path, films / "a film.mp4", before=SLOWLY) as served:
        seen = Asked(browser, served.url)
        seen.page.set_input_files("input[type=file]", films / "a film.mp4")
        seen.page.wait_for_selector("#vmr-player video")
        seen.page.click("#vmr-index")
        seen.page.wait_for_selector(".vmr-stages")
        served.process.send_signal(number)
        said = served.process.communicate(timeout=40)[1]
    assert served.process.returncode == code
    assert "Traceback" not in said
    assert said in ("", "vmr: ended; what was finished is kept\n")
    assert list((tmp_path / "uploads").iterdir()) == []
    assert not [each for each in tmp_path.rglob("*") if each.suffix in (".part", ".tmp")]
