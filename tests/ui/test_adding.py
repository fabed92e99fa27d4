"""Adding a provider or a model from the console."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.catalogue.server import Asked, Reply, serving
from tests.ui.conftest import Console
from tui_orchestrator.settings import StoreSettings, load
from tui_orchestrator.ui.app import AGAIN, ConsoleApp

MINE = "# mine, and it stays\n[router]\ndiscover_local = false  # so\n"
RIGHT = "key-that-is-right"


@asynccontextmanager
async def form(path: Path, *, demo: bool | None = False) -> AsyncIterator[tuple[Console, Path]]:
    """A console with a file of the user's, the form for a server of one's own open."""
    file = path / "config.toml"
    file.write_text(MINE)
    app = ConsoleApp(replace(load(file), store=StoreSettings(path / "store.db")), demo=demo)
    async with app.run_test(size=(100, 30), notifications=True) as pilot:
        seat = Console(app, pilot)
        await seat.until(lambda: app.talk is not None and not app.working, "a ready console")
        await pilot.press("f5", "a")
        await seat.sees("Add a provider", "a server of your own")
        await pilot.press(*"compatible", "enter")
        await seat.sees("Add openai-compatible", "Enter checks and writes it")
        yield seat, file


async def write(seat: Console, **fields: str) -> None:
    for id_, text in fields.items():
        field = seat.app.screen.query_one(f"#{id_}")
        seat.app.screen.set_focus(field)
        field.value = text  # type: ignore[attr-defined]
    await seat.pilot.press("enter")


async def told(seat: Console, sentence: str) -> None:
    """In a toast, which breaks its lines by how long the path of the file is, or above the prompt."""

    def is_told() -> bool:
        toasts = [one.message for one in seat.app._notifications]
        return any(sentence in said for said in [*toasts, " ".join(seat.screen.split())])

    await seat.until(is_told, sentence)


def models(asked: Asked) -> Reply:
    if asked.headers.get("authorization") != f"Bearer {RIGHT}":
        return Reply({"error": "no"}, 401)
    return Reply({"object": "list", "data": [{"id": "qwen4-coder", "object": "model", "owned_by": "us"}]})


async def test_a_server_is_tried_written_and_there_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEAM_API_KEY", RIGHT)
    async with serving({"/v1/models": models}) as server, form(tmp_path) as (seat, file):
        await write(seat, name="team", address=server.url)
        await seat.sees("✗ ", "wants a key", "Enter once more writes it all the same")
        assert file.read_text() == MINE
        await write(seat, variable="TEAM_API_KEY", model="one-of-mine")
        await seat.sees("team/qwen4-coder", "team/one-of-mine")
        text = file.read_text()
        assert text.startswith(MINE)
        assert RIGHT not in text
        team = load(file).providers["team"]
        assert (team.base_url, team.key_origin) == (f"{server.url}/v1", "TEAM_API_KEY")


@pytest.mark.parametrize(("pressed", "code"), [(["enter"], AGAIN), (["down", "enter"], None)], ids=["now", "later"])
async def test_who_was_shown_the_demo_for_want_of_models_may_open_the_program_anew(
    tmp_path: Path, pressed: list[str], code: int | None
) -> None:
    listed = Reply({"object": "list", "data": [{"id": "qwen4-coder", "object": "model", "owned_by": "us"}]})
    async with serving({"/v1/models": lambda _: listed}) as server, form(tmp_path, demo=None) as (seat, _):
        await write(seat, name="team", address=server.url)
        await seat.sees("Open the program anew with it", "The demo ends", "at the next start")
        await seat.pilot.press(*pressed)
        if code is None:
            await told(seat, "It answers from the next start on.")
        else:
            await seat.until(lambda: seat.app._exit, "the end")
        assert seat.app.return_code == code


async def test_who_asked_for_the_demo_is_told_to_leave_it_first(tmp_path: Path) -> None:
    listed = Reply({"object": "list", "data": [{"id": "qwen4-coder", "object": "model", "owned_by": "us"}]})
    async with serving({"/v1/models": lambda _: listed}) as server, form(tmp_path, demo=True) as (seat, _):
        await write(seat, name="team", address=server.url)
        await told(seat, "It answers once the program is started without the demo.")


def keyring(path: Path, monkeypatch: pytest.MonkeyPatch, takes: str = "at.write_text(key)") -> Path:
    """Has the system's keyring keep each key in a file of this directory, or do something else with it."""
    ring = path / "ring"
    ring.mkdir()
    (path / "ring_backend.py").write_text(
        "from pathlib import Path\n"
        "from keyring.backend import KeyringBackend\n"
        "class Ring(KeyringBackend):\n"
        "    priority = 1\n"
        "    def set_password(self, service, user, key):\n"
        f"        at = Path({str(ring)!r}, f'{{service}}, {{user}}')\n"
        f"        {takes}\n"
        "    def get_password(self, service, user):\n"
        f"        at = Path({str(ring)!r}, f'{{service}}, {{user}}')\n"
        "        return at.read_text() if at.exists() else None\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(path), prepend=os.pathsep)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "ring_backend.Ring")
    return ring


async def test_a_keyring_that_keeps_nothing_is_told_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    async with serving({"/v1/models": models}) as server, form(tmp_path) as (seat, file):
        await write(seat, name="team", address=f"{server.url}/v1", key=RIGHT)
        await seat.sees("✗ the keyring backend that PYTHON_KEYRING_BACKEND names,", "Add openai-compatible")
        await seat.sees("keeps nothing; name an environment variable", "api_key_command")
        assert file.read_text() == MINE
        monkeypatch.setenv("TEAM_API_KEY", RIGHT)
        await write(seat, variable="TEAM_API_KEY")
        await seat.sees("team/qwen4-coder")
        assert load(file).providers["team"].key_origin == "TEAM_API_KEY"


async def test_it_is_said_when_the_keyring_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unlocked = tmp_path / "unlocked"
    os.mkfifo(unlocked)
    keyring(tmp_path, monkeypatch, f"at.write_text(key + Path({str(unlocked)!r}).read_text())")
    async with serving({"/v1/models": models}) as server, form(tmp_path) as (seat, file):
        await write(seat, name="team", address=f"{server.url}/v1", key=RIGHT)
        await seat.sees("◐ Waiting for the system keyring, which may want to be unlocked, at most 30 ")
        assert file.read_text() == MINE
        await asyncio.to_thread(unlocked.write_text, "")
        await seat.until(lambda: len(seat.app.screen_stack) == 1)
        assert load(file).providers["team"].key_origin == "keyring"


async def test_a_key_that_is_refused_may_be_written_all_the_same_and_goes_to_the_keyring(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring = keyring(tmp_path, monkeypatch)
    async with serving({"/v1/models": models}) as server, form(tmp_path) as (seat, file):
        await write(seat, name="team", address=f"{server.url}/v1", key="key-that-is-wrong")
        await seat.sees("✗ the key was not accepted by 127.0.0.1", "Enter once more")
        assert (file.read_text(), [*ring.iterdir()]) == (MINE, [])
        assert "key-that-is-wrong" not in seat.screen
        await seat.pilot.press("enter")
        await seat.until(lambda: len(seat.app.screen_stack) == 1)
        assert [(one.name, one.read_text()) for one in ring.iterdir()] == [
            ("tui-orchestrator, team", "key-that-is-wrong")
        ]
        assert "key-that-is-wrong" not in file.read_text()
        assert load(file).providers["team"].key_origin == "keyring"


async def test_a_server_that_is_not_there_and_a_form_half_filled_say_so(tmp_path: Path) -> None:
    async with serving({}) as server:
        gone = server.url
    async with form(tmp_path) as (seat, file):
        await seat.pilot.press("enter")
        await seat.sees("✗ give it a name")
        await write(seat, name="team")
        await seat.sees("✗ give its address")
        await write(seat, address=gone)
        await seat.sees("could not be reached", "Enter once more")
        await seat.pilot.press("escape")
        await seat.until(lambda: len(seat.app.screen_stack) == 1)
        assert file.read_text() == MINE


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (Reply("<!doctype html><p>Welcome"), "answered with something that is no model list"),
        (Reply("not found", 404), "answered HTTP 404 instead of a model list"),
        (Reply("oops", 500), "answered HTTP 500 instead of a model list"),
        (Reply({"hello": "there"}), "answered with something that is no model list"),
    ],
    ids=["a web page", "404", "500", "another interface"],
)
async def test_an_address_that_gives_no_list_is_written_at_the_second_enter(
    tmp_path: Path, reply: Reply, said: str
) -> None:
    async with serving({}, otherwise=reply) as server, form(tmp_path) as (seat, file):
        await write(seat, name="team", address=server.url)
        await told(seat, said)
        await seat.sees("✗ ", "Enter once more")
        assert file.read_text() == MINE
        await seat.pilot.press("enter")
        await told(seat, "its list could not be read yet")
        assert load(file).providers["team"].base_url == f"{server.url}/v1"


