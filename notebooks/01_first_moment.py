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
# # A first moment
#
# Ask a film a question; see when it happens, every time, how sure, and why. The film is the one
# that comes with the package. The first question looks at it once (a quarter of a minute), every
# later one takes a moment.

# %%
from vmr_agent import VMRAgent
from vmr_agent.demo import demo_film
from vmr_agent.display import page

film = demo_film()
agent = VMRAgent()  # settings from the environment, bars in a notebook

# %% [markdown]
# A report shows itself. Click a moment to play it: it stops where it ends. *Evidence* says why.

# %%
report = agent.run(film, "a cat looking around")
report

# %% [markdown]
# The same as data. Times are seconds from the start of the film, scores are probabilities, and
# every piece of evidence says who found it.

# %%
for moment in report.moments:
    print(f"{moment.span.start:6.1f} to {moment.span.end:6.1f} s, {moment.score:.0%}")
    for reason in moment.evidence:
        print(f"    {reason.source}: {reason.note} ({reason.score:.2f})")

assert report.status == "found"
assert len(report.moments) == 3  # the cat comes three times

# %% [markdown]
# Where the film looks, sounds and reads like the question. Moments are shaded, ticks are cuts.

# %%
report.plot()

# %% [markdown]
# What is not in there is refused, and the report says what came nearest.

# %%
absent = agent.run(film, "a giraffe eating leaves")
assert absent.status == "not_found"
print(absent)

# %% [markdown]
# A page to keep or to send: one file, which loads nothing from elsewhere. `vmr_agent.export` and
# `vmr export` write subtitles, edit lists and tables of the same report.

# %%
text = page(report)
print(f"{len(text):,} letters; write them with Path('cat.html').write_text(text)")
