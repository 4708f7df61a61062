"""The rooms with a chat model: what each gains, on a film of colours and a model that looks."""

from __future__ import annotations

import json
import re
import shutil
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from colour_chat import CHATTY, asking, data, given, habit, look, rephrase, understand
from endpoint import Endpoint, Exchange, endpoint
from media import sounding
from processes import at_work, program, started, until, vmr
from shelved import say

from vmr_agent import RunReport, VMRAgent
from vmr_agent.errors import ChatRefusedError
from vmr_agent.gallery import Gallery
from vmr_agent.ledger import counted
from vmr_agent.protocols import Array
from vmr_agent.settings import (
    CaptionSettings,
    GroundSettings,
    RetrieveSettings,
    StripSettings,
    VerifySettings,
)
from vmr_agent.testing import COLOURS, TRUTH, colour_toolbox
from vmr_agent.types import Utterance

RED = TRUTH["red"]


def hits(report: RunReport, truth: tuple[Any, ...]) -> bool:
    """Whether every true moment is found and nothing besides."""
    best = [max((m.span.iou(true) for m in report.moments), default=0) for true in truth]
    return len(report.moments) == len(truth) and min(best) > 0.6


def local(home: Path, film: Path, query: str) -> RunReport:
    return VMRAgent(toolbox=colour_toolbox(home)).run(film, query)


def test_without_a_model_nothing_changes(tmp_path: Path, colours: Path) -> None:
    report = local(tmp_path, colours, "the red one")
    assert hits(report, RED)
    assert report.models["chat"] == "off"
    assert all(step.cost.calls == 0 for step in report.steps)


def test_a_question_in_words_that_the_encoder_does_not_know(tmp_path: Path, colours: Path) -> None:
    query = "the crimson one"
    assert local(tmp_path / "alone", colours, query).status == "not_found"
    with asking(tmp_path) as (agent, served):
        report = agent.run(colours, query)
    assert hits(report, RED)
    assert report.status == "found"
    assert report.models["chat"] == f"looker at {served.url[7:].removesuffix('/v1')}"
    costs = {step.room: step.cost for step in report.steps if step.cost.calls}
    assert [*costs] == ["understand", "filter_relevance", "caption", "verify"]
    assert sum(cost.calls for cost in costs.values()) == len(served.requests) == 4
    assert costs["verify"].tokens_in == 100
    notes = [reason.note for reason in report.moments[0].evidence]
    assert "relevant by what a model sees in it" in notes
    assert "red" in notes


def test_what_a_plain_yes_accepts_is_refused_beside_its_rivals(
    tmp_path: Path, colours: Path
) -> None:
    def agreeable(text: str, seen: Any) -> dict[str, Any]:
        from colour_chat import judgements

        told = judgements(text, seen)
        return {name: dict.fromkeys(row, "yes") for name, row in told.items()}

    def without_rivals(text: str, seen: Any) -> dict[str, Any]:
        return {**understand(text, seen), "altered": []}

    plain = habit(verify=agreeable, understand=without_rivals)
    with asking(tmp_path / "plain", plain) as (agent, _):
        assert hits(agent.run(colours, "the crimson one"), RED)
    with asking(tmp_path / "rivals", habit(verify=agreeable)) as (agent, _):
        report = agent.run(colours, "the crimson one")
    assert report.status == "not_found"
    assert report.rejected is not None
    assert "something else at" in report.rejected.evidence[-1].note


def test_not_one_of_many_is_accepted_unseen(tmp_path: Path) -> None:
    """A model that says yes to everything: the second round has more proposals than one request."""

    def agreeable(text: str, _: Any) -> dict[str, Any]:
        statements = data(text)["statements"]
        return {each["id"]: dict.fromkeys(statements, "yes") for each in data(text)["proposals"]}

    film = long_film(tmp_path, 0.2)
    habits = habit(filter_relevance=everything, verify=agreeable)
    usual = {"retrieve": RetrieveSettings(), "strip": StripSettings(), "ground": GroundSettings()}
    with asking(tmp_path / "home", habits, others=usual) as (agent, served):
        report = agent.run(film, "an octopus")
    assert (report.status, report.rounds) == ("not_found", 2)
    asked = [body["response_format"]["json_schema"]["name"] for body in served.requests]
    assert asked.count("verify") == 3, "five, then ten in two requests"


