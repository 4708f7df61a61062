"""What lies on the shelf beside an answer: found where it is, empty where it is not."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_reports import moment, report

from vmr_agent import RunReport, VMRAgent
from vmr_agent.panorama import SIDE, VALUES, Panorama, gather, highest
from vmr_agent.testing import TRUTH, colour_toolbox


@pytest.fixture(scope="module")
def answered(colours: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[RunReport, Path]:
    home = tmp_path_factory.mktemp("home")
    return VMRAgent(toolbox=colour_toolbox(home)).run(colours, "the red one"), home


def test_all_of_it_is_found(answered: tuple[RunReport, Path]) -> None:
    found = gather(answered[0])
    [curve] = found.curves
    assert curve.channel == "picture"
    red = [n * curve.step for n, value in enumerate(curve.values) if value > 0.9]
    for seconds in red:
        assert any(true.start - 0.3 <= seconds <= true.end for true in TRUTH["red"])
    assert len(red) * curve.step == pytest.approx(5, abs=0.3)
    assert len(found.shots) == 6
    assert [each.time for each in found.thumbnails] == sorted({e.time for e in found.thumbnails})
    middles = {each.span.middle for each in answered[0].moments}
    assert middles <= {each.time for each in found.thumbnails}
    for each in found.thumbnails:
        assert each.jpeg.startswith(b"\xff\xd8")
        assert len(each.jpeg) < 100 * SIDE


def test_it_survives_being_written_down(answered: tuple[RunReport, Path]) -> None:
    again = RunReport.model_validate_json(answered[0].model_dump_json())
    assert gather(again) == gather(answered[0])
    assert gather(again, answered[1]) == gather(again)


def test_a_shelf_that_is_gone_is_empty_and_made_by_nobody(
    answered: tuple[RunReport, Path], tmp_path: Path
) -> None:
    place = tmp_path / "never"
    assert gather(answered[0], place) == Panorama()
    assert not place.exists()
    bare = report(moment(1, 2), settings={"home": str(tmp_path)})
    assert gather(bare) == Panorama()
    assert list(tmp_path.iterdir()) == []


def test_what_is_damaged_is_left_out_and_the_rest_is_there(colours: Path, tmp_path: Path) -> None:
    answer = VMRAgent(toolbox=colour_toolbox(tmp_path)).run(colours, "the red one")
    path = tmp_path / "shelf" / f"{answer.shelved['curves']}.npz"
    path.write_bytes(path.read_bytes()[:50])
    for piece in (tmp_path / "shelf" / f"{answer.shelved['footage']}.pieces").iterdir():
        piece.write_bytes(b"nothing")
    found = gather(answer)
    assert found.curves == ()
    assert found.thumbnails == ()
    assert len(found.shots) == 6


def test_a_report_names_no_file_outside_the_shelf(
    answered: tuple[RunReport, Path], tmp_path: Path
) -> None:
    answer, home = answered
    name = answer.shelved["curves"]
    outside = tmp_path / "mine.npz"
    outside.write_bytes((home / "shelf" / f"{name}.npz").read_bytes())
    up = "../" * len(home.parts) + str(outside)[1:-4]
    other = name.replace(answer.video.fingerprint, "0" * 40)
    for forged in (up, str(outside)[:-4], f"{name}\n", other, f"{answer.video.fingerprint}/../x"):
        told = answer.model_copy(update={"shelved": {"curves": forged}})
        assert gather(told) == Panorama()
    assert gather(answer.model_copy(update={"shelved": {"curves": name}})).curves


def test_settings_that_nobody_knows_any_more_do_no_harm(answered: tuple[RunReport, Path]) -> None:
    old = {**answered[0].settings, "video": {"reel": "long"}, "strip": None, "gone": 1}
    told = answered[0].model_copy(update={"settings": old})
    assert gather(told).thumbnails == gather(answered[0]).thumbnails


def test_words_that_were_not_to_be_used_are_not_shown(colours: Path, tmp_path: Path) -> None:
    box = colour_toolbox(tmp_path)
    less = box.settings.model_copy(update={"without": ("transcribe",)})
    object.__setattr__(box, "settings", less)
    answer = VMRAgent(toolbox=box).run(colours, "the red one")
    assert "speech" not in answer.shelved
    assert "screen" in answer.shelved


@given(st.lists(st.floats(0, 1, width=32), min_size=1, max_size=3000), st.integers(1, 700))
def test_nothing_that_is_high_is_lost_in_few_values(values: list[float], most: int) -> None:
    row = np.asarray(values, np.float32)
    found, run = highest(row, most)
    assert len(found) <= most
    assert len(found) == -(-len(row) // run)
    assert found.max() == row.max()
    for number, value in enumerate(found):
        assert value == row[number * run : (number + 1) * run].max()


def test_nothing_heavy_is_loaded(answered: tuple[RunReport, Path], tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text(answered[0].model_dump_json(), encoding="utf-8")
    program = (
        "import json, sys, pathlib\n"
        "from vmr_agent import RunReport\n"
        f"told = RunReport.model_validate_json(pathlib.Path({str(path)!r}).read_text())\n"
        "assert told._repr_html_()\n"
        "print(json.dumps(list(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout
    heavy = {"torch", "chromadb", "langgraph", "openai", "matplotlib", "av"}
    assert heavy.isdisjoint(json.loads(out))
    assert VALUES == 600
