"""What a decision rests on, in words: one way for the console, the command line and JSON. All of it is read from the
decision itself, so a stored one is explained as it was on its day."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from .money import Money
from .objective import Term, objective, terms
from .request import Strategy

if TYPE_CHECKING:
    from .decision import Candidate, Decision
    from .profile import Evidence, Profile

NOVEL = 0.5
"""From here on it is said that a prompt is unlike what was learned from."""
SHOWN = 0.005
"""What is learned and comes to less is 0.00 and not worth a word."""
_LEVEL, _CLEAR = 0.01, 0.05


def weights(decision: Decision) -> str:
    """What the strategy went by, with the user's weights."""
    if decision.pinned:
        return "nothing is weighed: the model is pinned"
    return objective(decision.strategy, decision.asked.policy)


def push(evidence: Evidence) -> str:
    """Which way it pushed: 'harder', 'easier', or 'task', where it spoke for the task type alone."""
    return "harder" if evidence.effect > 0 else "easier" if evidence.effect < 0 else "task"


def evidence_in_words(evidence: Evidence) -> str:
    """'asks for a proof (harder, +0.20)'"""
    if not evidence.effect:
        return evidence.feature
    return f"{evidence.feature} ({push(evidence)}, {evidence.effect:+.2f})"


def novelty_in_words(profile: Profile) -> str:
    """Empty for a prompt like those that were learned from."""
    if profile.novelty < NOVEL:
        return ""
    return f"unlike what it learned from ({profile.novelty:.2f}): the estimate leans on the models' levels"


def learned_in_words(candidate: Candidate) -> str:
    """What this user's votes and turns have added to the model's ability; empty where that is nothing."""
    return f"{candidate.ability_shift:+.2f} learned" if abs(candidate.ability_shift) >= SHOWN else ""


def score_in_words(decision: Decision) -> str:
    """What the chosen model's score is made of; empty where no model is chosen, or by hand."""
    if decision.chosen is None or decision.pinned:
        return ""
    return ", ".join(str(term) for term in score_of(decision, decision.chosen))


def score_of(decision: Decision, candidate: Candidate) -> tuple[Term, ...]:
    return terms(decision.strategy, candidate, decision.asked.policy)


def runner_up(decision: Decision) -> Candidate | None:
    """Who comes after the chosen one; after an ensemble's members, the first who is none."""
    ahead = set(decision.chain) if decision.strategy is Strategy.ENSEMBLE else {decision.model}
    return next((c for c in decision.candidates if c.excluded_by is None and c.model not in ahead), None)


def margin_in_words(decision: Decision) -> str:
    """The way from the chosen model to the next: 'clearly ahead of b/dear (+0.12): 0.03 less sure, $0.02 cheaper,
    4.0 s faster'. Empty without either."""
    chosen, second = decision.chosen, runner_up(decision)
    if chosen is None or second is None or decision.pinned:
        return ""
    if decision.strategy is Strategy.FALLBACK:
        where = f"goes before {second.model}" if second.model in decision.chain else f"{second.model} stands by"
    elif decision.strategy is Strategy.ENSEMBLE:
        where = f"{second.model} is the first left out; beside it the first member is"
    else:
        where = f"{_lead(chosen.score - second.score)} {second.model} ({chosen.score - second.score:+.2f})"
    return f"{where}: {compared(chosen, second)}"


def _lead(margin: float) -> str:
    if margin < 0:
        return "chosen before"
    return "level with" if margin < _LEVEL else "just ahead of" if margin < _CLEAR else "clearly ahead of"


def compared(one: Candidate, other: Candidate) -> str:
    """'0.03 less sure, $0.02 cheaper, 4.0 s faster'"""
    said = []
    surer = one.success_probability - other.success_probability
    if abs(surer) >= 0.005:
        said.append(f"{abs(surer):.2f} {'surer' if surer > 0 else 'less sure'}")
    if one.estimated_cost is not None and other.estimated_cost is not None:
        if one.estimated_cost != other.estimated_cost:
            dearer = one.estimated_cost > other.estimated_cost
            apart = Money(abs(one.estimated_cost.picodollars - other.estimated_cost.picodollars))
            said.append(f"{apart} {'dearer' if dearer else 'cheaper'}")
    elif one.estimated_cost is not other.estimated_cost:
        said.append(f"{'its own' if one.estimated_cost is None else 'the other'} cost unknown")
    slower = one.estimated_latency_s - other.estimated_latency_s
    if abs(slower) >= 0.05:
        said.append(f"{abs(slower):.1f} s {'slower' if slower > 0 else 'faster'}")
    return ", ".join(said) or "alike in p, cost and time"


def what_if(decision: Decision) -> dict[Strategy, Decision]:
    """The same candidates under every strategy, a pin lifted. Nothing is called and nothing is weighed anew."""
    # What it takes to decide is much, and most who explain a decision do not make one.
    from .decide import replay

    free = replace(decision, pinned=False, asked=decision.asked.unpinned())
    return {strategy: replay(free, strategy) for strategy in Strategy}


def differences(before: Decision, after: Decision) -> list[str]:
    """What came out otherwise, a sentence each; empty for two that are equal."""
    said = []
    if before.model != after.model:
        said.append(f"the model: {after.model or 'none'} instead of {before.model or 'none'}")
    if before.chain != after.chain:
        said.append(f"the walk: {_walk(after)} instead of {_walk(before)}")
    if before.explored != after.explored:
        said.append("it explores" if after.explored else "it does not explore")
    scores = {candidate.model: candidate.score for candidate in before.candidates}
    moved = sum(scores.get(candidate.model) != candidate.score for candidate in after.candidates)
    if moved:
        said.append(f"the scores of {moved} of {len(after.candidates)} models")
    if before.reason != after.reason:
        said.append(f"the reason: {after.reason}")
    if before.margin != after.margin:
        said.append(f"the margin: {_score(after.margin)} instead of {_score(before.margin)}")
    return said or ([] if before == after else ["what else it asks for"])


def _score(margin: float | None) -> str:
    return "none" if margin is None else f"{margin:.3f}"


def _walk(decision: Decision) -> str:
    return " → ".join(decision.chain) or "nobody"
