# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Read an evaluation
#
# A figure without an interval, a baseline and a look at what failed says little. Here the agent and
# three afternoon baselines are asked the demo film's questions; then the report is read. It needs
# a checkout.

# %%
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from rich.console import Console

from evals.logbook import Sample, entries
from evals.needle import fit
from evals.needle.run import run
from evals.reporting import tables
from evals.reporting.content import content
from evals.reporting.runs import together
from vmr_agent import Settings
from vmr_agent.demo import demo_film
from vmr_agent.metrics.bootstrap import Tally, differences, intervals

film = demo_film()
folder = Path(tempfile.mkdtemp())

# %% [markdown]
# As `python -m evals.needle run evals/demo/demo_film.mp4 --out FOLDER`. Each system has a logbook,
# line by line: killed and started again, it goes on where it was.

# %%
answers = run([film], Settings(), folder, fit.load(fit.OURS))
print({name: len(samples) for name, samples in answers.items()})

# %% [markdown]
# Two of the logbooks side by side, as `python -m evals.report` prints them. With one film there are
# no intervals over films; the notes say so.

# %%
told = content(together([folder / "vmr_agent.jsonl", folder / "frames.jsonl"]))
tables.show(told, Console(width=110))

# %% [markdown]
# ## How sure is a difference?
#
# Whether each first window is right, query by query, drawn again 2,000 times. What is drawn is what
# queries are *about*: those about one clip stand or fall together. Elsewhere films are drawn.


# %%
def right(sample: Sample) -> float:
    """Whether the first moment is right (IoU 0.5), or what is not there was refused."""
    moments = sample.report.moments
    if not sample.truth or not moments:
        return float(not sample.truth and not moments)
    start, end = moments[0].span.start, moments[0].span.end
    shared = [max(0.0, min(end, b) - max(start, a)) for a, b in sample.truth]
    ious = [s / (end - start + b - a - s) for s, (a, b) in zip(shared, sample.truth, strict=True)]
    return float(max(ious) >= 0.5)


def tally(samples: list[Sample]) -> Tally:
    each = np.array([[right(sample)] for sample in samples])
    return Tally(("right",), each, np.ones_like(each, bool), (0,))


about = [sample.query for sample in answers["vmr_agent"]]
figure, axes = plt.subplots(figsize=(8, 2.4), layout="constrained")
for at, (name, samples) in enumerate(answers.items()):
    found = intervals(tally(samples), about)["right"]
    axes.plot([found.low, found.high], [-at, -at], color="#2b5fd1", lw=6, alpha=0.3)
    axes.plot(found.value, -at, "o", color="#2b5fd1")
    print(f"{name:10} {found.value:5.1f} %  (95 %: {found.low:.1f} to {found.high:.1f})")
axes.set(xlim=(0, 101), xlabel="right answers, percent; bars: 95 % of 2,000 draws")
axes.set_yticks(range(0, -len(answers), -1), list(answers))
axes.spines[["top", "right"]].set_visible(False)
plt.show()
for name in list(answers)[1:]:
    change = differences(tally(answers[name]), tally(answers["vmr_agent"]), about)["right"].change
    print(f"vmr_agent less {name:10} {change.value:+.1f} ({change.low:+.1f} to {change.high:+.1f})")
    assert change.low > 0  # even on eleven queries

# %% [markdown]
# Eleven queries about one film prove no benchmark figure: the interval is wide, and these films are
# easy. `docs/evaluating.md` has real ones.
#
# ## What failed?
#
# Single samples are where one learns: query, truth, answer.

# %%
for line in entries(folder / "stretches.jsonl"):
    if isinstance(line, Sample) and not right(line):
        first = line.report.moments[0].span
        print(
            f"{line.query:45} {first.start:6.1f}–{first.end:5.1f} s, true: {line.truth or 'none'}"
        )
