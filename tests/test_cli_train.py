"""``vmr train`` as users start it: real processes, killed and started again, one or two of them."""

from __future__ import annotations

import json
import shutil
import signal
import sys
from pathlib import Path
from typing import get_args

import pytest
from processes import at_work, in_terminal, one_line, program, started, until, vmr

from vmr_agent import __version__
from vmr_agent.cli.train import Network
from vmr_agent.errors import WeightsError
from vmr_agent.grounding.checkpoint import CARD, WEIGHTS, Kind, load, load_gated, read
from vmr_agent.grounding.inputs import FORM
from vmr_agent.grounding.training.job import READERS
from vmr_agent.grounding.training.trainers import TRAINERS

TOY = ("--data", "simulated:40", "--epochs", "9", "--batch", "9", "--held-out", "0.2")
GROUND = ("train", "ground", *TOY)
TEAM = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
STOPPED = "vmr: stopped; what was finished is kept, run it again to go on\n"
LINE = {
    "step": 2.0,
    "curves": {"a": [0, 1, 0], "b": [1, 0, 0]},
    "candidates": {"a": [[2, 4, 0.5]], "b": []},
    "moments": [[2, 4]],
}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network that was trained in peace."""
    folder = tmp_path_factory.mktemp("calm")
    run = vmr(folder, *GROUND, "--out", folder / "out")
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.startswith(f"{folder / 'out'}: ground, loss ")
    assert run.stdout.count("\n") == 1
    return folder / "out"


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def written(folder: Path) -> dict[Path, int]:
    """When each file was, save the lock."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "lock"]
    return {path: path.stat().st_mtime_ns for path in files}


def test_each_network_has_a_command_and_data() -> None:
    assert get_args(get_args(Network)[0]) == get_args(Kind)
    assert set(get_args(Kind)) == set(TRAINERS) == set(READERS)


def test_a_toy_is_trained_and_says_what_of(calm: Path) -> None:
    assert sorted(content(calm)) == [CARD, WEIGHTS]
    network, card = load(calm, ("fused",), ("retrieval",))
    assert not network.training
    assert (card.kind, card.data, card.licence) == ("ground", "simulated:40, seed 0", "Apache-2.0")
    assert (card.seed, card.step) == (0, None)
    assert card.commit
    assert set(card.metrics) == {
        *("loss", "nll", "count_nll", "best_iou", "r1_50", "r1_70", "ece"),
    }
    assert 0.5 <= card.sharpness <= 2
    assert [path.name for path in calm.glob(".training/*.json")] == ["recipe.json"]
    assert not list(calm.glob(".training/state*"))


def test_what_is_done_is_not_done_again(home: Path, calm: Path) -> None:
    before = written(calm)
    lazy = "from vmr_agent.grounding.training import fit; fit.train = None"
    run = vmr(home, *GROUND, "--out", calm, "--json", command=program(lazy))
    assert (run.returncode, run.stderr) == (0, "")
    assert json.loads(run.stdout) == {"already": True, "card": read(calm).model_dump(mode="json")}
    assert written(calm) == before


@pytest.mark.parametrize(
    "number",
    [
        pytest.param(signal.SIGKILL, id="SIGKILL"),
        pytest.param(signal.SIGINT, id="SIGINT", marks=pytest.mark.slow),
    ],
)
def test_broken_off_and_run_again_it_gives_the_same_bytes(
    home: Path, calm: Path, tmp_path: Path, number: signal.Signals
) -> None:
    out = tmp_path / "out"
    with started(home, *GROUND, "--out", out) as run:
        until(lambda: (out / ".training" / "state.pt").exists())
        run.send_signal(number)
        _, err = run.communicate(timeout=60)
        until(lambda: not at_work(home))
    told = (run.returncode, err)
    assert told == ((130, STOPPED) if number == signal.SIGINT else (-number, ""))
    assert not content(out)
    again = vmr(home, *GROUND, "--out", out)
    assert (again.returncode, again.stderr) == (0, "")
    assert content(out) == content(calm)


