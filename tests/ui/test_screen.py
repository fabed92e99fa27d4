"""Panes, keys, lists and sizes."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.events import Key, Paste
from textual.keys import _character_to_key as character_to_key

from tests.ui.conftest import console, settle, told
from tui_orchestrator.demo import Say, Script
from tui_orchestrator.settings import UiSettings

PROMPT = "What is the capital of France?"


@pytest.mark.parametrize(
    ("size", "together"),
    [
        ((160, 48), {"chat", "decision", "costs"}),
        ((100, 30), {"chat", "decision"}),
        ((80, 24), {"chat"}),
        ((40, 10), {"chat"}),
    ],
)
async def test_every_pane_is_reached_by_key_at_every_size(
    tmp_path: Path, size: tuple[int, int], together: set[str]
) -> None:
    script = Script().always(Say(text="The capital of France is Paris."))
    async with console(tmp_path, size=size, script=script) as seat:
        begins = {
            "chat": "Where to?", "decision": "Nothing decided yet", "costs": "Budgets ──", "registry": "model ▴"
        }  # fmt: skip

        def shown() -> set[str]:
            return {pane for pane, text in begins.items() if text in seat.screen}

        await seat.until(lambda: shown() == together, f"{together} together")
        for key, pane in (("f3", "decision"), ("f4", "costs"), ("f5", "registry"), ("f2", "chat")):
            await seat.pilot.press(key)
            await seat.sees(begins[pane])
            assert seat.app._pane(pane).has_focus_within  # type: ignore[arg-type]
        await seat.pilot.press("escape")
        assert seat.app.focused is seat.app.composer.prompt
        await seat.send(PROMPT)
        await seat.ended()
        await seat.sees("Paris")


async def test_the_greeting_gives_way_to_a_prompt_and_counts_the_models(tmp_path: Path) -> None:
    async with console(tmp_path) as seat:
        # The greeting gets out of the way of the first prompt.
        await seat.sees("Where to?")
        await seat.send("What is a monad?")
        await seat.sees_no("Where to?")
        await seat.sees("What is a monad?", "confidence")

        # The greeting counts the models that are found later.
        await seat.begin_anew()
        runtime = seat.app.runtime
        assert runtime is not None
        await seat.sees("Models found: ")
        for model in runtime.registry:
            runtime.set_enabled(model.id, False)
        await seat.sees("No model can be asked yet.")
        await seat.sees_no("Models found: ")
        for model in runtime.registry:
            runtime.set_enabled(model.id, True)
        await seat.sees("Where to?", "Models found: ")
        await seat.sees_no("No model can be asked yet.")
        await seat.send(PROMPT)
        await seat.ended()
        before = len(seat.app.chat.transcript.entries)
        for model in runtime.registry:
            runtime.set_enabled(model.id, False)
        await seat.pilot.pause()
        assert len(seat.app.chat.transcript.entries) == before
        assert "No model can be asked yet." not in seat.screen


async def test_a_greeting_that_does_not_fit_is_no_news(tmp_path: Path) -> None:
    async with console(tmp_path, size=(80, 16)) as seat:
        await seat.sees("Where to?")
        await seat.until(lambda: seat.app.chat.transcript.max_scroll_y > 0, "more of it below")
        assert not seat.app.chat.transcript.new_below
        seat.app.chat.notice("something new", "warning")
        await seat.sees("↓ new")


async def test_a_pane_is_hidden_shown_and_zoomed(tmp_path: Path) -> None:
    async with console(tmp_path) as seat:
        await seat.pilot.press("f3", "f3")
        assert seat.app.visible_panes == ("chat", "costs")
        assert seat.app.focused is seat.app.composer.prompt
        await seat.pilot.press("f3")
        assert seat.app.visible_panes == ("chat", "decision", "costs")
        await seat.pilot.press("f6")
        assert seat.app.visible_panes == ("decision",)
        await seat.pilot.press("escape")
        assert seat.app.visible_panes == ("chat", "decision", "costs")
        await seat.pilot.press("f6")
        assert seat.app.visible_panes == ("chat",)


async def test_each_pane_is_focused_zoomed_and_hidden_and_what_is_typed_in_them_goes_where_it_is_meant(
    tmp_path: Path,
) -> None:
    titles = {"Chat", "Decision", "Costs", "Models"}
    async with console(tmp_path) as seat:
        # Each of the four panes is focused zoomed and hidden.

        def shown() -> set[str]:
            return {one for one in titles if f"╭─ {one} ─" in seat.screen}

        for key, title in (("f2", "Chat"), ("f3", "Decision"), ("f4", "Costs"), ("f5", "Models")):
            await seat.pilot.press(key)
            await seat.sees(f"╭─ {title} ─")
            await seat.pilot.press("f6")
            await seat.until(lambda alone=title: shown() == {alone}, f"{title} alone")
            await seat.pilot.press("f6")
            await seat.sees(f"╭─ {title} ─")
            beside = shown() - {title}
            await seat.pilot.press(key)
            await seat.until(lambda gone=title: shown() and gone not in shown(), f"no {title}")
            assert beside <= shown()
            assert seat.app.composer.prompt.has_focus
            if title != "Models":
                await seat.pilot.press(key)
                await seat.sees(f"╭─ {title} ─")

        # What is typed in a pane goes to the prompt.
        await seat.begin_anew()
        for key, word in (("f2", "Hi"), ("f3", "Yo"), ("f4", "Oh")):
            await seat.type("Say ")
            await seat.pilot.press(key, *word, "space", "é", "!")
            await seat.sees(f"Say {word} é!")
            assert seat.app.focused is seat.app.composer.prompt

        # A paste in a pane goes to the prompt.
        await seat.begin_anew()
        await seat.pilot.press("f2")
        seat.app.post_message(Paste(PROMPT))
        await seat.until(lambda: PROMPT in seat.written, "the paste in the prompt")
        assert seat.app.focused is seat.app.composer.prompt

        # Letters in the list of models and in dialogs are not typed into the prompt.
        await seat.begin_anew()
        await seat.pilot.press("f5")
        await seat.sees("$ out/M")
        await seat.pilot.press("x", "s")
        await seat.sees("level ▴")
        await seat.pilot.press("f2", "f1", "x")
        await seat.sees("view: decision")
        await seat.pilot.press("escape")
        await seat.sees_no("view: decision")
        assert seat.app.composer.prompt.text == ""

        # The footer and the help say what keys do here.
        await seat.begin_anew()
        await seat.sees("F1 Help", "^S Strategy")
        await seat.pilot.press("f5")
        await seat.sees("space On/off", "s Sort")
        await seat.pilot.press("f1")
        await seat.sees("Every model known", "view: decision")
        await seat.pilot.press("escape")
        await seat.sees_no("Every model known")


async def test_a_terminal_of_another_size_keeps_the_draft_and_the_looks(tmp_path: Path) -> None:
    tiny = [(1, 1), (1, 24), (2, 5), (3, 24), (4, 10), (24, 2), (5, 3)]
    async with console(tmp_path) as seat:
        # A terminal that was low for a while looks as it did before.
        await seat.type("Prove that the square root of two is irrational, step by step.")
        await seat.sees("the draft's", "difficulty", "Nothing spent yet", "today $0")
        await settle(seat.pilot)
        before = seat.screen
        await seat.pilot.resize_terminal(40, 10)
        await seat.sees_no("Costs")
        await seat.pilot.press("f1")
        await seat.pilot.resize_terminal(160, 48)
        await seat.pilot.press("escape")
        await seat.until(lambda: seat.screen == before, "the same screen")

        # A smaller terminal keeps the draft and a place to type.
        await seat.begin_anew()
        await seat.type("half a thought")
        for size in ((100, 30), (80, 24), (40, 10), (160, 48)):
            await seat.pilot.resize_terminal(*size)
            await seat.sees("half a thought")
            assert seat.app.focused is seat.app.composer.prompt

        # No size is too small to be drawn and the draft outlives it.
        await seat.begin_anew()
        for draft in ("", "keep me"):
            await seat.type(draft)
            for size in tiny:
                await seat.pilot.resize_terminal(*size)
                await seat.until(lambda size=size: tuple(seat.app.screen.size) == size, f"a screen of {size}")
                await seat.sees_no("Ask anything · Enter sends · / commands")
        await seat.pilot.resize_terminal(80, 24)
        await seat.sees("keep me", "F1 Help")


async def test_the_head_of_the_decision_is_whole_while_a_draft_is_typed(tmp_path: Path) -> None:
    async with console(tmp_path) as seat:
        await seat.type("What is the capital of France?")
        for size in ((100, 30), (97, 40), (160, 48)):
            await seat.pilot.resize_terminal(*size)
            await settle(seat.pilot)
            head = await seat.line("‹ the draft's")
            assert "decisions  what if " in head


async def test_words_and_enter_that_arrive_together_in_a_pane_are_sent(tmp_path: Path) -> None:
    script = Script().always(Say(text="The capital of France is Paris."))
    async with console(tmp_path, script=script) as seat:
        for pane in ("f2", "f3", "f4"):
            await seat.begin_anew()
            await seat.sees_no("The capital of France is Paris.")
            await seat.pilot.press(pane)
            for letter in PROMPT:
                seat.app.post_message(Key(character_to_key(letter), letter))
            seat.app.post_message(Key("enter", "\r"))
            await seat.sees("The capital of France is Paris.")
            assert seat.app.composer.prompt.text == ""
            await seat.ended()


async def test_a_letter_that_the_users_keymap_gives_an_action_is_not_typed(tmp_path: Path) -> None:
    async with console(tmp_path, ui=UiSettings(keymap={"pane.costs": "x"})) as seat:
        await seat.pilot.press("f2", "x")
        assert seat.app.costs.has_focus
        assert seat.app.composer.prompt.text == ""


async def test_a_narrow_terminal_says_it_above_the_prompt_and_covers_nothing(tmp_path: Path) -> None:
    async with console(tmp_path, size=(40, 10)) as seat:
        await seat.pilot.press("ctrl+c")
        await seat.sees("· Press Ctrl+C again to quit;", "typed is kept.")
        assert not seat.app.screen.query("Toast")
        await seat.type("half")
        await seat.sees_no("Press Ctrl+C")
        await seat.sees("→ ")
        await seat.pilot.resize_terminal(100, 30)
        await seat.pilot.press("f7")
        await seat.until(lambda: seat.app.screen.query("Toast"), "a toast where there is room")


@pytest.mark.cells(1)
@pytest.mark.parametrize("size", [(100, 30), (80, 24)])
async def test_what_is_said_of_a_model_covers_none_of_their_prices_and_health(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    async with console(tmp_path, size=size) as seat:
        await seat.pilot.press("f5")
        before = (await seat.line("model ▴")), (await seat.line("tern-lite"))
        await seat.pilot.press("down", "down", "f")
        await seat.sees("is a favourite")
        assert not seat.app.screen.query("Toast")
        assert ((await seat.line("model ▴")), (await seat.line("tern-lite"))) == before


async def test_the_line_above_the_prompt_opens_into_the_whole_decision(tmp_path: Path) -> None:
    async with console(tmp_path, size=(80, 24)) as seat:
        await seat.type(PROMPT)
        await seat.sees("difficulty", "tok in")
        assert seat.app.visible_panes == ("chat",)
        assert await seat.pilot.click("#outlook")
        await seat.sees("if sent now · balanced", "by 1 × p − 0.4 × cost − 0.15 × time")
        assert seat.app.decision.has_focus
        seat.app.decision.scroll_end(animate=False)
        await seat.sees("Other strategies", "cheapest", "3 models")


async def test_a_model_that_is_off_is_shown_with_its_reason_on_the_card(tmp_path: Path) -> None:
    async with console(tmp_path, size=(160, 90)) as seat:
        assert seat.app.runtime is not None
        seat.app.runtime.set_enabled("demo-anthropic/tern-max", False)
        await seat.type(PROMPT)
        await seat.sees("Candidates 6/7", "✗ tern-max", "switched off in the console")


async def test_keys_come_from_the_settings_and_a_wrong_name_is_told(tmp_path: Path) -> None:
    ui = UiSettings(
        keymap={"pane.registry": "ctrl+b", "pane.regstry": "f10", "pane.zoom": "ctrl+s"}, theme="no-such-theme"
    )
    async with console(tmp_path, ui=ui) as seat:
        await seat.sees("unknown action 'pane.regstry'; did you mean pane.registry?", "no theme is called")
        await seat.sees("[ui.keymap] gives ctrl+s to pane.zoom and strategy.pick")
        await seat.pilot.press("ctrl+b")
        await seat.sees("7 of 7", "^B Models")


async def test_a_key_in_the_place_of_a_theme_is_not_shown(tmp_path: Path) -> None:
    async with console(tmp_path, ui=UiSettings(theme="sk-ant-api03-aB3dE5gH7jK9mN1pQ")) as seat:
        await seat.sees("no theme is called '…'; there are")
        assert "sk-ant" not in seat.screen


async def test_earlier_prompts_come_back_with_the_arrow_keys(tmp_path: Path) -> None:
    script = Script().always(Say(text="The capital of France is Paris."))
    async with console(tmp_path, script=script) as seat:
        await seat.send("the first prompt")
        await seat.ended()
        await seat.type("a draft")
        await seat.pilot.press("up")
        await seat.until(lambda: seat.written == "the first prompt")
        await seat.pilot.press("down")
        await seat.until(lambda: seat.written == "a draft")
    async with console(tmp_path) as seat:
        seat.app.composer.prompt.text = ""
        # What was left unsent comes first, then what was sent.
        await seat.pilot.press("up")
        assert seat.app.composer.prompt.text == "a draft"
        await seat.pilot.press("up")
        assert seat.app.composer.prompt.text == "the first prompt"


async def test_lists_and_commands_change_what_is_done_with_the_draft(tmp_path: Path) -> None:
    async with console(tmp_path) as seat:
        # Lines are broken and the field grows to eight.
        await seat.pilot.press("a", "ctrl+j", "b", "shift+enter", "c")
        await seat.until(lambda: seat.written == "a\nb\nc", "three lines")
        await seat.pilot.press(*["ctrl+j"] * 12)
        assert seat.app.composer.prompt.size.height == 8

        # The palette finds actions by area and verb.
        await seat.begin_anew()
        await seat.pilot.press("ctrl+p")
        await seat.sees("view: decision")
        await seat.pilot.press(*"session: new")
        await seat.sees("session: new", "Ctrl+N")

        # A slash lists commands completes and says what is wrong.
        await seat.begin_anew()
        await seat.type("/str")
        await seat.sees("/strategy NAME|default")
        await seat.pilot.press("tab")
        assert seat.app.composer.prompt.text == "/strategy "
        await seat.pilot.press(*"best", "enter")
        await seat.sees("no strategy is called 'best'; there are cheapest")
        seat.app.composer.prompt.text = ""
        await seat.send("/stratgy quality")
        await seat.sees("no command is called /stratgy; did you mean /strategy?")
        assert seat.app.composer.prompt.text == "/stratgy quality"

        # A card that was hidden while the draft changed is up to date when shown.
        await seat.begin_anew()
        await seat.type("hello")
        await seat.sees("if sent now")
        await seat.pilot.press("f3", "f3")
        await seat.sees_no("if sent now")
        seat.app.composer.prompt.clear()
        await seat.type("Prove that there are infinitely many primes")
        await seat.sees("math")
        await seat.pilot.press("f3")
        await seat.sees("if sent now", "time for math of")

        # A model is pinned obeyed and let go.
        await seat.begin_anew()
        await seat.type(PROMPT)
        await seat.pilot.press("ctrl+t")
        await seat.sees("Pin a model", "let the strategy choose", "15.00/75.00")
        await seat.pilot.press(*"tern-max", "enter")
        await seat.sees("★ tern-max", "→ tern-max (pinned)")
        await seat.pilot.press("ctrl+a", "ctrl+k")
        await seat.send("/model auto")
        await seat.sees_no("★ tern-max")

        # The strategy list says what each would do with the draft.
        await seat.begin_anew()
        await seat.type(PROMPT)
        await seat.pilot.press("ctrl+s")
        await seat.sees("Strategy", " · configured", "→ 3 models", "the likeliest good answer")
        await seat.pilot.press(*"qual", "enter")
        await seat.sees("quality", PROMPT)
        await seat.sees_no(" · configured")
        assert seat.app.options.strategy == "quality"
        assert seat.app.composer.prompt.text == PROMPT

        # The theme is changed from a list and by name.
        await seat.begin_anew()
        await seat.pilot.press("f9")
        await seat.sees("Theme", "paper", "contrast")
        await seat.pilot.press(*"paper", "enter")
        await seat.until(lambda: seat.app.theme == "paper")
        await seat.send("/theme dusk")
        await seat.until(lambda: seat.app.theme == "dusk")
        await seat.send("/theme nonsense")
        await seat.sees("no theme is called 'nonsense'")

        # The table of models is filtered sorted switched and pinned.
        await seat.begin_anew()
        await seat.pilot.press("f5")
        await seat.sees("demo-openai/rush-pro", "● available", "7 of 7", "VTSLR")
        await seat.pilot.press("slash", *"tern", "enter")
        await seat.sees("2 of 7")
        await seat.sees_no("demo-openai/rush-pro")
        await seat.pilot.press("space")
        await seat.sees("Switch demo-anthropic/tern-", "until the program ends")
        await seat.pilot.press("enter")
        await seat.sees("○ disabled · switched off")
        await seat.pilot.press("space")
        await seat.sees_no("○ disabled")
        await seat.pilot.press("s", "s", "p")
        marked = seat.app.registry.table.marked
        assert seat.app.options.model == marked
        await seat.sees("$ in/M ▴", f"★ {marked}")


async def test_a_file_is_checked_at_once_and_goes_along(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("the file's own words")
    (tmp_path / "data.bin").write_bytes(b"\x00\x01\xff\xfe")
    script = Script().always(Say(text="The file says so."))
    async with console(tmp_path, script=script) as seat:
        await seat.type("What is in @data.bin ?")
        await seat.sees("data.bin is neither text nor a PNG, JPEG, GIF or WebP image")
        await seat.pilot.press("enter")
        await seat.sees("not sent:", "What is in @data.bin ?")
        seat.app.composer.prompt.text = "What is in @notes.txt ?"
        await seat.sees("✓ notes.txt · 20 B · ≈")
        await seat.pilot.press("enter")
        await seat.ended()
        await seat.sees("the file's own words", "The file says so.")


async def test_a_huge_paste_folds_and_is_sent_whole(tmp_path: Path) -> None:
    script = Script().always(Say(text="That was long."))
    async with console(tmp_path, script=script) as seat:
        paste = "".join(f"line {number}\n" for number in range(200_000))
        seat.app.composer.prompt.post_message(Paste(paste))
        await seat.sees("⟦paste 1: 200,000 lines⟧")
        assert seat.app.composer.prompt.unfolded == paste
        # At first about its beginning, once all of it is read about the whole.
        await seat.until(lambda: "tok in" in seat.screen or "could cost" in seat.screen, "a line about it")


async def test_an_unusable_store_gives_a_sentence_and_a_running_console(tmp_path: Path) -> None:
    (tmp_path / "store.db").mkdir()
    script = Script().always(Say(text="The capital of France is Paris."))
    async with console(tmp_path, script=script) as seat:
        # The path of the store says where the sentence breaks.
        await seat.until(lambda: "Nothing of this run will be kept" in " ".join(told(seat)), "that nothing is kept")
        await seat.send("/model pebble-3b")
        await seat.send(PROMPT)
        await seat.ended()
        await seat.sees("Paris")
