from __future__ import annotations

import subprocess
import sys


def test_the_router_needs_no_terminal_no_database_no_network_and_no_sdk() -> None:
    program = (
        "import sys, tui_orchestrator.routing.router, tui_orchestrator.routing.event_json\n"
        "unwanted = {'textual', 'httpx2', 'httpx', 'sqlite3', 'anthropic', 'openai', 'google.genai', 'genai_prices', "
        "'click', 'tomlkit', 'pydantic', 'numpy'}\n"
        "print(sorted(unwanted & sys.modules.keys()))\n"
        "print(sorted(m for m in sys.modules if m.startswith('tui_orchestrator.') and '.routing' not in m))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["[]", "[]"]
