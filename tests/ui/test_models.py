"""What is done with a model in the console."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from rich.cells import cell_len

from tests.catalogue.server import Asked, serving
from tests.catalogue.server import Reply as HttpReply
from tests.cli.conftest import KEYS, configuration
from tests.ui.conftest import Console, console
from tui_orchestrator import demo
from tui_orchestrator.demo import Break, Phase, Reply, Say, Script
from tui_orchestrator.routing.budget import Budgets
from tui_orchestrator.routing.money import Money
from tui_orchestrator.settings import ProviderSettings, Settings, StoreSettings, UiSettings, load
from tui_orchestrator.ui.app import ConsoleApp
from tui_orchestrator.ui.words import fit_model, fit_models

RUSH = "demo-openai/rush-pro"


@asynccontextmanager
async def configured(path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Console, Path]]:
    """A console on demo servers that a user's own file names, and the file."""
    for name, key in KEYS.items():
        monkeypatch.setenv(name, key)
    async with demo.serve(pace=0, script=Script().always(Say(text="ready")), habits=False) as servers:
        file = path / "config.toml"
        file.write_text("# mine, and it stays\n" + configuration(servers))
        settings = replace(load(file), store=StoreSettings(path / "store.db"))
        app = ConsoleApp(settings, demo=False)
        async with app.run_test(size=(160, 48), notifications=True) as pilot:
            seat = Console(app, pilot)
            await seat.until(lambda: app.talk is not None and not app.working, "a ready console")
            yield seat, file


async def choose(seat: Console, name: str) -> None:
    """The model of that name is the only one in the table, and marked."""
    await seat.pilot.press("f5", "slash", *(letter if letter != "-" else "minus" for letter in name), "enter")
    await seat.sees("1 of 7")


def health(seat: Console) -> str:
    """Of the first model in the table, which a toast may cover."""
    return str(seat.app.registry.table.get_row_at(0)[-1])


async def test_a_test_says_what_it_costs_at_most_before_and_what_came_of_it_after(tmp_path: Path) -> None:
    async with console(tmp_path, script=Script().always(Say(text="ready"))) as seat:
        await choose(seat, "rush-pro")
        await seat.pilot.press("t")
        await seat.sees(f"Test {RUSH}", "It costs at most $0.", "▸ leave: nothing more is sent")
        assert seat.app.runtime is not None
        assert not await seat.app.runtime.reports.last()
        await seat.pilot.press("down", "enter")
        await seat.sees("✓ ready", "first token after", "in all", "$0.")
        (attempt,) = await seat.app.runtime.reports.last()
        assert (attempt.model, attempt.cost.amount is not None) == (RUSH, True)
        await seat.pilot.press("escape")
        await seat.sees_no(f"Test {RUSH}")
        assert not seat.app.chat.transcript.entries or all(
            "ready" not in e.source for e in seat.app.chat.transcript.entries
        )


async def test_a_test_that_fails_says_why_in_one_sentence(tmp_path: Path) -> None:
    async with console(tmp_path, script=Script().always(Reply(401))) as seat:
        await choose(seat, "rush-pro")
        await seat.pilot.press("t", "down", "enter")
        await seat.sees("✗ ", "▸ leave")
        await seat.until(lambda: "401" in seat.screen or "key" in seat.screen)


async def test_of_a_server_that_does_not_answer_every_model_is_told_so(tmp_path: Path) -> None:
    async with console(tmp_path, script=Script().always(Break("close", Phase.CONNECT), "rush-pro")) as seat:
        await choose(seat, "rush-pro")
        for _ in range(3):
            await seat.pilot.press("t", "down", "enter")
            await seat.sees("✗ ", "▸ leave")
            await seat.pilot.press("escape")
            await seat.sees_no("▸ leave")
        await seat.pilot.press("slash", "ctrl+u", *"openai", "enter")
        await seat.sees("2 of 7")
        for row in ("rush-pro", "rush-mini"):
            await seat.line(row, "✗ unreachable · ", " s · the server does not answer")
        await seat.pilot.press("slash", "ctrl+u", *"gemini", "enter")
        await seat.sees("2 of 7", "● available")


async def test_a_test_that_a_cap_forbids_says_so_before_and_calls_nothing(tmp_path: Path) -> None:
    budgets = Budgets(daily=Money.from_usd("0.0000001"))
    async with console(tmp_path, script=Script().always(Say(text="ready")), budgets=budgets) as seat:
        await choose(seat, "rush-pro")
        await seat.pilot.press("t")
        await seat.sees("As things are it would be refused", "cap")


