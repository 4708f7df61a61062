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
# # A walk through the rooms
#
# A question goes through seven rooms, each of which puts one thing on a tray. `stream` lets you
# stand beside it. Drawn against the truth, it shows **in which room a right answer was lost**: what
# comes behind that room could not have done better.

# %%
import json
from io import BytesIO

import matplotlib.pyplot as plt
from matplotlib.axes import Axes

from vmr_agent import Progress, RunReport, Settings, Span, Visit, VMRAgent
from vmr_agent.demo import demo_film
from vmr_agent.panorama import gather

film = demo_film()
known = json.loads(film.with_suffix(".json").read_text(encoding="utf-8"))
truth = {each["query"]: [Span(**m) for m in each["moments"]] for each in known["queries"]}
RIGHT, OURS, LOST = "#1c7a4c", "#2b5fd1", "#c8442f"

# %% [markdown]
# Three types of event come out of `stream`: `Progress` while a room works, a `Visit` with what it
# put on the tray when it is left, and the report at last.


# %%
def walk(question: str, settings: Settings | None = None) -> tuple[dict, list[str], RunReport]:
    """The tray at the end, the rooms in order, and the report."""
    tray, rooms = {}, []
    for event in VMRAgent(settings).stream(film, question):
        match event:
            case Progress():
                pass  # the bars are made of these
            case Visit(room, made):
                tray |= made
                rooms.append(room)
            case RunReport():
                return tray, rooms, event
    raise AssertionError("a report always comes last")


question = "a cat looking around"
tray, rooms, report = walk(question)
print(" → ".join(rooms))
tray["query"].model_dump(exclude_defaults=True)  # what understand found in the question

# %% [markdown]
# ## retrieve
#
# A curve for each channel: how much each second looks, sounds and reads like the question. Where
# they are high, candidates are proposed (brackets). Green is the truth.


# %%
def shade(axes: Axes, spans: list[Span]) -> None:
    """The truth, behind everything."""
    for span in spans:
        axes.axvspan(span.start, span.end, color=RIGHT, alpha=0.15, lw=0)
    axes.spines[["top", "right"]].set_visible(False)


around = gather(report)
figure, rows = plt.subplots(
    len(around.curves), 1, figsize=(10, 1.2 * len(around.curves)), sharex=True, layout="constrained"
)
for axes, curve in zip(rows, around.curves, strict=True):
    shade(axes, truth[question])
    edges = [n * curve.step for n in range(len(curve.values) + 1)]
    axes.stairs(curve.values, edges, fill=True, color=OURS, alpha=0.8)
    axes.set(ylim=(0, 1.15), ylabel=curve.channel)
for candidate in tray["retrieval"].candidates:
    ends = [candidate.span.start, candidate.span.end]
    rows[0].plot(ends, [1.06, 1.06], color="black", lw=2, marker="|", ms=8)
rows[-1].set(xlabel="seconds", xlim=(0, report.video.duration))
plt.show()

# %% [markdown]
# ## filter_relevance, caption
#
# One keeps what holds up, the other says what is to be seen and heard there.

# %%
kept = tray["described"]
figure, places = plt.subplots(1, len(kept), figsize=(10, 2.6), layout="constrained")
for axes, candidate in zip(places, kept, strict=True):
    picture = min(around.thumbnails, key=lambda each: abs(each.time - candidate.span.middle))
    axes.imshow(plt.imread(BytesIO(picture.jpeg), format="jpeg"))
    axes.set(
        xticks=[], yticks=[], title=f"{candidate.span.start:.0f} to {candidate.span.end:.0f} s"
    )
    [told] = [e.note for e in candidate.evidence if e.source == "caption"]
    axes.set_xlabel(told if len(told) < 48 else f"{told[:47]}…", fontsize=8)
print(f"kept {len(tray['sieve'].kept)}, dropped {len(tray['sieve'].dropped)}")
plt.show()

# %% [markdown]
# ## trim, ground, verify
#
# Clips worth the expensive look, boundaries in them, moments. A row for each room, under the truth.


# %%
def passed_on(tray: dict) -> dict[str, list[Span]]:
    """What each room handed on."""
    made = {
        "retrieve: candidates": tray["retrieval"].candidates,
        "filter: kept": tray["sieve"].kept,
        "trim: clips": tray["clips"],
        "ground: proposals": tray["proposals"],
        "verify: moments": tray["verdict"].moments,
    }
    return {row: [each.span for each in scored] for row, scored in made.items()}


def still_there(tray: dict, moments: list[Span]) -> dict[str, int]:
    """Of how many true moments each room handed on anything that is half in them."""
    return {
        row: sum(any(each.overlap(true) >= 0.5 * true.length for each in spans) for true in moments)
        for row, spans in passed_on(tray).items()
    }


def draw(tray: dict, moments: list[Span]) -> None:
    """A row for each room, with how many of the true moments are still there at its end."""
    rows, left = passed_on(tray), still_there(tray, moments)
    _, axes = plt.subplots(figsize=(10, 3), layout="constrained")
    shade(axes, moments)
    for at, (row, spans) in enumerate([("truth", moments), *rows.items()]):
        for span in spans:
            colour = OURS if at else RIGHT
            axes.barh(-at, span.length, left=span.start, height=0.6, color=colour)
        count = left.get(row, len(moments))
        colour = RIGHT if count == len(moments) else LOST
        axes.text(
            1.01,
            -at,
            f"{count} of {len(moments)}",
            color=colour,
            va="center",
            transform=axes.get_yaxis_transform(),
        )
    axes.set(xlim=(0, report.video.duration), xlabel="seconds", yticks=range(0, -6, -1))
    axes.set_yticklabels(["truth", *rows])
    plt.show()


draw(tray, truth[question])
assert set(still_there(tray, truth[question]).values()) == {3}

# %% [markdown]
# ## Where was the right answer lost?
#
# Nowhere, here. Let `retrieve` propose a single candidate, and two of the three moments are gone
# before any other room has seen them: red, from the first room on.

# %%
poor, *_ = walk(question, Settings(retrieve={"top_k": 1}))
draw(poor, truth[question])
assert still_there(poor, truth[question])["retrieve: candidates"] == 1  # lost here, not later
