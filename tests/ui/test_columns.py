"""Ensemble members side by side: how each stands, and which one the verdict names."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from tui_orchestrator.routing.events import Point, Score, Verdict
from tui_orchestrator.routing.money import Cost, CostState, Money
from tui_orchestrator.ui.columns import Columns
from tui_orchestrator.ui.side_by_side import MIN_COLUMN
from tui_orchestrator.ui.transcript import Transcript

COST = Cost(Money.from_usd("0.0041"), CostState.COMPUTED)
SCORES = (Score(2, "b/two", 0.8, 0.7, 1.0, 0.1, 0.9), Score(1, "a/[/x] one", 0.5, 0.6, 0.9, 0.0, 0.6))


def judged(winner: int, *points: Point, method: str = "weighted", reason: str = "") -> Verdict:
    return Verdict("r", datetime(2026, 11, 20, tzinfo=UTC), method, SCORES, winner, (), (), points, reason)


def begin(columns: Columns, *members: tuple[int, str], blind: bool = False) -> None:
    columns.start(blind=blind)
    for number, model in members:
        columns.add(number, model)


def finish(columns: Columns, answers: Sequence[tuple[int, str]]) -> None:
    for number, text in answers:
        columns.append(number, text)
        columns.finish(number, seconds=1, tokens=9, tokens_per_s=None, cost=COST, confidence=0.7)


class Stage(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        # Each one is put before those that are there: the order is turned round.
        self.columns = Columns(clock=lambda: self.now, lot=lambda below: 0)
        self.wanted: list[object] = []

    def on_columns_picked(self, message: Columns.Picked) -> None:
        self.wanted.append(("pick", message.number))

    def on_columns_go_on(self, message: Columns.GoOn) -> None:
        self.wanted.append(("go on", message.number))

    def compose(self) -> ComposeResult:
        yield self.columns


async def screen(pilot: Pilot[None], *shown: str) -> list[str]:
    """Once each of these is to be seen, after what was pressed; where it never is, what there is instead."""
    for _ in range(200):
        rows = await _drawn(pilot)
        if all(text in "\n".join(rows) for text in shown):
            break
        await pilot.pause(0.01)
    return rows


async def _drawn(pilot: Pilot[None]) -> list[str]:
    await pilot.pause()
    for _ in range(200):
        if not any(one._rows.unread for one in pilot.app.query(Transcript) if one.is_on_screen):
            break
        await pilot.pause(0.01)
    await pilot.pause()
    app = pilot.app
    width, height = app.size
    strips = app.screen._compositor.render_strips()
    assert len(strips) == height
    return [strip.crop(0, width).text.rstrip() for strip in strips]


async def test_members_stand_side_by_side_with_their_figures() -> None:
    app = Stage()
    async with app.run_test(size=(3 * MIN_COLUMN, 20)) as pilot:
        columns = app.columns
        begin(columns, (1, "a/[/x] one"), (2, "b/two"), (3, "c/three"))
        await pilot.pause()
        app.now = 2.0
        columns.append(1, "first **answer** " + "x" * 200)
        columns.append(2, "second answer")
        columns.append_thinking(3, "hm")
        columns.finish(2, seconds=1.5, tokens=1200, tokens_per_s=800.4, cost=COST, confidence=0.86)
        columns.fail(3, "stream broke [/y]")
        columns._tick()
        rows = await screen(pilot)
        assert "● 1 a/[/x] one" in rows[0]
        assert "✓ 2 b/two" in rows[0]
        assert "✗ 3 c/three" in rows[0]
        assert "2.0 s · ~54 tok · ~27 tok/s" in rows[1]
        assert "$0.0041 1.5 s ↓1.2k 800 tok/s" in rows[1]
        assert "stream broke [/y]" in rows[1]
        text = "\n".join(rows)
        assert "first answer" in text
        assert "confidence 0.86" in text
        assert "▸ thinking" in text
        assert "✗ stream broke [/y]" in text


async def test_every_figure_fits_over_the_narrowest_column() -> None:
    app = Stage()
    async with app.run_test(size=(3 * MIN_COLUMN, 20)) as pilot:
        columns = app.columns
        begin(columns, (1, "a/one"), (2, "b/two"), (3, "c/three"))
        dear = Cost(Money.from_usd("0.000123"), CostState.ESTIMATED)
        columns.finish(1, seconds=0.6, tokens=87, tokens_per_s=140.2, cost=COST)
        columns.finish(2, seconds=59.5, tokens=123_456, tokens_per_s=2074.9, cost=dear)
        columns.finish(3, seconds=1.5, tokens=12, tokens_per_s=None, cost=COST)
        row = (await screen(pilot))[1]
        for figures in ("$0.0041 · 0.6 s · ↓87 · 140 tok/s", f"{dear} 60 s ↓123k 2075 tok/s", "? tok/s"):
            assert figures in row
        assert "…" not in row


async def test_narrow_members_wait_behind_tabs() -> None:
    app = Stage()
    async with app.run_test(size=(2 * MIN_COLUMN - 1, 20)) as pilot:
        columns = app.columns
        begin(columns, (1, "a/one"), (2, "b/two"))
        columns.append(1, "the first")
        columns.append(2, "the second")
        rows = await screen(pilot)
        assert "a/one" in rows[0]
        assert "b/two" in rows[0]
        assert "the first" in "\n".join(rows)
        assert "the second" not in "\n".join(rows)
        await pilot.click("Tabs", offset=(rows[0].index("two"), 0))
        assert "the second" in "\n".join(await screen(pilot, "the second"))
        columns.transcript(2).focus()
        await pilot.pause()
        await pilot.press("right")
        assert "the first" in "\n".join(await screen(pilot, "the first"))
        await pilot.resize_terminal(3 * MIN_COLUMN, 20)
        text = "\n".join(await screen(pilot, "the first", "the second"))
        assert "the first" in text
        assert "the second" in text


async def test_the_verdict_marks_the_winner_and_tells_agreement_and_dissent() -> None:
    app = Stage()
    async with app.run_test(size=(100, 40)) as pilot:
        columns = app.columns
        begin(columns, (1, "a/[/x] one"), (2, "b/two"))
        finish(columns, [(1, "answer"), (2, "answer")])
        points = (Point("both | say *this*", (1, 2)), Point("# differs", (1,)))
        columns.verdict(judged(2, *points, method="judge", reason="c/three: it is whole"))
        text = "\n".join(await screen(pilot))
        assert "★ 2 b/two" in text.splitlines()[0]
        assert "★ b/two is the answer · judge · c/three: it is whole" in text
        assert "1 [/x] one │  0.60 │" in text
        assert "• 1 2 both | say *this*" in text
        assert "• 1 # differs" in text
        assert text.index("They agree") < text.index("both | say") < text.index("They differ") < text.index("# differs")
        assert "? tok/s" in text


@pytest.mark.parametrize(
    ("totals", "shown"),
    [
        ((1.0712, 1.0688), ("1.071", "1.069")),
        ((1.07041, 1.07029), ("1.0704", "1.0703")),
        ((1.07, 1.07), ("1.07 ", "1.07 ")),
        ((1.07, 0.99), ("1.07 ", "0.99 ")),
    ],
)
async def test_totals_are_told_apart_and_what_they_are_made_of_stands_below(
    totals: tuple[float, float], shown: tuple[str, str]
) -> None:
    app = Stage()
    async with app.run_test(size=(160, 40)) as pilot:
        begin(app.columns, (1, "a/one"), (2, "b/two"))
        scores = tuple(Score(n, f"x/{n}", 0.8, 0.7, 1.0, 0.1, total) for n, total in enumerate(totals, 1))
        app.columns.verdict(Verdict("r", datetime(2026, 11, 20, tzinfo=UTC), "weighted", scores, 1, (), ()))
        app.columns.query_one("#verdict").styles.height = 20
        rows = await screen(pilot)
        for number, total in enumerate(shown, 1):
            row = next(row for row in rows if f"{number} {number} " in row and "│" in row)
            assert total in row.split("│")[1] + " "
        text = "\n".join(rows)
        made_of = "total = 0.5 confidence + 0.3 capable + 0.2 complete + 0.1 consensus"
        assert text.index("│ consensus") < text.index(made_of)


async def test_points_of_half_the_answers_are_told_apart_from_those_of_most() -> None:
    app = Stage()
    async with app.run_test(size=(100, 60)) as pilot:
        columns = app.columns
        begin(columns, (1, "a/one"), (2, "b/two"), (3, "c/three"), (4, "d/four"))
        scores = tuple(Score(n, f"x/{n}", 0.8, 0.7, 1.0, 0.1, 0.9) for n in (1, 2, 3, 4))
        points = (Point("Most of us.", (1, 2, 4)), Point("Half of us.", (2, 3)), Point("Me.", (4,)))
        columns.verdict(Verdict("r", datetime(2026, 11, 20, tzinfo=UTC), "weighted", scores, 1, (), (), points))
        columns.query_one("#verdict").styles.height = 40
        text = "\n".join(await screen(pilot))
        order = ["They agree", "1 2 4 Most of us.", "Some say", "2 3 Half of us.", "They differ", "4 Me."]
        assert sorted(order, key=text.index) == order


async def test_one_member_is_zoomed_by_key_and_by_a_click_on_its_heading() -> None:
    app = Stage()
    async with app.run_test(size=(3 * MIN_COLUMN, 30)) as pilot:
        columns = app.columns
        begin(columns, (1, "a/one"), (2, "b/two"))
        finish(columns, [(1, "the first " + "word " * 30), (2, "the second")])
        columns.verdict(judged(1))
        await screen(pilot)
        columns.transcript(2).focus()
        await pilot.pause()
        await pilot.press("z")
        text = "\n".join(await screen(pilot, "the second"))
        assert "the second" in text
        assert "the first" not in text
        assert "is the answer" not in text
        await pilot.press("left")
        assert "the first" in "\n".join(await screen(pilot, "the first"))
        await pilot.press("z")
        rows = await screen(pilot)
        assert all(said in "\n".join(rows) for said in ("the first", "the second", "is the answer"))
        await pilot.click("Columns", offset=(rows[0].index("b/two"), 0))
        text = "\n".join(await screen(pilot, "the second"))
        assert "the second" in text
        assert "the first" not in text


async def test_keys_faster_than_a_frame_zoom_the_answer_that_was_turned_to() -> None:
    app = Stage()
    async with app.run_test(size=(3 * MIN_COLUMN, 30)) as pilot:
        columns = app.columns
        begin(columns, (1, "a/one"), (2, "b/two"), (3, "c/three"))
        finish(columns, [(1, "the first"), (2, "the second"), (3, "the third")])
        columns.transcript(1).focus()
        await screen(pilot)
        # Without a moment between them in which the focus could follow.
        columns.action_turn(1)
        columns.action_turn(1)
        columns.action_zoom()
        text = "\n".join(await screen(pilot, "the third"))
        assert "the third" in text
        assert "the first" not in text
        assert "the second" not in text
        await pilot.press("z")
        await screen(pilot)
        columns.action_turn(-1)
        columns.action_pick(0)
        await pilot.pause()
        assert app.wanted == [("pick", 2)]


async def test_a_verdict_does_not_turn_away_from_the_answer_that_is_read() -> None:
    app = Stage()
    async with app.run_test(size=(3 * MIN_COLUMN, 30)) as pilot:
        columns = app.columns
        begin(columns, (1, "a/one"), (2, "b/two"))
        finish(columns, [(1, "the first"), (2, "the second")])
        await screen(pilot)
        columns.transcript(2).focus()
        await screen(pilot)
        columns.verdict(judged(1))
        await screen(pilot)
        await pilot.press("z")
        text = "\n".join(await screen(pilot, "the second"))
        assert "the second" in text
        assert "the first" not in text


async def test_an_answer_is_picked_by_its_number_and_gone_on_with_once_it_is_there() -> None:
    app = Stage()
    async with app.run_test(size=(3 * MIN_COLUMN, 30)) as pilot:
        columns = app.columns
        begin(columns, (5, "a/one"), (7, "b/two"))
        columns.append(5, "so far")
        columns.transcript(5).focus()
        await pilot.pause()
        await pilot.press("1")
        assert app.wanted == []
        finish(columns, [(5, "first"), (7, "second")])
        await pilot.press("2", "9", "p", "right")
        await pilot.pause()
        await pilot.press("c")
        await pilot.pause()
        assert app.wanted == [("pick", 7), ("pick", 5), ("go on", 7)]


async def test_the_words_that_differ_from_the_winner_are_marked_by_brackets() -> None:
    app = Stage()
    async with app.run_test(size=(3 * MIN_COLUMN, 30)) as pilot:
        columns = app.columns
        begin(columns, (1, "a/one"), (2, "b/two"))
        finish(columns, [(1, "The capital is Paris."), (2, "The capital is [/x] Lyon.")])
        columns.transcript(2).focus()
        await pilot.pause()
        await pilot.press("d")
        assert "[-" not in "\n".join(await screen(pilot)), "there is no winner yet"
        columns.verdict(judged(1))
        columns.transcript(2).focus()
        await pilot.pause()
        await pilot.press("d")
        await app.workers.wait_for_complete()
        text = "\n".join(await screen(pilot, "The capital is [-Paris-]{+[/x] Lyon+}.", "against a/one: +2 −1 words"))
        assert "The capital is [-Paris-]{+[/x] Lyon+}." in text
        assert "against a/one: +2 −1 words" in text
        await pilot.press("d")
        text = "\n".join(await screen(pilot, "The capital is [/x] Lyon."))
        assert "{+" not in text
        assert "The capital is [/x] Lyon." in text
        columns.transcript(1).focus()
        await pilot.pause()
        await pilot.press("d")
        await app.workers.wait_for_complete()
        assert "[-Paris-]" in "\n".join(await screen(pilot, "[-Paris-]")), "on the winner it is that of all others"


async def test_a_blind_ensemble_tells_nothing_but_its_answers_until_it_is_revealed() -> None:
    app = Stage()
    async with app.run_test(size=(3 * MIN_COLUMN, 30)) as pilot:
        columns = app.columns
        begin(columns, (1, "a/one"), (2, "b/two"), (3, "c/three"), blind=True)
        finish(columns, [(1, "said first"), (2, "said second")])
        columns.fail(3, "c/three broke", COST)
        columns.verdict(judged(1, method="vote"))
        rows = await screen(pilot)
        text = "\n".join(rows)
        assert text.index("said second") < text.index("said first"), "the order is drawn by lot"
        assert "✓ 2 answer 2" in rows[0]
        assert "Which answer is the best?" in text
        assert not any(told in text for told in ("/one", "/two", "three", "$", "tok/s", "confidence", "★", "1.0 s"))
        columns.transcript(1).focus()
        await pilot.pause()
        await pilot.press("3")
        await pilot.pause()
        assert app.wanted == [("pick", 1)]
        columns.reveal()
        columns.best(2)
        text = "\n".join(
            await screen(
                pilot, "★ 3 a/one", "✓ ▲ 2 b/two", "c/three broke", "a/one is the answer · as weighed", "$0.0041"
            )
        )
        assert "★ 3 a/one" in text
        assert "✓ ▲ 2 b/two" in text
        assert "c/three broke" in text
        assert "a/one is the answer · as weighed" in text
        assert "$0.0041" in text


async def test_the_answer_written_from_all_streams_below_the_columns() -> None:
    app = Stage()
    async with app.run_test(size=(3 * MIN_COLUMN, 40)) as pilot:
        columns = app.columns
        begin(columns, (1, "a/one"), (2, "b/two"))
        finish(columns, [(1, "said first"), (2, "said second")])
        columns.put_together("z/seven")
        columns.append_together("both **said** it")
        text = "\n".join(await screen(pilot, "z/seven writes one answer from all", "both said it"))
        assert "z/seven writes one answer from all" in text
        assert "both said it" in text
        columns.verdict(judged(3, method="fuse"))
        text = "\n".join(await screen(pilot, "both said it", "How the answers compare"))
        assert "both said it" in text
        assert "How the answers compare" in text
        assert "is the answer" not in text


async def test_a_running_member_tells_the_most_it_can_cost_and_an_ended_one_says_so() -> None:
    app = Stage()
    async with app.run_test(size=(3 * MIN_COLUMN, 20)) as pilot:
        columns = app.columns
        columns.start()
        columns.add(1, "a/one", Money.from_usd("0.02"))
        columns.append(1, "x" * 40)
        app.now = 2.0
        columns._tick()
        assert "≤ $0.020 · 2.0 s · ~10 tok · ~5 tok/s" in (await screen(pilot))[1]
        columns.fail(1, "The turn was cancelled.", COST, ended=True)
        assert "■ 1 a/one" in (await screen(pilot))[0]


async def test_a_new_start_leaves_nothing_of_the_last_one() -> None:
    app = Stage()
    async with app.run_test(size=(100, 20)) as pilot:
        columns = app.columns
        begin(columns, (1, "a/one"), (2, "b/two"))
        columns.append(1, "old text")
        columns.verdict(judged(2))
        await screen(pilot)
        columns.start()
        columns.add(7, "z/seven")
        columns.append(7, "new text")
        text = "\n".join(await screen(pilot, "new text", "z/seven"))
        assert "new text" in text
        assert "z/seven" in text
        assert not any(gone in text for gone in ("old text", "one", "two", "★"))


async def test_every_member_has_a_column_before_it_begins_and_one_without_money_says_why() -> None:
    app = Stage()
    async with app.run_test(size=(140, 30)) as pilot:
        app.columns.start([("one", ""), ("two", ""), ("dear", "could cost $0.0031, the day's cap has $0.0004 left")])
        assert "\n".join(await screen(pilot)).count("◌") == 2
        shown = "\n".join(await screen(pilot))
        assert "✗ 3 dear" in shown
        assert "could cost $0.0031" in shown
        app.columns.add(1, "two")
        assert [(member.number, member.model) for member in app.columns.members] == [
            (-1, "one"),
            (1, "two"),
            (-3, "dear"),
        ]
        app.columns.none_left_to_begin()
        assert "✗ 1 one" in "\n".join(await screen(pilot, "✗ 1 one"))


async def test_a_blind_ensemble_opens_on_a_member_that_answered() -> None:
    app = Stage()
    async with app.run_test(size=(60, 24)) as pilot:
        begin(app.columns, (1, "a"), (2, "b"), (3, "c"), blind=True)
        assert app.columns.current is not None
        app.columns.fail(app.columns.current.number, "it broke")
        for number in [member.number for member in app.columns.members if member.running]:
            finish(app.columns, [(number, "Paris.")])
        app.columns.verdict(judged(1))
        await pilot.pause()
        assert app.columns.current.answered


async def test_the_answers_of_an_earlier_ensemble_are_let_go_with_their_columns() -> None:
    app = Stage()
    async with app.run_test(size=(100, 30)) as pilot:
        begin(app.columns, (1, "one"), (2, "two"))
        finish(app.columns, [(1, "an earlier answer"), (2, "another")])
        assert "an earlier answer" in "\n".join(await screen(pilot, "an earlier answer"))
        earlier = list(app.columns._columns.values())
        begin(app.columns, (3, "three"), (4, "four"))
        finish(app.columns, [(3, "a later answer"), (4, "another")])
        assert "a later answer" in "\n".join(await screen(pilot, "a later answer"))
        for _ in range(200):
            if not any(column.answer.entries for column in earlier):
                break
            await pilot.pause(0.01)
        assert [column.answer.entries for column in earlier] == [[], []]
        assert [column.answer.entries != [] for column in app.columns._columns.values()] == [True, True]
