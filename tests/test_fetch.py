"""Films at addresses: who may be asked, for how long and how much, and that nothing half is kept.

The server is a real one on this machine. Names and the wire beneath the guard are the tests': the
wire leads every connection there and leaves out the encryption; the guard on top is the real one.
"""

from __future__ import annotations

import os
import random
import socket
import socketserver
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpcore
import pytest

from vmr_agent.errors import ServiceError, ShelfError, VideoNotFoundError, VideoTooLargeError
from vmr_agent.fetch import fetch, is_url
from vmr_agent.wire import is_public, look_up

PUBLIC = "93.184.216.34"
FILM = bytes(range(256)) * 2000
URL = "https://films.example/a/talk.mp4?token=geheim#t=3"
Script = Callable[["Talk"], None]


@dataclass
class Allowed:
    allow_urls: bool = True
    max_download: int = 1_000_000
    download_seconds: float = 10.0


class Talk(socketserver.StreamRequestHandler):
    """One connection: what was asked, then whatever the server's script does."""

    server: Server

    def handle(self) -> None:
        lines = iter(lambda: self.rfile.readline().decode().strip(), "")
        self.server.asked.append(list(lines))
        try:
            self.server.script(self)
        except OSError:
            self.server.hung_up.set()

    def say(self, status: str, body: bytes = b"", *headers: str, length: int | None = None) -> None:
        size = f"Content-Length: {len(body) if length is None else length}"
        head = [f"HTTP/1.1 {status}", size, *headers, "Connection: close", "", ""]
        self.wfile.write("\r\n".join(head).encode() + body)


class Server(socketserver.ThreadingTCPServer):
    daemon_threads, allow_reuse_address = True, True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Talk)
        self.asked: list[list[str]] = []
        self.hung_up = threading.Event()
        self.script: Script = lambda talk: talk.say("200 OK", FILM)

    @property
    def paths(self) -> list[str]:
        return [lines[0].split()[1] for lines in self.asked]


class Plain(httpcore.NetworkStream):
    """A connection that is told to encrypt, notes how, and does not."""

    def __init__(self, stream: httpcore.NetworkStream, wire: Wire) -> None:
        self.stream, self.wire = stream, wire
        self.read, self.write, self.close = stream.read, stream.write, stream.close
        self.get_extra_info = stream.get_extra_info

    def start_tls(self, context: Any, server_hostname: Any = None, timeout: Any = None) -> Plain:
        self.wire.encrypted.append((server_hostname, context))
        return self


@dataclass
class Wire(httpcore.NetworkBackend):
    """Leads every connection to the server, and notes which it was asked for."""

    port: int
    connected: list[tuple[str, int]] = field(default_factory=list)
    encrypted: list[tuple[str, ssl.SSLContext]] = field(default_factory=list)
    dead: tuple[str, ...] = ()

    def connect_tcp(self, host: str, port: int, timeout: Any = None, *_: Any) -> Plain:
        self.connected.append((host, port))
        if host in self.dead:
            raise httpcore.ConnectError("refused")
        return Plain(httpcore.SyncBackend().connect_tcp("127.0.0.1", self.port, timeout), self)


@dataclass
class Net:
    """A server, the wire to it, and the folder that films are fetched into."""

    server: Server
    wire: Wire
    folder: Path
    names: dict[str, list[str]] = field(default_factory=dict)

    def fetch(self, url: str = URL, **limits: Any) -> Path:
        return fetch(
            url,
            self.folder,
            Allowed(**limits),
            resolve=lambda host: self.names.get(host, [PUBLIC]),
            beneath=self.wire,
        )

    def answers(self, **scripts: Script) -> None:
        """What the server does at each path, named without its slash."""
        self.server.script = lambda talk: scripts[self.server.paths[-1].strip("/")](talk)

    def left(self) -> list[Path]:
        return list(self.folder.glob("*"))


@pytest.fixture
def net(tmp_path: Path) -> Iterator[Net]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield Net(server, Wire(server.server_address[1]), tmp_path / "fetched")
        server.shutdown()


def moved(to: str, status: str = "302 Found") -> Script:
    return lambda talk: talk.say(status, b"", f"location: {to}")


def refused(error: type[Exception], call: Callable[[], object], says: str = "") -> str:
    """One line without a secret; the message."""
    with pytest.raises(error, match=says) as caught:
        call()
    seen: BaseException | None = caught.value
    while seen is not None:
        assert not any(secret in str(seen) for secret in ("geh", "nobody", "token"))
        seen = seen.__cause__
    assert "\n" not in str(caught.value)
    return str(caught.value)


# What an address is


