"""A signal to end between an answer's end and its file."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE

import pytest

from tests import warm
from tests.cli.conftest import Shell
from tests.cli.terminal import PATIENCE_S, forked
from tests.warm import Forked
from tui_orchestrator.demo import Say

SIGNALLED = """
import os, signal, sys
number, replace = signal.Signals[sys.argv.pop(1)], os.replace
def signalled(source, target):
    if str(target).endswith("answer.json"):
        os.kill(os.getpid(), number)
    replace(source, target)
os.replace = signalled
from tui_orchestrator.cli import process
process()
"""


async def ended(process: Forked) -> tuple[int | None, str]:
    try:
        _, told = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    finally:
        process.kill()
    return process.returncode, told.decode()


@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM", "SIGHUP"])
async def test_the_answer_is_in_the_file_that_was_about_to_be_written(shell: Shell, number: str) -> None:
    shell.script.always(Say("Paris."))
    asked = shell.command("ask", "-m", "rush-pro", "-o", "answer.json", "Capital of France?")[1:]
    streams = {"stdout": DEVNULL, "stderr": PIPE}
    process = await warm.start("-c", SIGNALLED, number, *asked, env=shell.environment, cwd=shell.directory, **streams)
    code, told = await ended(process)
    assert code == 0, told
    assert json.loads(shell.read("answer.json"))["response"] == "Paris."


async def test_it_is_said_that_a_pipe_without_a_reader_has_not_got_it(shell: Shell) -> None:
    shell.script.always(Say("Paris."))
    os.mkfifo(shell.directory / "pipe")
    asked = ("ask", "-m", "rush-pro", "-o", "pipe", "Capital of France?")
    process = await forked(shell, *asked, stdout=DEVNULL, stderr=PIPE)
    assert process.stderr is not None
    told = b""
    while b"confidence" not in told:
        told += await process.stderr.readline()
    process.send_signal(signal.SIGTERM)
    code, rest = await ended(process)
    assert code == 130
    assert "Interrupted: pipe has not got the answer; it is in the conversation: `sessions list`" in rest
    (session,) = (await shell.run("sessions", "list", "--json")).json
    assert "Paris." in (await shell.run("sessions", "show", session["id"])).out
