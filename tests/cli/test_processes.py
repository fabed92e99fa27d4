"""The program as a process of its own: in a terminal, in pipes, interrupted, in poor locales. Where it is not the start
that matters, it is forked instead of started."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE
from contextlib import ExitStack

import pytest

from tests.cli import stream
from tests.cli.conftest import Ended, Shell
from tests.cli.terminal import PATIENCE_S, forked, terminal
from tests.warm import CLOSED
from tui_orchestrator import __version__
from tui_orchestrator.demo import Break, Phase, Say

LONG = " ".join(f"word{number}" for number in range(40)) + " end"
HALF_AND_SILENCE = Break("silence", Phase.MID_STREAM, Say(LONG))


def program(shell: Shell, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "tui_orchestrator", *shell.command(*arguments)[1:]]


async def started(shell: Shell, *arguments: str, **environment: str) -> Ended:
    process = await asyncio.create_subprocess_exec(
        *program(shell, *arguments), stdin=DEVNULL, stdout=PIPE, stderr=PIPE, env={**shell.environment, **environment}
    )
    out, err = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    assert process.returncode is not None
    return Ended(process.returncode, out.decode(errors="replace"), err.decode(errors="replace"))


async def kept(shell: Shell) -> tuple[dict[str, object], dict[str, object]]:
    """The last answer as it is stored, and its one attempt."""
    session = (await shell.run("sessions", "list", "--json")).json[0]["id"]
    message = (await shell.run("sessions", "show", session, "--json")).json["messages"][-1]
    (attempt,) = message["attempts"]
    return message, attempt


async def test_on_a_terminal_the_answer_streams_between_coloured_lines(shell: Shell) -> None:
    shell.script.always(Say("One *two* three."))
    async with terminal(shell, "ask", "-m", "rush-pro", "count") as screen:
        assert await screen.end() == 0
    assert "One *two* three.\r\n" in screen.seen
    assert "\x1b[2m→ openai/rush-pro" in screen.seen
    assert "\x1b[2m… waiting for openai/rush-pro\x1b[0m\r\x1b[2K" in screen.seen, "the status line is wiped"
    assert screen.seen.count("three.") == 1, "what was streamed is not printed again"


@pytest.mark.parametrize(("answer", "code"), [("y", 0), ("n", 3), ("", 3)])
async def test_on_a_terminal_a_budget_asks_before_it_says_no(shell: Shell, answer: str, code: int) -> None:
    shell.script.always(Say("Four."))
    async with terminal(shell, "ask", "-m", "rush-pro", "-c", "0.0001", "What is two and two?") as screen:
        await screen.until("for this request? [y/N]")
        assert "the request's cap has $0.00010 of $0.00010 left" in screen.seen
        os.write(screen.master, f"{answer}\n".encode())
        assert await screen.end() == code
    assert ("Four." in screen.seen) == (code == 0)


async def test_ctrl_c_ends_a_turn_that_waits_for_an_answer(shell: Shell) -> None:
    async with terminal(shell, "ask", "-m", "rush-pro", "-c", "0.0001", "What is two and two?") as screen:
        await screen.until("for this request? [y/N]")
        os.write(screen.master, b"\x03")
        assert await screen.end() == 130


async def test_a_dumb_terminal_gets_no_escape_at_all(shell: Shell) -> None:
    async with terminal(shell, "ask", "-m", "rush-pro", "hello", TERM="dumb") as screen:
        assert await screen.end() == 0
    assert "→ openai/rush-pro" in screen.seen
    assert "\x1b" not in screen.seen


async def test_text_that_is_taken_back_is_marked_and_the_better_answer_follows_once(shell: Shell) -> None:
    shell.script.always(Break("close", Phase.MID_STREAM, Say(LONG)), "pebble-3b")
    shell.script.always(Say("I am not sure, but perhaps I might be wrong, maybe."), "rush-mini")
    shell.script.always(Say("Four, since two and two are four."), "rush-pro")
    chain = "pebble-3b,rush-mini,rush-pro"
    async with terminal(shell, "ask", "-v", "--chain", chain, "What is two and two?", NO_COLOR="1") as screen:
        assert await screen.end() == 0
    assert not re.search(r"\x1b\[[\d;]*m", screen.seen), "NO_COLOR is heeded"
    assert "✗ team/pebble-3b stream broken after" in screen.seen
    assert screen.seen.count("the text above is discarded") == 2
    assert "↑ openai/rush-mini → openai/rush-pro · low confidence" in screen.seen
    assert screen.seen.count("two and two are four") == 1
    assert screen.seen.count("perhaps I might be wrong") == 1


async def test_a_budgets_alert_does_not_print_the_answer_twice(shell: Shell) -> None:
    shell.script.always(Say("Four, since two and two are four."))
    spent = (await shell.run("ask", "-m", "rush-pro", "--json", "count")).json["cost"]
    cap = {"DAILY_BUDGET_USD": f"{spent * 2 + 0.05:.6f}", "TUI_ORCHESTRATOR_BUDGETS__ALERT_AT": "[0.01]"}
    async with terminal(shell, "ask", "-m", "rush-pro", "--max-tokens", "100", "count", **cap, NO_COLOR="1") as screen:
        assert await screen.end() == 0
    assert screen.seen.count("two and two are four") == 1


async def test_an_ensemble_on_a_terminal_shows_who_is_waited_for(shell: Shell) -> None:
    members = "pebble-3b,rush-mini,rush-pro"
    async with terminal(shell, "ask", "-s", "ensemble", "--chain", members, "Tabs or spaces?", NO_COLOR="1") as screen:
        assert await screen.end() == 0
    assert "of 3 have ended, waiting for " in screen.seen
    assert "✓ " in screen.seen


async def test_ctrl_c_keeps_the_partial_answer_and_books_it(shell: Shell) -> None:
    shell.script.always(HALF_AND_SILENCE)
    async with terminal(shell, "ask", "-m", "rush-pro", "count", NO_COLOR="1") as screen:
        await screen.until("word1 ")
        screen.process.send_signal(signal.SIGINT)
        assert await screen.end() == 130
    assert "✗ Cancelled: what had come is kept" in screen.seen
    assert "Traceback" not in screen.seen
    message, attempt = await kept(shell)
    assert message["state"] == "interrupted"
    assert LONG.startswith(str(message["text"]))
    assert "word1 " in str(message["text"])
    assert attempt["outcome"] == "cancelled"
    assert attempt["cost_usd"]
    assert attempt["cost_state"] == "estimated"
    await shell.servers["demo-openai"].exchanges[-1].ended()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=["SIGTERM", "SIGHUP"])
async def test_a_signal_to_end_ends_the_turn_in_order_too(shell: Shell, number: signal.Signals) -> None:
    shell.script.always(HALF_AND_SILENCE)
    process = await forked(shell, "ask", "-m", "rush-pro", "--events", "count", stdout=PIPE, stderr=PIPE)
    assert process.stdout is not None
    lines: list[bytes] = []
    async for line in process.stdout:
        lines.append(line)
        if json.loads(line)["type"] == "text":
            process.send_signal(number)
            break
    rest, err = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    events = [json.loads(line) for line in [*lines, *rest.splitlines()]]
    assert process.returncode == 130
    stream.check(events)
    assert events[-1]["error"]["kind"] == "cancelled"
    assert b"Traceback" not in err
    message, attempt = await kept(shell)
    assert message["state"] == "interrupted"
    assert attempt["outcome"] == "cancelled"


AMID_IMPORTS = """
import os, runpy, signal, sys

