"""How often a key turns up in what the program writes: a planted one, over every way of giving it and every failure.

Servers repeat the key in their errors, in answers and their thinking, whole ones and such as break off, in answers that
are no answers, and in headers. Everything is searched: both
outputs of every command, every byte of the console at a pseudo-terminal (settings, an error, a crash), its screenshots,
every file under the user's home (the store, exports, the log at its finest, reports of crashes), the arguments of every
process meanwhile. Prints one JSON object; `found` should be empty.

    python benchmarks/keys.py
"""

from __future__ import annotations

import asyncio
import json
import os
import stat
import subprocess
import tempfile
from collections import Counter
from pathlib import Path

from terminal.endings import RAISES
from terminal.pseudoterminal import PROGRAM, ROOT, SEQUENCE, Gone, Pseudoterminal, environment

from tui_orchestrator import demo
from tui_orchestrator.demo import Break, Phase, Reply, Say

KEY = "sk-planted-5f0c1d9e7b3a4826-QZX"
PART = KEY[6:24]
"""No run of so many of its letters either."""
TELLS = Say(
    f"You sent Bearer {KEY}. Again: `{KEY}`, {KEY[:-1]}, {KEY[1:]}, {KEY[:12]}\ufe0f{KEY[12:]}, {KEY}",
    thinking=f"They sent {KEY}",
)
TELLING = (TELLS, Break("error_event", Phase.MID_STREAM, TELLS), Break("reset", Phase.MID_STREAM, TELLS))
STATUSES = (400, 401, 402, 403, 404, 408, 409, 413, 422, 429, 500, 502, 503, 529)
KEYRING = f"""
from keyring.backend import KeyringBackend

class Planted(KeyringBackend):
    priority = 9

    def get_password(self, service, username):
        return {KEY!r} if username == "openai" else None

    def set_password(self, service, username, password):
        raise RuntimeError(password)

    def delete_password(self, service, username):
        raise RuntimeError(username)
"""
"""A system's keyring."""
PICTURES = """
import sys
from pathlib import Path
from tui_orchestrator.settings import load
from tui_orchestrator.ui import app

class Pictured(app.ConsoleApp):
    def on_mount(self):
        super().on_mount()
        for number, screen in enumerate(("settings", "pick_model", "help", "open_session")):
            self.set_timer(2 + 2 * number, lambda screen=screen: self.run_action(screen))
            self.set_timer(3 + 2 * number, lambda screen=screen: self.save_screenshot(screen + ".svg", {home!r}))
            self.set_timer(3.5 + 2 * number, self.leave_screen)
        self.set_timer(11, lambda: self.leave())

    def leave_screen(self):
        if len(self.screen_stack) > 1:
            self.pop_screen()

app.ConsoleApp = Pictured
sys.exit(app.run_console(load(Path({config!r})), demo=None))
"""
COMMANDS = ("doctor", "config show --all", "config check", "models", "stats", "costs", "sessions list", "route hello")
SOURCES = (
    *("environment", ".env", "command", "keyring"),
    *("a key in the wrong place", "a key as a setting's name", "a command that fails", "values of settings"),
)
OTHER = "other-key-of-another-host-93a1"


class Search:
    def __init__(self) -> None:
        self.found: Counter[str] = Counter()
        self.places = 0
        self.bytes = 0

    def look(self, where: str, data: bytes) -> None:
        self.places += 1
        self.bytes += len(data)
        for seen in {data, SEQUENCE.sub(b"", data)}:
            self.found[where] += seen.count(PART.encode())

    def look_at_processes(self, mine: set[str]) -> None:
        for process in Path("/proc").iterdir():
            if process.name.isdigit() and process.name not in mine:
                try:
                    self.look("arguments", (process / "cmdline").read_bytes())
                except OSError:
                    continue


def configuration(servers: demo.Servers, source: str, home: Path) -> tuple[str, dict[str, str]]:
    """With the key where `source` says: the file's text and the environment."""
    address = servers.base_urls["demo-openai"]
    text = '[log]\nlevel = "debug"\n[router]\ndiscover_local = false\n[router.retries]\nbase = 0.0\ncap = 0.0\n'
    text += f'[providers.openai]\nbase_url = "{address}"\n'
    own = {}
    if source in ("environment", "a key as a setting's name", "values of settings"):
        own["OPENAI_API_KEY"] = KEY
    elif source == ".env":
        (home / ".env").write_text(f"OPENAI_API_KEY={KEY}\n")
        (home / ".env").chmod(0o644)
    elif source == "command":
        (home / "key").write_text(KEY)
        text += f'api_key_command = "cat {home}/key"\n'
    elif source == "keyring":
        (home / "planted_keyring.py").write_text(KEYRING)
        own |= {"PYTHON_KEYRING_BACKEND": "planted_keyring.Planted", "PYTHONPATH": f"{home}:{ROOT}"}
        text += "api_key_keyring = true\n"
    elif source == "a key in the wrong place":
        text += f'api_key = "{KEY}"\n'
    elif source == "a command that fails":
        text += f"api_key_command = \"sh -c 'echo {PART[:3]}; cat {home}/key >&2; exit 3'\"\n"
        (home / "key").write_text(KEY)
    if source == "values of settings":
        text += f'[plugins]\ndisabled = ["{KEY}"]\n[personas.mine]\nsystem = "Say {KEY} to whoever asks."\n'
        text += f'[ui]\ntheme = "{KEY}"\n'
    if source == "a key as a setting's name":
        text += f'[ui.keymap]\n"{KEY.lower()}" = "f7"\n[personas."{KEY}"]\nsystem = "Say it."\n'
        text += f'[chains]\nmine = ["openai/{KEY}"]\n'
    text += '[[models]]\nid = "openai/rush-pro"\ninput_usd = 1\noutput_usd = 1\ncontext_window = 100000\n'
    return text, own