@pytest.mark.parametrize("text", [URL, "http://a/b", "HTTPS://a", "ftp://a", "file:///a", "s3://a"])
def test_what_an_address_is(text: str) -> None:
    assert is_url(text)


@pytest.mark.parametrize("text", ["a.mp4", "/a/b", "c:/a", "a b://c", "", "concat:a|b", "./a://b"])
def test_what_a_path_is(text: str) -> None:
    assert not is_url(text)


def test_nothing_is_fetched_unless_the_settings_say_so(net: Net) -> None:
    refused(VideoNotFoundError, lambda: net.fetch(allow_urls=False), "VMR_VIDEO__ALLOW_URLS")
    assert (net.wire.connected, net.folder.exists()) == ([], False)


@pytest.mark.parametrize(
    "url",
    [
        "http://films.example/a.mp4",
        "ftp://films.example/a.mp4",
        "file:///etc/hosts",
        "https://nobody:geheim@films.example/a.mp4",
        "https://nobody@films.example/a.mp4",
        "https://nobody:geh/eim@films.example/a.mp4",
        "https://nobody:geheim@[::1/a.mp4",
        "https:///a.mp4",
        "https://",
        "https://films.example:99999/a",
        "https://films.example:geheim/a",
        "https://films.example/\n/a",
        "https://" + "a" * 70_000,
    ],
)
def test_addresses_that_are_refused_unasked(net: Net, url: str) -> None:
    refused(VideoNotFoundError, lambda: net.fetch(url))
    assert (net.wire.connected, net.left()) == ([], [])


PIECES = [
    *("https://", "http:", "//", "/", "nobody:geheim@", ":", "[", "]", "::1", "%", "\\", "?", "#"),
    *("xn--", "例", "é", "a", ".", "..", "0", "65536", "\u2028", "\u200b", "\udc80", "\t"),
]


def test_no_address_gets_past_our_own_errors(net: Net) -> None:
    dice = random.Random(1)
    net.wire.dead = (PUBLIC,)
    for _ in range(1500):
        url = "https://" + "".join(dice.choices(PIECES, k=dice.randrange(8)))
        with pytest.raises((VideoNotFoundError, ServiceError)) as caught:
            net.fetch(url)
        assert not any(secret in str(caught.value) for secret in ("geheim", "\n")), url


# What arrives


def test_a_film_is_kept_under_the_digest_of_its_content(net: Net) -> None:
    path = net.fetch()
    assert path.read_bytes() == FILM
    assert (net.left(), len(path.name)) == ([path], 40)
    assert net.fetch() == path
    assert (path.stat().st_mode & 0o777, net.folder.stat().st_mode & 0o777) == (0o600, 0o700)