def test_the_second_round_finds_what_the_first_missed(tmp_path: Path, colours: Path) -> None:
    """Whoever reads takes the word for another; worded anew, the curves find it."""

    def puzzled(text: str, seen: Any) -> dict[str, Any]:
        read = understand(text, seen)
        return {**read, "scene": "a verdigris thing", "items": ["is it verdigris?"]}

    with asking(tmp_path, habit(understand=puzzled)) as (agent, served):
        report = agent.run(colours, "a verdant thing")
    assert report.rounds == 2
    assert hits(report, TRUTH["green"])
    assert "widen" in [step.room for step in report.steps if step.cost.calls]
    assert len(served.requests) <= 10


def test_the_second_round_looks_where_nobody_has_looked(tmp_path: Path) -> None:
    """The curves know nothing of it: stretches all over the film, and in each round others."""
    seen: list[set[float]] = []

    def watched(text: str, _: Any) -> dict[str, Any]:
        items = data(text)["items"]
        seen.append({each["start"] for each in data(text)["candidates"]})
        return {each["id"]: dict.fromkeys(items, "no") for each in data(text)["candidates"]}

    film = long_film(tmp_path, 0.2)
    usual = {"retrieve": RetrieveSettings(), "strip": StripSettings(), "ground": GroundSettings()}
    habits = habit(filter_relevance=watched)
    with asking(tmp_path / "home", habits, others=usual) as (agent, _):
        report = agent.run(film, "an octopus")
    first, second = seen
    assert (len(first), len(second)) == (5, 10)
    assert not first & second
    assert sum(span.length for span in report.coverage.closely) >= 15 * 20
    left = report.coverage.passed_over
    assert {part.why for part in left} == {"it resembles the question less"}
    whole = sum(part.span.length for part in left) + sum(s.length for s in report.coverage.closely)
    assert whole == pytest.approx(report.video.duration)


def test_the_second_time_is_counted_from_the_first_whatever_round_that_was_found_in(
    tmp_path: Path,
) -> None:
    """One in the first round, two after it in the second: the nearer of those is the second."""
    times: list[float] = []

    def two_more(text: str, _: Any) -> dict[str, Any]:
        shown = {each["id"]: each["start"] for each in data(text)["candidates"]}
        wanted = 3 if times else 1
        for start in sorted(shown.values()):
            # None next to another: those would be one moment.
            if len(times) < wanted and all(start > each + 40 for each in times):
                times.append(start)
        items = data(text)["items"]
        said = {name: "yes" if start in times else "no" for name, start in shown.items()}
        return {name: dict.fromkeys(items, said[name]) for name in shown}

    def agreeable(text: str, _: Any) -> dict[str, Any]:
        statements = data(text)["statements"]
        return {each["id"]: dict.fromkeys(statements, "yes") for each in data(text)["proposals"]}

    def plain(text: str, seen: Any) -> dict[str, Any]:
        return {**understand(text, seen), "scene": "an octopus", "altered": []}

    film = long_film(tmp_path, 0.2)
    habits = habit(understand=plain, filter_relevance=two_more, verify=agreeable)
    usual = {"retrieve": RetrieveSettings(), "strip": StripSettings(), "ground": GroundSettings()}
    with asking(tmp_path / "home", habits, others=usual) as (agent, _):
        report = agent.run(film, "the second time an octopus is shown")
    assert (report.rounds, len(times)) == (2, 3)
    assert [m.span.start for m in report.moments] == [times[1]]


def test_what_a_model_has_refused_is_not_what_came_nearest(tmp_path: Path, colours: Path) -> None:
    """By the curves it is red as can be; the search anew is told what is against that."""
    told: list[Any] = []

    def never(text: str, _: Any) -> dict[str, Any]:
        items = data(text)["items"]
        return {each["id"]: dict.fromkeys(items, "no") for each in data(text)["candidates"]}

    def listening(text: str, seen: Any) -> dict[str, Any]:
        told.extend(data(text)["nearest"])
        return rephrase(text, seen)

    def refused(text: str, _: Any) -> dict[str, Any]:
        statements = data(text)["statements"]
        return {each["id"]: dict.fromkeys(statements, "no") for each in data(text)["proposals"]}

    habits = habit(filter_relevance=never, widen=listening, verify=refused)
    with asking(tmp_path, habits) as (agent, _):
        report = agent.run(colours, "the red one")
    assert (report.status, report.rounds) == ("not_found", 2)
    assert report.rejected is not None
    assert report.rejected.score < 0.5
    assert told
    assert all("relevance: not relevant by what a model sees in it" in each["why"] for each in told)


