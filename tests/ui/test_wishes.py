"""What is asked of the next turns of a session, by the user himself and by its persona, and how long it holds."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from tests.ui.conftest import Console, console
from tests.ui.test_elsewhere import Taps, begun, said
from tests.ui.test_killed import left_by_a_kill
from tui_orchestrator.demo import Say, Script
from tui_orchestrator.routing.decision import Policy
from tui_orchestrator.routing.request import Strategy
from tui_orchestrator.settings import Persona, UiSettings

CONFIGURED = Strategy.QUALITY
PERSONAS = {
    "fancy": Persona("fancy", model="tern-max"),
    "pirate": Persona("pirate", "You are a pirate.", Strategy.CHEAPEST),
    "swift": Persona("swift", strategy=Strategy.PERFORMANCE, model="lumen-dash"),
    "poet": Persona("poet", "In verse."),
}
ANSWERS = Script().always(Say(text="Verily."))


def rows(path: Path, query: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(path / "store.db") as connection:
        return connection.execute(query).fetchall()


@dataclass
class Talk:
    """A session, as simply as its settings can be told."""

    title: str = ""
    """Empty: it is not stored."""
    temporary: bool = False
    asked: bool = False
    persona: Persona | None = None
    strategy: Strategy | None = None
    model: str | None = None
    own_way: bool = False

    @property
    def way(self) -> tuple[Strategy, str | None]:
        brings = self.persona is not None and (self.persona.strategy or self.persona.model)
        if self.persona is None or self.own_way or not brings:
            return self.strategy or CONFIGURED, self.model
        return self.persona.strategy or CONFIGURED, self.persona.model


@dataclass
class Person:
    """Does anything by chance, and knows what should hold."""

    chance: random.Random
    talk: Talk = field(default_factory=Talk)
    kept: dict[str, Talk] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)

    async def does_something(self, seat: Console) -> None:
        deeds = [self.takes_persona, self.takes_persona, self.goes_without, self.chooses, self.pins, self.begins]
        deeds += [] if self.talk.asked else [self.asks, self.asks]
        deeds += [self.opens, self.opens] if self.kept else []
        deeds += [self.forks] if self.talk.title else []
        await self.chance.choice(deeds)(seat)
        await self.sees(seat)

    async def sees(self, seat: Console) -> None:
        strategy, model = self.talk.way
        persona = f"◈ {self.talk.persona.name}  " if self.talk.persona else ""
        shown = f"  {persona}{strategy}" + (f"  ★ {model}" if model else "")
        head = lambda: seat.screen.splitlines()[0]  # noqa: E731

        def holds() -> bool:
            return shown in head() and ("★" in head()) == bool(model) and ("◈" in head()) == bool(persona)

        await seat.until(holds, f"{shown!r} at the top after {self.done}")

    def _does(self, deed: str) -> str:
        self.done.append(deed)
        return deed

    async def takes_persona(self, seat: Console) -> None:
        name = self.chance.choice(list(PERSONAS))
        self.talk.persona, self.talk.own_way = PERSONAS[name], False
        await seat.send(self._does(f"/persona {name}"))

    async def goes_without(self, seat: Console) -> None:
        self.talk.persona, self.talk.own_way = None, False
        await seat.send(self._does("/persona none"))

    async def chooses(self, seat: Console) -> None:
        self.talk.strategy = self.chance.choice([None, Strategy.BALANCED, Strategy.CHEAPEST])
        self.talk.own_way = True
        await seat.send(self._does(f"/strategy {self.talk.strategy or 'default'}"))

    async def pins(self, seat: Console) -> None:
        self.talk.model = self.chance.choice([None, "rush-pro", "tern-max"])
        self.talk.own_way = True
        await seat.send(self._does(f"/model {self.talk.model or 'auto'}"))

    async def begins(self, seat: Console) -> None:
        how = self.chance.choice(["/new", "/temporary"])
        self.talk = Talk(temporary=how == "/temporary", strategy=self.talk.strategy, model=self.talk.model)
        await seat.send(self._does(how))

    async def asks(self, seat: Console) -> None:
        await seat.send(self._does("hi"))
        await seat.ended()
        self.talk.asked = True
        if not self.talk.temporary:
            await self.is_called(seat, f"zebra{len(self.done)}x")
        strategy, model = self.talk.way
        [(sent, by)] = rows(
            Path(str(seat.app.settings.store.path)).parent,
            "SELECT strategy, model FROM attempts ORDER BY rowid DESC LIMIT 1",
        )
        assert model is None or str(by).endswith(f"/{model}"), (by, self.done)
        assert model is not None or sent == strategy, (sent, self.done)

    async def is_called(self, seat: Console, title: str) -> None:
        await seat.send(f"/rename {title}")
        await seat.until(lambda: title in seat.screen.splitlines()[0], "its name")
        self.talk.title = title
        self.kept[title] = self.talk

    async def opens(self, seat: Console) -> None:
        await self.goes_to(seat, self.chance.choice(sorted(self.kept)))

    async def goes_to(self, seat: Console, title: str) -> None:
        self._does(f"open {title}")
        self.talk = self.kept[title]
        await seat.pilot.press("ctrl+l")
        await seat.sees("╭─ Sessions", "in all")
        await seat.write(title)
        await seat.sees("In titles")
        await seat.pilot.press("enter")
        await seat.sees_no("╭─ Sessions")

    async def forks(self, seat: Console) -> None:
        await seat.send(self._does("/fork"))
        await seat.until(lambda: "(fork)" in seat.screen.splitlines()[0], "the fork")
        self.talk = replace(self.talk)
        await self.is_called(seat, f"zebra{len(self.done)}x")


@asynccontextmanager
async def with_personas(path: Path, script: Script = ANSWERS, taps: Taps | None = None) -> AsyncIterator[Console]:
    policy, more = Policy(strategy=CONFIGURED), {} if taps is None else {"sleep": taps.sleep}
    async with console(path, size=(160, 30), script=script, policy=policy, **more) as seat:  # type: ignore[arg-type]
        seat.app.settings.personas.update(PERSONAS)  # type: ignore[attr-defined]
        yield seat


@pytest.mark.cells(0)
@pytest.mark.parametrize("seed", range(2))
async def test_what_a_persona_brought_goes_with_it_and_what_the_user_asked_for_stays(tmp_path: Path, seed: int) -> None:
    person = Person(random.Random(seed))
    async with with_personas(tmp_path) as seat:
        for _ in range(16):
            await person.does_something(seat)
        killed = left_by_a_kill(tmp_path)
    async with with_personas(killed) as seat:
        for title in person.kept:
            await person.goes_to(seat, title)
            await person.sees(seat)
            await person.begins(seat)
            await person.sees(seat)
            await person.goes_to(seat, title)
            await person.sees(seat)
            await person.goes_without(seat)
            await person.sees(seat)


async def test_a_prompt_of_a_new_session_does_not_go_to_the_model_of_the_persona_before(tmp_path: Path) -> None:
    async with with_personas(tmp_path) as seat:
        for key in ("ctrl+n", "alt+t"):
            await seat.send("/persona fancy")
            await seat.sees("◈ fancy  quality  ★ tern-max")
            await seat.pilot.press(key)
            await seat.sees_no("★ tern-max")
            await seat.send("hi")
            await seat.ended()
            assert rows(tmp_path, "SELECT strategy FROM attempts WHERE model LIKE '%tern-max'") == []


async def test_a_session_whose_answer_runs_keeps_its_persona_and_gives_it_to_no_other(tmp_path: Path) -> None:
    taps, script = Taps(), Script().always(said("alpha"))
    async with with_personas(tmp_path, script, taps) as seat:
        await seat.send("/strategy cheapest")
        await seat.send("/persona fancy")
        await begun(seat, taps)
        await seat.pilot.press("ctrl+n")
        await seat.sees("  cheapest  today $0  ◐ 1 runs elsewhere")
        await seat.pilot.press("ctrl+b")
        await seat.sees("◈ fancy  quality  ★ tern-max")
        taps.let(1)
        await seat.ended()
        await seat.send("/persona none")
        await seat.sees_no("◈ fancy")
        await seat.sees("  cheapest")
        assert "★" not in seat.screen.splitlines()[0]


async def test_an_edited_prompt_goes_where_the_session_s_persona_says(tmp_path: Path) -> None:
    async with with_personas(tmp_path) as seat:
        await seat.send("hi")
        await seat.ended()
        await seat.send("/persona fancy")
        await seat.send("/edit")
        await seat.type(" there")
        await seat.pilot.press("enter")
        await seat.until(lambda: len(rows(tmp_path, "SELECT model FROM attempts")) == 2)
        await seat.ended()
        await seat.sees("◈ fancy  quality  ★ tern-max")
        assert rows(tmp_path, "SELECT model FROM attempts ORDER BY rowid")[1] == ("demo-anthropic/tern-max",)


async def test_the_persona_s_model_of_a_session_stored_before_own_ways_were_told_apart_goes_with_the_persona(
    tmp_path: Path,
) -> None:
    async with with_personas(tmp_path) as seat:
        await seat.send("/persona fancy")
        await seat.send("hi")
        await seat.ended()
        await seat.send("/new")
        with sqlite3.connect(tmp_path / "store.db") as connection:
            connection.execute("UPDATE sessions SET model = 'demo-anthropic/tern-max', own_way = NULL")
        await seat.pilot.press("ctrl+l")
        await seat.sees("╭─ Sessions", "in all")
        await seat.pilot.press("enter")
        await seat.sees("◈ fancy  quality  ★ tern-max")
        await seat.send("/new")
        await seat.sees_no("★ tern-max")


async def test_where_no_persona_is_configured_the_way_to_add_one_is_named(tmp_path: Path) -> None:
    async with console(tmp_path, ui=UiSettings(keymap={"settings.open": "f9"})) as seat:
        await seat.pilot.press("alt+p")
        await seat.sees("no persona is configured; + add personas.NAME in F9 adds one")
        await seat.send("/persona pirate")
        await seat.sees("there is no persona 'pirate': none is configured; + add personas.NAME in F9 adds one")
        await seat.send("/settings personas")
        await seat.sees("+ add personas.NAME")
