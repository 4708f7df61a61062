"""Pages in the distribution's Chromium, and everything that goes wrong in them or out of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

CHROMIUM = Path("/usr/bin/chromium")
NEEDED = [
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium of the distribution"),
]


@contextmanager
def chromium() -> Iterator[Any]:
    """The browser; films may play without having been clicked."""
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=str(CHROMIUM),
            args=["--no-sandbox", "--autoplay-policy=no-user-gesture-required"],
        )
        yield started
        started.close()


def until(frame: Any, what: str, seconds: float = 10.0) -> None:
    """Asked again and again from here: the page's rules forbid what would wait inside it."""
    ends = monotonic() + seconds
    while not frame.evaluate(what):
        assert monotonic() < ends, what
        frame.wait_for_timeout(20)


class Opened:
    """A page, and everything that went wrong or out of it."""

    def __init__(self, browser: Any, url: str, **how: Any) -> None:
        how.setdefault("viewport", {"width": 1280, "height": 900})
        self.page = browser.new_page(**how)
        self.page.set_default_timeout(60_000)  # machines that tests run on are busy
        self.said: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda each: self.said.append(each.text))
        self.page.on("pageerror", lambda each: self.said.append(str(each)))
        self.page.on("dialog", lambda each: self.said.append(f"dialog {each.message}"))
        self.page.on("request", lambda each: self.asked.append(each.url))
        self.page.goto(url)

    def until(self, what: str, seconds: float = 10.0) -> None:
        until(self.page, what, seconds)

    def outside(self, *known: str) -> list[str]:
        return [url for url in self.asked if not url.startswith(("data:", "about:", *known))]
