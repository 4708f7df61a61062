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
# # Speech, sound and picture
#
# A film is searched in four ways at once: what is seen, what is said, what is written, what is
# heard besides. Each has a curve of its own; a question is answered by whichever knows.

# %%
from vmr_agent import Settings, VMRAgent
from vmr_agent.demo import demo_film
from vmr_agent.panorama import gather

film = demo_film()
agent = VMRAgent()

# %% [markdown]
# ## What is said
#
# Words have times of their own: the moment begins with the first word that was asked for and ends
# with the last.

# %%
said = agent.run(film, "the ferry leaves the harbour at seven")
assert abs(said.moments[0].span.start - 67.9) < 0.7
said.plot()

# %% [markdown]
# ## What is written

# %%
written = agent.run(film, 'the words "CHAPTER TWO" on the screen')
assert written.moments[0].span.start == 37.0
written.plot()

# %% [markdown]
# ## What is heard besides
#
# Without a sound tagger there are loudness and speech, from which silence is known.

# %%
quiet = agent.run(film, "a moment of silence")
assert "sound" in {curve.channel for curve in gather(quiet).curves}
quiet.plot()

# %% [markdown]
# ## What lies on the shelf
#
# All that was found in the film is shelved, whatever is asked: shots, words, lines of text.

# %%
around = gather(said)
print(f"{len(around.shots)} shots, {len(around.utterances)} sentences, {len(around.texts)} lines")
for each in around.utterances[:4]:
    print(f"{each.span.start:6.1f} s  {each.text}")

# %% [markdown]
# ## What one of them is worth
#
# `without` leaves a room's work out of every answer. Nobody can see the ferry: without the
# transcript, it is honestly not found.

# %%
deaf = VMRAgent(Settings(without=("transcribe",)))
assert deaf.run(film, "the ferry leaves the harbour at seven").status == "not_found"
assert deaf.run(film, "a rocket on the launch pad").status == "found"
print(deaf.run(film, "the ferry leaves the harbour at seven"))
