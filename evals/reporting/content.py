"""All that a report says, as numbers and words; how it looks is the page's and the tables' own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from evals.reporting import cases, headline, labels, losses, provenance, slices, spending, trust
from evals.reporting.figures import MEANING, Known, known, scheme
from evals.reporting.runs import Run, shared

CHANGED = "+changes"
"""At the end of a commit that is not all that ran."""
FEW = 10
"""Films from which an interval over films is to be believed."""


class Side(NamedTuple):
    """One of the runs."""

    label: str
    file: str
    shared: int
    """Samples that the first run has too."""
    totals: headline.Totals
    headlines: list[headline.Headline]
    rejection: dict[str, float]
    """Of present and absent queries together; nothing where there are not both."""
    spent: spending.Spent
    rooms: list[spending.Room]
    losses: list[losses.Loss]
    trust: trust.Trust | None
    failures: list[provenance.Failure]
    missing: tuple[tuple[str, ...], int]
    """The first ones, and how many more."""
    written: provenance.Sheet


class Table(NamedTuple):
    """A breakdown."""

    name: str
    figures: list[str]
    """Those that count any query in it."""
    rows: list[slices.Row]


class Content(NamedTuple):
    """A report."""

    dataset: str
    split: str
    names: list[str]
    """Of the figures."""
    meaning: dict[str, str]
    main: str
    """The figure that cost is held against."""
    sides: list[Side]
    warnings: list[str]
    matrix: list[list[headline.Beside]]
    """(runs, figures); nothing of a single run."""
    breakdown: list[Table]
    """Of the first run, all figures."""
    beside: list[Table]
    """Of the main figure, the first run and how far others are from it; nothing of a single run."""
    kinds: list[spending.Spent]
    """Of the first run."""
    worst: list[cases.Case]
    """Of the first run."""
    differing: list[cases.Apart]
    """Of two runs."""
    sheets: list[provenance.Sheet]
    differences: provenance.Sheet
    settings: provenance.Sheet
    """Of the first run."""


def content(runs: Sequence[Run]) -> Content:
    """Of runs of one dataset; all others are held against the first."""
    first, many = runs[0], len(runs) > 1
    plan = scheme(first.dataset)
    knowns = [known(run.samples) for run in runs]
    names = headline.told(knowns[0], plan)
    main = plan.main if plan.main in names else names[0]
    sides = [
        _side(label, run, each, names, main)._replace(shared=len(shared(first, run)[0]))
        for label, run, each in zip(labels.labels(runs), runs, knowns, strict=True)
    ]
    parts = [slices.parts(run, each) for run, each in zip(runs, knowns, strict=True)]
    return Content(
        first.header.dataset.name,
        first.header.dataset.split,
        names,
        {name: MEANING[name] for name in names},
        main,
        sides,
        _warnings(sides, runs),
        headline.matrix(runs, knowns, names) if many else [],
        [_divided(first, by, some, names) for by, some in parts[0].items()],
        _beside(runs, parts, main) if many else [],
        spending.by_kind(first, parts[0].get(slices.BY_KIND, []), main),
        cases.worst(first, knowns[0]),
        cases.differing(first, runs[1], knowns) if len(runs) == 2 else [],
        provenance.sheets(runs),
        provenance.differences([run.header for run in runs]),
        provenance.settings(first.header),
    )


def _divided(run: Run, by: str, some: Sequence[slices.Part], names: Sequence[str]) -> Table:
    held = [name for name in names if any(part.figures[name].strict.any() for part in some)]
    return Table(by, held, slices.rows(run, some, held))


def _beside(runs: Sequence[Run], parts: Sequence[slices.Parts], main: str) -> list[Table]:
    told = [Table(by, [main], slices.apart(runs, parts, by, main)) for by in parts[0]]
    return [table for table in told if table.rows]


def _side(label: str, run: Run, each: Known, names: Sequence[str], main: str) -> Side:
    headlines = headline.headlines(run, each, scheme(run.dataset), names)
    found = next(one.strict for one in headlines if one.name == main)
    return Side(
        label,
        run.path.name,
        len(run.samples),
        headline.totals(run, each),
        headlines,
        headline.rejected(run),
        spending.spent(label, run.samples, found),
        spending.rooms(run.samples),
        losses.losses(run.samples),
        trust.trust(run.samples),
        provenance.failures(run),
        provenance.missing(run.header),
        provenance.written(run),
    )


def _warnings(sides: Sequence[Side], runs: Sequence[Run]) -> list[str]:
    """What makes figures worth less than they look; of each run alone what not all have."""
    told = [_warned(side, run) for side, run in zip(sides, runs, strict=True)]
    common = [warning for warning in told[0] if all(warning in each for each in told)]
    alone = [
        f"{side.label}: {warning}"
        for side, each in zip(sides, told, strict=True)
        for warning in each
        if warning not in common
    ]
    return common + alone


def _warned(side: Side, run: Run) -> list[str]:
    totals, told = side.totals, []
    rest = totals.asked - totals.scored - totals.failed - totals.unlabelled
    if totals.failed:
        told.append(f"Failed samples, in no figure: {totals.failed}.")
    if totals.missing:
        told.append(f"Missing videos of the dataset: {totals.missing}.")
    if rest > 0:
        told.append(f"Queries that were not asked: {rest} of {totals.asked}.")
    if totals.unlabelled:
        told.append(f"Answers without a published truth, in no figure: {totals.unlabelled}.")
    if totals.videos == 1:
        told.append("All is of one film: there are no intervals over films.")
    elif totals.videos < FEW:
        told.append(f"There are but {totals.videos} films: intervals over films are rough.")
    if run.header.commit.endswith(CHANGED):
        told.append("The code had changes that are in no commit.")
    return told
