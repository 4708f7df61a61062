"""A report for a terminal, or for a pipe."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import isnan, nan

from rich.console import Console
from rich.table import Table
from rich.text import Text

from evals.reporting import content
from evals.reporting.headline import Beside
from evals.reporting.intervals import Estimate
from vmr_agent.show import plain

NONE = "–"
SIGNS = {1: " ▲", -1: " ▼", 0: ""}
"""Beside a difference: its interval lies above zero, below, or neither."""


def show(told: content.Content, console: Console) -> None:
    """Print everything but single samples and provenance: these are on the page."""
    console.print(Text(plain(f"{told.dataset} {told.split}"), style="bold"))
    for warning in told.warnings:
        console.print(Text(f"note: {plain(warning)}", style="yellow"))
    for table in _tables(told):
        console.print()
        console.print(table)


def _tables(told: content.Content) -> Iterable[Table]:
    yield _headline(told)
    if told.matrix:
        yield _matrix(told)
    if any(side.rejection for side in told.sides):
        yield _rejection(told)
    for each in told.breakdown:
        yield _breakdown(each)
    for each in told.beside:
        yield _beside(each, told)
    yield _costs(told)
    if any(side.losses for side in told.sides):
        yield _losses(told)


def _headline(told: content.Content) -> Table:
    table = _table("Headline", ["run", "queries", "films", "coverage", *told.names])
    for side in told.sides:
        found = {each.name: each for each in side.headlines}
        about = [str(side.totals.scored), str(side.totals.videos), f"{side.totals.coverage:.1f} %"]
        both = [found[n].official if n in found else None for n in told.names]
        _row(table, [side.label, *about, *map(estimate, both)])
        if not all(each.same for each in side.headlines):
            strict = [found[n].strict if n in found else None for n in told.names]
            _row(table, ["  strict: empty answers are 0", "", "", "", *map(estimate, strict)])
    return table


def _rejection(told: content.Content) -> Table:
    names = next(list(side.rejection) for side in told.sides if side.rejection)
    table = _table("Present and absent queries together", ["run", *names])
    for side in told.sides:
        _row(table, [side.label, *(f"{side.rejection.get(n, nan):.2f}" for n in names)])
    return table


def _matrix(told: content.Content) -> Table:
    table = _table(
        "Less the first run, on the queries that both have", ["run", "queries", *told.names]
    )
    for side, row in zip(told.sides[1:], told.matrix[1:], strict=True):
        _row(table, [side.label, str(side.shared), *map(difference, row)])
    return table


def _breakdown(each: content.Table) -> Table:
    table = _table(each.name, ["", "queries", *each.figures])
    for row in each.rows:
        _row(
            table, [row.name, str(row.queries), *(estimate(row.estimates[n]) for n in each.figures)]
        )
    return table


def _beside(each: content.Table, told: content.Content) -> Table:
    heads = [side.label for side in told.sides]
    table = _table(f"{each.name}: {told.main}, and less the first run", ["", "queries", *heads])
    for row in each.rows:
        cells = [row.estimates.get(str(n)) for n in range(len(heads))]
        _row(table, [row.name, str(row.queries), estimate(cells[0]), *map(signed, cells[1:])])
    return table


def _costs(told: content.Content) -> Table:
    heads = ["run", "seconds", "median", "95 %", "US $", "calls", "tokens", "pictures"]
    table = _table("Cost of a query", heads)
    for each in (side.spent for side in told.sides):
        money = "not known" if each.money is None else f"{each.money:.4f}"
        seconds = [f"{value:.2f}" for value in (each.seconds, each.median, each.late)]
        asked = [f"{value:.1f}" for value in (each.calls, each.tokens, each.images)]
        _row(table, [each.name, *seconds, money, *asked])
    return table


def _losses(told: content.Content) -> Table:
    table = _table("Where right answers were lost", ["run", "room", "lost", "share", "still there"])
    for side in told.sides:
        for each in side.losses:
            shares = [f"{100 * share:.1f} %" for share in (each.share, each.left)]
            _row(table, [side.label, each.room, str(each.lost), *shares])
    return table


def estimate(found: Estimate | None) -> str:
    """``61.29 (57.1–65.2)``."""
    if found is None or isnan(found.value):
        return NONE
    return f"{found.value:.2f}" + (
        "" if isnan(found.low) else f" ({found.low:.1f}–{found.high:.1f})"
    )


def signed(found: Estimate | None) -> str:
    """``+3.10 (+0.4 to +5.9) ▲``."""
    if found is None or isnan(found.value):
        return NONE
    sure = int(found.low > 0) - int(found.high < 0)
    between = "" if isnan(found.low) else f" ({found.low:+.1f} to {found.high:+.1f})"
    return f"{found.value:+.2f}{between}{SIGNS[sure]}"


def difference(each: Beside) -> str:
    """Of a run less the first."""
    return signed(each.apart)


def _table(title: str, heads: Sequence[str]) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for number, head in enumerate(heads):
        right = number > 0 and head != "room"
        table.add_column(Text(plain(head)), justify="right" if right else "left", overflow="fold")
    return table


def _row(table: Table, cells: Sequence[str]) -> None:
    # Text, never markup.
    table.add_row(*(Text(plain(cell)) for cell in cells))
