"""The channels through which a film can answer: each turns a query into one relevance curve.

A curve is (T,) float32 in [0, 1], one value per step; 0.5 is where the channel by itself would
rather say yes than no.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vmr_agent import curves
from vmr_agent.film import Film
from vmr_agent.protocols import Array, Encoder, Sentences
from vmr_agent.settings import RetrieveSettings
from vmr_agent.sounds import meant
from vmr_agent.types import Channel, Query, Span, Word
from vmr_agent.words import content, covered, matched, shares, spaced, tokens

Note = tuple[Channel, Span, str]
LONG = 5  # words of a quotation that is worth it whatever they are
VERBATIM = 0.95  # relevance of speech that is the question, word for word
MEANT = 0.94  # most that speech in other words can reach: only a quotation keeps its own times


def picture(
    query: Query, film: Film, turn: int, encoder: Encoder, settings: RetrieveSettings, count: int
) -> Array:
    """What it looks like, and how far it stands out from what this film usually looks like."""
    texts = (query.scene, *query.paraphrases)
    raw = encoder.relevance(film.vectors, texts)
    shown = min(count, curves.steps(film.seen, settings.step))
    on_grid = curves.sample(film.times, raw, shown, settings.step)
    level = curves.smooth(on_grid, film.shots, settings.smooth[turn - 1], settings.step)
    outstanding = level - curves.background(level)
    middle = settings.picture_middle + settings.caution * (turn - 1)
    likely = curves.logistic(
        level + settings.outstanding * outstanding, middle, settings.picture_slope
    )
    return np.pad(likely, (0, count - shown))  # nothing is seen where only the sound goes on


def speech(
    query: Query, film: Film, sentences: Sentences, settings: RetrieveSettings, count: int
) -> tuple[Array, list[Note]]:
    """What is said: word for word where it is, else by meaning and by words in common."""
    wordings = _wordings(query.spoken, query)
    wanted = wordings[0]
    spans = [utterance.span for utterance in film.utterances]
    said = [utterance.text for utterance in film.utterances]
    shared = _shared(wordings, said)
    # No part of an utterance shares more words with the question than the whole of it.
    share = settings.misheard if query.spoken else settings.verbatim
    likely = [int(number) for number in np.flatnonzero(shared >= share)]
    runs = {n: quoted(wanted, film.utterances[n].words, share) for n in likely}
    quotes = {n: found for n, found in runs.items() if found}
    told = np.minimum(_alike(shared, _best_phrases(wordings, film, sentences), settings), MEANT)
    # Inside a sentence that holds a quotation only the quotation counts.
    told[[*quotes]] = 0
    curve = np.zeros(count, np.float32)
    notes: list[Note] = []
    for span, value, text in zip(spans, told, said, strict=True):
        curves.paint(curve, span, float(value), settings.step)
        notes += [("speech", span, text)] if value >= settings.mention else []
    for number, found in quotes.items():
        words = film.utterances[number].words
        for quote in found:
            curves.paint(curve, quote, VERBATIM, settings.step)
            notes.append(("speech", quote, _during(words, quote)))
    return curve, notes


def text(
    query: Query, film: Film, sentences: Sentences, settings: RetrieveSettings, count: int
) -> tuple[Array, list[Note]]:
    """What is written on screen, by meaning and by words in common, misread letters allowed."""
    wordings = _wordings(query.written, query)
    written = [spaced(line.text, wordings) for line in film.texts]
    shared = _shared(wordings, written)
    meaning = (film.text @ sentences.embed(wordings).T).max(axis=1)
    values = _alike(shared, meaning, settings)
    surely = np.maximum(values, VERBATIM) if query.written else values
    whole = (shared >= settings.verbatim) & (bool(query.written) or _worth_quoting(wordings[0]))
    values = np.where(whole, surely, np.minimum(values, MEANT))
    curve = np.zeros(count, np.float32)
    notes: list[Note] = []
    for line, value in zip(film.texts, values, strict=True):
        curves.paint(curve, line.span, float(value), settings.step)
        notes += [("text", line.span, line.text)] if value >= settings.mention else []
    return curve, notes


def sound(query: Query, film: Film, settings: RetrieveSettings, count: int) -> Array | None:
    """How it sounds: silence and speech, the classes that a tagger told, a sudden loud noise.

    Whoever asks for words asks for no sound, though "a voice says" that it was quiet.
    """
    if not len(film.levels) or query.spoken or query.written:
        return None
    loudness, spoken = film.levels[:, 0], film.levels[:, 1]
    kinds, mostly = set(query.sounds), _mostly_sound(query)
    if mostly and kinds & {"silence", "silent", "quiet"}:
        heard = curves.logistic(settings.silent - loudness, 0, 0.5)
    elif mostly and kinds & {"speech", "talking", "voice", "voices"}:
        heard = curves.logistic(spoken, 0.5, 8)
    elif chosen := _classes(query, film.classes):
        heard = film.levels[:, [2 + index for index in chosen]].max(axis=1)
    elif kinds & {"bang", "boom", "crash", "explosion", "loud", "noise"}:
        heard = curves.logistic(loudness - np.median(loudness), settings.loud, 0.5)
    else:
        return None
    seconds = np.minimum((np.arange(count) * settings.step).astype(int), len(heard) - 1)
    return np.asarray(heard[seconds], np.float32)


def _mostly_sound(query: Query) -> bool:
    """Whether half of the question's words with meaning are about sounds, or a model said so."""
    words, kinds = content(query.scene), set(query.sounds)
    return 2 * sum(word in kinds for word in words) >= len(words) or bool(kinds - {*words})


