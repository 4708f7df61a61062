"""What a visitor may try who talks to ``vmr serve`` without its page: over the wire, for real."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from served import Served, serving

from vmr_agent.app.parcels import Parcels

SOON = 5.0  # seconds in which a server answers that was not led up the garden path


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home, a folder for temporary files, and what is nobody's business."""
    here = tmp_path_factory.mktemp("served")
    for name in ("home", "temporary"):
        (here / name).mkdir()
    return here


@pytest.fixture(scope="module")
def served(place: Path, colours: Path) -> Iterator[Served]:
    (place / "private.mp4").write_bytes(colours.read_bytes())
    with serving(place / "home", colours, TMPDIR=str(place / "temporary")) as found:
        yield found
        found.process.send_signal(signal.SIGINT)
        assert found.process.wait(20) == 130
    left = [*(place / "temporary").rglob("*"), *(place / "home" / "uploads").rglob("*")]
    assert [each for each in left if each.is_file()] == []


def event(served: Served, path: str) -> httpx.Response:
    """As the page tells of an upload."""
    config = httpx.get(f"{served.url}config").json()
    (upload,) = (
        each["id"]
        for each in config["dependencies"]
        if any(target[1] == "upload" for target in each["targets"])
    )
    file: dict[str, Any] = {"path": path, "meta": {"_type": "gradio.FileData"}, "orig_name": "x"}
    body = {"data": [file, None], "fn_index": upload, "session_hash": "somebody"}
    return httpx.post(f"{served.url}gradio_api/queue/join", json=body, timeout=SOON)


def test_no_file_of_the_machine_is_taken_in(served: Served, place: Path) -> None:
    os.mkfifo(place / "pipe.mp4")
    uploads = next((place / "home" / "uploads").glob("*/"))
    for path in (
        *(str(place / "private.mp4"), str(place / "pipe.mp4"), "/dev/zero", "/etc/hostname"),
        *(f"{uploads}/nothing.mp4", f"{uploads}/../../private.mp4", f"{served.url}config"),
    ):
        assert event(served, path).status_code == 403, path
    assert httpx.get(f"{served.url}config", timeout=SOON).status_code == 200
    assert not [each for each in uploads.rglob("*") if each.is_file()]


def test_what_was_uploaded_may_be_named(served: Served, colours: Path) -> None:
    files = {"files": ("mine.mp4", colours.read_bytes())}
    (path,) = httpx.post(f"{served.url}gradio_api/upload", files=files, timeout=SOON).json()
    assert Path(path).is_file()
    assert event(served, path).status_code == 200


def test_an_upload_that_is_broken_off_leaves_nothing(served: Served, place: Path) -> None:
    head = (
        "POST /gradio_api/upload HTTP/1.1\r\nHost: {host}\r\nContent-Length: 9000000\r\n"
        "Content-Type: multipart/form-data; boundary=xx\r\n\r\n--xx\r\n"
        'Content-Disposition: form-data; name="files"; filename="a.mp4"\r\n\r\n'
    )
    host = httpx.URL(served.url).netloc.decode()
    with socket.create_connection(("127.0.0.1", int(host.rpartition(":")[2]))) as wire:
        wire.sendall(head.format(host=host).encode() + b"0" * 3_000_000)
        time.sleep(0.5)
    assert not list((place / "temporary").rglob("*"))  # the rest is looked at when it has ended


@pytest.mark.parametrize("headers", [{"host": "["}, {"origin": "http://["}, {"host": "[::1"}])
def test_addresses_that_are_none_are_turned_away(served: Served, headers: dict[str, str]) -> None:
    assert httpx.get(served.url, headers=headers).status_code in (400, 403)


def test_events_are_read_to_the_bottom() -> None:
    parcels = Parcels()
    deep = b'{"data": [[{"a": {"path": "/etc/passwd"}}]]}'
    assert not parcels.honest(deep)
    assert not parcels.honest(b'{"path": "/etc/passwd"}')
    assert not parcels.honest(b"no json")
    assert not parcels.honest(b"[" * 100_000)
    assert parcels.honest(b'{"data": ["path", {"question": "/etc/passwd"}]}')
