"""Whether to go on from a doubtful answer, to whom, and whether to ask a second opinion first. Pure.

All of it is told in the utility that `balanced` maximises, for the turn as a whole:

    utility = quality × P(good answer) − cost × cost_term(dollars so far) − latency × latency_term(seconds so far)

with the user's weights as the strategy bends them (`weights_for`). *Going on* from an answer trusted with c, of a model
that was given p, to one that was given o, is expected to raise P(good answer) by

    gain = c · P(o good | answer good) + (1 − c) · P(o good | answer bad) − c
    P(o good | answer good) = t · min(1, o / p)             + (1 − t) · o
    P(o good | answer bad)  = t · max(0, (o − p) / (1 − p)) + (1 − t) · o

as if the next answer took the place of this one. t is `cascade.TOGETHER`: the share of prompts whose hardness alone
decides, since what was hard for one model is likely to be hard for the next. *Asking a second opinion* is worth what it
is likely to change: the value of the turn after agreement and after disagreement, by their chances, less its value now
and less what the call weighs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from .cascade import TOGETHER
from .decision import Candidate, Weights
from .events import Onward
from .money import ZERO, Money
from .objective import cost_term, latency_term
from .request import Strategy

GREY_BELOW, GREY_ABOVE = 0.25, 0.15
"""A confidence so far below and above the threshold can be moved across it by one more answer."""
NOT_FAR_BELOW = 0.15
"""How much less sure a model may be than the one whose answer it is to check."""
SEEN_TO_AGREE, ALIKE_BY_CHANCE, ALIKE_IN_KIN = 0.85, 0.25, 0.5
"""How often a second answer agrees: with a good one when it is good itself, with a bad one when it is bad too, and
likewise for a model of the same family. Set by hand, so that one second answer tells about as much as was measured
(an AUROC of 0.70 to 0.79)."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """An answer one may go on from, and what its turn has taken so far."""

    confidence: float
    candidate: Candidate
    """Who gave it."""
    spent: Money | None
    """None: not known."""
    seconds: float
    flawed: bool = False
    """A hard check failed: it is a refusal, empty or cut off."""


def grey(confidence: float, threshold: float) -> bool:
    """Near enough to the threshold for a second answer to change the decision, either way."""
    return threshold - GREY_BELOW <= confidence < threshold + GREY_ABOVE


def weights_for(strategy: Strategy, weights: Weights) -> Weights:
    """`quality` never declines for money or time; `cheapest` weighs money twice, `performance` time."""
    match strategy:
        case Strategy.QUALITY:
            return replace(weights, quality=max(weights.quality, 1.0), cost=0.0, latency=0.0)
        case Strategy.CHEAPEST:
            return replace(weights, cost=2 * weights.cost)
        case Strategy.PERFORMANCE:
            return replace(weights, latency=2 * weights.latency)
        case _:
            return weights


def chance_after(good: bool, prior: float, other: float) -> float:
    """P(the other answers well | this answer is good, or bad)."""
    if good:
        together = min(1.0, other / prior) if prior > 0 else 1.0
    else:
        together = max(0.0, (other - prior) / (1 - prior)) if prior < 1 else 0.0
    return TOGETHER * together + (1 - TOGETHER) * other


def gain_of(confidence: float, prior: float, other: float) -> float:
    good, bad = chance_after(True, prior, other), chance_after(False, prior, other)
    return confidence * good + (1 - confidence) * bad - confidence


def weight_of_call(doubt: Doubt, cost: Money | None, seconds: float, weights: Weights) -> float:
    """What a further call takes from the turn's utility."""
    if cost is not None and not cost:
        money = 0.0
    elif cost is None or doubt.spent is None:
        money = cost_term(None) - cost_term(doubt.spent)
    else:
        money = cost_term(doubt.spent + cost) - cost_term(doubt.spent)
    time = latency_term(doubt.seconds + seconds) - latency_term(doubt.seconds)
    return weights.cost * max(0.0, money) + weights.latency * time


def onward(doubt: Doubt, candidate: Candidate, weights: Weights) -> Onward:
    gain = gain_of(doubt.confidence, doubt.candidate.success_probability, candidate.success_probability)
    cost, seconds = candidate.estimated_cost, candidate.estimated_latency_s
    worth = weights.quality * gain - weight_of_call(doubt, cost, seconds, weights)
    return Onward(candidate.model, gain, cost, seconds, worth)


def onward_to_hand(doubt: Doubt, model: str, confidence: float, weights: Weights) -> Onward:
    """To an answer that is there already, trusted with `confidence`: it costs nothing any more."""
    gain = confidence - doubt.confidence
    return Onward(model, gain, ZERO, 0.0, weights.quality * gain)


def best(ways: Iterable[Onward]) -> Onward | None:
    """The one worth most among those that are expected to do better, taken or not; without any, the one that comes
    nearest to it. Ties to the one that comes first."""
    return max(ways, key=lambda way: (way.gain > 0, way.worth if way.gain > 0 else way.gain), default=None)