def _classes(query: Query, known: Sequence[str]) -> tuple[int, ...]:
    """The sounds that are meant, by the words of the question, else by a model's."""
    words = tokens(query.text)
    further = " ".join(word for word in query.sounds if word not in words)
    asked = query.scene if query.relations else query.text
    return meant(known, asked) or (meant(known, f"sound of {further}") if further else ())


def quoted(wanted: str, words: Sequence[Word], share: float) -> list[Span]:
    """Where the words repeat what is wanted: runs in which ``share`` of its words are together."""
    asked, meaning = _parts(wanted), content(wanted.replace("-", " "))
    if not _worth_quoting(wanted):
        return []
    heard = [(part, n) for n, word in enumerate(words) for part in _parts(word.text)]
    hits = matched(asked, [part for part, _ in heard])
    reach = len(asked) + 1
    inside = np.zeros(len(words), bool)
    for first, hit in enumerate(hits):
        window = [i for i in range(first, min(first + reach, len(hits))) if hits[i] is not None]
        if hit is None or len(window) < share * len(asked):
            continue
        run = [heard[i][0] for i in window]
        if covered(asked, run) >= share and covered(meaning, run) >= share:
            inside[heard[window[0]][1] : heard[window[-1]][1] + 1] = True
    edges = np.flatnonzero(np.diff(np.concatenate([[False], inside, [False]])))
    pairs = zip(edges[::2], edges[1::2], strict=True)
    return [words[first].span.union(words[last - 1].span) for first, last in pairs]


def _worth_quoting(wanted: str) -> bool:
    """Three words or more, two of them with meaning, or five: one word names a thing."""
    asked, meaning = _parts(wanted), content(wanted.replace("-", " "))
    return len(asked) >= 3 and (len(set(meaning)) >= 2 or len(asked) >= LONG)


def _parts(text: str) -> tuple[str, ...]:
    """Its tokens, hyphens dropped: recognisers write "ill" and "-disposed"."""
    return tokens(text.replace("-", " "))


def _wordings(asked: str, query: Query) -> tuple[str, ...]:
    """What to look for in words: those asked for, else the question.

    A model that has put it into other words, or into another language, is believed as well.
    """
    if asked:
        return (asked,)
    alike = set(content(query.scene)) & set(content(query.text))
    return (query.text,) if alike or query.scene == query.text else (query.text, query.scene)


def _best_phrases(wordings: Sequence[str], film: Film, sentences: Sentences) -> Array:
    """For each utterance (U,), the cosine of its nearest phrase to the nearest wording."""
    nearness = (film.speech @ sentences.embed(wordings).T).max(axis=1)
    first = np.searchsorted(film.speakers, np.arange(len(film.utterances)))
    return np.asarray(np.maximum.reduceat(nearness, first), np.float32)


def _shared(wordings: Sequence[str], given: Sequence[str]) -> Array:
    """For each given text (N,), the share of a wording's words with meaning that it has as well."""
    told = [tokens(text) for text in given]
    each = [shares(content(wanted), told) for wanted in wordings]
    return np.asarray(np.max(each, axis=0), np.float32)


def _alike(shared: Array, meaning: Array, settings: RetrieveSettings) -> Array:
    """Relevance of given texts (N,): cosine of meanings, helped by words in common."""
    return curves.logistic(
        meaning + settings.shared_words * shared, settings.words_middle, settings.words_slope
    )


def _during(words: Sequence[Word], span: Span) -> str:
    return " ".join(word.text.strip() for word in words if word.span.overlap(span))
