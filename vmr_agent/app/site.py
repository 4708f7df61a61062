"""The site: its addresses, and the server that answers at them until it is told to end."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import socket
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import uvicorn
from fastapi import FastAPI, Response
from fastapi.responses import FileResponse, PlainTextResponse
from filelock import FileLock, Timeout

from vmr_agent.app.acts import Acts
from vmr_agent.app.desk import Desk
from vmr_agent.app.exports import told
from vmr_agent.app.films import Films
from vmr_agent.app.porter import Porter
from vmr_agent.display.player import KINDS
from vmr_agent.errors import SettingsError, VideoNotFoundError, VmrError
from vmr_agent.export import FORMATS
from vmr_agent.files import is_file
from vmr_agent.playback import probe
from vmr_agent.serving import ServeSettings
from vmr_agent.settings import Settings
from vmr_agent.toolbox import build_toolbox, home

GRACE = 1  # seconds that open connections are given when the server ends
TERMINATED = 128 + signal.SIGTERM


def run(
    settings: Settings, paths: Sequence[str], endings: Iterable[str], ready: Callable[[str], None]
) -> None:
    """Serve until SIGINT (KeyboardInterrupt) or SIGTERM (SystemExit)."""
    offered = settings.serve
    if not offered.private and offered.token is None:
        raise SettingsError(
            f"whoever reaches {offered.host} could use the page: set VMR_SERVE__TOKEN, which then "
            "goes behind its address, or listen at 127.0.0.1"
        )
    films = _films(settings, paths, endings)
    with _door(offered) as door, uploads(settings) as folder:
        os.environ["GRADIO_TEMP_DIR"] = tempfile.tempdir = str(folder)  # what comes in lies there
        desk = Desk(build_toolbox(settings), films, offered)
        site = Porter(build(desk, folder, offered, endings), offered)
        signal.signal(signal.SIGTERM, _terminated)  # uvicorn hands it on when it has ended
        words: dict[str, Any] = {"access_log": False, "log_level": "warning", "lifespan": "on"}
        config = uvicorn.Config(site, timeout_graceful_shutdown=GRACE, server_header=False, **words)
        ready(_address(offered))
        Server(config).run(sockets=[door])


class Server(uvicorn.Server):
    """Lets go of open pages without a word: that they were still listening is no error."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End, for it was asked to."""
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        await super().shutdown(sockets)


def build(desk: Desk, uploaded: Path, settings: ServeSettings, endings: Iterable[str]) -> FastAPI:
    """The site without its porter: films, answers, and Gradio's page."""
    from vmr_agent.app.page import mount

    site = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)

    @site.api_route("/film/{key}", methods=["GET", "HEAD"])
    def film(key: str) -> Response:
        try:
            path = desk.films.film(key).path
        except VideoNotFoundError as error:
            return PlainTextResponse(f"{error}\n", 404)
        if not is_file(path):
            return PlainTextResponse("the film is gone\n", 404)
        return FileResponse(path, media_type=KINDS.get(path.suffix.lower(), "video/mp4"))

    @site.get("/answer/{key}/{form}")
    def answer(key: str, form: str) -> Response:
        found, wanted = desk.answers.find(key), FORMATS.get(form)
        if found is None or wanted is None:
            return PlainTextResponse("this answer is no longer kept; ask again\n", 404)
        try:
            content = told(found.report, form)
        except VmrError as error:
            return PlainTextResponse(f"{error}\n", 422)
        name = f"{found.file_name}{wanted.suffix}"
        kept = {"content-disposition": f'attachment; filename="{name}"'}
        return Response(content, media_type=wanted.media, headers=kept)

    mount(site, Acts(desk, uploaded, tuple(FORMATS)), endings, settings.max_upload)
    return site


@contextmanager
def uploads(settings: Settings) -> Iterator[Path]:
    """A folder for as long as the server lives; those of servers that were killed are removed."""
    root = home(settings) / "uploads"
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    for stale in root.glob("*.lock"):
        try:
            with FileLock(stale, timeout=0):
                shutil.rmtree(stale.with_suffix(""), ignore_errors=True)
                stale.unlink(missing_ok=True)
        except Timeout:
            continue
    folder = Path(tempfile.mkdtemp(dir=root))
    mine = folder.with_suffix(".lock")
    with FileLock(mine):
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            mine.unlink(missing_ok=True)


def _films(settings: Settings, paths: Sequence[str], endings: Iterable[str]) -> Films:
    """What is on offer. A file that was named itself and is no film is told of now, not later."""
    films = Films(paths, endings)
    named = [path for path in map(Path, paths) if is_file(path)]
    with ThreadPoolExecutor() as pool:  # each is a process that opens the file
        list(pool.map(lambda path: probe(path, "", settings.video), named))
    return films


def _door(settings: ServeSettings) -> socket.socket:
    """Where the server listens."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family)
    except (OSError, UnicodeError) as error:
        where = f"{settings.host}, port {settings.port}"
        # Python says there once more where.
        reason = str(getattr(error, "strerror", None) or error).partition(" (while")[0]
        raise SettingsError(
            f"cannot listen at {where} ({reason}): give another with --port or --host"
        ) from error


def _address(settings: ServeSettings) -> str:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{settings.port}/"


def _terminated(*_: object) -> NoReturn:
    raise SystemExit(TERMINATED)
