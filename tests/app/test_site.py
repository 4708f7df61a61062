"""The site behind its porter: who gets in, what there is, how large it may be."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import opentimelineio
import pytest
import srt
import webvtt
from fastapi.testclient import TestClient

from vmr_agent import VMRAgent
from vmr_agent.app.answers import Answer
from vmr_agent.app.desk import Desk
from vmr_agent.app.porter import LETTER, Porter
from vmr_agent.app.site import build, uploads
from vmr_agent.export import FORMATS
from vmr_agent.files import FILMS
from vmr_agent.serving import ServeSettings
from vmr_agent.settings import Settings

TOKEN = "a-token-that-nobody-guesses"
HERE = "http://127.0.0.1:7860"
QUERY = "the red one </script>"


@contextmanager
def browser(desk: Desk, uploaded: Path, at: str = HERE, **more: object) -> Iterator[TestClient]:
    settings = ServeSettings.model_validate({"max_upload": 200_000, **more})
    site = Porter(build(desk, uploaded, settings, FILMS), settings)
    with TestClient(site, base_url=at, follow_redirects=False) as client:
        yield client


@pytest.fixture
def client(desk: Desk, uploaded: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(uploaded))
    with browser(desk, uploaded) as found:
        yield found


@pytest.fixture
def answer(desk: Desk) -> Answer:
    film = desk.films.listed()[0]
    report = VMRAgent(toolbox=desk.box).run(film.path, QUERY)
    return desk.answers.keep(film.key, report, None)


def test_the_page_is_sealed_and_names_nobody_else(client: TestClient) -> None:
    page = client.get("/")
    assert page.status_code == 200
    assert "default-src 'self'" in page.headers["content-security-policy"]
    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert "fonts.googleapis" not in page.text
    assert str(Path.home()) not in page.text


@pytest.mark.parametrize(
    "path",
    [
        *("/gradio_api/info", "/gradio_api/file=/etc/passwd", "/file=/etc/passwd", "/docs"),
        *("/openapi.json", "/gradio_api/proxy=http://example.com/", "/gradio_api/call/ask"),
        *("/gradio_api/deep_link", "/monitoring", "/gradio_api/mcp/", "/login", "/..%2f"),
    ],
)
def test_what_the_page_has_no_use_for_is_not_there(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404
    assert client.post(path).status_code == 404


def test_other_hosts_and_other_pages_are_turned_away(client: TestClient) -> None:
    assert client.get("/", headers={"host": "evil.example"}).status_code == 403
    assert client.get("/", headers={"host": "localhost:7860"}).status_code == 200
    for origin in ("http://evil.example", "null", "http://127.0.0.1:1"):
        assert client.get("/", headers={"origin": origin}).status_code == 403
    assert client.get("/", headers={"origin": HERE}).status_code == 200


def test_a_token_is_asked_for_and_goes_into_a_cookie(desk: Desk, uploaded: Path) -> None:
    at = "http://films.example:7860"
    with browser(desk, uploaded, at, host="0.0.0.0", token=TOKEN) as client:
        for path in ("/", "/config", f"/film/{desk.films.listed()[0].key}"):
            assert client.get(path).status_code == 401
        assert client.get("/?token=wrong").status_code == 401
        assert client.get("/", headers={"cookie": "vmr-let-in-7860=wrong"}).status_code == 401
        assert client.get("/", headers={"authorization": "Bearer wrong"}).status_code == 401
        assert client.get("/", headers={"authorization": f"Bearer {TOKEN}"}).status_code == 200
        let_in = client.get(f"/?token={TOKEN}")
        assert (let_in.status_code, let_in.headers["location"]) == (303, "/")
        cookie = let_in.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        assert TOKEN not in cookie
        assert client.get("/").status_code == 200  # the client has kept it
        others = f'a={{"b": 1}}; c=d e; {cookie.partition(";")[0]}'  # of other programs here
        client.cookies.clear()
        assert client.get("/", headers={"cookie": others}).status_code == 200


def test_a_film_is_played_in_parts(client: TestClient, desk: Desk, colours: Path) -> None:
    film = desk.films.listed()[0]
    whole = client.get(f"/film/{film.key}")
    assert whole.content == colours.read_bytes()
    assert whole.headers["content-type"] == "video/mp4"
    part = client.get(f"/film/{film.key}", headers={"range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, colours.read_bytes()[10:20])
    assert client.head(f"/film/{film.key}").status_code == 200
    film.path.unlink()
    assert client.get(f"/film/{film.key}").status_code == 404


@pytest.mark.parametrize("key", ["x", "../../etc/passwd", "..%2f..%2fetc%2fpasswd", "%00"])
def test_no_other_file_is_had_as_a_film(client: TestClient, key: str) -> None:
    assert client.get(f"/film/{key}").status_code == 404


def test_requests_have_a_size(client: TestClient, uploaded: Path) -> None:
    long = b'{"data": ["' + b"a" * LETTER + b'"]}'
    join = "/gradio_api/queue/join"
    assert client.post(join, content=long).status_code == 413
    assert client.post(join, content=iter([long])).status_code == 413
    files = {"files": ("big.mp4", b"0" * 200_001)}
    assert client.post("/gradio_api/upload", files=files).status_code == 413
    assert not [each for each in uploaded.rglob("*") if each.is_file()]
    files = {"files": ("small.mp4", b"0" * 100_000)}
    took = client.post("/gradio_api/upload", files=files)
    assert took.status_code == 200
    assert Path(took.json()[0]).resolve().is_relative_to(uploaded.resolve())


@pytest.mark.parametrize("form", FORMATS)
def test_an_answer_is_had_in_every_format(client: TestClient, answer: Answer, form: str) -> None:
    took = client.get(f"/answer/{answer.key}/{form}")
    assert took.status_code == 200
    assert took.headers["content-type"].partition(";")[0] == FORMATS[form].media
    name = f"the-red-one-script{FORMATS[form].suffix}"
    assert took.headers["content-disposition"] == f'attachment; filename="{name}"'
    spans = [moment.span for moment in answer.report.moments]
    assert len(spans) == 2
    assert read(form, took.text) == len(spans)


def read(form: str, text: str) -> int:
    """Moments in it, as a program finds them that reads such files."""
    if form == "json":
        return len(json.loads(text)["moments"])
    if form == "jsonl":
        return len(json.loads(text)["pred_relevant_windows"])
    if form == "csv":
        return len(list(csv.DictReader(io.StringIO(text))))
    if form == "srt":
        return len(list(srt.parse(text)))
    if form.startswith("vtt"):
        return len(webvtt.from_string(text).captions)
    if form == "edl":
        return sum(line[:3].isdigit() for line in text.splitlines())
    if form == "otio":
        timeline = opentimelineio.adapters.read_from_string(text, "otio_json")
        return len(list(timeline.find_clips()))
    if form == "ffmetadata":
        return text.count("[CHAPTER]")
    assert form == "html"
    assert QUERY not in text
    return text.count("data-card>")


def test_what_is_no_longer_kept_is_told_of(client: TestClient, desk: Desk, answer: Answer) -> None:
    assert client.get(f"/answer/{answer.key}/exe").status_code == 404
    assert client.get("/answer/x/json").status_code == 404
    for _ in range(3):
        desk.answers.keep(answer.film, answer.report, None)
    gone = client.get(f"/answer/{answer.key}/json")
    assert (gone.status_code, gone.text) == (404, "this answer is no longer kept; ask again\n")


def test_what_a_killed_server_left_is_swept_away(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    with uploads(settings) as alive:
        left = tmp_path / "uploads" / "left"
        left.mkdir()
        (left / "film.mp4").touch()
        left.with_suffix(".lock").touch()
        with uploads(settings) as other:
            assert not left.exists()
            assert alive.exists()
            assert other != alive
        assert not other.exists()
    assert list((tmp_path / "uploads").iterdir()) == []