def test_the_server_hears_what_it_needs_and_no_more(
    net: Net, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".netrc").write_text("machine films.example login nobody password geheim\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "HTTP_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    net.fetch("https://films.example:8443/ü%20b?x=1#t=3")
    ((request, *headers),) = net.server.asked
    assert request == "GET /%C3%BC%20b?x=1 HTTP/1.1"
    assert sorted(line.partition(":")[0] for line in headers) == [
        *("Accept-Encoding", "Host", "User-Agent")
    ]
    assert {"Host: films.example:8443", "Accept-Encoding: identity"} <= set(headers)
    assert net.wire.connected == [(PUBLIC, 8443)]


def test_the_wire_is_encrypted_and_the_name_is_checked(net: Net) -> None:
    net.fetch()
    ((name, context),) = net.wire.encrypted
    assert name == "films.example"
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED


def test_a_server_that_cannot_encrypt_is_refused(net: Net, monkeypatch: pytest.MonkeyPatch) -> None:
    """With nothing left out: only the address is led to this machine."""
    monkeypatch.setattr(Plain, "start_tls", lambda self, *given: self.stream.start_tls(*given))
    refused(ServiceError, net.fetch, "SSL")
    assert net.left() == []


@pytest.mark.parametrize(
    ("status", "error"),
    [
        ("404 Not Found", VideoNotFoundError),
        ("401 Unauthorized", VideoNotFoundError),
        ("206 Partial Content", VideoNotFoundError),
        ("304 Not Modified", VideoNotFoundError),
        ("429 Too Many Requests", ServiceError),
        ("503 Unavailable", ServiceError),
    ],
)
def test_what_the_server_says_instead(net: Net, status: str, error: type[Exception]) -> None:
    net.server.script = lambda talk: talk.say(status, b"no")
    message = refused(error, net.fetch, f"says {status[:3]}")
    assert "'https://films.example/a/talk.mp4'" in message
    assert net.left() == []


@pytest.mark.parametrize(
    "words",
    [
        b"",
        b"HTTP/1.1 200\r\n\x00\xff: \n\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 40_000,
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this",
        b"HTTP/1.1 302 Found\r\nLocation: https://[\r\nContent-Length: 0\r\n\r\n",
    ],
    ids=["nothing", "zero", "ssh", "headers", "length", "chunks", "short", "nowhere"],
)
def test_a_server_that_talks_nonsense(net: Net, words: bytes) -> None:
    net.server.script = lambda talk: talk.wfile.write(words)
    refused((ServiceError, VideoNotFoundError), net.fetch)  # type: ignore[arg-type]
    assert net.left() == []


# Who may be asked

INSIDE = [
    *(
        "127.0.0.1",
        "127.8.9.1",
        "0.0.0.0",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
    ),
    *(
        "100.64.0.1",
        "192.0.0.1",
        "192.0.2.1",
        "198.18.0.1",
        "203.0.113.9",
        "224.0.0.1",
        "240.0.0.1",
    ),
    *("255.255.255.255", "::", "::1", "fe80::1", "fe80::1%lo", "fc00::1", "fd12::1", "fec0::1"),
    *("ff02::1", "2001:db8::1", "100::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1"),
    *("64:ff9b::7f00:1", "64:ff9b::a00:1", "64:ff9b:1::1", "2002:7f00:1::", "2001:0:7f00:1::"),
]
OUTSIDE = [PUBLIC, "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]


@pytest.mark.parametrize("address", INSIDE)
def test_no_connection_to_the_inside(net: Net, address: str) -> None:
    assert not is_public(address)
    net.names["films.example"] = [PUBLIC, address]
    refused(VideoNotFoundError, net.fetch, "no public network")
    assert (net.wire.connected, net.left()) == ([], [])


@pytest.mark.parametrize("address", OUTSIDE)
def test_connections_to_the_outside(net: Net, address: str) -> None:
    assert is_public(address)
    net.names["films.example"] = [address]
    net.fetch()
    assert net.wire.connected == [(address, 443)]


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "0x7f.1", "[::1]", "[::ffff:7f00:1]"])
def test_addresses_in_figures_are_judged_like_names(net: Net, host: str) -> None:
    def ask() -> Path:
        url = f"https://{host}/a.mp4"
        return fetch(url, net.folder, Allowed(), resolve=look_up, beneath=net.wire)

    refused(VideoNotFoundError, ask)
    assert net.wire.connected == []


def test_a_name_is_looked_up_once_and_then_pinned(net: Net) -> None:
    """The trick called DNS rebinding: public when judged, private when called."""
    answers = iter([[PUBLIC], ["127.0.0.1"]])
    fetch(URL, net.folder, Allowed(), resolve=lambda _: next(answers), beneath=net.wire)
    assert net.wire.connected == [(PUBLIC, 443)]
    assert next(answers) == ["127.0.0.1"], "nobody asked again"


def test_the_next_address_is_tried_when_one_is_dead(net: Net) -> None:
    net.names["films.example"] = ["2606:4700::1111", PUBLIC, PUBLIC]
    net.wire.dead = ("2606:4700::1111",)
    net.fetch()
    net.wire.dead = ("2606:4700::1111", PUBLIC)
    refused(ServiceError, net.fetch, "refused")
    assert [host for host, _ in net.wire.connected] == ["2606:4700::1111", PUBLIC] * 2


def test_a_name_that_means_nothing(net: Net) -> None:
    def unknown(host: str) -> list[str]:
        raise socket.gaierror(-2, "Name or service not known")

    for resolve in (unknown, lambda _: []):
        with pytest.raises((ServiceError, VideoNotFoundError)):
            fetch(URL, net.folder, Allowed(), resolve=resolve, beneath=net.wire)
    assert net.wire.connected == []


# Redirects


def test_redirects_are_followed(net: Net) -> None:
    net.names["other.example"] = ["8.8.8.8"]
    net.answers(
        a=moved("b"),
        b=moved("/c", "307 Temporary Redirect"),
        c=moved("https://other.example/d", "301 Moved Permanently"),
        d=lambda talk: talk.say("200 OK", FILM),
    )
    assert net.fetch("https://films.example/a").read_bytes() == FILM
    assert net.server.paths == ["/a", "/b", "/c", "/d"]
    assert net.wire.connected == [(PUBLIC, 443)] * 3 + [("8.8.8.8", 443)]


