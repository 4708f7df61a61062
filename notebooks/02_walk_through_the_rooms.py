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
from pathlib import Path

from matplotlib.figure import Figure

from vmr_agent import Progress, RunReport, Settings, Span, Visit, VMRAgent

here = Path.cwd()
checkout = next(p for p in (here, *here.parents) if (p / "pyproject.toml").is_file())
film = checkout / "evals" / "demo" / "demo_film.mp4"
known = json.loads(film.with_suffix(".json").read_text(encoding="utf-8"))
truth = {each["query"]: [Span(**m) for m in each["moments"]] for each in known["queries"]}

# %% [markdown]
# Three types of event come out of `stream`: `Progress` while a room works, a `Visit` with what it
# put on the tray when it is left, and the report at last.

# %%
question = "a cat looking around"
tray, rooms = {}, []
for event in VMRAgent().stream(film, question):
    match event:
        case Progress():
            pass  # the bars are made of these
        case Visit(room, made):
            tray |= made
            rooms.append(room)
        case RunReport():
            report = event
print(" → ".join(rooms))

# %% [markdown]
# `understand` has taken the question apart, `retrieve` has drawn curves and proposed candidates.

# %%
print(tray["query"].model_dump(exclude_defaults=True))
for candidate in tray["retrieval"].candidates:
    why = ", ".join(f"{e.source} {e.score:.2f}" for e in candidate.evidence)
    print(
        f"{candidate.span.start:6.1f} to {candidate.span.end:6.1f} s  {candidate.score:.2f}  {why}"
    )

# %% [markdown]
# `filter_relevance` keeps and drops, `caption` describes what is kept.

# %%
for candidate in tray["described"]:
    told = [e.note for e in candidate.evidence if e.source == "caption"]
    print(f"kept    {candidate.span.start:6.1f} s  {'; '.join(told)}")
for candidate in tray["sieve"].dropped:
    print(f"dropped {candidate.span.start:6.1f} s  {candidate.evidence[-1].note}")

# %% [markdown]
# Everything that was on the tray, a row for each room, under the truth.


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


def draw(rows: dict[str, list[Span]], length: float) -> Figure:
    """A row of stretches for each, the first one (the truth) shaded through all of them."""
    figure = Figure(figsize=(10, 0.5 * len(rows) + 0.6), layout="constrained")
    axes = figure.subplots()
    for at, spans in enumerate(rows.values()):
        colour = "#1c7a4c" if not at else "#2b5fd1"
        for span in spans:
            axes.barh(-at, span.length, left=span.start, height=0.55, color=colour)
            if not at:
                axes.axvspan(span.start, span.end, color=colour, alpha=0.12, lw=0)
    axes.set(xlim=(0, length), yticks=[-n for n in range(len(rows))], xlabel="seconds")
    axes.set_yticklabels(list(rows))
    return figure


draw({"truth": truth[question], **passed_on(tray)}, report.video.duration)

# %% [markdown]
# ## Where was the right answer lost?
#
# Nowhere, here. Let `retrieve` propose a single candidate, and two of the three moments are gone
# before any other room has seen them.


# %%
def still_there(tray: dict, moments: list[Span]) -> dict[str, int]:
    """Of how many true moments each room handed on anything that is half in them."""
    return {
        row: sum(any(each.overlap(true) >= 0.5 * true.length for each in spans) for true in moments)
        for row, spans in passed_on(tray).items()
    }


poor: dict = {}
for event in VMRAgent(Settings(retrieve={"top_k": 1})).stream(film, question):
    if isinstance(event, Visit):
        poor |= event.made
for name, which in (("as it is", tray), ("top_k=1", poor)):
    print(f"{name:9}", still_there(which, truth[question]))

assert set(still_there(tray, truth[question]).values()) == {3}
assert still_there(poor, truth[question])["retrieve: candidates"] == 1  # lost here, not later
draw({"truth": truth[question], **passed_on(poor)}, report.video.duration)
