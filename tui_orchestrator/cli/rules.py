"""Telling which rules hold for a prompt, and why: what `route --explain-rules` prints."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ..routing.decision import Decision
from ..routing.model import Registry
from ..routing.request import Request
from ..routing.rules import Explanation, Rule
from ..routing.text import spoken


def rules_json(told: Iterable[Explanation], decision: Decision, request: Request, registry: Registry) -> dict[str, Any]:
    return {
        "rules": [
            {
                "rule": one.rule.name,
                "matched": one.matched,
                "wins": one.wins and not decision.pinned,
                "conditions": [
                    {"key": c.key, "holds": None if c.in_doubt else c.holds, "why": c.why} for c in one.conditions
                ],
                "asks": one.rule.asks(),
                "missing": _missing(one.rule, registry),
            }
            for one in told
        ],
        "decides": decision.rule,
        "note": _note(told, decision, request),
        "model": decision.model,
        "reason": decision.reason,
    }


def rules_lines(
    told: tuple[Explanation, ...], decision: Decision, request: Request, registry: Registry
) -> Iterator[str]:
    if not told:
        yield "There is no rule; [rules.NAME] in your configuration makes one."
    for one in told:
        verdict = _verdict(one, decision)
        yield f"{'→' if verdict == 'decides' else ' '} {one.rule.name}: {verdict}"
        for condition in one.conditions:
            mark = "✓" if condition.holds else "?" if condition.in_doubt else "✗"
            yield f"    {mark} {condition.key}: {condition.why}"
        if not one.conditions:
            yield "    ✓ no condition: is for every prompt"
        yield f"    asks: {', '.join(f'{key} {value}' for key, value in one.rule.asks().items())}"
        if missing := _missing(one.rule, registry):
            yield f"    not among today's models: {', '.join(missing)}"
    if note := _note(told, decision, request):
        yield note
    yield f"→ {decision.model or 'no model'} · {spoken(decision.strategy_name)} · {decision.reason}"


def _verdict(one: Explanation, decision: Decision) -> str:
    if one.in_doubt:
        return "cannot be told"
    return "decides" if one.wins and not decision.pinned else "matches too" if one.matched else "does not match"


def _missing(rule: Rule, registry: Registry) -> list[str]:
    missing = []
    for name in (rule.primary, *rule.fallback):
        try:
            if name is not None:
                registry.find(name)
        except LookupError:
            missing.append(str(name))
    return missing


def _note(told: Iterable[Explanation], decision: Decision, request: Request) -> str:
    """Where a winner's wishes give way to what was said for this request."""
    winner = next((one.rule for one in told if one.wins), None)
    if winner is None and not decision.pinned and any(one.in_doubt for one in told):
        return ""
    if winner is None:
        return "No rule matches; the strategy decides."
    if decision.pinned:
        return f"{request.model} is pinned, which goes before every rule."
    if request.chain and winner.primary:
        return f"The chain of this request goes before the models of rule {winner.name}."
    return ""