@pytest.mark.parametrize(
    "to",
    [
        "https://inside.example/b",
        "https://127.0.0.1/b",
        "//inside.example/b",
        "http://films.example/b",
        "file:///etc/hosts",
        "https://nobody:geheim@films.example/b",
        "",
    ],
)
def test_every_redirect_is_judged_again(net: Net, to: str) -> None:
    net.names |= {"inside.example": ["10.0.0.1"], "127.0.0.1": ["127.0.0.1"]}
    net.answers(a=moved(to), b=lambda talk: talk.say("200 OK", FILM))
    refused(VideoNotFoundError, lambda: net.fetch("https://films.example/a"))
    assert "/b" not in net.server.paths
    assert net.left() == []


def test_going_round_in_circles_ends(net: Net) -> None:
    net.answers(a=moved("/a?token=geheim"), **{"a?token=geheim": moved("/a")})
    refused(VideoNotFoundError, lambda: net.fetch("https://films.example/a"), "again and again")
    assert len(net.server.asked) == 6


# How much and how long


def test_a_promise_of_too_much_is_refused_at_once(net: Net) -> None:
    net.server.script = lambda talk: talk.say("200 OK", FILM, length=10**15)
    refused(VideoTooLargeError, net.fetch, r"more than 1000000 bytes.*max_download")
    assert not net.folder.exists()


def test_too_much_without_a_promise_is_cut(net: Net) -> None:
    def pour(talk: Talk) -> None:
        talk.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            talk.wfile.write(b"8000\r\n" + bytes(0x8000) + b"\r\n")

    net.server.script = pour
    refused(VideoTooLargeError, net.fetch, "max_download")
    assert net.left() == []
    assert net.server.hung_up.wait(5), "and the line is dropped"


def test_exactly_as_much_as_allowed_is_fine(net: Net) -> None:
    assert net.fetch(max_download=len(FILM)).stat().st_size == len(FILM)
    refused(VideoTooLargeError, lambda: net.fetch(max_download=len(FILM) - 1))


def dripping(words: bytes, drops: bytes) -> Script:
    def drip(talk: Talk) -> None:
        talk.wfile.write(words)
        while True:
            talk.wfile.write(drops)
            time.sleep(0.02)

    return drip


@pytest.mark.parametrize(
    "script",
    [
        dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"."),
        dripping(b"HTTP/1.1 200 OK\r\n", b"a: b\r\n"),
        dripping(b"HTTP/1.1 ", b"2"),
        lambda talk: talk.server.hung_up.wait(20),
    ],
    ids=["body", "headers", "status", "silence"],
)
def test_a_server_that_drips_is_cut(net: Net, script: Script) -> None:
    net.server.script = script
    began = time.monotonic()
    refused(ServiceError, lambda: net.fetch(download_seconds=0.6), r"longer than 0\.6 s")
    assert 0.5 < time.monotonic() - began < 3
    assert net.left() == []
    net.server.hung_up.set()


def test_a_server_that_falls_silent_is_left(net: Net, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vmr_agent.wire.SILENCE", 0.3)
    net.server.script = lambda talk: talk.server.hung_up.wait(20)
    refused(ServiceError, net.fetch, r"nothing for 0\.3 s")
    assert net.left() == []
    net.server.hung_up.set()


def test_a_resolver_that_sleeps_is_not_waited_for(net: Net) -> None:
    woken = threading.Event()

    def sleep(host: str) -> list[str]:
        woken.wait(20)
        return [PUBLIC]

    began = time.monotonic()
    with pytest.raises(ServiceError, match=r"longer than 0\.3 s"):
        fetch(URL, net.folder, Allowed(download_seconds=0.3), resolve=sleep, beneath=net.wire)
    assert time.monotonic() - began < 3
    woken.set()


# The folder


def test_a_folder_that_cannot_be_written(net: Net) -> None:
    net.folder.write_text("a file")
    refused(ShelfError, net.fetch, "VMR_HOME")
    assert net.folder.read_text() == "a file"


def test_parts_of_the_dead_are_swept_those_of_the_living_are_not(net: Net) -> None:
    net.folder.mkdir()
    old, new = net.folder / "old.part", net.folder / "new.part"
    for part in (old, new):
        part.touch()
    os.utime(old, (time.time() - 100_000,) * 2)
    path = net.fetch()
    assert sorted(net.left()) == sorted([new, path])


def test_stopping_half_way_leaves_nothing(net: Net, monkeypatch: pytest.MonkeyPatch) -> None:
    class Stopped:
        def update(self, chunk: bytes) -> None:
            raise KeyboardInterrupt

    monkeypatch.setattr("vmr_agent.fetch.hashlib.blake2b", lambda **_: Stopped())
    with pytest.raises(KeyboardInterrupt):
        net.fetch()
    assert net.left() == []
