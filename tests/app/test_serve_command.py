"""What ``vmr serve`` says where it cannot serve: one line, before anything heavy is loaded."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest
from processes import one_line, program, vmr

BARE = (
    "import sys\n"
    "for each in ('torch', 'chromadb', 'langgraph'): sys.modules[each] = None"  # would fail
)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["gone.mp4"], "No such file"),
        (["text.mp4"], "is it a whole film?"),
        (["empty.mp4"], "is it a whole film?"),
        (["nothing"], "there is no film in this folder"),
        (["--host", "0.0.0.0"], "VMR_SERVE__TOKEN"),
        (["--host", "example.com"], "VMR_SERVE__TOKEN"),
        (["--host", ""], "serve.host"),
        (["--set", "serve.token=secret"], "16 characters"),
        (["--set", "serve.nothing=1"], "serve.nothing"),
    ],
)
def test_what_cannot_work_is_one_line(tmp_path: Path, words: list[str], says: str) -> None:
    (tmp_path / "nothing").mkdir()
    (tmp_path / "text.mp4").write_text("a text\n" * 99)
    (tmp_path / "empty.mp4").touch()
    run = vmr(tmp_path / "home", "serve", *words, command=program(BARE), cwd=tmp_path)
    assert run.returncode == 2
    assert says in one_line(run)
    assert "secret" not in run.stderr
    assert not (tmp_path / "home" / "uploads").exists()


def test_a_taken_port_is_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        run = vmr(tmp_path, "serve", "--port", str(port), command=program(BARE))
    assert run.returncode == 2
    assert f"port {port} (Address already in use): give another with --port" in one_line(run)


def test_a_missing_extra_is_one_line(tmp_path: Path) -> None:
    hidden = (
        "import importlib.util\n"
        "find = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name: None if name == 'gradio' else find(name)"
    )
    run = vmr(tmp_path, "serve", command=program(hidden))
    assert run.returncode == 3
    assert one_line(run) == "the page needs gradio: pip install 'vmr_agent[app]'"


def test_the_page_is_loaded_by_nobody_else(tmp_path: Path) -> None:
    code = "import sys, vmr_agent.cli.serve; sys.exit('gradio' in sys.modules)"
    assert vmr(tmp_path, command=(sys.executable, "-c", code)).returncode == 0
