"""Decisions on the command line."""

from __future__ import annotations

from collections.abc import Sequence

from ..routing.decision import Candidate, Decision
from ..routing.explanation import (
    evidence_in_words,
    learned_in_words,
    margin_in_words,
    novelty_in_words,
    score_in_words,
    weights,
)
from ..routing.request import Strategy
from ..routing.text import spoken
from .printing import table

EVIDENCE_SHOWN = 6
_NAME = 40
"""Characters to which shorter names are padded; one that is longer only moves its own figures."""


def headline(decision: Decision) -> str:
    """Who is chosen and why; the reason alone where nobody is."""
    if decision.model is None:
        return decision.reason
    return f"{decision.model} · {spoken(decision.strategy_name)} · {decision.reason}"


def decision_lines(decision: Decision) -> list[str]:
    """The decision for people: profile, evidence, weights, every candidate with its figures or why it is out, and how
    far the chosen one is ahead."""
    profile = decision.profile
    likely = sorted(profile.task_probabilities.items(), key=lambda pair: -pair[1])[:3]
    tasks = ", ".join(f"{spoken(task)} {p:.2f}" for task, p in likely if p >= 0.005)
    lines = [
        f"{tasks} · difficulty {profile.difficulty:.2f}, {profile.complexity}/10 {profile.level.value} · "
        f"≈{profile.input_tokens} tok in, ≈{profile.output_tokens} out"
    ]
    weightiest = sorted(profile.evidence, key=lambda evidence: -abs(evidence.effect))[:EVIDENCE_SHOWN]
    told = {
        "because": ", ".join(map(evidence_in_words, weightiest)),
        "novel": novelty_in_words(profile),
        "by": weights(decision),
        "score": score_in_words(decision),
        "margin": margin_in_words(decision),
    }
    lines += [f"{name}: {said}" for name, said in told.items() if said]
    return lines + _candidate_lines(decision)


def strategies_table(decisions: Sequence[Decision]) -> str:
    """One decision a row, side by side."""
    rows = []
    for decision in decisions:
        chosen = decision.chosen
        rows.append(
            (
                decision.strategy,
                decision.model or "none",
                f"{chosen.success_probability:.2f}" if chosen else "",
                expected(chosen) if chosen else "",
                f"{chosen.estimated_latency_s:.1f} s" if chosen else "",
                decision.reason,
            )
        )
    return table(("strategy", "model", "p", "cost", "time", "why"), rows, right=("p", "cost", "time"), names=("model",))


def _candidate_lines(decision: Decision) -> list[str]:
    chosen = set(decision.chain) if decision.strategy is Strategy.ENSEMBLE else {decision.model}
    costs = {candidate.model: expected(candidate) for candidate in decision.candidates}
    name_width = min(_NAME, max(map(len, costs), default=0))
    cost_width = max(map(len, costs.values()), default=0)

    def line(candidate: Candidate) -> str:
        name = f"{candidate.model:<{name_width}}"
        if candidate.excluded:
            return f"✗ {name}  out: {candidate.excluded}"
        learned = learned_in_words(candidate)
        return (
            f"{'→' if candidate.model in chosen else ' '} {name}  p {candidate.success_probability:.2f}  "
            f"{costs[candidate.model]:>{cost_width}}  {candidate.estimated_latency_s:5.1f} s  "
            f"score {candidate.score:+.3f}{f'  {learned}' if learned else ''}"
        )

    return [line(candidate) for candidate in decision.candidates]


def expected(candidate: Candidate) -> str:
    """What an answer would cost."""
    return "$?" if candidate.estimated_cost is None else f"~{candidate.estimated_cost}"