def test_the_gate_is_trained_from_a_file(home: Path, tmp_path: Path) -> None:
    lines = [LINE | {"film": f"film {n % 5}"} for n in range(20)]
    (tmp_path / "mine.jsonl").write_text("".join(json.dumps(each) + "\n" for each in lines))
    words = ["--data", "mine.jsonl", "--licence", "CC0", "--epochs", "2", "--out", "gate", "--json"]
    sources = ["--without-sound", "b", "--with-sound", "a"]
    run = vmr(home, "train", "audio-gate", *words, *sources, cwd=tmp_path)
    assert (run.returncode, run.stderr) == (0, "")
    gated, card = load_gated(tmp_path / "gate", ("b", "a"), ("b", "a"))
    assert gated.fixed is None
    assert json.loads(run.stdout)["card"] == card.model_dump(mode="json")
    assert (card.licence, card.step) == ("CC0", 2.0)
    assert card.data.startswith("mine.jsonl, 20 questions, SHA-256 ")
    assert {"ece", "nll", "nll_without_sound", "best_iou_without_sound"} <= set(card.metrics)
    with pytest.raises(WeightsError, match="trained for kind audio-gate, not ground"):
        load(tmp_path / "gate", ("b", "a"), ("b", "a"))


@pytest.mark.slow
def test_two_processes_train_one_network(home: Path, calm: Path, tmp_path: Path) -> None:
    words = [*TEAM, "-m", "vmr_agent", *GROUND, "--out", str(tmp_path / "out")]
    run = vmr(home, command=words)
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith(f"{tmp_path / 'out'}: ground, loss ")
    assert run.stdout.count("\n") == 1, "the first of them alone tells"
    network, card = load(tmp_path / "out", ("fused",), ("retrieval",))
    assert network
    assert card.metrics.keys() == read(calm).metrics.keys()
    alone = vmr(home, *GROUND, "--out", tmp_path / "out")
    assert "was begun with processes 2, not 1: give --fresh" in one_line(alone)


@pytest.mark.slow
def test_two_processes_that_are_killed_go_on_with_the_same_bytes(
    home: Path, tmp_path: Path
) -> None:
    words = [*TEAM, "-m", "vmr_agent", *GROUND, "--out"]
    assert vmr(home, command=[*words, str(tmp_path / "calm")]).returncode == 0
    out = tmp_path / "out"
    with started(home, command=[*words, str(out)]) as run:
        until(lambda: (out / ".training" / "state.pt").exists())
        run.send_signal(signal.SIGTERM)
        run.communicate(timeout=60)
        until(lambda: not at_work(home))
    assert not content(out)
    assert vmr(home, command=[*words, str(out)]).returncode == 0
    assert content(out) == content(tmp_path / "calm")


# ── calls that cannot work ────────────────────────────────────────────────────────────────────

