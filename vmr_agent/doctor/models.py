"""Who does what, on which tier, and whether every weight file is the recorded one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from vmr_agent.adapters import weights
from vmr_agent.doctor.finding import Finding
from vmr_agent.errors import WeightsError
from vmr_agent.settings import ModelSettings, Settings
from vmr_agent.toolbox import build_toolbox

OURS = Path(__file__).parents[1] / "grounding" / "weights"
SHIPPED = {
    "agent": "961cadcc75c5270775348c3fe0a876ebda7e7e5b474f77faa40693d98aca9cde",
    "detector": "e3bceab698622b5da3df0ea59f03af048e80f77dc048b10fbd462811ed1ee4ff",
}
"""SHA-256 of the networks that come inside this package."""


def findings(settings: Settings) -> Iterator[Finding]:
    """Roles, under each the packaged files that it takes, and our own networks.

    Raises SettingsError, MachineError where no toolbox can be made.
    """
    box = build_toolbox(settings)
    packaged = _packaged(settings.models)
    for role, name in box.models.items():
        if role == "chat":  # looked at by itself
            continue
        files = packaged.get(role)
        tier = "" if files is None else ", packaged" if files else ", hub"
        yield Finding("models", f"{role}{tier}", "good", name, None, {"model": name})
        yield from map(weight, files or ())
    yield from map(network, SHIPPED)


def _packaged(models: ModelSettings) -> dict[str, tuple[str, ...]]:
    """The packaged files that a role takes, none on another tier; roles that can have tiers."""
    tiny = models.whisper == "packaged-tiny"
    whisper = tuple(
        name for name in weights.FILES if name.startswith(f"whisper-{'tiny' if tiny else 'base'}")
    )
    inside = models.whisper in ("auto", "packaged", "packaged-tiny")
    tiers = {
        "picture": ("efficientnet-lite2",) if models.encoder in ("auto", "concepts") else (),
        "sentences": ("minilm", "minilm-config", "minilm-tokenizer"),
        "sound": ("speech-silero",),
        "speech": whisper if inside else (),
        "text": ("ocr-detect", "ocr-recognise"),
    }
    silent = {"speech": models.whisper, "text": models.reader}
    return {role: files for role, files in tiers.items() if silent.get(role) != "off"}


def weight(name: str) -> Finding:
    """Whether a packaged file is there, and the recorded one."""
    recorded = weights.FILES[name]
    figures = {"wheel": recorded.wheel, "sha256": recorded.sha256}
    try:
        path = weights.find(name)
    except WeightsError as error:
        told, _, cure = str(error).rpartition("run pip")
        return Finding("models", f"  {name}", "bad", told.rstrip(":; "), f"run pip{cure}", figures)
    told = f"{path.name} of {recorded.wheel}, SHA-256 {recorded.sha256[:12]}…"
    return Finding("models", f"  {name}", "good", told, None, {**figures, "path": str(path)})


def network(name: str) -> Finding:
    """Whether one of our own networks is there, and the one that was released."""
    path, recorded = OURS / name / "weights.safetensors", SHIPPED[name]
    figures = {"path": str(path), "sha256": recorded}
    cure = "run pip install --force-reinstall --no-deps on the same version of vmr_agent"
    try:
        weights.check(path, recorded, "")
    except (OSError, WeightsError):
        told = f"{path} is not there, or not the file that was released"
        return Finding("models", f"network {name}", "bad", told, cure, figures)
    told = f"{path.name}, SHA-256 {recorded[:12]}…"
    return Finding("models", f"network {name}", "good", told, None, figures)
