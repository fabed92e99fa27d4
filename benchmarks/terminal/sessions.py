"""Conversations of any length for our own console, brought in as files."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from .answer import tokens

AT = "2026-11-01T00:00:00+00:00"


def bring_in(word: str, messages: int, home: Path, environment: Mapping[str, str], command: list[str]) -> str:
    """A session whose title is the word. Returns the word its last message ends with."""
    last = f"last{word}"
    turns = [_turn(word, number, last if number == messages // 2 else "") for number in range(1, messages // 2 + 1)]
    said = {
        "format": "tui-orchestrator conversation",
        "version": 1,
        "id": "",
        "title": word,
        "created": AT,
        "updated": AT,
        "messages": [message for turn in turns for message in turn],
    }
    file = home / f"{word}.json"
    file.write_text(json.dumps(said))
    subprocess.run(
        [*command, "sessions", "import", str(file)], env={**os.environ, **environment}, check=True, capture_output=True
    )
    return last


def _turn(word: str, number: int, last: str) -> list[dict[str, object]]:
    common = {"request_id": f"{word}{number}", "state": "complete", "created": AT}
    answer = "".join(tokens(80, last or f"answer{number}"))
    return [
        {**common, "role": "user", "text": f"Question {number} of {word}: what is read in step {number}?"},
        {**common, "role": "assistant", "text": answer, "model": "bench/alpha", "attempt": 1},
    ]