def test_a_room_may_be_left_out(tmp_path: Path, colours: Path) -> None:
    """For ablations: what it would have asked is not asked."""
    for room in ("understand", "filter_relevance", "caption", "trim", "ground", "verify", "widen"):
        with asking(tmp_path / room, others={"without": frozenset({room})}) as (agent, served):
            report = agent.run(colours, "the red one")
        asked = {body["response_format"]["json_schema"]["name"] for body in served.requests}
        assert room not in asked
        assert report.settings["without"] == [room]
        seen = [*report.moments, report.rejected]  # without boundaries its rivals are in it too
        assert any(m and m.span.overlap(RED[0]) > 2 for m in seen), room


def described(served: Endpoint) -> list[tuple[str, list[str]]]:
    """What was looked for, and which stretches, in every request for captions."""
    asked = [
        body["messages"][1]["content"]
        for body in served.requests
        if body["response_format"]["json_schema"]["name"] == "caption"
    ]
    texts = [each if isinstance(each, str) else each[0]["text"] for each in asked]
    return [
        (
            given(text, "What is looked for"),
            [f"{each['start']}-{each['end']}" for each in data(text)["candidates"]],
        )
        for text in texts
    ]


@pytest.mark.parametrize("mode", ["LE", "SE"])
def test_what_a_shot_shows_is_kept_for_all_questions_or_is_not(
    tmp_path: Path, colours: Path, mode: str
) -> None:
    with asking(tmp_path, others={"caption": CaptionSettings(mode=mode)}) as (agent, served):
        found = agent.run(colours, "the crimson one")
        absent = [agent.run(colours, query) for query in ("a purple one", "an orange one")]
    assert (found.status, [each.status for each in absent]) == ("found", ["not_found"] * 2)
    (guided, _), *generic = described(served)
    assert guided == "the crimson one"
    assert {about for about, _ in generic} == {""}
    stretches = [stretch for _, each in generic for stretch in each]
    asked_again = len(stretches) - len(set(stretches))
    assert (asked_again == 0) == (mode == "LE")
    assert absent[1].rejected is not None
    assert any(why.source == "caption" for why in absent[1].rejected.evidence)


def test_a_shot_of_which_there_is_nothing_to_say_is_not_asked_about_again(
    tmp_path: Path, colours: Path
) -> None:
    def wordless(_: str, seen: Any) -> dict[str, Any]:
        return dict.fromkeys(seen, "")

    with asking(tmp_path, habit(caption=wordless)) as (agent, served):
        for query in ("a purple one", "an orange one"):
            agent.run(colours, query)
    stretches = [stretch for _, each in described(served) for stretch in each]
    assert len(stretches) == len(set(stretches)) > 0


def test_a_shot_that_a_model_forgot_is_asked_about_again(tmp_path: Path) -> None:
    def forgetful(_: str, seen: Any) -> dict[str, Any]:
        return {min(seen): "grey"}

    film = long_film(tmp_path, 0.1)
    usual = {"retrieve": RetrieveSettings(), "strip": StripSettings(), "ground": GroundSettings()}
    with asking(tmp_path / "home", habit(caption=forgetful), others=usual) as (agent, served):
        for query in ("an octopus", "a walrus"):
            agent.run(film, query)
    (_, first), (_, second) = described(served)
    assert first[0] not in second
    assert set(first[1:]) & set(second)


# ── what it costs ─────────────────────────────────────────────────────────────────────────────


def long_film(folder: Path, hours: float) -> Path:
    """Half a minute of each colour, again and again, a frame a second."""
    path = folder / f"{hours:g}h-silent.mp4"
    names = [*COLOURS]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=1)
        stream.height, stream.width, stream.pix_fmt = 48, 64, "yuv420p"
        for second in range(round(hours * 3600)):
            colour = COLOURS[names[second // 30 * 7 % 11 % len(names)]]
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), colour, np.uint8), "rgb24")
            frame.pts, frame.time_base = second, Fraction(1, 1)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return sounding(path, folder / f"{hours:g}h.mkv", hours * 3600)


class Talker:
    """Hears somebody who never stops talking."""

    name = "talker"

    def transcribe(self, samples: Array, rate: int, voice: Array) -> tuple[Utterance, ...]:
        seconds = len(samples) / rate
        return tuple(
            say(start, "and then we went on along the river until it was dark again", 0.3)
            for start in range(0, int(seconds) - 4, 4)
        )


def everything(text: str, _: Any) -> dict[str, Any]:
    """Yes to all."""
    items = data(text)["items"]
    return {each["id"]: dict.fromkeys(items, "yes") for each in data(text)["candidates"]}


