"""What computes: torch, the cores, and a card where there is one."""

from __future__ import annotations

import os

from vmr_agent.doctor.finding import Finding, size
from vmr_agent.errors import MachineError
from vmr_agent.memory import available
from vmr_agent.settings import Settings

LITTLE = 2_500_000_000
"""Bytes of memory that an hour of film takes at most (docs/performance.md)."""


def torch_found() -> Finding:
    """Whether torch loads, and what it was built for."""
    from vmr_agent.adapters.device import survey

    try:
        found = survey()
    except (ImportError, OSError) as error:
        told = f"it does not load ({str(error).splitlines()[0]})"
        cure = "run pip install --force-reinstall 'torch>=2.8,<2.9'"
        return Finding("device", "torch", "bad", told, cure)
    cards = ", ".join(f"{c.name} with {size(c.free)} of {size(c.total)} free" for c in found.cards)
    told = cards or ("an Apple GPU, which is not used here" if found.mps else "no GPU")
    figures = {
        "version": found.version,
        "cuda": found.cuda,
        "mps": found.mps,
        "cards": [card._asdict() for card in found.cards],
    }
    return Finding("device", f"torch {found.version}", "good", told, None, figures)


def chosen(settings: Settings) -> Finding:
    """Where tensors would live, and the memory that is left."""
    from vmr_agent.adapters.device import pick

    cores, free = os.cpu_count(), available()
    try:
        device = pick(settings.models.device)
    except MachineError as error:
        return Finding("device", "device", "bad", "", str(error))
    figures = {"device": device, "cores": cores, "memory_free": free}
    told = f"{device}, {cores} cores" + (f", {size(free)} of memory free" if free else "")
    if free is not None and free < LITTLE:
        cure = "close other programs, or set VMR_PROFILE=lean"
        told += f", an hour of film takes up to {size(LITTLE)}"
        return Finding("device", "device", "missing", told, cure, figures)
    return Finding("device", "device", "good", told, None, figures)
