"""The public names of vmr_agent: which they are, and what their docstrings leave out.

A name is public when it is in ``PUBLIC``. Everything else may change in any version.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from vmr_agent import errors

PUBLIC: dict[str, tuple[str, ...]] = {
    "vmr_agent": (),
    "vmr_agent.errors": (),
    "vmr_agent.settings": (),
    "vmr_agent.chosen": (),
    "vmr_agent.types": (),
    "vmr_agent.report": (),
    "vmr_agent.events": ("Progress", "Visit"),
    "vmr_agent.export": (),
    "vmr_agent.display": (),
    "vmr_agent.panorama": ("Panorama", "gather"),
    "vmr_agent.graph": ("build_graph", "build_answer_graph", "build_index_graph"),
    "vmr_agent.subgraph": ("build_graph",),
    "vmr_agent.toolbox": ("Toolbox", "build_toolbox"),
    "vmr_agent.protocols": (),
    "vmr_agent.testing": (),
    "vmr_agent.demo": (),
    "vmr_agent.metrics.scoring": (),
    "vmr_agent.metrics.reading": (),
    "vmr_agent.metrics.joining": (),
    "vmr_agent.metrics.lint": ("findings", "constant"),
    "vmr_agent.metrics.bootstrap": (),
}
"""Modules, with those of their names that are meant; all that have no underscore where none are."""
SHAPE = re.compile(r"\(([A-Z]|\d+),( ([A-Z]|\d+|\d \+ [A-Z]),?)*\)")
"""``(N, D)``, ``(T,)``, ``(H, W, 3)``."""
OWN = {name for name, kind in vars(errors).items() if inspect.isclass(kind)}


class Name(NamedTuple):
    """A public name."""

    module: str
    name: str
    told: str
    """The first sentence of its docstring, or of the text below it for a value."""


def names() -> Iterator[Name]:
    """All of them, module by module."""
    for place, meant in PUBLIC.items():
        module = import_module(place)
        listed = meant or tuple(getattr(module, "__all__", ())) or _defined(module)
        for name in listed:
            thing = getattr(module, name)
            own = inspect.isclass(thing) or inspect.isfunction(thing)
            told = (inspect.getdoc(thing) or "") if own else "A value."
            yield Name(place, name, told.partition("\n\n")[0].replace("\n", " "))


def _defined(module: Any) -> tuple[str, ...]:
    """Classes and functions of a module, and those that it passes on by name."""
    tree = ast.parse(inspect.getsource(module))
    own = [n.name for n in tree.body if isinstance(n, ast.ClassDef | ast.FunctionDef)]
    passed = [
        alias.asname
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.asname == alias.name
    ]
    return tuple(name for name in [*passed, *own] if not name.startswith("_"))


def untold() -> Iterator[str]:
    """Public functions and methods that raise an error of ours of which their docstring is silent.

    Followed are functions of the same module, and what a class does by itself.
    """
    for place in PUBLIC:
        listed = {each.name for each in names() if each.module == place}
        module = import_module(place)
        for name in sorted(listed):
            thing = getattr(module, name)
            if not (inspect.isclass(thing) or inspect.isfunction(thing)):
                continue
            source = Path(inspect.getsourcefile(thing) or "")
            yield from _silent(ast.parse(source.read_text(encoding="utf-8")), name, place)


def shapeless() -> Iterator[str]:
    """Public functions and methods that take or give arrays and do not say of what shape."""
    for each in names():
        thing = getattr(import_module(each.module), each.name)
        about = inspect.getdoc(thing) or ""
        functions = vars(thing) if inspect.isclass(thing) else {"": thing}
        for name, function in functions.items():
            if not inspect.isfunction(function) or name.startswith("_"):
                continue
            given = " ".join(map(str, function.__annotations__.values()))
            told = about + (inspect.getdoc(function) or "")
            if re.search(r"\b(Array|Image)\b", given) and not SHAPE.search(told):
                yield f"{each.module}.{each.name}.{name}".rstrip(".")


def _silent(tree: ast.Module, name: str, place: str) -> Iterator[str]:
    bodies = {n.name: n for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef)}
    found = bodies.get(name)
    if isinstance(found, ast.FunctionDef):
        yield from _lacking(found, bodies, "", f"{place}.{name}")
    if isinstance(found, ast.ClassDef):
        methods = {n.name: n for n in found.body if isinstance(n, ast.FunctionDef)}
        about = ast.get_docstring(found) or ""
        for method in methods.values():
            if not method.name.startswith("_") or method.name == "__init__":
                label = f"{place}.{name}.{method.name}"
                yield from _lacking(method, {**bodies, **methods}, about, label)


def _lacking(
    function: ast.FunctionDef, near: dict[str, Any], about: str, label: str
) -> Iterator[str]:
    told = about + (ast.get_docstring(function) or "")
    for error in sorted(_raised(function, near, set())):
        kinds = {kind.__name__ for kind in getattr(errors, error).__mro__}
        if not any(kind in told for kind in kinds & OWN - {"VmrError"}):
            yield f"{label} raises {error}"


def _raised(function: ast.AST, near: dict[str, Any], seen: set[str]) -> set[str]:
    """Errors of ours that are raised in it and in functions nearby that it calls."""
    found = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            found.add(getattr(node.exc.func, "id", ""))
        if isinstance(node, ast.Call):
            called = getattr(node.func, "id", "") or _of_self(node.func)
            if isinstance(near.get(called), ast.FunctionDef) and called not in seen:
                seen.add(called)
                found |= _raised(near[called], near, seen)
    return found & OWN


def _of_self(function: ast.expr) -> str:
    """``name`` of ``self.name(…)``."""
    own = isinstance(function, ast.Attribute) and getattr(function.value, "id", "") == "self"
    return function.attr if own and isinstance(function, ast.Attribute) else ""
