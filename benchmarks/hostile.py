"""What hostile text does to a terminal and to the event loop: thousands of them through every place that shows text.

The console and the commands run at a pseudo-terminal whose every byte is kept. Prints one JSON object: `foreign` counts
controls that reached the terminal and that the program does not write by itself, `actions` what of the texts could be
clicked or ran by itself, `hold_ms` how long a callback held the event loop at most (processor time of its thread), with
the giant texts of a megabyte apart.

    python benchmarks/hostile.py [--texts 1000] [--megabytes 1.0] [--seed 1] [--every]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

from terminal.consoles import fed
from terminal.holds import LOOKING, Holds
from terminal.pseudoterminal import PROGRAM, Pseudoterminal, environment, foreign
from terminal.texts import GIANTS, texts

SIZE = (110, 32)
SCREENS = ("open_session", "search_prompts", "decisions('')", "reports('costs')", "pick_model", "settings", "help")
DRAWN_S = 0.02
"""More than a frame."""
ERROR = "something the server says: "


def console(home: Path, count: int, seed: int, giant: int, every: bool, report: Path) -> None:
    """In the child: the console, with a driver that feeds it."""
    from textual.events import Paste
    from textual.pilot import Pilot

    from tui_orchestrator.demo import Reply, Say, Script, Servers
    from tui_orchestrator.ui.app import ConsoleApp
    from tui_orchestrator.ui.dialogs import Choice, Picker

    holds = Holds()
    actions: Counter[str] = Counter()
    crashes: list[str] = []

    class Hostile(ConsoleApp):
        def action_hostile(self) -> None:
            actions["ran"] += 1

    script = Script()
    often = 10 if every else 100  # how many texts come before the screens, which show what is stored of them

    async def feed(app: Hostile, pilot: Pilot[Any], servers: Servers) -> None:
        async def wait(done: Any, what: str) -> None:
            for _ in range(2_000):
                await asyncio.sleep(0.01)
                if done():
                    return
            crashes.append(f"never came: {what}")

        async def turn(text: str) -> None:
            app.composer.prompt.text = ""
            app.composer.prompt.insert(text[:500])
            await pilot.press("enter")
            await wait(lambda: not app.running, "the end of a turn")
            # Whole conversations, again and again: more objects than the console has.
            for server in servers.servers.values():
                server.exchanges.clear()

        def place_of(number: int) -> int:
            # A turn takes as long as ten other places; between turns their texts go where answers and errors are told.
            return number % 12 if number % 48 < 12 or number % 12 not in (2, 3) else (7, 0)[number % 2]

        async def show(number: int, text: str, place: int) -> None:
            holds.doing = f"place {place}"
            transcript = app.chat.transcript
            if place == 0:
                app.say(text, ("information", "warning", "error")[number % 3])
            elif place == 1:
                app.notify(text, title=text[:80], timeout=0.2)
            elif place == 2:
                script.then(Say(text or "x", thinking=text if every or number % 96 == 2 else None))
                await turn(text if every or number % 144 == 2 else f"question {number}")
            elif place == 3:
                script.then(Reply(400, ERROR + text, {}))
                await turn(f"question {number}")
            elif place == 4:
                app.composer.prompt.post_message(Paste(text))
                await asyncio.sleep(DRAWN_S)
                app.composer.prompt.text = ""
            elif place == 5:
                app.composer.say(problem=text)
            elif place == 6:
                app.title_shown = text
                app.working = text[:30]
                app.tell_status()
            elif place == 7:
                transcript.begin_answer(f"k{number}", text)
                transcript.append_thinking(f"k{number}", text)
                transcript.append(f"k{number}", text)
                transcript.finish(f"k{number}", text)
                transcript.discard(f"k{number}", text[:40], text) if every or number % 24 == 7 else None
                app.chat.transcript.action_toggle_fold()
            elif place == 8:
                app.chat.columns.start()
                app.chat.columns.add(number, text)
                app.chat.columns.append(number, text)
                app.chat.columns.fail(number, text)
            elif place == 9:
                choices = [Choice("a", ((text, "bold"), (text, "")), text, True)]
                picker = Picker(text[:200], choices, empty=text, hint=text[:50])
                app.push_screen(picker)
                await asyncio.sleep(2 * DRAWN_S)
                await look()
                picker.dismiss(None)
            elif place == 10 and app.decision.decision is not None:
                decision = replace(app.decision.decision, reason=text, model=text[:60] or "m")
                app.decision.show_stored(decision, ())
            elif place == 11 and app.runtime is not None and app.talk is not None and app.talk.last is not None:
                await app.runtime.conversations.rename(app.talk.id, text)
            await asyncio.sleep(DRAWN_S)

        async def look() -> None:
            doing, holds.doing = holds.doing, "looking"
            await asyncio.sleep(0)
            for strip in app.screen._compositor.render_strips():
                for segment in strip:
                    style = segment.style
                    if style is not None and style.link:
                        actions["link"] += 1
                    if style is not None and "hostile" in str(style.meta.get("@click", "")):
                        actions["clickable"] += 1
            await asyncio.sleep(0)
            holds.doing = doing

        app.animation_level = "none"
        await wait(lambda: app.talk is not None and not app.working, "a ready console")
        await pilot.pause(8)  # the SDKs are imported
        holds.worst.clear()
        holds.without_garbage.clear()
        holds.long.clear()
        for number, text in enumerate(texts(count, seed)):
            try:
                for place in range(12) if every else [place_of(number)]:
                    await show(number, text, place)
            except Exception as error:  # noqa: BLE001  # counted and told
                crashes.append(f"{number} {type(error).__name__}: {error}"[:300])
            if number % 10 == 0:
                await look()
            if number % often == often - 1:
                holds.doing = "screens"
                await app.run_action(SCREENS[number // often % len(SCREENS)])
                await pilot.pause(0.05)
                await look()
                await pilot.press("escape")
                await pilot.press("escape")
                app.chat.transcript.scroll_home(animate=False)
                await pilot.pause()
                await look()
                app.action_new_session() if hasattr(app, "action_new_session") else None
                await pilot.pause(0.05)
        for name, make in GIANTS.items() if giant else ():
            holds.doing = f"giant: {name}"
            app.chat.transcript.load(())
            await asyncio.sleep(0)
            app.chat.transcript.begin_answer("giant", "model")
            text = await asyncio.to_thread(make, giant)
            for at in range(0, len(text), giant // 4):
                app.chat.transcript.append("giant", text[at : at + giant // 4])
                await pilot.pause(0.01)
            app.chat.transcript.finish("giant", "done")
            for _ in range(600):
                await pilot.pause(0.02)
                if not app.chat.transcript._rows.unread:
                    break
            app.chat.transcript.action_first_row()
            await pilot.pause()
            for _ in range(4):
                app.chat.transcript.action_scroll_pages(20)
                await pilot.pause()
            app.chat.transcript.follow()
            await pilot.pause()
        holds.doing = "end"
        app.chat.transcript.load(())
        await pilot.pause()
        giants = {name: worst for name, worst in holds.worst.items() if name.startswith("giant")}
        rest = {n: worst for n, worst in holds.worst.items() if not n.startswith(("giant", LOOKING))}
        told: dict[str, Any] = {"actions": dict(actions), "crashes": crashes[:20], "hold_ms": rest}
        told["giant_hold_ms"] = giants
        own = holds.without_garbage
        told["hold_without_garbage_ms"] = max((own[name] for name in rest), default=0)
        told["giant_hold_without_garbage_ms"] = max((own[name] for name in giants), default=0)
        told["long"] = sorted(holds.long, key=lambda line: -int(line.split(" ms")[0].split(": ")[-1]))[:40]
        await asyncio.to_thread(report.write_text, json.dumps(told))
        app.leave()

    fed(Hostile, home, script, feed)


def commands(home: Path) -> tuple[list[str], int]:
    """Every command that shows what the console has stored, at a terminal. Returns what was foreign, and how many."""
    found: list[str] = []
    names = ["sessions", "sessions --deleted", "costs --by session", "costs", "stats", "models", "doctor", "advice"]
    names += ["sessions search ordinary", "config show", "cache"]
    config = home / "store.toml"
    config.write_text(f'store.path = "{home / "store.db"}"\n[router]\ndiscover_local = false\n')
    own = environment(home, OPENAI_API_KEY="sk-planted-0123456789abcdef")
    listed = _run(home, own, ["--config", str(config), "sessions", "list", "--json"])
    ids = [line.split('"')[3] for line in listed.decode(errors="replace").splitlines() if '"id"' in line][:12]
    names += [f"sessions {verb} {one}" for one in ids for verb in ("show", "export")]
    for name in names:
        found += foreign(_run(home, own, ["--config", str(config), *name.split()]))
    found += foreign(_run(home, own, ["--config", str(config), "route", next(texts(5, 7)).replace("\0", "")]))
    hostile = home / "hostile.toml"
    for number, text in enumerate(texts(12, 3)):
        hostile.write_text(
            f"{json.dumps(text)} = {json.dumps(text)}\n[ui]\ntheme = {json.dumps(text[:50])}\n", errors="replace"
        )
        found += foreign(_run(home, own, ["--config", str(hostile), "config", "check"]))
        argument = text.replace("\0", "").encode(errors="replace").decode()
        found += foreign(_run(home, own, [("ask", "route", "sessions", "models")[number % 4], "--" + argument[:60]]))
        found += foreign(_run(home, own, [argument[:60] or "x"]))
    return found, len(names) + 1 + 36


def _run(home: Path, own: dict[str, str], arguments: list[str]) -> bytes:
    with Pseudoterminal([*PROGRAM, *arguments], own, cwd=home) as terminal:
        terminal.end(60)
        return terminal.written


def answers(home: Path, count: int, seed: int) -> tuple[list[str], int]:
    """`ask` at a terminal, whose answers, thoughts and failures are hostile."""
    from tui_orchestrator import demo
    from tui_orchestrator.demo import Reply, Say

    async def run() -> tuple[list[str], int]:
        found: list[str] = []
        asked = 0
        own = environment(home, OPENAI_API_KEY="sk-planted-0123456789abcdef", DAILY_BUDGET_USD="100")
        async with demo.serve(pace=0, habits=False) as servers:
            config = home / "ask.toml"
            config.write_text(
                "[router]\ndiscover_local = false\n[router.retries]\nbase = 0.0\ncap = 0.0\n"
                f'[providers.openai]\nbase_url = "{servers.base_urls["demo-openai"]}"\n'
                '[[models]]\nid = "openai/rush-pro"\ninput_usd = 1\noutput_usd = 1\ncontext_window = 100000\n'
            )
            batch: list[str] = []
            for text in texts(count, seed + 1_000):
                batch.append(text)
                if len(batch) == 50:
                    whole = "\n\n".join(batch)
                    batch = []
                    asked += 1
                    servers.script.always(Reply(400, whole) if asked % 8 == 0 else Say(whole, thinking=whole[:2000]))
                    arguments = ["--config", str(config), "ask", "-v", "-m", "openai/rush-pro", f"question {asked}"]
                    found += foreign(await asyncio.to_thread(_run, home, own, arguments))
        return found, asked

    return asyncio.run(run())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=1_000)
    parser.add_argument("--megabytes", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--every", action="store_true", help="each text at every place: some twelve times as long")
    parser.add_argument("--console", nargs=6, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.console:
        home, count, seed, giant, every, report = options.console
        console(Path(home), int(count), int(seed), int(giant), every == "every", Path(report))
        return
    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory)
        report = home / "report.json"
        giant = int(options.megabytes * 1_000_000)
        told_child = [str(home), str(options.texts), str(options.seed), str(giant), "every" if options.every else "one"]
        told_child.append(str(report))
        command = [sys.executable, __file__, "--console", *told_child]
        with Pseudoterminal(command, environment(home), size=SIZE, cwd=home) as terminal:
            in_console: list[str] = []
            size = 0
            until = time.monotonic() + options.texts * (6 if options.every else 1) + 1_200
            while terminal.process.poll() is None and time.monotonic() < until:
                terminal.read(0.1)
                if len(terminal.written) > 4_000_000:
                    size += len(terminal.written)
                    in_console += foreign(terminal.take())
            code = terminal.end(60)
            size += len(terminal.written)
            written, same = terminal.written, terminal.stty() == terminal.before
            left = terminal.modes()
        told: dict[str, Any] = (
            json.loads(report.read_text()) if report.exists() else {"died": written[-2000:].decode(errors="replace")}
        )
        in_console += foreign(written)
        in_commands, ran = commands(home)
        in_answers, asked = answers(home, options.texts // 5, options.seed)
        told["giant_hold_ms"] = max(told.get("giant_hold_ms", {"": 0}).values(), default=0), told.get("giant_hold_ms")
        print(
            json.dumps(
                {
                    "texts": options.texts,
                    "console_bytes": size,
                    "exit_code": code,
                    "terminal_whole": same and not left,
                    "foreign": {"console": len(in_console), "commands": len(in_commands), "ask": len(in_answers)},
                    "examples": [*in_console[:8], *in_commands[:8], *in_answers[:8]],
                    "commands": ran,
                    "asked": asked,
                    **told,
                },
                indent=2,
            )
        )


if __name__ == "__main__":
    main()
