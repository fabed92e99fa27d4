"""Pictures of an ensemble: its answers while they stream, the verdict, one of them zoomed, and a blind vote."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from textual.pilot import Pilot

from tests.storage.samples import attempt
from tests.ui.picturing import AT, Console, ask, console_of, decision, in_turn, sees, tell
from tui_orchestrator.routing.errors import StreamBroken
from tui_orchestrator.routing.events import (
    AttemptFailed,
    AttemptFinished,
    AttemptStarted,
    Cause,
    Completed,
    Confidence,
    Decided,
    Event,
    FinishReason,
    Next,
    Point,
    Reserved,
    Score,
    Text,
    Thinking,
    Verdict,
)
from tui_orchestrator.routing.money import Cost, CostState, Money, Usage
from tui_orchestrator.routing.request import Method, Strategy

MODELS = ("anthropic/claude-haiku-5.5", "openai/gpt-6-luna", "lmstudio/qwen-9b")
ANSWERS = (
    "A tree stays balanced by **rotations**: after each insertion the heights on the way up are compared, and where "
    "they differ by more than one a rotation mends it.\n\n```python\ndef rotate(node):\n    pivot = node.right\n"
    "    node.right = pivot.left\n    pivot.left = node\n    return pivot\n```\n",
    "A tree stays balanced by **colours**: after each insertion red nodes under red ones are recoloured, and where "
    "that is not enough a rotation mends it.\n\n- no red node has a red child\n- every path has as many black ones\n",
    "树 stays balanced by rotations.",
)
USAGES = (Usage(812, 412), Usage(812, 1_250), Usage(812, 96))
COSTS = ("0.0018", "0.0031", "0")


def begun(models: int = 3) -> list[Event]:
    decided = replace(decision(), strategy=Strategy.ENSEMBLE, chain=MODELS[:models], reason="three are asked at once")
    events: list[Event] = [Decided("r1", AT, decided)]
    for number, model in enumerate(MODELS[:models], 1):
        events.append(Reserved("r1", AT, number, Money.from_usd("0.004"), ()))
        events.append(AttemptStarted("r1", AT, number, model, model.partition("/")[0], Cause.ENSEMBLE))
    return events


def finished(number: int) -> list[Event]:
    cost = Cost(Money.from_usd(COSTS[number - 1]), CostState.COMPUTED)
    sure = Confidence(0.9 - number / 10)
    end = AttemptFinished(
        "r1", AT, number, MODELS[number - 1], USAGES[number - 1], cost, 0.4, 3.1, 120.0, sure, FinishReason.STOP
    )
    return [Text("r1", AT, number, ANSWERS[number - 1]), end]


def judged() -> list[Event]:
    scores = (
        Score(1, MODELS[0], 0.8, 0.9, 1.0, 0.7, 0.91),
        Score(2, MODELS[1], 0.7, 0.8, 1.0, 0.6, 0.78),
        Score(3, MODELS[2], 0.6, 0.3, 0.4, 0.5, 0.47),
    )
    points = (
        Point("After each insertion the tree is mended on the way up.", (1, 2, 3)),
        Point("A rotation mends what is out of balance.", (1, 2)),
        Point("No red node has a red child.", (2,)),
    )
    verdict = Verdict("r1", AT, "weighted", scores, 1, (points[0].text,), (points[2].text,), points)
    total = Cost(Money.from_usd("0.0049"), CostState.COMPUTED)
    attempts = tuple(
        attempt(
            request_id="r1",
            number=number,
            model=model,
            provider=model.partition("/")[0],
            strategy="ensemble",
            cause=Cause.ENSEMBLE,
            usage=USAGES[number - 1],
            cost=Cost(Money.from_usd(COSTS[number - 1]), CostState.COMPUTED),
            latency_s=3.1,
            tokens_per_s=120.0,
            confidence=0.9 - number / 10,
        )
        for number, model in enumerate(MODELS[:3], 1)
    )
    end = Completed(
        "r1", AT, 1, MODELS[0], ANSWERS[0], "ensemble", total, Usage(2_436, 1_758), 3.4, Confidence(0.8), attempts
    )
    return [verdict, end]


def begin(pilot: Pilot[Any], method: Method | None = None) -> Console:
    app = console_of(pilot)
    app.chat.columns._clock = lambda: 0.0
    app.chat.columns._lot = lambda below: 0
    ask(app, "How do binary trees stay balanced?", verdict=method)
    return app


async def whole(pilot: Pilot[Any]) -> Console:
    app = begin(pilot)
    tell(app, *begun(), *(event for number in (1, 2, 3) for event in finished(number)), *judged())
    await sees(pilot, "★ 1")
    # What was never in view has an estimated height, and whether it was depends on the pace of the machine.
    if app.chat.transcript.is_on_screen:
        app.chat.transcript.action_first_row()
        await sees(pilot, "How do binary")
        app.chat.transcript.follow()
    return app


@in_turn(1)
def test_members_that_stream_think_wait_and_fail(snap_compare: Any, size: tuple[int, int]) -> None:
    async def show(pilot: Pilot[Any]) -> None:
        now = [0.0]
        app = begin(pilot)
        app.chat.columns._clock = lambda: now[0]
        broken = StreamBroken("The stream broke off after 34 tokens.")
        cost = Cost(Money.from_usd("0.0002"), CostState.ESTIMATED)
        failed = AttemptFailed("r1", AT, 3, MODELS[2], broken, Usage(812, 34), cost, 1.2, Next.GIVE_UP)
        tell(app, *begun(), Text("r1", AT, 1, ANSWERS[0][:160]), Thinking("r1", AT, 2, "Red or black?"))
        tell(app, Text("r1", AT, 3, ANSWERS[2]), failed)
        await sees(pilot, "claude-haiku-5.5")
        now[0] = 2.0
        app.chat.columns._tick()
        await pilot.press("f2")
        await sees(pilot, "2.0 s")

    assert snap_compare(Console("okabe-ito"), terminal_size=size, run_before=show)


@in_turn(0)
def test_a_verdict(snap_compare: Any, size: tuple[int, int]) -> None:
    async def show(pilot: Pilot[Any]) -> None:
        app = await whole(pilot)
        await pilot.press("f2")
        await sees(pilot, app.chat.columns.members[0].model)

    assert snap_compare(Console("contrast"), terminal_size=size, run_before=show)


@in_turn(1)
def test_one_of_them_zoomed_with_the_words_in_which_it_differs(snap_compare: Any, size: tuple[int, int]) -> None:
    async def show(pilot: Pilot[Any]) -> None:
        app = await whole(pilot)
        app.chat.show_columns(True)
        for key in ("f2", "right", "z", "d"):
            await pilot.press(key)
        await sees(pilot, "against claude-haiku-5.5")

    assert snap_compare(Console(), terminal_size=size, run_before=show)


@in_turn(0)
def test_a_blind_vote(snap_compare: Any, size: tuple[int, int]) -> None:
    async def show(pilot: Pilot[Any]) -> None:
        app = begin(pilot, Method.VOTE)
        events = [*begun(2), *finished(1), *finished(2), replace(judged()[0], method="vote")]  # type: ignore[type-var]
        tell(app, *events)
        app.action_zoom()
        await sees(pilot, "Which answer is the best?")
        await pilot.press("f2")
        await sees(pilot, "Zoom")

    assert snap_compare(Console("ember"), terminal_size=size, run_before=show)
