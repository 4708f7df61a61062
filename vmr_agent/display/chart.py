"""An answer as a matplotlib figure: made without pyplot, so that nothing global is touched."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

from vmr_agent.errors import MachineError
from vmr_agent.panorama import Panorama, gather
from vmr_agent.report import RunReport
from vmr_agent.show import clock, plain, verdict

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = {"picture": "#2b5fd1", "speech": "#1c7a4c", "text": "#a2510c", "sound": "#7b3fb5"}
MOMENT, TURNED = "#e0a526", "#8a8f98"
WIDE, TALL = 10.0, 1.1  # inches: of the figure, and of each channel
TITLE = 90  # letters


def figure(report: RunReport, panorama: Panorama | None = None) -> Figure:
    """A row for each channel's curve, moments shaded, shots as ticks.

    A notebook draws it by itself; ``savefig`` writes it. Raises MachineError without matplotlib.
    """
    try:
        from matplotlib.figure import Figure
        from matplotlib.ticker import FuncFormatter
    except ImportError as error:
        raise MachineError("plot() needs matplotlib: pip install 'vmr_agent[notebook]'") from error

    class Plot(Figure):
        """Shown by notebooks, whether or not pyplot was imported."""

        def _repr_png_(self) -> bytes:
            buffer = BytesIO()
            self.savefig(buffer, format="png", dpi=110)
            return buffer.getvalue()

    around = gather(report) if panorama is None else panorama
    names: list[str] = [each.channel for each in around.curves] or ["moments"]
    made = Plot(figsize=(WIDE, 1 + TALL * len(names)), layout="constrained")
    rows: Any = made.subplots(len(names), 1, sharex=True, squeeze=False)[:, 0]
    for axes, name in zip(rows, names, strict=True):
        axes.set(ylim=(0, 1.02), xlim=(0, report.video.duration or 1), ylabel=name)
        axes.spines[["top", "right"]].set_visible(False)
        _shade(axes, report)
    for axes, curve in zip(rows, around.curves, strict=False):
        edges = [n * curve.step for n in range(len(curve.values) + 1)]
        axes.stairs(curve.values, edges, fill=True, color=COLOURS[curve.channel], alpha=0.85)
    cuts = [shot.span.start for shot in around.shots[1:]]
    rows[-1].vlines(cuts, -0.09, -0.01, color="#5c646e", lw=0.8, clip_on=False)
    rows[-1].xaxis.set_major_formatter(FuncFormatter(lambda x, _: clock(x).partition(".")[0]))
    title = plain(verdict(report))[:TITLE]
    made.suptitle(title, ha="left", x=0.01, size=11, parse_math=False)
    return made


def _shade(axes: Axes, report: RunReport) -> None:
    nearest = [report.rejected] if report.rejected and not report.moments else []
    for moment in report.moments:
        axes.axvspan(moment.span.start, moment.span.end, color=MOMENT, alpha=0.35, lw=0)
    for moment in nearest:
        span = moment.span
        axes.axvspan(span.start, span.end, fill=False, ec=TURNED, hatch="//", lw=0.6, alpha=0.7)