def words_sent(served: Endpoint) -> int:
    """Tokens of text in all requests, by our own count."""
    messages = [message for body in served.requests for message in body["messages"]]
    parts = [m["content"] if isinstance(m["content"], list) else [m] for m in messages]
    texts = [part.get("text") or part.get("content") or "" for each in parts for part in each]
    return sum(counted(text) for text in texts)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("hours", "calls", "tokens"),
    [(1, 10, 15_000), (12, 13, 19_500)],
)
def test_a_question_costs_the_same_however_long_the_film(
    tmp_path: Path, hours: float, calls: int, tokens: int
) -> None:
    """At the default settings, and for questions that take both rounds, the second the dearest:
    what a model says yes to is described and judged in each."""
    film = long_film(tmp_path, hours)
    usual = {"retrieve": RetrieveSettings(), "strip": StripSettings(), "ground": GroundSettings()}
    for script in (look, habit(filter_relevance=everything)):
        home = tmp_path / "home"
        with asking(home, script, others=usual, transcriber=Talker()) as (agent, served):
            report = agent.run(film, "an octopus")
        shutil.rmtree(home / "shelf" / report.video.fingerprint / "chat")
        assert (report.status, report.rounds) == ("not_found", 2)
        assert '"said": "and then we went' in json.dumps(served.requests).replace("\\", "")
        assert report.coverage.speech > 0.99
        assert len(served.requests) <= calls
        assert words_sent(served) <= tokens


def test_the_budget_ends_the_run_with_the_best_so_far(tmp_path: Path, colours: Path) -> None:
    with asking(tmp_path, budget={"calls": 2}) as (agent, served):
        report = agent.run(colours, "the red one")
    assert report.status == "partial"
    assert hits(report, RED), "by the scores alone"
    assert len(served.requests) == report.cost.calls == 2
    (fault,) = [fault for fault in report.faults if fault.kind == "budget"]
    assert "chat.budget.calls = 2" in fault.message
    assert {part.why for part in report.coverage.passed_over} == {"the budget was spent"}


@pytest.mark.parametrize(("calls", "status"), [(3, "partial"), (4, "partial"), (5, "found")])
def test_what_a_spent_budget_left_unjudged_goes_by_its_score(
    tmp_path: Path, calls: int, status: str
) -> None:
    """Before the first of two requests to judge, between them, or after both."""
    film = long_film(tmp_path, 0.2)
    usual = {"retrieve": RetrieveSettings(), "strip": StripSettings(), "ground": GroundSettings()}
    few = {**usual, "verify": VerifySettings(judged=3)}
    with asking(tmp_path / "home", others=few, budget={"calls": calls}) as (agent, served):
        report = agent.run(film, "the red one")
    assert len(served.requests) == calls
    assert (report.status, len(report.moments)) == (status, 5)


