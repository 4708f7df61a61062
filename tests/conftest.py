"""What all tests share: no network, one place for unpacked weights, the colour film."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from filelock import FileLock

from vmr_agent.threads import ONE

# As vmr has it: beside each other, with a thread for every core, tests wait for each other's.
os.environ.update({**ONE, **os.environ})  # before numpy is imported

from vmr_agent import Settings, VMRAgent
from vmr_agent.testing import colour_film

# A busy machine is no fault of ours: no example fails for having taken long.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")
REPOSITORY = Path(__file__).parents[1]
os.environ["HF_HUB_OFFLINE"] = "1"


EARLY = (
    *("test_doc_blocks", "test_cli_train", "test_run_jobs", "test_cli_index", "test_hostile"),
    *("test_chat_rooms", "test_cli_mishaps", "test_cli_examples", "test_mcp_process"),
    *("test_cli", "test_tracing", "test_pieces", "test_signals", "test_reindex", "test_trust"),
)
"""Files that take longest: begun first, or at the end one worker is at them and three are idle."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files in the order in which workers take them."""
    order = {name: number for number, name in enumerate(EARLY)}
    items.sort(key=lambda item: order.get(item.path.stem, len(order)))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Comparisons with others' files that were left out are not passed over in silence."""
    skipped = (report.longrepr for report in terminalreporter.stats.get("skipped", []))
    reasons = {str(told[2]) for told in skipped if isinstance(told, tuple)}
    for reason in sorted(each for each in reasons if "NOT COMPARED" in each):
        terminalreporter.write_line(reason.removeprefix("Skipped: "), yellow=True, bold=True)


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


@pytest.fixture
def decoders(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Grows by one whenever a process is started to decode a film; ``.args`` says what for."""
    started: list[Any] = []
    start = subprocess.Popen

    def watched(*args: Any, **options: Any) -> Any:
        started.append(start(*args, **options))
        return started[-1]

    monkeypatch.setattr("vmr_agent.playback.subprocess.Popen", watched)
    return started


@pytest.fixture(scope="session")
def weights_home() -> Path:
    """Where packaged weights are unpacked once for all test runs."""
    return Path(os.environ.get("VMR_HOME") or REPOSITORY / ".vmr").absolute()


@pytest.fixture(scope="session")
def new_home(weights_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Unpacked weights and an empty shelf: what tests find there was made by today's code."""
    (weights_home / "weights").mkdir(parents=True, exist_ok=True)
    home = tmp_path_factory.mktemp("home")
    (home / "weights").symlink_to(weights_home / "weights")
    return home


@pytest.fixture(scope="session")
def demo_film() -> Path:
    """131 s of photographs with a narrator; ``demo_film.json`` beside it says what is when."""
    return REPOSITORY / "evals" / "demo" / "demo_film.mp4"


@pytest.fixture(scope="session")
def looked_at(
    weights_home: Path, demo_film: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A home in which today's code has looked at the demo film: once, for all workers."""
    mine = tmp_path_factory.getbasetemp()
    home = (mine.parent if "PYTEST_XDIST_WORKER" in os.environ else mine) / "looked-at"
    with FileLock(home.with_suffix(".lock")):
        if not (home / "whole").exists():
            home.mkdir(exist_ok=True)
            (home / "weights").symlink_to(weights_home / "weights")
            VMRAgent(Settings(home=home)).index(demo_film)
            (home / "whole").touch()
    return home


@pytest.fixture(scope="session")
def demo_agent(new_home: Path, looked_at: Path) -> VMRAgent:
    """The agent as users have it, with its packaged models; shared, for loading them is slow. The
    demo film lies on its shelf."""
    for part in ("shelf", "prints"):
        shutil.copytree(looked_at / part, new_home / part, dirs_exist_ok=True)
    return VMRAgent(Settings(home=new_home))


@pytest.fixture(scope="session")
def colours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The colour film."""
    return colour_film(tmp_path_factory.mktemp("film"))
