"""The wire to other machines: whom it may reach, and for how long. Only ``fetch`` uses it.

    with answer("https://example.org/talk.mp4", seconds=600) as (size, chunks):
        for chunk in chunks:
            keep(chunk)

Whom a name means is looked up here, judged here and connected to here, and so at every redirect: no
name can mean one machine when it is judged and another when it is called. httpcore, the half of
httpx that makes connections, knows no proxies, no netrc, no cookies, and follows no redirect.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager, contextmanager
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from socket import SOCK_STREAM, getaddrinfo
from threading import Thread
from typing import Any

import httpcore
import httpx

from vmr_agent import __version__
from vmr_agent.errors import ServiceError, VideoNotFoundError

Resolve = Callable[[str], list[str]]
"""The addresses that a host's name means."""

SILENCE = 30.0
"""Seconds without a word after which a server has gone; longer than any sound one thinks."""
HOPS = 6
"""Requests for one film: five redirects are plenty, browsers give up at twenty."""
_MOVED = (301, 302, 303, 307, 308)
_PUBLIC = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")
_HEADERS = (("User-Agent", f"vmr_agent/{__version__}"), ("Accept-Encoding", "identity"))


def look_up(host: str) -> list[str]:
    """The addresses of a host, as this machine's resolver knows them."""
    return [str(found[4][0]) for found in getaddrinfo(host, None, type=SOCK_STREAM)]


def is_public(address: str) -> bool:
    """Whether it belongs to the open internet: nothing private, local, reserved or multicast."""
    found = _carried(ip_address(address))
    fit = found.version == 4 or found in _PUBLIC
    return fit and found.is_global and not (found.is_multicast or found.is_reserved)


def shown(url: httpx.URL) -> str:
    """The address as messages may show it: what may hold a secret is left out."""
    path = url.raw_path.partition(b"?")[0]
    place = url.netloc if b"@" in path else url.netloc + path
    return repr(f"{url.scheme}://{place.decode('ascii', 'replace')}")


@contextmanager
def answer(
    url: str,
    seconds: float,
    resolve: Resolve = look_up,
    beneath: httpcore.NetworkBackend | None = None,
) -> Iterator[tuple[int, Iterable[bytes]]]:
    """(bytes promised or 0, chunks) of what is at the address, all within ``seconds``.

    Raises VideoNotFoundError for what is not there or must not be asked for, ServiceError for a
    server that fails. ``resolve`` and ``beneath`` are the machine's own unless a test gives others.
    """
    guard = _Guard(resolve, beneath or httpcore.SyncBackend(), seconds)
    place = _checked(url)
    with httpcore.ConnectionPool(network_backend=guard) as pool:
        for _ in range(HOPS):
            with guard.explained(place), _asked(pool, place) as response:
                if response.status not in _MOVED:
                    yield _promised(response, place), response.iter_stream()
                    return
                place = _next(response, place)
    raise VideoNotFoundError(f"{shown(place)}: redirected again and again; give its last address")


