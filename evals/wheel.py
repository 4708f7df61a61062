"""The wheel as users get it: built, looked into, installed in a clean environment, and used there.

    python -m evals.wheel        # what was found, as JSON; exit code 1 where something is wrong

The environment is outside the checkout and has nothing of it but the wheel; torch and the rest of
what the wheel asks for, 8 GB, are taken from the environment that this runs in.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import tempfile
import venv
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any
from zipfile import ZipFile

from vmr_agent.testing import colour_film

ROOT = Path(__file__).parents[1]
MOST = 5_000_000  # bytes
NEEDED = (
    "vmr_agent/py.typed",
    "vmr_agent/nothing.txt",
    "vmr_agent/_demo/demo_film.mp4",
    "vmr_agent/_demo/demo_film.json",
    "vmr_agent/_demo/CREDITS.md",
    "vmr_agent/grounding/weights/agent/weights.safetensors",
    "vmr_agent/grounding/weights/agent/card.json",
    "vmr_agent/grounding/weights/detector/weights.safetensors",
    "vmr_agent/display/templates/page.html",
    "vmr_agent/display/templates/parts.html",
    "vmr_agent/display/templates/page.css",
    "vmr_agent/display/templates/page.js",
    "vmr_agent/app/page.css",
    "vmr_agent/app/page.js",
    "licenses/LICENSE",
    "entry_points.txt",
)
"""Ends of names that a wheel must have, beside every prompt and every module."""
USER = '''"""What somebody writes who uses the public names."""

from vmr_agent import Moment, RunReport, Settings, Span, VMRAgent, VmrError
from vmr_agent.settings import from_environment


def best(film: str, query: str) -> Span | None:
    agent = VMRAgent(Settings(profile="lean"))
    try:
        report: RunReport = agent.run(film, query)
    except VmrError as error:
        raise SystemExit(error.exit_code) from error
    first: Moment | None = next(iter(report.moments), None)
    return first.span if first else None


home = from_environment().home
'''
WRONG = USER + "\n\nbest(1, 2).upper()\n"


def wanting(names: Iterable[str]) -> list[str]:
    """What is wrong with the list of a wheel's files: missing, or not a user's business."""
    names = list(names)
    prompts = [f"vmr_agent/_prompts/{path.name}" for path in (ROOT / "prompts").glob("*.md")]
    modules = [path.relative_to(ROOT).as_posix() for path in (ROOT / "vmr_agent").rglob("*.py")]
    missing = [
        end for end in (*NEEDED, *prompts, *modules) if not any(n.endswith(end) for n in names)
    ]
    tops = ("vmr_agent/", "vmr_agent-")
    foreign = [name for name in names if not name.startswith(tops) or _foreign(name)]
    return [f"lacks {name}" for name in missing] + [f"has {name}" for name in foreign]


def _foreign(name: str) -> bool:
    parts = set(PurePosixPath(name).parts)
    return bool(parts & {"tests", "evals", "__pycache__", ".vmr"}) or name.endswith(".pyc")


def build(folder: Path) -> tuple[Path, Path]:
    """(sdist, wheel), the wheel made from the sdist, as ``python -m build`` does."""
    _run(sys.executable, "-m", "build", "--outdir", str(folder), str(ROOT), cwd=folder)
    (sdist,), (wheel,) = folder.glob("*.tar.gz"), folder.glob("*.whl")
    return sdist, wheel


def installed(wheel: Path, folder: Path) -> Path:
    """The programs' folder of a clean environment that has the wheel."""
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    _run(python, "-m", "pip", "install", "-q", "--no-deps", "--no-index", str(wheel), cwd=folder)
    place = _run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder)
    # A folder named in a .pth file is searched, but .pth files in it are not: no editable install
    # of the checkout comes with it.
    stack = sysconfig.get_path("purelib")
    Path(place.strip(), "stack.pth").write_text(f"{stack}\n", encoding="utf-8")
    return folder / "bin"


def used(programs: Path, folder: Path) -> dict[str, Any]:
    """What came of everything that a new user tries."""
    vmr, python = programs / "vmr", programs / "python"
    film = colour_film(folder)
    place = _run(python, "-c", "import vmr_agent; print(vmr_agent.__file__)", cwd=folder)
    report = json.loads(_run(vmr, "find", film, "red", "--json", cwd=folder, codes=(0, 1)))
    doctor = json.loads(_run(vmr, "doctor", "--json", cwd=folder, codes=(0, 3)))
    demo = json.loads(_run(vmr, "demo", "--json", cwd=folder))
    told = _run(vmr, "eval", "run", cwd=folder, codes=(3,), stderr=True)
    return {
        "version": _run(vmr, "--version", cwd=folder).strip(),
        "imported from the wheel": Path(place.strip()).is_relative_to(programs.parent),
        "find": report["status"],
        "doctor": [f["name"] for f in doctor["findings"] if f["state"] == "bad"] or "healthy",
        "demo": f"{demo['right']} of {demo['asked']}",
        "eval": told.strip(),
        "types": {"right": _typed(python, folder, USER), "wrong": _typed(python, folder, WRONG)},
    }


def _typed(python: Path, folder: Path, source: str) -> int:
    """How many errors mypy finds in it, strictly, with the package as it is installed there."""
    (folder / "user.py").write_text(source, encoding="utf-8")
    words = ("-m", "mypy", "--strict", "--python-executable", str(python), "user.py")
    told = _run(sys.executable, *words, cwd=folder, codes=(0, 1))
    return sum("user.py:" in line and ": error:" in line for line in told.splitlines())


def _run(*words: str | Path, cwd: Path, codes: tuple[int, ...] = (0,), stderr: bool = False) -> str:
    """What it printed; ends everything where it ends otherwise than it should."""
    ours = ("VMR_", "PYTHONPATH", "OPENAI_")
    bare = {key: each for key, each in os.environ.items() if not key.startswith(ours)}
    told = subprocess.run(
        [str(word) for word in words],
        cwd=cwd,
        env={**bare, "VMR_HOME": str(cwd / "home"), "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if told.returncode not in codes:
        sys.exit(f"evals.wheel: {words[:3]} ended with {told.returncode}\n{told.stderr[-3000:]}")
    return told.stderr if stderr else told.stdout


def wheel() -> dict[str, Any]:
    """Everything, in a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for name in ("dist", "user"):
            (folder / name).mkdir()
        sdist, made = build(folder / "dist")
        names = ZipFile(made).namelist()
        sizes = {"sdist": sdist.stat().st_size, "wheel": made.stat().st_size}
        found = used(installed(made, folder / "venv"), folder / "user")
    return {"bytes": sizes, "files": len(names), "wrong with it": wanting(names), **found}


def well(found: dict[str, Any]) -> bool:
    """Whether it is what users should get."""
    right, asked = found["demo"].split(" of ")
    return (
        found["bytes"]["wheel"] < MOST
        and not found["wrong with it"]
        and found["imported from the wheel"]
        and found["doctor"] == "healthy"
        and right == asked
        and found["eval"].startswith("vmr: the evaluations are not in the wheel: clone ")
        and found["types"]["right"] == 0 < found["types"]["wrong"]
    )


if __name__ == "__main__":
    told = wheel()
    sys.stdout.write(json.dumps(told, indent=1) + "\n")
    sys.exit(not well(told))
