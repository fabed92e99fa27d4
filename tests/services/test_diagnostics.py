"""What is kept for whoever has to find out what went wrong: a log and reports of crashes, both without a word of
anybody's and without keys."""

from __future__ import annotations

import asyncio
import json
import logging
import stat
from pathlib import Path

import pytest

from tests.clock import ManualClock
from tests.turns.conftest import ask, running
from tui_orchestrator import locations
from tui_orchestrator.demo import Break, Phase, Reply, Say, Script
from tui_orchestrator.services import crashes
from tui_orchestrator.services.logbook import Level, Logbook
from tui_orchestrator.settings import LogSettings, Secret, Settings, masked

ASKED, ANSWERED, COMPLAINED = "the PLANTED question", "the PLANTED answer", "the PLANTED complaint"
DASH, DEEP = "demo-gemini/lumen-dash", "demo-gemini/lumen-deep"
MODE = 0o777


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUI_ORCHESTRATOR_HOME", str(tmp_path))


async def logged(tmp_path: Path, level: Level) -> list[dict[str, object]]:
    """What two attempts leave: one is refused in words that quote the prompt, one breaks off, one answers."""
    script = Script().then(Reply(400, f"{COMPLAINED}: {ASKED}"), "lumen-dash").then(Say(ANSWERED), "lumen-deep")
    script.then(Break("close", Phase.MID_STREAM, Say(ANSWERED)), "lumen-dash")
    async with running(tmp_path / "s.db", script, base=Settings(log=LogSettings(level))) as (runtime, _):
        for _attempt in range(2):
            async with runtime.stream(
                ask(ASKED, chain=(DASH, DEEP), system=ASKED, tags=frozenset({"planted"}))
            ) as turn:
                async for _event in turn:
                    pass
    path = locations.log_file()
    text = path.read_text() if path.exists() else ""
    assert "PLANTED" not in text
    assert "planted" not in text
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize(
    ("level", "told"),
    [
        ("off", set()),
        ("error", set()),
        ("warning", {"attempt_failed"}),
        ("info", {"decision", "attempt_failed", "escalated", "attempt_finished", "completed"}),
        (
            "debug",
            {
                *("decision", "candidates", "attempt_started", "attempt_failed", "escalated"),
                *("attempt_finished", "completed"),
            },
        ),
    ],
)
async def test_the_log_says_what_was_done_and_not_a_word_of_what_was_said(
    tmp_path: Path, level: Level, told: set[str]
) -> None:
    lines = await logged(tmp_path, level)
    assert told <= {line["what"] for line in lines}
    assert bool(lines) is bool(told)
    for line in lines:
        assert {"at", "level", "what", "request_id"} <= line.keys()
        if line["what"] == "attempt_failed":
            assert line["model"] == DASH
            assert line["error"] in ("bad_request", "stream_broken")


async def test_a_candidate_is_logged_with_its_figures_or_why_it_is_out(tmp_path: Path) -> None:
    lines = await logged(tmp_path, "debug")
    (first, *_) = (line["candidates"] for line in lines if line["what"] == "candidates")
    assert isinstance(first, list)
    by_model = {one["model"]: one for one in first}
    assert by_model[DASH]["excluded"] is None
    assert 0 < by_model[DASH]["p"] < 1
    assert by_model["demo-local/pebble-3b"]["excluded"] == "not_in_chain"


async def test_the_log_is_its_owners_alone_and_never_grows_beyond_its_bound(tmp_path: Path) -> None:
    path = tmp_path / "log" / "log.jsonl"
    book = Logbook(path, "info", ManualClock())
    for number in range(30_000):
        book.note(logging.INFO, "something", number=number, more="x" * 100)
    await asyncio.to_thread(book.close)
    files = sorted(path.parent.iterdir())
    assert 2 <= len(files) <= 4
    assert sum(file.stat().st_size for file in files) <= 4_100_000
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert json.loads(path.read_text().splitlines()[-1])["number"] == 29_999


def test_a_log_that_cannot_be_written_stops_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "log").write_text("a file where the directory should be")
    book = Logbook(tmp_path / "log" / "log.jsonl", "debug", ManualClock())
    book.note(logging.ERROR, "something")
    book.close()
    assert capsys.readouterr() == ("", "")


def crash() -> Exception:
    try:
        try:
            raise KeyError(ASKED)
        except KeyError as error:
            raise ExceptionGroup(ANSWERED, [ValueError(COMPLAINED)]) from error
    except ExceptionGroup as error:
        return error


def test_the_report_of_a_crash_says_where_it_was_and_no_word_of_the_errors() -> None:
    Logbook(None, "off", ManualClock()).note(logging.WARNING, "attempt_failed", model=DASH)
    path = crashes.write_down(crash())
    assert path is not None
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    text = path.read_text()
    assert "PLANTED" not in text
    assert str(Path.home()) not in text
    for expected in ("KeyError", "ExceptionGroup", "ValueError", "test_diagnostics.py:", "in crash", "textual", DASH):
        assert expected in text
    assert crashes.told(path).endswith(str(path))


def test_each_of_several_crashes_at_once_has_a_report_of_its_own() -> None:
    paths = [crashes.write_down(crash()) for _ in range(5)]
    assert crashes.written() == paths[::-1]


def test_only_the_newest_reports_are_kept(tmp_path: Path) -> None:
    reports = locations.private(locations.crashes_dir())
    for number in range(30):
        (reports / f"crash-20260101T0000{number:02}-1.txt").write_text("old")
    newest = crashes.write_down(crash())
    assert crashes.written()[0] == newest
    assert len(crashes.written()) == crashes.KEPT


def test_a_report_that_cannot_be_written_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where the directory should be")
    assert crashes.write_down(crash()) is None
    assert "could not be written" in crashes.told(None)


def test_what_is_printed_of_a_crash_is_without_the_keys_that_are_held() -> None:
    key, alike = Secret("sk-planted-0123456789abcdef"), Secret("sk-planted-fedcba9876543210")
    assert masked(f"bad key {key.reveal()}!") == f"bad key {key}!"
    again = Secret(key.reveal())
    shown, value = str(key), key.reveal()
    del key
    assert masked(f"bad key {value}!") == f"bad key {shown}!", "as long as anybody holds it"
    assert masked(f"bad key {again.reveal()[:12]}!") == "bad key …!", "nor a part of them"
    assert masked(alike.reveal()) == str(alike)