async def test_favourites_are_kept_come_first_on_demand_and_first_in_the_pin_picker(tmp_path: Path) -> None:
    async with console(tmp_path) as seat:
        await choose(seat, "tern-max")
        await seat.pilot.press("f")
        await seat.sees(" *demo-anthropic/tern-max")
    async with console(tmp_path) as seat:
        await seat.pilot.press("f5")
        await seat.sees(" *demo-anthropic/tern-max", "7 of 7")
        await seat.pilot.press("s", "s", "asterisk")
        await seat.sees("* first")
        assert seat.app.registry.table.get_row_at(0)[0].plain == " *demo-anthropic/tern-max"
        await seat.pilot.press("slash", "asterisk", "enter")
        await seat.sees("1 of 7")
        await seat.pilot.press("ctrl+t")
        await seat.sees("Pin a model", "* demo-anthropic/tern-max")
        ids = [choice.id for choice in seat.app.screen._choices]  # type: ignore[attr-defined]
        assert ids[1] == "demo-anthropic/tern-max"
        await seat.pilot.press("escape")
        await seat.sees_no("Pin a model")
        await seat.pilot.press("f")
        await seat.sees("No model matches the filter")


async def test_a_model_is_switched_off_and_on_for_good_and_comments_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with configured(tmp_path, monkeypatch) as (seat, file):
        before = file.read_text()
        await choose(seat, "rush-pro")
        await seat.pilot.press("space")
        await seat.sees("Switch openai/rush-pro off", "until the program ends", "for good in")
        await seat.pilot.press("down", "enter")
        await seat.sees("openai/rush-pro is off")
        await seat.until(lambda: "disabled in your configuration" in health(seat))
        assert file.read_text().startswith("# mine, and it stays\n")
        assert [m.enabled for m in load(file).models if m.id == "openai/rush-pro"] == [False]
        await seat.pilot.press("space")
        await seat.sees("Switch openai/rush-pro on")
        await seat.pilot.press("enter")
        await seat.until(lambda: "● available" in health(seat))
        assert [m.enabled for m in load(file).models if m.id == "openai/rush-pro"] == [True]
        assert file.read_text().replace("enabled = true\n", "") == before


async def test_the_card_tells_price_abilities_what_was_learned_and_the_last_failures(tmp_path: Path) -> None:
    script = Script().always(Say(text="The capital of France is Paris."))
    async with console(tmp_path, script=script) as seat:
        await seat.send("/model rush-pro")
        await seat.send("What is the capital of France?")
        await seat.ended()
        await seat.pilot.press("alt+u")
        script.then(Reply(400), "rush-pro")
        await seat.send("And of Spain?")
        await seat.ended()
        await choose(seat, "rush-pro")
        await seat.pilot.press("enter")
        await seat.sees("● available", "input $1.25", "as of 20", "400,000 tokens", "127.0.0.1")
        await seat.sees("learned from 1 answer, ▲1", "2 calls · 50% succeeded", "Last failures", "✗ bad request")
        await seat.pilot.press("escape")
        await seat.sees_no("Last failures")


class Ollama:
    """What an Ollama with one model says, and whether that is in memory."""

    def __init__(self) -> None:
        self.loaded = False

    def generate(self, asked: Asked) -> object:
        self.loaded = json.loads(asked.body).get("keep_alive") != 0
        return {"model": "qwen4:8b", "response": "", "done": True}

    @property
    def routes(self) -> dict[str, object]:
        model = {"name": "qwen4:8b", "details": {"parameter_size": "8B"}}
        running = {"name": "qwen4:8b", "context_length": 8192}
        return {
            "/api/version": {"version": "0.12.0"},
            "/api/tags": {"models": [model]},
            "/api/ps": lambda asked: {"models": [running] if self.loaded else []},
            "/api/show": {"capabilities": ["completion"], "model_info": {"qwen4.context_length": 32768}},
            "/api/generate": self.generate,
        }


async def test_a_local_model_is_taken_into_memory_and_out_of_it(tmp_path: Path) -> None:
    ollama = Ollama()
    async with serving(ollama.routes, otherwise=HttpReply(status=404)) as server:
        provider = ProviderSettings("ollama", "openai-compatible", f"{server.url}/v1", local=True)
        settings = Settings(providers={"ollama": provider}, discovery=False, store=StoreSettings(tmp_path / "store.db"))
        app = ConsoleApp(settings, demo=False)
        async with app.run_test(size=(160, 48), notifications=True) as pilot:
            seat = Console(app, pilot)
            # The table takes the focus once there is something in it.
            await seat.until(lambda: app.registry.table.row_count, "the server's model")
            await pilot.press("f5")
            await seat.sees("ollama/qwen4:8b", "available")
            await seat.until(lambda: app.registry.table.has_focus, "the focus in the table")
            await pilot.press("enter")
            await seat.sees("not loaded; M loads it", "free")
            await pilot.press("m")
            await seat.sees("ollama/qwen4:8b is in memory.")
            assert ollama.loaded
            await pilot.press("enter")
            await seat.sees("loaded; M takes it out")
            await pilot.press("escape")
            await seat.until(lambda: len(app.screen_stack) == 1)
            await pilot.press("m")
            await seat.sees("ollama/qwen4:8b is out of memory.")
            assert not ollama.loaded


