"""A chat endpoint on loopback that does as it is told: a real socket, HTTP, scripted faults."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Script = Callable[["Exchange"], None]


@dataclass
class Exchange:
    """One request, and the wire to answer it on."""

    handler: BaseHTTPRequestHandler
    number: int
    """Requests before it."""
    body: dict[str, Any]

    def send(self, status: int, body: bytes, **headers: str) -> None:
        """An answer with its length, as it should be."""
        self.handler.send_response(status)
        named = {"Content-Type": "application/json", **headers}
        for name, value in named.items():
            self.handler.send_header(name.replace("_", "-"), value)
        self.handler.send_header("Content-Length", str(len(body)))
        self.handler.end_headers()
        self.handler.wfile.write(body)

    def say(self, text: str, **more: Any) -> None:
        """What an endpoint sends when all is well."""
        self.send(200, json.dumps(completion(text, **more)).encode())

    def error(self, status: int, message: str, **headers: str) -> None:
        """An error as endpoints describe it."""
        self.send(status, json.dumps({"error": {"message": message}}).encode(), **headers)


def completion(text: str | None, **more: Any) -> dict[str, Any]:
    """A whole answer; ``more`` replaces parts of it."""
    message = {"role": "assistant", "content": text, "refusal": more.pop("refusal", None)}
    choice = {
        "index": 0,
        "message": message,
        "finish_reason": more.pop("finish", "stop"),
        "logprobs": more.pop("logprobs", None),
    }
    usage = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}
    whole = {"id": "1", "object": "chat.completion", "created": 0, "model": "scripted"}
    return {**whole, "choices": [choice], "usage": usage, **more}


@dataclass
class Endpoint:
    """A running one."""

    url: str
    requests: list[dict[str, Any]] = field(default_factory=list)
    """The body of every request, in the order they came."""
    headers: list[dict[str, str]] = field(default_factory=list, repr=False)


@contextmanager
def endpoint(script: Script) -> Iterator[Endpoint]:
    """Serve until the block is left."""
    found = Endpoint("")
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            body = json.loads(self.rfile.read(length))
            with lock:
                number = len(found.requests)
                found.requests.append(body)
                found.headers.append({k.lower(): v for k, v in self.headers.items()})
            try:
                script(Exchange(self, number, body))
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    found.url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def drip(exchange: Exchange, body: bytes, every: float) -> None:
    """Byte after byte."""
    handler = exchange.handler
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    for byte in body:
        handler.wfile.write(bytes([byte]))
        handler.wfile.flush()
        time.sleep(every)