async def test_what_enter_does_next_is_in_sight_where_the_form_is_higher_than_the_screen(tmp_path: Path) -> None:
    async with serving({}) as server, form(tmp_path) as (seat, _):
        await seat.pilot.resize_terminal(40, 10)
        await write(seat, name="team", address=server.url)
        await seat.sees("Enter once more writes it all", "the same.", "Enter checks and writes it")


async def test_a_server_whose_list_is_empty_is_written_and_told_so(tmp_path: Path) -> None:
    async with serving({"/v1/models": {"object": "list", "data": []}}) as server, form(tmp_path) as (seat, file):
        await write(seat, name="team", address=server.url)
        await told(seat, "team: it lists no model yet")
        assert load(file).providers["team"].base_url == f"{server.url}/v1"


async def test_a_name_that_the_file_cannot_have_is_refused_before_anybody_is_asked(tmp_path: Path) -> None:
    async with serving({"/v1/models": models}) as server, form(tmp_path) as (seat, file):
        await write(seat, name="wrong name!", address=server.url)
        await seat.sees("✗ 'wrong name!' cannot be a name")
        assert server.asked == []
        assert file.read_text() == MINE


async def test_before_there_is_a_model_the_foot_offers_what_leads_to_one(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(MINE)
    app = ConsoleApp(replace(load(file), store=StoreSettings(tmp_path / "store.db")), demo=False)
    async with app.run_test(size=(160, 48), notifications=True) as pilot:
        seat = Console(app, pilot)
        await seat.until(lambda: app.talk is not None and not app.working, "a ready console")
        await pilot.press("f5")
        await seat.sees("No models yet", "a Add", "r Refresh")
        foot = seat.screen.splitlines()[-1]
        assert [key for key in ("Card", "p Pin", "Test", "Favourite", "On/off", "Sort", "Filter") if key in foot] == []
