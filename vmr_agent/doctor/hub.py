"""The model hub's cache: where it is, what lies in it, and whether the hub may be asked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from vmr_agent.doctor.finding import Finding, size
from vmr_agent.files import below, is_folder, there
from vmr_agent.settings import Settings

MODEL = "models--"
NEEDED = ("picture", "speech", "sound")
"""Roles without whose model no film is looked at; the others are gone on without."""


def cache() -> Finding:
    """What is in it. A hub that is not used is nothing that is missing."""
    from huggingface_hub.constants import HF_HUB_CACHE, HF_HUB_OFFLINE

    place = Path(HF_HUB_CACHE).expanduser()
    models = held(place)
    # Snapshots are links to blobs: only those are counted.
    used = sum(
        seen.st_size
        for model in models
        for _, seen in there(below(place / f"{MODEL}{model.replace('/', '--')}" / "blobs"))
    )
    figures = {"path": str(place), "used": used, "models": models, "offline": HF_HUB_OFFLINE}
    told = f"{place}, {size(used)}, {', '.join(models) or 'no models'}"
    told += "; offline (HF_HUB_OFFLINE)" if HF_HUB_OFFLINE else "; the hub may be asked"
    return Finding("hub", "hub cache", "good", told, None, figures)


def wanted(settings: Settings) -> Iterator[Finding]:
    """The hub's models that the settings name, and whether something of that name lies there.

    Nothing is asked of the hub: under what name it has a model is for each library to say.
    """
    from huggingface_hub.constants import HF_HUB_CACHE, HF_HUB_OFFLINE

    models = held(Path(HF_HUB_CACHE).expanduser())
    for role, name in _named(settings).items():
        marks = [_bare(part) for part in name.split(":")[-1].split("/")]
        found = [each for each in models if marks[-1] in _bare(each)]
        figures = {"asked": name, "found": found}
        if found:
            yield Finding("hub", f"hub, {role}", "good", f"{name} is {found[0]}", None, figures)
            continue
        told = f"nothing in the cache is called like {name}"
        if HF_HUB_OFFLINE and role in NEEDED:
            cure = "name one that is there, or unset HF_HUB_OFFLINE once if the hub has it"
            yield Finding("hub", f"hub, {role}", "bad", told, cure, figures)
        else:
            cure = "name one that is there" if HF_HUB_OFFLINE else "the first use asks the hub"
            yield Finding("hub", f"hub, {role}", "missing", told, cure, figures)


def _named(settings: Settings) -> dict[str, str]:
    """By role; no folders, files or packaged ones."""
    models = settings.models
    clip, vision = models.encoder, models.grounder
    named = {
        "picture": clip if clip.startswith("open_clip:") else "",
        "speech": models.whisper,
        "sound": models.tagger,
        "grounding": vision.removeprefix("vision:") if vision.startswith("vision:") else "",
    }
    here = ("", "auto", "packaged", "packaged-tiny", "off")
    return {
        role: name
        for role, name in named.items()
        if name not in here and not Path(name.rpartition(":")[2]).expanduser().exists()
    }


def _bare(name: str) -> str:
    return "".join(filter(str.isalnum, name.lower()))


def held(place: Path) -> list[str]:
    """The names of models in a cache, sorted."""
    if not is_folder(place):
        return []
    names = (path.name for path in place.glob(f"{MODEL}*"))
    return sorted(name.removeprefix(MODEL).replace("--", "/") for name in names)
