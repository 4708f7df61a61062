"""What ``vmr score`` prints for people: official figures, strict ones, and how sure they are."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from vmr_agent.metrics.charades import SPLITS, VARIANTS
from vmr_agent.metrics.scoring import ONE_MOMENT

if TYPE_CHECKING:
    from vmr_agent.metrics.bootstrap import Difference, Interval
    from vmr_agent.metrics.scoring import Dataset

WIDTH = 160
Lines = Sequence[tuple[str, ...]]


def page(
    dataset: Dataset,
    found: Mapping[str, Any],
    sure: Mapping[str, Interval],
    change: Mapping[str, Difference],
    queries: int,
    variant: str,
) -> str:
    """Tables: in a terminal as wide as it is, else as wide as they need to be."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDTH, no_color=True, highlight=False)
    split = SPLITS.get(queries) if dataset in ONE_MOMENT else None
    told = f"{dataset}{f', {split}' if split else ''}: {queries} queries, "
    with console.capture() as held:
        console.print(Text(told + f"{found['coverage']:g} % of them answered", style="bold"))
        for table in _tables(dataset, found, sure, change, variant):
            console.print(table)
    return "".join(f"{line.rstrip()}\n" for line in held.get().splitlines())


def _tables(
    dataset: Dataset,
    found: Mapping[str, Any],
    sure: Mapping[str, Interval],
    change: Mapping[str, Difference],
    variant: str,
) -> Iterator[Table | Text]:
    which = f"strict, {variant}" if dataset in ONE_MOMENT else "strict"
    if dataset in ONE_MOMENT:
        yield _variants(found["official"])
    else:
        yield from _side_by_side(dataset, found)
    if sure:
        lines = [(name, *map(_number, (v.value, v.low, v.high))) for name, v in sure.items()]
        yield _table((which, "", "95 % from", "to"), lines)
        yield Text("an empty answer scores 0; videos are drawn, not queries", style="dim")
    if change:
        lines = [
            (name, _number(d.first), _number(d.second), *(f"{part:+.2f}" for part in d.change))
            for name, d in change.items()
        ]
        yield _table((which, "this", "other", "other - this", "95 % from", "to"), lines)


def _side_by_side(dataset: Dataset, found: Mapping[str, Any]) -> Iterator[Table]:
    parts = [(dataset, found["official"], found["strict"])]
    if "qvm2" in found:
        parts.append(("qvm2", found["qvm2"], found["strict"]["qvm2"]))
    for title, official, strict in parts:
        both = (official.get("brief", official), strict.get("brief", strict))
        lines = [(name, *(_number(each[name]) for each in both)) for name in both[0]]
        if lines:
            yield _table((title, "official", "strict"), lines)


def _variants(figures: Mapping[str, Mapping[str, float]]) -> Table:
    names = list(next(iter(figures.values())))
    lines = [
        (name, *(_number(each[figure]) for figure in names), VARIANTS[name].who)
        for name, each in figures.items()
    ]
    return _table(("variant", *names, ""), lines)


def _table(heads: Sequence[str], lines: Lines) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), title="", title_style="")
    for number, head in enumerate(heads):
        widest = max(len(line[number]) for line in lines) if head else None
        table.add_column(head, justify="right" if number and head else "left", min_width=widest)
    for line in lines:
        table.add_row(*line)
    return table


def _number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.2f}"
