"""Progress in notebooks and programs: bars where they are asked for, nothing where they are not."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from vmr_agent import VMRAgent, bars
from vmr_agent.bars import STAGES, Bars, watcher
from vmr_agent.cli import board
from vmr_agent.events import Progress, Visit
from vmr_agent.report import RunReport
from vmr_agent.testing import colour_toolbox


def test_every_room_that_is_waited_for_has_a_bar_and_none_is_left(
    colours: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    shown = Bars()
    seen: set[str] = set()
    waited: set[str] = set()

    def watch(event: Progress) -> None:
        shown.watch(event)
        seen.update(room for _, room in shown._bars)
        if event.room in STAGES and event.done < event.total:
            waited.add(event.room)

    VMRAgent(toolbox=colour_toolbox(tmp_path), progress=watch).run(colours, "the red one")
    assert seen == waited
    assert {"detect_shots", "embed_frames", "index_video"} <= seen
    assert shown._bars == {}
    err = capfd.readouterr().err
    for room in seen:
        assert f"colours.mp4: {STAGES[room]}:" in err


def test_a_film_on_the_shelf_has_no_bars(
    colours: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    VMRAgent(toolbox=colour_toolbox(tmp_path), progress=False).index(colours)
    VMRAgent(toolbox=colour_toolbox(tmp_path), progress=True).run(colours, "the red one")
    assert capfd.readouterr().err == ""


def test_nothing_is_printed_unless_it_is_asked_for(
    colours: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    VMRAgent(toolbox=colour_toolbox(tmp_path / "a")).index(colours)
    VMRAgent(toolbox=colour_toolbox(tmp_path / "b"), progress=False).index(colours)
    assert capfd.readouterr() == ("", "")
    VMRAgent(toolbox=colour_toolbox(tmp_path / "c"), progress=True).index(colours)
    out, err = capfd.readouterr()
    assert out == ""
    assert "describe picture" in err


def test_a_notebook_has_bars_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    assert watcher(None) is None
    kernel = ModuleType("IPython")
    kernel.get_ipython = lambda: SimpleNamespace(config={"IPKernelApp": {}})  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", kernel)
    assert watcher(None) is not None
    assert watcher(False) is None
    monkeypatch.setattr(kernel, "get_ipython", lambda: SimpleNamespace(config={}))
    assert watcher(None) is None  # IPython in a terminal
    assert watcher(print) is print


def test_a_name_is_short_and_gives_a_terminal_no_orders(capfd: pytest.CaptureFixture[str]) -> None:
    shown = Bars()
    shown.watch(Progress("listen", 1.0, 2.0, f"/films/{'x' * 80}\x1b[31m.mp4"))
    shown.watch(Progress("listen", 1.0, 0.0, "/films/unknown.mp4"))
    shown.watch(Progress("verify", 1.0, 2.0, "/films/quick.mp4"))
    assert len(shown._bars) == 1
    for bar in shown._bars.values():
        bar.close()
    err = capfd.readouterr().err
    assert "xxx…: listen" in err
    assert "\x1b[31m" not in err


def test_the_terminal_is_told_the_same_names() -> None:
    assert board.STAGES is bars.STAGES


def test_a_stream_is_of_typed_events(colours: Path, tmp_path: Path) -> None:
    events = [*VMRAgent(toolbox=colour_toolbox(tmp_path)).stream(colours, "the red one")]
    assert isinstance(events[-1], RunReport)
    assert {type(event) for event in events[:-1]} == {Progress, Visit}
    rooms = [event.room for event in events if isinstance(event, Visit)]
    assert rooms[-7:] == "understand retrieve filter_relevance caption trim ground verify".split()


@pytest.mark.slow
def test_a_kernel_shows_widgets(tmp_path: Path) -> None:
    nbclient = pytest.importorskip("nbclient")
    nbformat = pytest.importorskip("nbformat")
    code = f"""
    from pathlib import Path
    from vmr_agent import VMRAgent
    from vmr_agent.testing import colour_film, colour_toolbox
    agent = VMRAgent(toolbox=colour_toolbox(Path({str(tmp_path)!r}) / "home"))
    agent.run(colour_film(Path({str(tmp_path)!r})), "the red one")
    """
    cells = [nbformat.v4.new_code_cell(textwrap.dedent(code))]
    notebook = nbformat.v4.new_notebook(cells=cells)
    nbclient.NotebookClient(notebook, timeout=120).execute()
    kinds = {kind for out in notebook.cells[0].outputs for kind in out.get("data", {})}
    assert "application/vnd.jupyter.widget-view+json" in kinds
    assert "text/html" in kinds  # the report
    program = textwrap.dedent(code).replace('"home"', '"other"')
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert (done.stdout, done.stderr) == (b"", b"")
