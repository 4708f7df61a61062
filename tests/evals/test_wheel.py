"""What a wheel must have and must not; the wheel itself is built in ``make prove``."""

from evals.wheel import NEEDED, ROOT, wanting, well

WHOLE = [
    *(name if name.startswith("vmr_agent") else f"vmr_agent-1.dist-info/{name}" for name in NEEDED),
    *(f"vmr_agent/_prompts/{path.name}" for path in (ROOT / "prompts").glob("*.md")),
    *(path.relative_to(ROOT).as_posix() for path in (ROOT / "vmr_agent").rglob("*.py")),
]
FOUND = {
    "bytes": {"wheel": 3_000_000},
    "wrong with it": [],
    "imported from the wheel": True,
    "doctor": "healthy",
    "demo": "11 of 11",
    "eval": "vmr: the evaluations are not in the wheel: clone …",
    "types": {"right": 0, "wrong": 2},
}


def test_a_whole_wheel_lacks_nothing() -> None:
    assert wanting(WHOLE) == []


def test_what_is_missing_or_foreign_is_named() -> None:
    less = [name for name in WHOLE if not name.endswith(("py.typed", "caption.v1.md"))]
    assert wanting(less) == ["lacks vmr_agent/py.typed", "lacks vmr_agent/_prompts/caption.v1.md"]
    more = ["tests/test_cli.py", "vmr_agent/tests/x.py", "vmr_agent/x.pyc"]
    assert wanting([*WHOLE, *more]) == [f"has {name}" for name in more]


def test_what_is_found_is_judged() -> None:
    assert well(FOUND)
    for name, other in {
        "bytes": {"wheel": 5_000_000},
        "wrong with it": ["lacks x"],
        "imported from the wheel": False,
        "doctor": ["torch"],
        "demo": "10 of 11",
        "eval": "Traceback",
        "types": {"right": 0, "wrong": 0},
    }.items():
        assert not well({**FOUND, name: other}), name
