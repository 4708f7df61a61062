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
# # Train the grounder
#
# A small network of our own places boundaries, from relevance curves alone. Here one is trained in
# about a minute, on films that never were, and put to work. The weights that come with the package
# were made the same way from 8,000 questions (docs/grounding.md). It needs a checkout.

# %%
import json
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
from tqdm.auto import tqdm

from evals import lessons
from vmr_agent import Settings, VMRAgent
from vmr_agent.demo import demo_film
from vmr_agent.grounding.training.job import Asked, prepare
from vmr_agent.grounding.training.trainers import trained

film = demo_film()
folder = Path(tempfile.mkdtemp())

# %% [markdown]
# Lessons: made-up curves, clips and windows that the agent's own rooms cut from them, and the
# truth. A file of your own has the same form, one question a line.

# %%
lines = folder / "lessons.jsonl"
lessons.main(["agent", "--out", str(lines), "--questions", "400", "--seed", "0"])
every = [json.loads(line) for line in lines.read_text(encoding="utf-8").splitlines()]
lesson = next(each for each in every if each["moments"])  # some are about what is not there
figure, axes = plt.subplots(figsize=(8, 2.2), layout="constrained")
values = lesson["curves"]["fused"]
edges = [n * lesson["step"] for n in range(len(values) + 1)]
axes.stairs(values, edges, fill=True, color="#2b5fd1", alpha=0.85)
for start, end in lesson["moments"]:
    axes.axvspan(start, end, color="#1c7a4c", alpha=0.15, lw=0)
axes.set(xlabel="seconds", ylabel="relevance", title="a lesson, and where the answer is")
axes.spines[["top", "right"]].set_visible(False)
plt.show()

# %% [markdown]
# The same as
# `vmr train ground --data lessons.jsonl --licence Apache-2.0 --out grounder --epochs 6`.

# %%
asked = Asked(
    trainer="ground",
    data=str(lines),
    out=folder / "grounder",
    licence="Apache-2.0",
    two=None,
    seed=0,
    epochs=6,
    batch=32,
    rate=2e-3,
    held_out=0.2,
    device="cpu",
)
losses = []
with tqdm(total=asked.epochs, unit="epoch") as bar:

    def heard(over: float, loss: float) -> None:
        losses.append((over, loss))
        bar.update(over - bar.n)

    card = trained(prepare(asked), heard)

# %% [markdown]
# The loss falls. What was held out says what it is good for: `nll`, by how much the true window
# surprises it; `r1_50`, how often its first window is right.

# %%
print({name: round(value, 3) for name, value in card.metrics.items()})
assert losses[-1][1] < 0.95 * max(loss for _, loss in losses)
assert card.metrics["r1_50"] > 0.5
figure, axes = plt.subplots(figsize=(8, 2.6), layout="constrained")
axes.plot(*zip(*losses, strict=True), color="#2b5fd1", lw=2)
axes.set(xlabel="epoch", ylabel="mean loss of the epoch")
axes.spines[["top", "right"]].set_visible(False)
plt.show()

# %% [markdown]
# Nothing has to be indexed again to use it: a report names the network that placed its boundaries.

# %%
grounders = {"rules": "rules", "this one": str(folder / "grounder"), "shipped": "auto"}
for name, grounder in grounders.items():
    agent = VMRAgent(Settings(models={"grounder": grounder}))
    report = agent.run(film, "a cat looking around")
    spans = [f"{m.span.start:.1f}–{m.span.end:.1f}" for m in report.moments]
    print(f"{name:9} {report.models['grounding']:40} {', '.join(spans)}")
    assert len(report.moments) == 3
    assert not report.faults
