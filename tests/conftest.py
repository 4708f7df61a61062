"""What all tests share: no network, one place for unpacked weights, the colour film."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

import pytest

from vmr_agent.testing import colour_film

REPOSITORY = Path(__file__).parents[1]
os.environ["HF_HUB_OFFLINE"] = "1"


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever opens a connection to anything but this machine fails the test."""
    connect = socket.socket.connect

    def refuse(self: socket.socket, address: Any) -> None:
        local = self.family == socket.AF_UNIX or address[0] in ("127.0.0.1", "::1", "localhost")
        if not local:
            raise AssertionError(f"a test reached for the network: {address}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.fixture(scope="session")
def weights_home() -> Path:
    """Where packaged weights are unpacked once for all test runs."""
    return Path(os.environ.get("VMR_HOME") or REPOSITORY / ".vmr").absolute()


@pytest.fixture(scope="session")
def colours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The colour film."""
    return colour_film(tmp_path_factory.mktemp("film"))