def run(search: Search, where: str, arguments: list[str], own: dict[str, str], home: Path) -> None:
    done = subprocess.run(
        [*PROGRAM, *arguments], env=own, cwd=home, capture_output=True, stdin=subprocess.DEVNULL, check=False
    )
    search.look(f"{where}: stdout", done.stdout)
    search.look(f"{where}: stderr", done.stderr)


def exports(search: Search, source: str, before: list[str], own: dict[str, str], home: Path) -> None:
    """Of every session, with the answers that broke off."""
    listed = subprocess.run(
        [*PROGRAM, *before, "sessions", "list", "--json"], env=own, cwd=home, capture_output=True, check=False
    )
    for number, session in enumerate(json.loads(listed.stdout or b"[]")):
        for form in ("md", "json"):
            to = str(home / f"export-{number}.{form}")
            arguments = [*before, "sessions", "export", session["id"], "--format", form, "-o", to]
            run(search, f"{source}: export", arguments, own, home)


def home_of_the_keyring(home: Path) -> list[str]:
    return [path.name for path in home.rglob("planted_keyring*")]


def in_console(search: Search, own: dict[str, str], config: Path, home: Path) -> None:
    with Pseudoterminal([*PROGRAM, "--config", str(config)], own, cwd=home, size=(140, 50)) as terminal:
        try:
            terminal.until(b"Where to")
            for typed in (b"hello\r", b"again\r", b"/settings\r", b"key\r", b"\x1b", b"\x1b", b"/models\r", b"\x11"):
                terminal.send(typed)
                terminal.quiet(0.3, within=2.5)
                search.look_at_processes({str(os.getpid())})
            terminal.end()
        except Gone as error:
            search.found[f"console: {error}"[:200]] += 1
        search.look("console", terminal.written)
    crash = RAISES.format(raised="int(self.settings.providers['openai'].api_key.reveal())").replace(
        "demo=True", "demo=None"
    )
    crash = crash.replace("load()", f"load(__import__('pathlib').Path({str(config)!r}))")
    pictures = PICTURES.format(home=str(home), config=str(config))
    for what, program in (("crash", crash), ("screenshots", pictures)):
        with Pseudoterminal([PROGRAM[0], "-c", program], own, cwd=home, size=(140, 50)) as terminal:
            terminal.end(60)
            search.look(what, terminal.written)


def files(search: Search, home: Path, planted: set[str]) -> dict[str, str]:
    wrong = {}
    for path in home.rglob("*"):
        if path.is_file() and path.name not in planted:
            search.look(f"file {path.name}", path.read_bytes())
        mode = stat.S_IMODE(path.stat().st_mode)
        if "own" in path.parts and mode & 0o077:
            wrong[str(path.relative_to(home))] = oct(mode)
    return wrong


async def main() -> None:
    search = Search()
    wrong: dict[str, str] = {}
    sent: Counter[str] = Counter()
    for source in SOURCES:
        with tempfile.TemporaryDirectory() as directory:
            home = Path(directory)
            async with demo.serve(pace=0, habits=False) as servers:
                text, keys = configuration(servers, source, home)
                config = home / "config.toml"
                config.write_text(text)
                own = environment(home, **keys, ANTHROPIC_API_KEY=OTHER)
                before = ["--config", str(config)]
                refusals: list[Say | Reply | Break] = [
                    Reply(status, f"Incorrect API key provided: {KEY}", {"x-key": KEY}) for status in STATUSES
                ]
                refusals += [
                    Reply(500, body=f"<html>{KEY}</html>".encode(), content_type="text/html"),
                    Reply(200, body=f"not a stream {KEY}".encode()),
                    Reply(302, headers={"location": f"http://{KEY}/"}),
                ]
                asks = [*TELLING, *refusals] if source == "environment" else [*TELLING, *refusals[:2]]
                for number, behaviour in enumerate(asks):
                    # What fails again and again is not asked any more: each refusal has a store of its own.
                    store = {} if behaviour in TELLING else {"TUI_ORCHESTRATOR_HOME": str(home / "own" / str(number))}
                    for more in (["-v"], ["--events"])[: 1 + number % 2]:
                        servers.script.always(behaviour)
                        arguments = [*before, "ask", "-m", "openai/rush-pro", *more, "hello"]
                        await asyncio.to_thread(run, search, f"{source}: ask", arguments, own | store, home)
                sent[f"asked: {source}"] += len(servers.exchanges)
                servers.script.always(Break("error_event", Phase.MID_STREAM, Say("one two three four five")))
                for command in COMMANDS if source == "environment" else COMMANDS[:3]:
                    await asyncio.to_thread(run, search, f"{source}: {command}", [*before, *command.split()], own, home)
                if source in ("environment", "keyring", "values of settings"):
                    await asyncio.to_thread(exports, search, source, before, own, home)
                    servers.script.then(refusals[1])
                    servers.script.always(TELLS)
                    await asyncio.to_thread(in_console, search, own, config, home)
                for exchange in servers.exchanges:
                    held = json.dumps(dict(exchange.headers)) if hasattr(exchange, "headers") else ""
                    sent["the key, to its own host"] += KEY in held
                    sent["another host's key"] += OTHER in held
                wrong |= files(search, home, {".env", "key", "config.toml", *home_of_the_keyring(home)})
    told = {
        "places": search.places,
        "megabytes": round(search.bytes / 1e6, 1),
        "found": {where: count for where, count in search.found.items() if count},
        "sent": dict(sent),
        "modes_open_to_others": wrong,
    }
    print(json.dumps(told, indent=2))


if __name__ == "__main__":
    asyncio.run(main())
