"""What commands say of the caps: on stderr, once."""

from __future__ import annotations

from .conftest import Shell


async def test_a_share_of_a_cap_is_said_once_on_stderr_and_stdout_stays_clean(shell: Shell) -> None:
    first = await shell.run("ask", "-m", "tern-max", "--json", "hello")
    cap = {"DAILY_BUDGET_USD": f"{first.json['cost'] * 48:.6f}", "TUI_ORCHESTRATOR_BUDGETS__ALERT_AT": "[0.03]"}
    second = await shell.run("ask", "-m", "tern-max", "hello", **cap)
    third = await shell.run("route", "hello", **cap)
    assert [ended.code for ended in (first, second, third)] == [0, 0, 0]
    said = [line for line in second.err.splitlines() if line.startswith("! ")]
    assert len(said) == 1
    assert said[0].startswith("! 4% of the day's cap is spent: $")
    assert "cap" not in second.out
    assert "! " not in third.err


async def test_a_command_says_what_a_lower_cap_makes_of_the_day(shell: Shell) -> None:
    first = await shell.run("ask", "-m", "tern-max", "--json", "hello")
    ended = await shell.run("costs", "--format", "json", DAILY_BUDGET_USD=f"{first.json['cost'] * 1.7:.6f}")
    assert ended.err.startswith("! 58% of the day's cap is spent: $")
    assert ended.json["rows"]