MINE = ["--data", "mine.jsonl", "--out", "out"]
BOTH = ["--without-sound", "a", "--with-sound", "b"]
LOOK = ["--free", "a", "--dear", "b"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "Missing argument 'NETWORK'. Choose from: ground, audio-gate, selector"),
        (["grund", *MINE], "'grund' is not one of 'ground', 'audio-gate', 'selector'"),
        (["ground", "--out", "out"], "Missing option '--data'; see vmr train --help"),
        (["ground", "--data", "simulated"], "Missing option '--out'"),
        (["ground", "--data", "none.jsonl", "--out", "out", "--licence", "x"], "No such file"),
        (["ground", "--data", ".", "--out", "out", "--licence", "x"], "no regular file"),
        (["ground", "--data", "simulated:no", "--out", "out"], "say simulated:N"),
        (["ground", "--data", "simulated:9", "--out", "out", "--licence", "x"], "leave out --lic"),
        (["ground", *MINE], "give that of the file, --licence NAME"),
        (["ground", *MINE, "--licence", " "], "give that of the file, --licence NAME"),
        (["ground", "--data", "bad.jsonl", "--out", "out", "--licence", "x"], "bad.jsonl:1 is no"),
        (["ground", *MINE, "--licence", "x"], "all questions are about one film: give more"),
        (["ground", *MINE, *BOTH], "go together, with audio-gate; see vmr train --help"),
        (["audio-gate", *MINE, "--with-sound", "a"], "go together, with audio-gate"),
        (["audio-gate", *MINE, "--licence", "x"], "name them with --without-sound and --with"),
        (["audio-gate", *MINE, "--licence", "x", *BOTH[:3], "c"], "no curve 'c', only a, b"),
        (["audio-gate", *MINE, "--licence", "x", *BOTH[:3], "a"], "are both 'a': name two curves"),
        (
            ["audio-gate", "--data", "simulated", "--out", "out", *BOTH],
            "leave out --without-sound, --",
        ),
        (["selector", *MINE, *BOTH], "go together, with audio-gate; see vmr train --help"),
        (["ground", *MINE, *LOOK], "--free and --dear go together, with selector; see vmr train"),
        (["selector", *MINE, *LOOK[:2]], "--free and --dear go together, with selector"),
        (["selector", *MINE, *LOOK, *BOTH], "go together, with audio-gate"),
        (["selector", *MINE, *LOOK], "give that of the file, --licence NAME"),
        (["selector", *MINE, "--licence", "x"], "go to a dear one: name them with --free and --d"),
        (["selector", *MINE, "--licence", "x", *LOOK[:3], "c"], "no curve 'c', only a, b"),
        (["selector", *MINE, "--licence", "x", *LOOK[:3], "a"], "are both 'a': name two curves"),
        (["selector", "--data", "simulated", "--out", "out", *LOOK], "leave out --free, --dear"),
        (["ground", *MINE, "--epochs", "0"], "--epochs"),
        (["ground", *MINE, "--batch", "0"], "--batch"),
        (["ground", *MINE, "--rate", "0"], "--rate"),
        (["ground", *MINE, "--rate", "nan"], "--rate"),
        (["ground", *MINE, "--held-out", "1"], "--held-out"),
        (["ground", *MINE, "--seed", "-1"], "--seed"),
        (["ground", *MINE, "--device", "tpu"], "'tpu' is not one of 'auto', 'cpu', 'cuda'"),
        (["ground", "--data", "simulated:9", "--out", "mine.jsonl"], "is a file: give --out a fo"),
    ],
)
def test_a_bad_call_is_one_line_and_two_and_loads_no_torch(
    home: Path, tmp_path: Path, words: list[str], says: str
) -> None:
    (tmp_path / "mine.jsonl").write_text(json.dumps(LINE) + "\n")
    (tmp_path / "bad.jsonl").write_text("{}\n")
    lacking = program("import sys; sys.modules.update(torch=None, langgraph=None)")
    run = vmr(home, "train", *words, cwd=tmp_path, command=lacking)
    assert says in one_line(run)
    assert run.returncode == 2
    assert not (tmp_path / "out").exists()


def test_other_settings_are_refused_by_name_and_fresh_begins_anew(
    home: Path, calm: Path, tmp_path: Path
) -> None:
    before = content(calm)
    run = vmr(home, *GROUND, "--seed", "1", "--rate", "0.001", "--out", calm)
    assert run.returncode == 2
    assert one_line(run) == (
        f"'{calm}' was begun with data simulated:40, seed 0, not simulated:40, seed 1; "
        "rate 0.002, not 0.001; seed 0, not 1: give --fresh to begin anew, or another --out"
    )
    assert content(calm) == before
    out = shutil.copytree(calm, tmp_path / "out")
    words = ["--data", "simulated:9", "--epochs", "1", "--held-out", "0", "--fresh"]
    anew = vmr(home, "train", "ground", *words, "--out", out)
    assert (anew.returncode, anew.stderr) == (0, "")
    assert read(out).data == "simulated:9, seed 0"
    assert read(out).metrics.keys() == {"loss"}, "nothing was held out"
    assert read(out).sharpness == 1