async def test_the_card_s_keys_are_those_of_the_keymap(tmp_path: Path) -> None:
    ui = UiSettings(keymap={"registry.favourite": "v", "registry.toggle": "ctrl+y"})
    async with console(tmp_path, ui=ui) as seat:
        await choose(seat, "rush-pro")
        await seat.pilot.press("enter")
        await seat.sees("p pin", "v favourite", "Ctrl+Y on/off")
        await seat.pilot.press("f")
        await seat.sees("v favourite")
        await seat.pilot.press("v")
        await seat.sees(f"{RUSH} is a favourite")


async def test_the_table_has_the_focus_as_soon_as_there_are_models(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with console(tmp_path) as seat:
        monkeypatch.setattr(seat.app, "model_rows", list)
        seat.app.show_models()
        await seat.pilot.press("f5")
        await seat.sees("No models yet")
        monkeypatch.undo()
        seat.app.show_models()
        await seat.sees("rush-pro")
        await seat.pilot.press("down", "enter")
        await seat.sees("What it can do", "Esc closes")


@pytest.mark.cells(0, 3)
@pytest.mark.parametrize(
    ("size", "there", "gone"),
    [
        ((160, 48), ("level", "$ in/M", "$ out/M", "context", "can", "tok/s", "votes", "learned"), ()),
        ((100, 30), ("$ in/M", "$ out/M", "can"), ("learned",)),
        ((80, 24), ("$ out/M",), ("level", "learned", "tok/s", "context")),
        ((40, 10), (), ("level", "learned", "tok/s", "context", "votes", "$ in/M", "can")),
    ],
)
async def test_how_a_model_fares_is_never_cut_and_what_matters_less_gives_way(
    tmp_path: Path, size: tuple[int, int], there: tuple[str, ...], gone: tuple[str, ...]
) -> None:
    async with console(tmp_path, size=size) as seat:
        await seat.pilot.press("f5")
        await seat.sees("model ▴", "health", "● available", *there)
        head = await seat.line("model ▴", *there)
        assert not [title for title in gone if title in head]
        assert "availab…" not in seat.screen
        await seat.sees("tern-max", "lumen-deep")


HERETIC = "mradermacher/Llama-3.3-70B-Instruct-Uncensored-Heretic-i1-GGUF"
LONG = (f"{HERETIC}:IQ4_XS", f"{HERETIC}:Q4_K_M", HERETIC.replace("70B", "8B") + ":IQ4_XS", "模" * 60, "qwen3:8b")


@pytest.mark.cells(0, 2)
@pytest.mark.parametrize(
    ("size", "there", "shown"),
    [
        ((160, 48), ("level", "$ in/M", "$ out/M", "context", "can", "tok/s", "votes", "learned"), "GGUF:IQ4_XS "),
        ((100, 30), ("$ in/M", "$ out/M", "context", "can", "tok/s", "votes"), "…70B-Instruct-U…i1-GGUF:IQ4_XS "),
        ((80, 24), ("$ in/M", "$ out/M", "can"), "…70B-Instruct-Unc…"),
    ],
)
async def test_one_long_name_takes_no_figure_from_the_others_and_its_card_tells_it_whole(
    tmp_path: Path, size: tuple[int, int], there: tuple[str, ...], shown: str
) -> None:
    async with demo.serve(pace=0, script=Script().always(Say(text="It is blue.")), habits=False) as servers:
        known = demo.settings(servers, replace(Settings(), store=StoreSettings(tmp_path / "store.db")))
        provider = known.providers["demo-openai"]
        far = "p" * 300
        long = [replace(known.models[0], provider="box", name=name) for name in LONG]
        models = (*known.models, *long, replace(known.models[0], provider=far, name="small"))
        providers = {**known.providers, **{name: replace(provider, name=name) for name in ("box", far)}}
        app = ConsoleApp(replace(known, providers=providers, models=models), demo=False)
        async with app.run_test(size=size, notifications=True) as pilot:
            seat = Console(app, pilot)
            await seat.until(lambda: app.talk is not None and not app.working, "a ready console")
            await pilot.press("f5")
            await seat.sees("model ▴", "health", "● available", "box/qwen3:8b", *there)
            await seat.line(shown, "● available")
            names = [str(app.registry.table.get_row_at(row)[0]) for row in range(app.registry.table.row_count)]
            assert len(set(names)) == app.registry.table.row_count > len(models)
            assert [name for name in names if "ppp…ppp" in name and name.endswith("/small")]
            await pilot.press("slash", *"3.3-70b", "enter")
            await pilot.press("enter")
            if size[0] == 80:
                await seat.sees(
                    "name          box/mradermacher/Llama-3.3-70B-Instruct-Uncensored-Hereti", "  c-i1-GGUF:IQ4_XS "
                )
            else:
                await seat.sees(f"─ box/{LONG[0]} ─")


async def test_why_a_model_is_out_is_cut_before_a_column_gives_way_and_whole_where_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with console(tmp_path, size=(80, 24)) as seat:
        why = "no answer from 127.0.0.1:1234"
        out = [replace(row, state="unreachable", detail=why) for row in seat.app.model_rows()]
        monkeypatch.setattr(seat.app, "model_rows", lambda: out)
        seat.app.show_models()
        await seat.pilot.press("f5")
        await seat.sees("✗ unreachable · no answer", "…", "$ out/M")
        await seat.pilot.resize_terminal(160, 48)
        await seat.sees(f"✗ unreachable · {why}")


async def test_the_prompt_keeps_the_focus_of_who_writes_while_models_are_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with console(tmp_path) as seat:
        monkeypatch.setattr(seat.app, "model_rows", list)
        seat.app.show_models()
        await seat.pilot.press("f5")
        seat.app.composer.prompt.focus()
        await seat.pilot.press("h", "i")
        monkeypatch.undo()
        seat.app.show_models()
        await seat.sees("rush-pro")
        await seat.pilot.press("!")
        assert seat.app.composer.prompt.text == "hi!"


async def test_a_toast_hides_no_title_and_a_card_says_why_a_model_is_out(tmp_path: Path) -> None:
    async with console(tmp_path, size=(80, 24)) as seat:
        # A toast hides no title of a dialog.
        await seat.pilot.press("ctrl+t")
        await seat.sees("Pin a model")
        top = await seat.line("Pin a model")
        seat.app.notify("Something has been done that takes more than one line to say " * 2, markup=False)
        await seat.sees("Something has been done")
        assert top in seat.screen.splitlines()

        # The card says why a model is out and what to do and takes the same keys.
        await seat.begin_anew()
        assert seat.app.runtime is not None
        seat.app.runtime.set_enabled(RUSH, False)
        await choose(seat, "rush-pro")
        await seat.pilot.press("enter")
        await seat.sees("○ disabled: switched off in the console", "Space switches it on")
        await seat.pilot.press("space")
        await seat.until(lambda: seat.app.runtime is not None and seat.app.runtime.is_enabled(RUSH))
        await seat.pilot.press("enter")
        await seat.sees("● available")
        await seat.pilot.press("p")
        await seat.until(lambda: seat.app.options.model == RUSH)


async def test_models_that_came_meanwhile_are_there_when_one_looks_again(tmp_path: Path) -> None:
    names = ["qwen4:8b"]
    listing = {"/v1/models": lambda asked: {"object": "list", "data": [{"id": name} for name in names]}}
    async with serving(listing, otherwise=HttpReply(status=404)) as server:
        provider = ProviderSettings("mine", "openai-compatible", f"{server.url}/v1", local=True)
        settings = Settings(providers={"mine": provider}, discovery=False, store=StoreSettings(tmp_path / "store.db"))
        app = ConsoleApp(settings, demo=False)
        async with app.run_test(size=(160, 48), notifications=True) as pilot:
            seat = Console(app, pilot)
            await seat.until(lambda: app.registry.table.row_count, "the server's model")
            await pilot.press("f5")
            await seat.sees("mine/qwen4:8b", "1 of 1")
            names.append("gemma-5")
            await pilot.press("r")
            await seat.sees("mine/gemma-5", "2 of 2")


async def test_a_card_says_what_a_model_is_and_the_cloud_has_no_memory(tmp_path: Path) -> None:
    async with console(tmp_path) as seat:
        # The card of a demo model says that it is one.
        await seat.pilot.press("f5")
        await seat.sees("lumen-dash")
        await seat.pilot.press("enter")
        await seat.sees("known from", "scripted demo model")
        await seat.sees_no("your configuration")

        # A model in the cloud has no memory to be loaded into.
        await seat.begin_anew()
        await choose(seat, "rush-pro")
        await seat.pilot.press("m")
        await seat.sees("demo-openai/rush-pro is not a model")


@pytest.mark.parametrize("size", [(40, 10), (80, 24)])
async def test_two_providers_models_of_one_name_are_told_apart_at_any_width(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    async with demo.serve(pace=0, script=Script().always(Say(text="It is blue.")), habits=False) as servers:
        known = demo.settings(servers, replace(Settings(), store=StoreSettings(tmp_path / "store.db")))
        west = replace(known.providers["demo-openai"], name="demo-openai-europe-west")
        models = [replace(one, provider=west.name) for one in known.models if one.provider == "demo-openai"]
        settings = replace(known, providers={**known.providers, west.name: west}, models=(*known.models, *models))
        app = ConsoleApp(settings, demo=False)
        async with app.run_test(size=size, notifications=True) as pilot:
            seat = Console(app, pilot)
            await seat.until(lambda: app.talk is not None and not app.working, "a ready console")
            await pilot.press("ctrl+t", *"rush")
            await seat.line("demo-open", "west/rush-pro")
            await seat.line("demo-openai/rush-pro")
            await pilot.press("escape")
            await seat.send(f"/model {west.name}/rush-pro")
            await seat.send("Why is the sky blue?")
            await seat.ended()
            await seat.sees("rush-pro · demo-openai-europe-west ·")
            await pilot.press("f5", "end")
            await seat.line("west/rush-mini")
            await seat.line("demo-openai/rush-pro" if size[0] > 40 else "i/rush-pro")
            assert "tern-max" in str(app.registry.table.get_row_at(1)[0])


@pytest.mark.parametrize(
    ("width", "seen"),
    [
        (34, "openrouter/anthropic/claude-opus-4"),
        (30, "openrouter/anthropic…de-opus-4"),
        (16, "op…er/anthr…us-4"),
        (60, "openrouter/anthropic/claude-opus-4" + " " * 26),
    ],
)
def test_a_name_is_cut_in_its_middle_before_its_provider_is(width: int, seen: str) -> None:
    assert fit_model("openrouter/anthropic/claude-opus-4", width) == seen
    assert cell_len(fit_model("提供者/模型模型模型模型模型", width)) == width


@pytest.mark.parametrize(
    ("names", "width", "seen"),
    [
        (("box/short", "box/mistral-large-latest-2411"), 20, ["box/short", "box/mistral-…st-2411"]),
        (
            ("box/maker/llama-70b-it:q4", "box/maker/qwen-235b-it:q4"),
            20,
            ["box/maker/ll…b-it:q4", "box/maker/qw…b-it:q4"],
        ),
        # The same maker, the same end: from the word in which they differ.
        (
            ("box/llama-3.3-70b-instruct:q4", "box/llama-3.3-8b-instruct:q4"),
            16,
            ["…70b-instruct:q4", "…8b-instruct:q4"],
        ),
        # From the letter where the word began long before.
        ((f"box/{'a' * 40}b{'c' * 20}", f"box/{'a' * 40}d{'c' * 20}"), 12, ["…bcccc…ccccc", "…dcccc…ccccc"]),
        # Of three that look the same, two do so once more.
        (
            tuple(
                f"box/maker-of-all/{name}-tail-of-it:q4" for name in ("aaaaaaaa-one", "aaaaaaaa-two", "bbbbbbbb-two")
            ),
            13,
            ["…one-ta…it:q4", "…two-ta…it:q4", "…bbbbbb…it:q4"],
        ),
        (("模型" * 20, "模型" * 20 + "末"), 12, ["模型模… 模型", "模型模… 型末"]),
        (("one-name-of-two-rows", "one-name-of-two-rows"), 12, ["one-na…-rows", "one-na…-rows"]),
    ],
)
def test_long_names_that_would_look_alike_are_cut_at_where_they_differ(
    names: tuple[str, ...], width: int, seen: list[str]
) -> None:
    assert fit_models(names, width) == seen


@pytest.mark.parametrize("width", range(12))
def test_names_that_differ_in_what_so_few_cells_cannot_show_are_cut_all_the_same(width: int) -> None:
    # Wide letters, such as take no cell, and one that holds the other.
    names = ["box/模型模型模型一", "box/模型模型模型二", *("a" * 19 + end for end in ("", "\u0301", "\u0302", "b"))]
    assert all(cell_len(name) <= width for name in fit_models(names, width))