class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == at:
            os.kill(os.getpid(), signal.SIGINT)

at = sys.argv.pop(1)
signal.signal(signal.SIGINT, signal.default_int_handler)  # what runs the tests may ignore it
sys.meta_path.insert(0, Interrupting())
runpy.run_module("tui_orchestrator", run_name="__main__")
"""


@pytest.mark.parametrize("module", ["tui_orchestrator.cli", "click", "tui_orchestrator.cli.costs"])
async def test_ctrl_c_while_the_program_is_being_imported_ends_quietly(shell: Shell, module: str) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", AMID_IMPORTS, module, "costs"),
        **{"stdin": DEVNULL, "stdout": PIPE, "stderr": PIPE, "env": shell.environment},
    )
    out, err = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    assert (process.returncode, out, err.strip()) == (130, b"", b"Interrupted.")


async def test_ctrl_c_before_the_turn_ends_quietly(shell: Shell) -> None:
    called = asyncio.Event()

    async def keep_waiting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        called.set()
        await reader.read()
        writer.close()

    async with await asyncio.start_server(keep_waiting, "127.0.0.1", 0) as silent:
        port = silent.sockets[0].getsockname()[1]
        text = shell.config.read_text()
        shell.config.write_text(text.replace(shell.servers.base_urls["demo-openai"], f"http://127.0.0.1:{port}/v1"))
        async with terminal(shell, "ask", "count") as screen:
            await asyncio.wait_for(called.wait(), PATIENCE_S)
            screen.process.send_signal(signal.SIGINT)
            assert await screen.end() == 130
    assert screen.seen == "Interrupted.\r\n"


async def test_ctrl_c_ends_a_command_that_is_asked_for_a_key_and_what_it_has_started(shell: Shell) -> None:
    held = shell.directory / "held"
    os.mkfifo(held)
    text = shell.config.read_text().replace(
        "[providers.openai]\n", f"[providers.openai]\napi_key_command = \"sh -c 'sleep 600 > {held} | sleep 600'\"\n"
    )
    shell.config.write_text(text)
    async with terminal(shell, "ask", "-m", "rush-pro", "hello", OPENAI_API_KEY="") as screen:
        with await asyncio.to_thread(held.open, "rb") as reader:  # opens when what was started does
            os.write(screen.master, b"\x03")
            assert await asyncio.to_thread(reader.read) == b""
        assert await screen.end() == 130
    assert shell.asked == []


async def test_what_a_key_is_waited_for_from_stands_on_a_terminal_alone(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    unlocked = shell.directory / "unlocked"
    os.mkfifo(unlocked)
    text = shell.config.read_text().replace(
        "[providers.openai]\n",
        f"[providers.openai]\napi_key_command = \"sh -c 'read -r _ < {unlocked}; echo key-of-openai'\"\n",
    )
    shell.config.write_text(text)
    shell.script.always(Say("ready"))
    async with terminal(shell, "ask", "-m", "rush-pro", "hello", OPENAI_API_KEY="") as screen:
        await screen.until("Waiting for 'sh', which api_key_command names, at most 10 seconds.\r\n")
        await asyncio.to_thread(unlocked.write_text, "now")
        assert await screen.end() == 0
    assert "\x1b[2Kready\r\n" in screen.seen
    monkeypatch.setattr("tui_orchestrator.settings.key_commands._PATIENCE_S", 0.0)
    writing = asyncio.create_task(asyncio.to_thread(unlocked.write_text, "now"))
    ended = await shell.run("ask", "-m", "rush-pro", "hello", OPENAI_API_KEY="")
    await writing
    assert (ended.code, ended.out) == (0, "ready\n")
    assert "Waiting" not in ended.err


async def test_a_reader_that_has_gone_causes_no_traceback_and_the_turn_is_booked(shell: Shell) -> None:
    for arguments in (("ask", "-m", "rush-pro", "hi", "--events"), ("config", "show", "--all")):
        reading, writing = os.pipe()
        os.close(reading)
        try:
            process = await forked(shell, *arguments, stdout=writing, stderr=PIPE)
        finally:
            os.close(writing)
        _, err = await asyncio.wait_for(process.communicate(), PATIENCE_S)
        assert (process.returncode, err) == (1, b"")
    assert (await shell.run("sessions", "list", "--json")).json[0]["messages"] == 2


async def test_a_full_disk_under_stdout_is_one_sentence(shell: Shell) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    try:
        process = await forked(shell, "config", "show", "--all", stdout=full, stderr=PIPE)
    finally:
        os.close(full)
    _, err = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    assert process.returncode == 1
    assert err.decode() == "stdout cannot be written: No space left on device\n"


async def test_a_locale_without_utf_8_loses_no_question_and_no_json(shell: Shell) -> None:
    shell.script.always(Say("Grüße, 世界!"))
    # The plainest locale there is, where Python reads arguments as ASCII; stdout of another one.
    poor = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "latin-1"}
    ended = await started(shell, "ask", "-m", "rush-pro", "--events", "héllo", **poor)
    assert ended.code == 0
    assert ended.lines[-1]["response"] == "Grüße, 世界!"
    body = next(e.body for e in shell.servers.exchanges if e.method == "POST")
    assert body["messages"][-1]["content"] == "héllo"
    session = (await shell.run("sessions", "list", "--json")).json[0]["id"]
    shown = await started(shell, "sessions", "show", session, **poor)
    assert shown.code == 0
    assert "e, ??!" in shown.out


async def with_streams(shell: Shell, streams: str, *arguments: str) -> tuple[int | None, bytes]:
    """Exit code and stderr, which is a pipe unless `streams`, as a shell takes them, say otherwise."""
    given = {"stdin": DEVNULL, "stdout": DEVNULL, "stderr": PIPE}
    with ExitStack() as files:
        for number, way, file in re.findall(r"(\d?)([<>])(\S+)", streams):
            name = tuple(given)[int(number or way == ">")]
            if file == "&-":
                given[name] = CLOSED
            else:
                given[name] = os.open(file, os.O_RDONLY if way == "<" else os.O_WRONLY | os.O_CREAT)
                files.callback(os.close, given[name])
        process = await forked(shell, *arguments, **given)
    _, err = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    return process.returncode, err


async def test_closed_streams_are_no_trouble_where_a_file_takes_the_answer(shell: Shell) -> None:
    for name, streams in (("a.json", "<&- >&-"), ("b.json", "<&- >&- 2>&-"), ("c.json", "2>/dev/full")):
        assert (await with_streams(shell, streams, "ask", "-m", "rush-pro", "hello", "-o", name))[0] == 0
        assert json.loads(shell.read(name))["model_used"] == "openai/rush-pro"


@pytest.mark.parametrize("manner", [(), ("--json",), ("--events",)], ids=["text", "object", "events"])
async def test_a_stdout_that_fills_up_loses_no_file(shell: Shell, manner: tuple[str, ...]) -> None:
    code, err = await with_streams(shell, ">/dev/full", "ask", "-m", "rush-pro", "hello", "-o", "a.json", *manner)
    assert json.loads(shell.read("a.json"))["response"]
    assert code == 1
    assert err.decode().endswith("stdout cannot be written: No space left on device\n")
    assert len(shell.asked) == 1


async def test_a_reader_that_has_gone_loses_no_file(shell: Shell) -> None:
    _, err = await with_streams(shell, "| true", "ask", "-m", "rush-pro", "hello", "-o", "a.json", "--events")
    assert json.loads(shell.read("a.json"))["response"]
    assert b"Traceback" not in err


@pytest.mark.parametrize(("streams", "why"), [(">&-", "it is closed"), ("1</dev/null", "it is open for reading only")])
async def test_nothing_is_asked_for_a_stdout_that_takes_no_answer(shell: Shell, streams: str, why: str) -> None:
    recipe = ("recipe", "run", "compare", "question=why")
    for arguments in (("ask", "hello"), ("ask", "--json", "hello"), ("models", "test", "rush-pro"), recipe):
        code, err = await with_streams(shell, streams, *arguments)
        assert (code, err.decode()) == (1, f"stdout cannot be written: {why}\n")
    assert shell.asked == []
    assert await with_streams(shell, f"{streams} 2>&-", "ask", "hello") == (1, b"")


@pytest.mark.cells
@pytest.mark.parametrize("streams", [">&-", ">/dev/full"])
@pytest.mark.parametrize("arguments", ["--help", "--version", "costs", "models", "config path"])
async def test_what_prints_says_when_it_cannot(shell: Shell, streams: str, arguments: str) -> None:
    code, err = await with_streams(shell, streams, *arguments.split())
    why = "it is closed" if streams == ">&-" else "No space left on device"
    assert (code, err.decode()) == (1, f"stdout cannot be written: {why}\n")


@pytest.mark.parametrize("streams", [">&-", ">/dev/full", "<&- >&-"])
async def test_it_says_so_from_its_start_on(shell: Shell, streams: str) -> None:
    line = f"{' '.join(program(shell, '--version'))} {streams}"
    process = await asyncio.create_subprocess_shell(line, stderr=PIPE, env=shell.environment)
    _, err = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    assert process.returncode == 1
    assert err.decode().startswith("stdout cannot be written: ")


async def test_a_stderr_that_takes_nothing_changes_nothing(shell: Shell) -> None:
    for streams in ("2>&-", "2>/dev/full", "<&- 2>&-"):
        code, _ = await with_streams(shell, f"{streams} >said", "ask", "-m", "rush-pro", "hello")
        assert code == 0
        assert shell.read("said").strip()


async def test_on_a_terminal_that_cannot_be_drawn_on_the_console_gives_a_sentence(shell: Shell) -> None:
    async with terminal(shell, "demo", TERM="dumb") as screen:
        assert await screen.end() == 2
    assert screen.seen == "this terminal cannot be drawn on (TERM=dumb); use `tui-orchestrator ask PROMPT`\r\n"


@pytest.mark.parametrize("said", ["many", "", "windows"])
async def test_colours_that_the_console_does_not_know_are_a_sentence(shell: Shell, said: str) -> None:
    async with terminal(shell, "demo", TEXTUAL_COLOR_SYSTEM=said) as screen:
        assert await screen.end() == 2
    assert screen.seen == (
        f"TEXTUAL_COLOR_SYSTEM={said} is unknown; set it to auto, standard, 256 or truecolor, or take it out\r\n"
    )


async def test_deleting_for_good_asks_first_where_there_is_someone_to_ask(shell: Shell) -> None:
    await shell.run("ask", "-m", "rush-pro", "hello there")
    session = (await shell.run("sessions", "list", "--json")).json[0]["id"]
    for answer, code in ((b"n\n", 1), (b"y\n", 0)):
        async with terminal(shell, "sessions", "delete", "--for-good", session) as screen:
            await screen.until("Delete 'Hello there' with 2 messages for good? [y/N]: ")
            os.write(screen.master, answer)
            assert await screen.end() == code
    assert (await shell.run("sessions", "list", "--json")).json == []


async def test_a_word_after_continue_is_the_prompt_and_a_sessions_id_is_not(shell: Shell) -> None:
    await shell.run("ask", "-m", "rush-pro", "hello there")
    session = (await shell.run("sessions", "list", "--json")).json[0]["id"]
    async with terminal(shell, "ask", "-m", "rush-pro", "--continue", "why", NO_COLOR="1") as screen:
        assert await screen.end() == 0
    assert (await shell.run("sessions", "list", "--json")).json[0]["messages"] == 4
    async with terminal(shell, "ask", "--continue", session) as screen:
        assert await screen.end() == 2
    assert f"{session} is a session, and there is no prompt" in screen.seen


async def test_help_and_version_load_no_sdk_no_terminal_library_and_no_price_book(shell: Shell) -> None:
    code = (
        "import atexit, sys, runpy\n"
        "heavy = {'openai', 'anthropic', 'google', 'textual', 'genai_prices', 'httpx2', 'rich', 'sqlite3'}\n"
        "atexit.register(lambda: print('LOADED', sorted(heavy & set(sys.modules))))\n"
        "runpy.run_module('tui_orchestrator', run_name='__main__')\n"
    )
    for arguments in (["--help"], ["ask", "--help"], ["--version"]):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", code, *arguments, stdout=PIPE, env=shell.environment
        )
        out, _ = await asyncio.wait_for(process.communicate(), PATIENCE_S)
        assert out.decode().splitlines()[-1] == "LOADED []", arguments


async def test_the_module_runs_as_the_program_does(shell: Shell) -> None:
    ended = await started(shell, "--version")
    assert (ended.code, ended.out) == (0, f"tui-orchestrator, version {__version__}\n")


async def test_no_colour_reaches_the_terminal_from_the_console_where_none_is_wanted(shell: Shell) -> None:
    colour = re.compile(r"\x1b\[(?:[\d;:]*;)?(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])(?:[;:][\d;:]*)?m")
    size = {"COLUMNS": "100", "LINES": "30"}
    async with terminal(shell, "demo", **size, COLORTERM="truecolor") as screen:
        await screen.until("Where to?")
        assert colour.search(screen.seen), "with colours there are such codes"
    async with terminal(shell, "demo", **size, COLORTERM="truecolor", NO_COLOR="1") as screen:
        await screen.until("Where to?")
        assert not colour.search(screen.seen)


@pytest.mark.parametrize("zone", ["UTC+24", "XXX-24:59:59"])
async def test_a_time_zone_that_python_has_no_dates_in_is_told_and_not_used(shell: Shell, zone: str) -> None:
    ended = await started(shell, "costs", TZ=zone)
    assert ended.code == 0
    assert ended.err == f"TZ={zone} is a day or more from UTC, which is in no place; times are told in UTC.\n"
    assert "Nothing was answered" in ended.out