def test_nothing_is_decoded_for_a_model_that_answers_no_more(
    tmp_path: Path, colours: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[int] = []
    true = Gallery.jpegs

    def watched(self: Gallery, times: Any, *rest: Any) -> list[bytes]:
        shown.append(len(times))
        return true(self, times, *rest)

    monkeypatch.setattr(Gallery, "jpegs", watched)
    with asking(tmp_path, budget={"calls": 2}) as (agent, _):
        assert agent.run(colours, "the red one").status == "partial"
    assert len(shown) == 2, "for the filter, and for captions; verify knows"


def test_one_question_that_is_too_long_does_not_end_the_run(tmp_path: Path, colours: Path) -> None:
    def small(exchange: Exchange) -> None:
        if exchange.body["response_format"]["json_schema"]["name"] == "filter_relevance":
            exchange.error(400, "This model's maximum context length is 2048 tokens.")
        else:
            look(exchange)

    with asking(tmp_path, small) as (agent, served):
        report = agent.run(colours, "the red one")
    assert report.status == "partial"
    assert hits(report, RED)
    (fault,) = [fault for fault in report.faults if fault.kind == "chat"]
    assert fault.room == "filter_relevance"
    assert "lower chat.images" in fault.message
    names = [body["response_format"]["json_schema"]["name"] for body in served.requests]
    assert names == ["understand", "filter_relevance", "caption", "verify"]


def test_a_question_asked_again_costs_nothing(tmp_path: Path, colours: Path) -> None:
    with asking(tmp_path) as (agent, served):
        first = agent.run(colours, "the crimson one")
        asked = len(served.requests)
        again = agent.run(colours, "the crimson one")
    assert len(served.requests) == asked
    assert again.moments == first.moments
    assert again.cost.calls == 0


def test_what_a_killed_run_had_asked_is_not_asked_again(tmp_path: Path, colours: Path) -> None:
    """SIGKILL, from whoever is asked the third question."""
    killed: list[int] = []

    def deadly(exchange: Exchange) -> None:
        if exchange.number == 2 and not killed:
            killed.append(run.pid)
            run.kill()
            until(lambda: not at_work(tmp_path))  # the guard dies first, the one who asks after it
        look(exchange)

    with endpoint(deadly) as served:
        here = {"VMR_CHAT__MODEL": "looker", "VMR_CHAT__BASE_URL": served.url}
        command = program(CHATTY)
        with started(tmp_path, "find", colours, "crimson", command=command, **here) as run:
            run.wait(60)
        assert (len(killed), run.returncode) == (1, -9)
        again = vmr(tmp_path, "find", colours, "crimson", command=command, **here)
    assert again.returncode == 0
    names = [body["response_format"]["json_schema"]["name"] for body in served.requests]
    assert names == ["understand", "filter_relevance", "caption", "caption", "verify"]


def test_an_endpoint_that_is_down_leaves_the_local_way(tmp_path: Path, colours: Path) -> None:
    with asking(tmp_path, lambda e: e.error(500, "down"), retries=0) as (agent, served):
        report = agent.run(colours, "the red one")
    assert (report.status, len(served.requests)) == ("partial", 1)
    assert hits(report, RED)
    (fault,) = [fault for fault in report.faults if fault.kind == "chat"]
    assert {part.why for part in report.coverage.passed_over} == {
        "the chat model could not be asked"
    }
    assert re.search(r"looker at 127.0.0.1:\d+ answers 500", fault.message)


def test_a_wrong_key_is_told_at_once(tmp_path: Path, colours: Path) -> None:
    refused = pytest.raises(ChatRefusedError, match="OPENAI_API_KEY")
    with asking(tmp_path, lambda e: e.error(401, "no")) as (agent, _), refused:
        agent.run(colours, "the red one")


def test_a_model_that_overlooks_order_does_not_undo_it(tmp_path: Path, colours: Path) -> None:
    """What it leaves empty stays as the rules had it."""

    def reads(text: str, seen: Any) -> dict[str, Any]:
        return {**understand(text, seen), "scene": "red", "items": ["is it red?"]}

    with asking(tmp_path, habit(understand=reads)) as (agent, _):
        after = agent.run(colours, "something red after something blue")
        second = agent.run(colours, "the second time it is red")
    assert [m.span.start for m in after.moments] == pytest.approx([12], abs=0.2)
    assert [m.span.start for m in second.moments] == pytest.approx([12], abs=0.2)


def test_order_is_acted_on(tmp_path: Path, colours: Path) -> None:
    """The rules know it too; a model finds it in any words."""
    after = local(tmp_path / "alone", colours, "something red after something blue")
    assert [m.span.start for m in after.moments] == pytest.approx([12], abs=0.2)
    second = local(tmp_path / "alone", colours, "the second time it is red")
    assert [m.span.start for m in second.moments] == pytest.approx([12], abs=0.2)
    sure = local(tmp_path / "alone", colours, "something red")
    doubt = local(tmp_path / "alone", colours, "something red after something yellow")
    assert hits(doubt, RED), "an order to what was found nowhere cannot be told"
    assert doubt.moments[0].score < sure.moments[0].score
    assert any("found nowhere" in why.note for why in doubt.moments[0].evidence)

    def reads(text: str, seen: Any) -> dict[str, Any]:
        relation = {"kind": "before", "scene": "blue"}
        return {**understand(text, seen), "relations": [relation]}

    with asking(tmp_path, habit(understand=reads)) as (agent, _):
        early = agent.run(colours, "crimson, but only early on")
    assert [m.span.start for m in early.moments] == pytest.approx([2], abs=0.2)


@pytest.mark.parametrize(
    ("kind", "scene", "starts"),
    [
        ("after", "blue", [12]),
        ("before", "blue", [2]),
        ("without", "red", []),
        ("while", "blue", []),
    ],
)
def test_what_a_model_sees_is_no_more_than_order_allows(
    tmp_path: Path, colours: Path, kind: str, scene: str, starts: list[float]
) -> None:
    """It looks at frames, each red as can be: none of them shows when."""

    def reads(text: str, seen: Any) -> dict[str, Any]:
        relations = [{"kind": kind.title(), "scene": scene}]
        return {**understand(text, seen), "scene": "red", "relations": relations}

    with asking(tmp_path, habit(understand=reads)) as (agent, _):
        found = agent.run(colours, "the crimson one")
    assert [m.span.start for m in found.moments] == pytest.approx(starts, abs=0.2)
