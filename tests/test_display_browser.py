"""The page in a real browser: it plays, stops, can be used by keyboard, and asks for nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from chromium import NEEDED, Opened, chromium, until
from made_reports import HOSTILE, around, hostile, moment, report, video

from vmr_agent.display import fragment, page
from vmr_agent.report import RunReport

pytestmark = NEEDED
TIME = "document.querySelector('[data-player]').currentTime"
PAUSED = "document.querySelector('[data-player]').paused"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as started:
        yield started


@pytest.fixture
def found(demo_film: Path) -> RunReport:
    told = video(131, path=str(demo_film))
    return report(moment(5, 6.5, 0.9), moment(55, 56.5, 0.7), video=told)


def written(folder: Path, text: str) -> Path:
    path = folder / "page.html"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_a_click_plays_a_moment_and_stops_at_its_end(
    browser: Any, tmp_path: Path, found: RunReport, width: int, scheme: str
) -> None:
    path = written(tmp_path, page(found, around(131)))
    seen = Opened(
        browser, path.as_uri(), color_scheme=scheme, viewport={"width": width, "height": 800}
    )
    seen.page.click("[data-card] >> nth=1 >> button")
    seen.until(f"{TIME} > 55.2")
    seen.until(PAUSED)
    assert seen.page.evaluate(TIME) == pytest.approx(56.5, abs=0.1)
    assert seen.page.locator("[aria-current=true]").count() == 1
    assert "0:57" in seen.page.locator("[role=status]").inner_text()
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= width
    assert seen.said == []
    assert seen.outside(path.as_uri(), Path(found.video.path).as_uri()) == []


def test_it_can_be_used_by_keyboard_alone(browser: Any, tmp_path: Path, found: RunReport) -> None:
    seen = Opened(browser, written(tmp_path, page(found, around(131))).as_uri())
    focused = "document.activeElement"
    for _ in range(40):
        seen.page.keyboard.press("Tab")
        if seen.page.evaluate(f"{focused}.dataset.start === '5.0'"):
            break
    seen.page.keyboard.press("Enter")
    seen.until(f"{TIME} > 5.2")
    seen.until(PAUSED)
    seen.page.keyboard.press("Tab")
    assert seen.page.evaluate(f"{focused}.tagName") == "SUMMARY"
    seen.page.keyboard.press("Enter")
    assert seen.page.locator(".reasons >> nth=0").is_visible()
    assert seen.said == []


def test_the_timeline_is_a_place_to_click(browser: Any, tmp_path: Path, found: RunReport) -> None:
    seen = Opened(browser, written(tmp_path, page(found, around(131))).as_uri())
    seen.until("document.querySelector('[data-player]').readyState > 0")
    lanes = seen.page.locator("[data-lanes]")
    box = lanes.bounding_box()
    lanes.click(position={"x": box["width"] / 2, "y": 10})
    seen.until(f"Math.abs({TIME} - 65.5) < 1")
    assert seen.page.locator("[data-head]").is_visible()
    # Whoever moves on while a moment plays is not held at its end.
    seen.page.click("[data-card] >> nth=0 >> button")
    seen.until(f"{TIME} > 5.1")
    seen.page.evaluate(f"{TIME} = 20")
    seen.until(f"{TIME} > 20.3")
    assert not seen.page.evaluate(PAUSED)


def test_a_notebook_plays_each_moment_from_what_it_carries(
    browser: Any, tmp_path: Path, demo_film: Path
) -> None:
    told = report(moment(5, 6.5), moment(55.2, 56.5, 0.7), video=video(131, path=str(demo_film)))
    path = written(tmp_path, "<!DOCTYPE html>" + fragment(told, around(131)))
    seen = Opened(browser, path.as_uri(), viewport={"width": 900, "height": 900})
    frame = seen.page.frames[1]
    left = "parseFloat(document.querySelector('[data-head]').style.left)"
    for number, end in ((1, 56.5), (0, 6.5), (1, 56.5)):
        frame.click(f"[data-card] >> nth={number} >> button")
        until(frame, f"!{PAUSED}")
        until(frame, PAUSED)
        assert frame.evaluate(left) == pytest.approx(100 * end / 131, abs=0.3)
    frame.click("[data-lanes]", position={"x": 5, "y": 5})
    assert "not carried here" in frame.locator("[role=status]").inner_text()
    frame.locator("[data-broken]").wait_for(state="hidden", timeout=1000)
    assert seen.said == []
    assert seen.outside(path.as_uri()) == []


def test_a_film_that_is_gone_is_told_of(browser: Any, tmp_path: Path, found: RunReport) -> None:
    seen = Opened(browser, written(tmp_path, page(found, around(131), video="gone.mp4")).as_uri())
    seen.page.locator("[data-broken]").wait_for(state="visible", timeout=5000)


def test_hostile_text_is_text(browser: Any, tmp_path: Path) -> None:
    told = f"<!DOCTYPE html><body>{fragment(hostile(), around(text=HOSTILE))}"
    for text in (page(hostile(), around(text=HOSTILE)), told):
        path = written(tmp_path, text)
        seen = Opened(browser, path.as_uri(), viewport={"width": 390, "height": 800})
        seen.page.wait_for_timeout(400)
        assert seen.said == []
        assert seen.outside(path.as_uri()) == []
        assert seen.page.evaluate("document.documentElement.scrollWidth") <= 390


def test_no_script_but_its_own_would_run(browser: Any, tmp_path: Path, found: RunReport) -> None:
    broken = page(found, around(131)).replace("<main", "<script>alert(1)</script><main", 1)
    seen = Opened(browser, written(tmp_path, broken).as_uri())
    seen.page.wait_for_timeout(300)
    assert not [each for each in seen.said if each.startswith("dialog")]
    assert "Content Security Policy" in seen.said[0]


def test_two_reports_in_one_notebook_leave_each_other_and_it_alone(
    browser: Any, tmp_path: Path, found: RunReport
) -> None:
    host = "<!DOCTYPE html><body class=lane data-lead=9><h1>mine</h1>"
    path = written(tmp_path, host + fragment(found, around(131)) + fragment(found, around(131)))
    seen = Opened(browser, path.as_uri(), viewport={"width": 900, "height": 1900})
    one, other = seen.page.frames[1:]
    one.click("[data-card] >> nth=0 >> button")
    until(one, f"{TIME} > 0.2")  # of the clip
    assert other.evaluate(TIME) == 0
    assert one.evaluate("document.querySelectorAll('[data-on]').length") == 1
    assert other.evaluate("document.querySelectorAll('[data-on]').length") == 0
    assert one.evaluate("self.origin") == "null"
    reached = one.evaluate("(() => { try { return parent.document.title } catch { return 0 } })()")
    assert reached == 0
    size = "getComputedStyle(document.querySelector('h1')).fontSize"
    assert seen.page.evaluate(size) == "32px"  # the browser's own
    assert seen.said == []
    assert seen.outside(path.as_uri()) == []