@pytest.mark.parametrize(
    ("other", "says"),
    [
        ("import vmr_agent; vmr_agent.__version__ = '0.0.1'", f"version {__version__}, not 0.0.1"),
        ("from vmr_agent.grounding import inputs; inputs.FORM = 0", f"form {FORM}, not 0"),
    ],
)
def test_what_other_code_began_is_refused_by_name(
    home: Path, calm: Path, other: str, says: str
) -> None:
    before = content(calm)
    run = vmr(home, *GROUND, "--out", calm, command=program(other))
    assert run.returncode == 2
    assert f"was begun with {says}: give --fresh" in one_line(run)
    assert content(calm) == before


def test_a_device_that_is_not_there_is_the_machines(home: Path, tmp_path: Path) -> None:
    blind = program("import os; os.environ['CUDA_VISIBLE_DEVICES'] = ''")
    words = ["--data", "simulated:9", "--out", tmp_path / "out", "--device", "cuda"]
    run = vmr(home, "train", "ground", *words, command=blind)
    assert "sees no CUDA device: say --device cpu" in one_line(run)
    assert run.returncode == 3
    assert not (tmp_path / "out").exists()


def test_what_diverges_is_told_and_leaves_no_weights(home: Path, tmp_path: Path) -> None:
    broken = (
        "from vmr_agent.grounding.training.lesson import Task; cost = Task.cost\n"
        "Task.cost = lambda *each: cost(*each) * float('nan')"
    )
    words = ["--data", "simulated:9", "--out", tmp_path / "out"]
    run = vmr(home, "train", "ground", *words, command=program(broken))
    assert "the loss is nan in epoch 0: lower the rate, with --rate and --fresh" in one_line(run)
    assert run.returncode == 2
    assert not content(tmp_path / "out")


def test_a_folder_that_is_full_is_told_and_can_be_gone_on_with(home: Path, tmp_path: Path) -> None:
    full = (
        "from vmr_agent.grounding.training import trainers\n"
        "def save(*_): raise OSError(28, 'No space left on device')\n"
        "trainers.save = save"
    )
    words = ["--data", "simulated:9", "--epochs", "1", "--out", tmp_path / "out"]
    run = vmr(home, "train", "ground", *words, command=program(full))
    assert "No space left on device" in one_line(run)
    assert run.returncode == 3
    assert not content(tmp_path / "out")
    assert (tmp_path / "out" / ".training" / "state.pt").exists()


# ── terminals ─────────────────────────────────────────────────────────────────────────────────


def test_a_terminal_sees_how_far_it_is(home: Path, tmp_path: Path) -> None:
    words = ["--data", "simulated:9", "--epochs", "3", "--held-out", "0"]
    slow = (
        "import time; from vmr_agent.grounding.training.lesson import Lesson; task = Lesson.task\n"
        "Lesson.task = lambda *each: time.sleep(0.5) or task(*each)"
    )
    where = ["--out", str(tmp_path / "out")]
    code, sent = in_terminal(home, "train", "ground", *words, *where, command=program(slow))
    assert code == 0
    for wanted in ("learn", "━", "epoch 2 of 3", "loss ", "0:00 left", "out: ground, loss"):
        assert wanted in sent, wanted


def test_help_shows_how(home: Path) -> None:
    run = vmr(home, "train", "--help")
    assert (run.returncode, run.stderr) == (0, "")
    assert "vmr train ground --data simulated:200 --out grounder" in run.stdout
    assert "torchrun" in run.stdout