class _Guard(httpcore.NetworkBackend):
    """Connects to public addresses only, and to nothing for longer than it was given."""

    def __init__(self, resolve: Resolve, beneath: httpcore.NetworkBackend, seconds: float) -> None:
        self._resolve, self._beneath, self._seconds = resolve, beneath, seconds
        self._end = time.monotonic() + seconds

    def left(self, timeout: float | None = None) -> float:
        """Seconds that the next step may take, ``timeout`` at most."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout
        return min(left, SILENCE, timeout or SILENCE)

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """A connection to the first of the host's addresses that answers."""
        addresses = self._addresses(host)
        if not addresses or not all(map(is_public, addresses)):
            raise _PrivateError
        for number, address in enumerate(addresses, 1):
            try:
                stream = self._beneath.connect_tcp(
                    address, port, self.left(timeout), local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if number == len(addresses):
                    raise
            else:
                return _Timed(stream, self.left)
        raise AssertionError("the last address connects or raises")

    @contextmanager
    def explained(self, place: httpx.URL) -> Iterator[None]:
        """Says in one line what went wrong while talking to a place."""
        name = shown(place)
        try:
            yield
        except _PrivateError as error:
            why = "its host is on no public network; download the film yourself"
            raise VideoNotFoundError(f"{name}: {why}") from error
        except httpcore.TimeoutException as error:
            why = f"the server said nothing for {SILENCE:g} s"
            if time.monotonic() >= self._end:
                limit = "raise settings.video.download_seconds"
                why = f"it took longer than {self._seconds:g} s; {limit}"
            raise ServiceError(f"{name}: {why}") from error
        except (httpcore.NetworkError, httpcore.ProtocolError) as error:
            why = " ".join(str(error).split()) or type(error).__name__
            raise ServiceError(
                f"{name}: the server does not answer as it should ({why})"
            ) from error

    def _addresses(self, host: str) -> list[str]:
        """In a thread of its own: a resolver cannot be told how long it may take."""
        found: Future[list[str]] = Future()

        def look() -> None:
            try:
                found.set_result(self._resolve(host))
            except (OSError, ValueError) as error:
                found.set_exception(httpcore.ConnectError(f"no such host: {error}"))

        Thread(target=look, daemon=True).start()
        try:
            return list(dict.fromkeys(found.result(self.left())))
        except TimeoutError as error:
            raise httpcore.ConnectTimeout from error


class _Timed(httpcore.NetworkStream):
    """A connection on which no step, however slowly its bytes drip, outlasts the whole."""

    def __init__(
        self, stream: httpcore.NetworkStream, left: Callable[[float | None], float]
    ) -> None:
        self._stream, self._left = stream, left

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        stream = self._stream.start_tls(ssl_context, server_hostname, self._left(timeout))
        return _Timed(stream, self._left)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _PrivateError(Exception):
    """A host that is on no public network."""


def _carried(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address inside an IPv6 one, where there is one: the packets go there."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _checked(url: str) -> httpx.URL:
    """The address taken apart. Messages show nothing of one that may hold a password."""
    try:
        place = httpx.URL(url)
    except (httpx.InvalidURL, ValueError):
        place = httpx.URL()
    if not place.scheme or (place.port or 0) > 65535:
        raise VideoNotFoundError("the address given cannot be read; give a local file")
    if place.userinfo:
        raise VideoNotFoundError("the address holds a name or a password; download it yourself")
    if place.scheme != "https" or not place.raw_host:
        raise VideoNotFoundError(f"{shown(place)}: only https is fetched; download it yourself")
    return place


def _asked(
    pool: httpcore.ConnectionPool, place: httpx.URL
) -> AbstractContextManager[httpcore.Response]:
    target = httpcore.URL(
        scheme=place.raw_scheme, host=place.raw_host, port=place.port, target=place.raw_path
    )
    return pool.stream("GET", target, headers=[*_HEADERS, ("Host", place.netloc)])


def _next(response: httpcore.Response, place: httpx.URL) -> httpx.URL:
    """Where a redirect leads, judged as the first address was."""
    try:
        return _checked(str(place.join(_header(response, b"location").decode("utf-8", "replace"))))
    except httpx.InvalidURL:
        raise VideoNotFoundError(f"{shown(place)}: redirected to what is no address") from None


def _promised(response: httpcore.Response, place: httpx.URL) -> int:
    """How many bytes a granted request will bring, 0 if the server does not say."""
    said = f"{shown(place)}: the server says {response.status}"
    if response.status == 429 or response.status >= 500:
        raise ServiceError(f"{said}; try again later")
    if response.status != 200:
        raise VideoNotFoundError(f"{said}; give an address that needs no leave")
    length = _header(response, b"content-length")
    return int(length) if length.isdigit() else 0


def _header(response: httpcore.Response, wanted: bytes) -> bytes:
    return next((value for name, value in response.headers if name.lower() == wanted), b"")