def goes_on(doubt: Doubt, way: Onward) -> bool:
    """A refusal, nothing, or half an answer is gone on from for any gain; a doubtful one only where it is worth it."""
    return way.gain > 0 if doubt.flawed else way.worth > 0


def second_opinion(
    doubt: Doubt,
    usable: Sequence[Candidate],
    chain: Sequence[Candidate],
    threshold: float,
    weights: Weights,
    *,
    whatever_it_is_worth: bool = False,
) -> Candidate | None:
    """Whom to ask the same: of those with a known price that are not far below, strangers before kin, then whoever
    makes the bill least, that of going on after a disagreement included. That is the next model itself where it is
    cheap enough: its answer would be there already.

    `usable` are not to hold whom the turn has asked; `chain` are those it may go on to. None: nobody, or none of them
    is worth it.
    """
    least = doubt.candidate.success_probability - NOT_FAR_BELOW
    able = [
        c
        for c in usable
        if c.estimated_cost is not None and c.cost_ceiling is not None and c.success_probability >= least
    ]
    if not whatever_it_is_worth:
        able = [c for c in able if worth_asking(doubt, c, chain, threshold, weights) > 0]
    return min(
        able, key=lambda c: (_kinship(doubt.candidate, c), _bill(doubt, c, chain, weights), c.model), default=None
    )


def worth_asking(
    doubt: Doubt, second: Candidate, chain: Sequence[Candidate], threshold: float, weights: Weights
) -> float:
    """By how much asking `second` is expected to raise the turn's utility."""
    agreed, if_agreed, if_not = _agreement(doubt, second)

    def value(confidence: float, in_hand: Candidate | None = None) -> float:
        """Of being free to go on from there."""
        if confidence >= threshold:
            return 0.0
        there = replace(doubt, confidence=confidence)
        ways = [onward(there, c, weights).worth for c in chain if c is not in_hand]
        if in_hand is not None and in_hand in chain:
            ways.append(
                weights.quality * gain_of(confidence, doubt.candidate.success_probability, in_hand.success_probability)
            )
        return max([0.0, *ways])

    after = agreed * value(if_agreed, second) + (1 - agreed) * value(if_not, second)
    assert second.estimated_cost is not None
    call = weight_of_call(doubt, second.estimated_cost, second.estimated_latency_s, weights)
    return after - value(doubt.confidence) - call


def _agreement(doubt: Doubt, second: Candidate) -> tuple[float, float, float]:
    """The chance that the second answer agrees, and the confidence after it does and after it does not (Bayes)."""
    c, prior = doubt.confidence, doubt.candidate.success_probability
    alike = ALIKE_IN_KIN if _kinship(doubt.candidate, second) > 1 else ALIKE_BY_CHANCE
    if_good = SEEN_TO_AGREE * chance_after(True, prior, second.success_probability)
    if_bad = alike * (1 - chance_after(False, prior, second.success_probability))
    agreed = c * if_good + (1 - c) * if_bad
    if not 0 < agreed < 1:
        return agreed, c, c
    return agreed, c * if_good / agreed, c * (1 - if_good) / (1 - agreed)


def _kinship(one: Candidate, other: Candidate) -> int:
    """0 for strangers, 1 for models of one provider, 2 for those of one family."""
    if one.family and one.family == other.family:
        return 2
    return int(one.provider == other.provider)


def _bill(doubt: Doubt, second: Candidate, chain: Sequence[Candidate], weights: Weights) -> float:
    """Expected dollars, in picodollars: of asking, and of going on if they disagree."""
    assert second.estimated_cost is not None
    agreed, _, if_not = _agreement(doubt, second)
    there = replace(doubt, confidence=if_not)
    following = max(chain, key=lambda c: onward(there, c, weights).worth, default=None)
    further: float = 0.0
    if following is not None and following is not second and following.estimated_cost is not None:
        further = (1 - agreed) * following.estimated_cost.picodollars
    return second.estimated_cost.picodollars + further


def in_words(way: Onward) -> str:
    """'claude-sonnet-5.5 is likelier by 0.31 for about $0.004'."""
    name = way.model.partition("/")[2] or way.model
    if way.gain <= 0:
        return f"{name} is next in the chain that was asked for"
    if way.cost is not None and not way.cost:
        return f"{name} is likelier by {way.gain:.2f} at no further cost"
    return f"{name} is likelier by {way.gain:.2f} for {_about(way.cost)}"


def kept_in_words(way: Onward) -> str:
    """'kept: going on to claude-opus-5.5 would cost about $0.12 for +0.04'."""
    name = way.model.partition("/")[2] or way.model
    if way.gain <= 0:
        return f"kept: nobody left is likelier to do better ({name} {way.gain:+.2f})"
    time = f" and {way.seconds:.0f} s" if way.seconds >= 1 else ""
    return f"kept: going on to {name} would cost {_about(way.cost)}{time} for {way.gain:+.2f}"


def _about(cost: Money | None) -> str:
    return "an unknown price" if cost is None else f"about {cost}" if cost else "nothing"
