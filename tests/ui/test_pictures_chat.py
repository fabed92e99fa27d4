"""Pictures of a conversation: everything that can stand in one, in several themes, the menu of a message, branches, the
greeting."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.ui.conftest import settle
from tests.ui.picturing import SIZES, Console, console_of, in_turn, sees
from tests.ui.test_snapshots import tell as tell_turn
from tui_orchestrator.routing.model import Model, Registry
from tui_orchestrator.settings import ProviderSettings, Secret
from tui_orchestrator.ui.choosing import MESSAGE_DEEDS, message_choices
from tui_orchestrator.ui.dialogs import Picker
from tui_orchestrator.ui.entries import Entry, answer_key, prompt_key
from tui_orchestrator.ui.look import Caption
from tui_orchestrator.ui.status import Keys, joined
from tui_orchestrator.ui.welcome import welcome

KEYS = Keys("Alt+R", "Alt+A")
CONTINUED: Caption = joined(
    [
        ("rush-pro → tern-max", "strong"),
        ("demo-openai, demo-gemini", "muted"),
        ("in 2 parts", "accent"),
        ("↑1.1k ↓412", "muted"),
        ("6.3 s", "muted"),
        ("$0.0014 + $0.0021 = $0.0035", "money"),
        ("confidence 0.81", "success"),
    ]
)
CUT: Caption = [("■ cut off", "warning"), (" · ", "muted"), (f"{KEYS.go_on} goes on", "accent")]
TALK = (
    Entry.prompt("Is a tree of 树 balanced?", ["trees.md", "plan.png"], prompt_key("r1")),
    Entry.trail(
        [
            ("gpt-6-luna", "strong"),
            (" ✗ 429 0.4 s", "error"),
            (" → ", "muted"),
            ("claude-haiku-5.5", "strong"),
            (" ~ 0.41 < 0.60", "warning"),
            (" → ", "muted"),
            ("tern-max", "strong"),
            (" ✓", "success"),
        ],
        "r1/trail",
    ),
    Entry.answer(
        "It may be.",
        discarded="discarded 34 tokens of claude-haiku-5.5: 0.41 < 0.60: hedges twice",
        key=answer_key("r1", 2),
    ),
    Entry.answer(
        "A tree is balanced where every path is about as long:\n\n— continued by tern-max —\n\n| tree | height |\n"
        "|---|--:|\n| AVL | 1.44 log n |\n| red–black | 2 log n |\n",
        thinking="AVL or red–black?",
        status=CONTINUED,
        key=answer_key("r1", 3),
    ),
    Entry.notice("the day's cap: $0.80 of $1.00 is spent", "warning"),
    Entry.prompt("And a heap?", (), prompt_key("r2")),
    Entry.answer(
        "> A heap is a *tree* by its order.\n\n```python\nheapq.heapify(tree)\n```\n",
        status=CUT,
        key=answer_key("r2", 1),
    ),
)


def load(app: Console) -> None:
    """The entries are made anew: what is drawn of one is kept with it."""
    app.chat.transcript.load(
        Entry(
            one.kind, one.key, one.caption, one.text, list(one.thoughts), one.attachments, one.severity, one.status,
            discarded=one.discarded,
        )
        for one in TALK
    )  # fmt: skip
    app.chat.transcript.vote(answer_key("r2", 1), True)
    app.chat.transcript.tell_branch(prompt_key("r2"), (2, 3))


@pytest.mark.cells
@pytest.mark.parametrize("theme", ["paper", "terminal"])
@pytest.mark.parametrize("size", SIZES)
def test_what_was_said_and_found_and_told(snap_compare: Any, theme: str, size: tuple[int, int]) -> None:
    async def show(pilot: Pilot[Any]) -> None:
        app = console_of(pilot)
        await tell_turn(pilot)
        load(app)
        app.notify("The day's cap: $0.80 of $1.00 is spent.", severity="warning", timeout=60)
        app.notify("Copied to the system clipboard by wl-copy.", timeout=60)
        # Nothing moves there: how high an entry is, is known for certain only once it was drawn.
        app.chat.transcript.show(prompt_key("r1"))
        await sees(pilot, "Is a tree of", "wl-copy")
        await settle(pilot)
        app.chat.find_line.open("tree")
        await sees(pilot, "Esc closes", " of ")

    assert snap_compare(Console(theme), terminal_size=size, run_before=show)


@in_turn(1)
def test_the_menu_of_a_marked_message(snap_compare: Any, size: tuple[int, int]) -> None:
    async def show(pilot: Pilot[Any]) -> None:
        app = console_of(pilot)
        load(app)
        await pilot.press("f2")
        app.chat.transcript.mark(answer_key("r2", 1))
        await sees(pilot, "⏎ Menu")
        app.push_screen(Picker("This answer", message_choices(MESSAGE_DEEDS), empty="", hint="Enter does it"))
        await sees(pilot, "Enter does it", "route card")

    assert snap_compare(Console("ember"), terminal_size=size, run_before=show)


@in_turn(0)
def test_a_branch_that_is_written_while_something_new_comes_below(snap_compare: Any, size: tuple[int, int]) -> None:
    async def show(pilot: Pilot[Any]) -> None:
        app = console_of(pilot)
        load(app)
        await sees(pilot, "cut off")
        reader = app.chat.transcript
        reader.append(answer_key("r2", 1), "It grows. " * 400)
        await sees(pilot, "grows. It grows")
        await pilot.press("f2")
        reader.action_first_row()
        reader.append(answer_key("r2", 1), "It grows. " * 400)
        app.composer.prompt.text = "And a heap of 树?"
        app.chat.tell_editing("↳ editing a prompt · Enter sends it as a branch · Esc leaves all as it is")
        await sees(pilot, "↓ new", "↳ editing")

    assert snap_compare(Console("okabe-ito"), terminal_size=size, run_before=show)


@in_turn(1)
def test_the_greeting(snap_compare: Any, size: tuple[int, int]) -> None:
    providers = (
        ProviderSettings("openai", "openai", api_key=Secret("sk-x"), key_origin=".env", key_names=("OPENAI_API_KEY",)),
        ProviderSettings("anthropic", "anthropic", key_names=("ANTHROPIC_API_KEY",)),
        ProviderSettings("gemini", "gemini", key_problem="the keyring is locked", key_names=("GEMINI_API_KEY",)),
        ProviderSettings("ollama", "openai-compatible", "http://localhost:11434/v1", local=True),
    )
    models = [Model("openai", "gpt-6-luna"), *(Model("ollama", name) for name in ("qwen-9b", "gemma-4", "phi", "x"))]
    runtime: Any = SimpleNamespace(
        demo=False,
        looking=False,
        registry=Registry({model.id: model for model in models}),
        catalogue=SimpleNamespace(providers={one.name: one for one in providers}),
    )

    async def show(pilot: Pilot[Any]) -> None:
        console_of(pilot).chat.greet(welcome(runtime, console_of(pilot)), ("config.toml:3: unknown key 'strategi'",))
        await sees(pilot, "Where to?", "openai")

    assert snap_compare(Console(), terminal_size=size, run_before=show)
