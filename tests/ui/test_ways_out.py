"""How the console starts and how it is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest

LAUNCH = (
    "import sys\n"
    "from tui_orchestrator.settings import load\n"
    "from tui_orchestrator.ui.app import run_console\n"
    "sys.exit(run_console(load(), demo=True))\n"
)
LEFT_ALTERNATE_SCREEN = b"\x1b[?1049l"
CURSOR_SHOWN = b"\x1b[?25h"
MOUSE_OFF = b"\x1b[?1000l"


@pytest.mark.parametrize(
    ("how", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGQUIT, 131), ("\x11", 0)]
)
def test_the_terminal_is_left_whole(tmp_path: Path, how: signal.Signals | str, code: int) -> None:
    environment = {**os.environ, "TERM": "xterm-256color", "TUI_ORCHESTRATOR_HOME": str(tmp_path)}
    child = pexpect.spawn(
        sys.executable, ["-c", LAUNCH], env=environment, dimensions=(30, 100), timeout=30, cwd=str(tmp_path)
    )
    child.expect("Where to")
    if isinstance(how, str):
        child.send(how)
    else:
        child.kill(how)
    child.expect(pexpect.EOF)
    rest = child.before
    child.close()
    for restored in (LEFT_ALTERNATE_SCREEN, CURSOR_SHOWN, MOUSE_OFF):
        assert restored in rest
    assert child.exitstatus == code


def test_the_console_imports_no_sdk() -> None:
    script = (
        "import sys, tui_orchestrator.ui.app\n"
        "heavy = {'anthropic', 'openai', 'google.genai', 'genai_prices', 'pydantic'} & set(sys.modules)\n"
        "sys.exit(f'imported: {heavy}' if heavy else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
