"""How well the router does on prompts whose outcomes are known. Nothing is called: what it would decide is compared
with what came out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import permutations

from ..routing.confidence import assess
from ..routing.decide import replay
from ..routing.decision import Policy
from ..routing.events import FinishReason
from ..routing.model import Model, Registry
from ..routing.money import ZERO, Money
from ..routing.request import Message, Request, Strategy
from .measuring import FEWEST, Curve, Interval, Pair, auroc, calibration_error, interval, samples, saving, spearman
from .trials import Seen, Standings, Trial, known_models, see

LEAST_GAP = 0.02
"""Mean outcomes closer than this make no weak and no strong model."""
MOST_PAIRS = 10
KEPT = 0.95
"""Of the strong model's quality: what the saving in hindsight keeps."""


@dataclass(frozen=True, slots=True)
class Figure:
    value: float | None
    """None with fewer rows than `FEWEST`, or where it is not defined."""
    rows: int
    interval: Interval | None = None
    """95 %."""


@dataclass(frozen=True, slots=True)
class PairFigures:
    """A weak and a strong model on the rows that have outcomes of both."""

    weak: str
    strong: str
    rows: int
    weak_quality: float
    strong_quality: float
    apgr: Figure
    cpt50: Figure
    cpt80: Figure
    threshold: float
    """Prompts at least this difficult go to the strong model …"""
    strong_share: float
    """… that is this share of them, …"""
    quality: float
    """… which comes to this, …"""
    saved: float | None
    """… and saves this part of always asking the strong one; None without both prices."""
    share_kept: float
    """In hindsight the smallest share, hardest first, that keeps 95 % of the strong model's quality."""
    saved_kept: float | None


@dataclass(frozen=True, slots=True)
class Earned:
    """What a way of choosing would have come to."""

    name: str
    quality: float
    """Mean outcome of the models it chose."""
    per_thousand: Money | None
    """Expected cost of 1,000 such prompts; None where a price is not known."""
    share: float
    """Of the prompts, that went to the model it chose most."""
    favourite: str


@dataclass(frozen=True, slots=True)
class Report:
    rows: int
    task_type: Figure
    """Accuracy."""
    complexity: Figure
    """Spearman's correlation."""
    pairs: tuple[PairFigures, ...]
    calibration: Figure
    """ECE of p over all models that the registry knows."""
    by_model: Mapping[str, Figure]
    """The same, model by model."""
    confidence: Figure
    """AUROC of 'the answer is wrong'."""
    strategies: tuple[Earned, ...]
    singles: tuple[Earned, ...]
    """Each model alone, then the best one for each prompt: the ends between which strategies lie."""
    compared: int
    """Rows behind `strategies` and `singles`: those with outcomes of every model compared."""
    notes: tuple[str, ...]


def evaluate(
    trials: Sequence[Trial],
    registry: Registry,
    policy: Policy,
    standings: Standings | None = None,
    *,
    pair: tuple[str, str] | None = None,
    threshold: float = 0.5,
    repeats: int = 200,
) -> Report:
    """`pair`: the names of a weak and a strong model as the outcomes have them; None: those that suggest themselves.
    `threshold`: the difficulty from which a prompt goes to the strong one. `repeats`: of the bootstrap."""
    notes: list[str] = []
    known = known_models(trials, registry, notes)
    seen = [see(number, trial, known, policy, standings or {}) for number, trial in enumerate(trials)]
    compared, singles, strategies = _earned(seen, known, notes)
    calibration, by_model = _calibration(seen, repeats)
    return Report(
        rows=len(trials),
        task_type=_task_types(seen, repeats),
        complexity=_complexity(seen, repeats),
        pairs=_pairs(seen, pair, threshold, repeats, notes),
        calibration=calibration,
        by_model=by_model,
        confidence=_confidence(seen, known, repeats),
        strategies=strategies,
        singles=singles,
        compared=compared,
        notes=tuple(notes),
    )


# -- figures over rows


def _figure(
    rows: Sequence[Seen], measure: Callable[[Sequence[Seen]], float | None], repeats: int, *, seed: int = 0
) -> Figure:
    value = measure(rows) if len(rows) >= FEWEST else None
    if value is None:
        return Figure(None, len(rows))
    drawn = (measure(_drawn(rows, counts)) for counts in samples(len(rows), repeats, seed))
    found = [one for one in drawn if one is not None]
    return Figure(value, len(rows), interval(found) if found else None)


def _drawn(rows: Sequence[Seen], counts: Sequence[int]) -> list[Seen]:
    return [row for row, count in zip(rows, counts, strict=True) for _ in range(count)]


def _task_types(seen: Sequence[Seen], repeats: int) -> Figure:
    labelled = [one for one in seen if one.trial.task_type is not None]
    return _figure(labelled, lambda rows: _mean(one.profile.task_type is one.trial.task_type for one in rows), repeats)


def _complexity(seen: Sequence[Seen], repeats: int) -> Figure:
    labelled = [one for one in seen if one.trial.complexity is not None]

    def measure(rows: Sequence[Seen]) -> float | None:
        return spearman([one.profile.complexity for one in rows], [one.trial.complexity or 0.0 for one in rows])

    return _figure(labelled, measure, repeats)


def _calibration(seen: Sequence[Seen], repeats: int) -> tuple[Figure, dict[str, Figure]]:
    """Over all models together a prompt counts once for each."""
    names = dict.fromkeys(name for one in seen for name in one.candidates if name in one.trial.outcomes)

    def error(of: Sequence[str]) -> Callable[[Sequence[Seen]], float | None]:
        def measure(rows: Sequence[Seen]) -> float | None:
            pairs = [
                (one.candidates[name].success_probability, one.trial.outcomes[name])
                for one in rows
                for name in of
                if name in one.candidates and name in one.trial.outcomes
            ]
            return calibration_error([p for p, _ in pairs], [outcome for _, outcome in pairs])

        return measure

    def rows_of(name: str) -> list[Seen]:
        return [one for one in seen if name in one.candidates and name in one.trial.outcomes]

    some = [one for one in seen if any(name in one.trial.outcomes for name in one.candidates)]
    return _figure(some, error([*names]), repeats), {n: _figure(rows_of(n), error([n]), 0) for n in names}


def _confidence(seen: Sequence[Seen], known: Mapping[str, Model], repeats: int) -> Figure:
    answered: dict[int, tuple[float, bool]] = {}
    for one in seen:
        if (given := one.trial.answered) is not None:
            of_model = one.candidates.get(given.model)
            # Of a model nobody knows it is supposed that it does well as often as not.
            p = of_model.success_probability if of_model else 0.5
            request = Request((Message("user", one.trial.prompt),))
            trust = assess(request, one.profile, given.answer, FinishReason.STOP, p)
            answered[id(one)] = trust.value, given.quality < 0.5

    def measure(rows: Sequence[Seen]) -> float | None:
        pairs = [answered[id(one)] for one in rows]
        return auroc([-value for value, _ in pairs], [wrong for _, wrong in pairs])

    return _figure([one for one in seen if id(one) in answered], measure, repeats)


def _mean(values: Iterable[float]) -> float:
    listed = list(values)
    return sum(listed) / len(listed) if listed else 0.0


# -- a weak and a strong model


def _pairs(
    seen: Sequence[Seen], pair: tuple[str, str] | None, threshold: float, repeats: int, notes: list[str]
) -> tuple[PairFigures, ...]:
    chosen = [pair] if pair else _suggested(seen, notes)
    return tuple(found for weak, strong in chosen if (found := _pair(seen, weak, strong, threshold, repeats, notes)))


def _suggested(seen: Sequence[Seen], notes: list[str]) -> list[tuple[str, str]]:
    """The pairs whose strong model is better and, where both prices are known, dearer; the widest gap first."""
    names = [*dict.fromkeys(name for one in seen for name in one.trial.outcomes)]
    gaps: list[tuple[float, str, str]] = []
    for weak, strong in permutations(names, 2):
        both = _both(seen, weak, strong)
        if len(both) < FEWEST:
            continue
        gap = _mean(one.trial.outcomes[strong] - one.trial.outcomes[weak] for one in both)
        prices = _price(both, weak), _price(both, strong)
        if gap >= LEAST_GAP and (prices[0] is None or prices[1] is None or prices[0] < prices[1]):
            gaps.append((gap, weak, strong))
    gaps.sort(key=lambda found: -found[0])
    if len(gaps) > MOST_PAIRS:
        notes.append(f"{len(gaps)} pairs suggest themselves; the {MOST_PAIRS} widest apart are shown.")
    if len(names) > 1 and not gaps:
        notes.append(f"No two models have {FEWEST} prompts in common of which the dearer answers more well.")
    return [(weak, strong) for _, weak, strong in gaps[:MOST_PAIRS]]


def _both(seen: Sequence[Seen], weak: str, strong: str) -> list[Seen]:
    return [one for one in seen if weak in one.trial.outcomes and strong in one.trial.outcomes]


def _price(seen: Sequence[Seen], name: str) -> float | None:
    """Mean expected cost, in picodollars."""
    costs = [one.candidates[name].estimated_cost if name in one.candidates else None for one in seen]
    priced = [cost.picodollars for cost in costs if cost is not None]
    return _mean(priced) if priced and len(priced) == len(costs) else None


def _pair(
    seen: Sequence[Seen], weak: str, strong: str, threshold: float, repeats: int, notes: list[str]
) -> PairFigures | None:
    rows = _both(seen, weak, strong)
    if len(rows) < FEWEST:
        notes.append(f"{weak} and {strong} have {len(rows)} prompts in common; {FEWEST} are needed to compare them.")
        return None
    difficulty = [one.profile.difficulty for one in rows]
    outcomes = [(one.trial.outcomes[weak], one.trial.outcomes[strong]) for one in rows]
    prompts = Pair(difficulty, [low for low, _ in outcomes], [high for _, high in outcomes])
    curve = prompts.curve()
    if curve.strong - curve.weak < LEAST_GAP:
        notes.append(
            f"{strong} ({curve.strong:.2f}) is not better than {weak} ({curve.weak:.2f}) by {LEAST_GAP}: there is "
            "nothing to recover by routing between them."
        )
        return None
    measures: list[Callable[[Curve], float]] = [Curve.apgr, lambda c: c.cpt(0.5), lambda c: c.cpt(0.8)]
    apgr, cpt50, cpt80 = (
        Figure(measure(curve), len(rows), found)
        for measure, found in zip(measures, prompts.intervals(*measures, repeats=repeats), strict=True)
    )
    sent = [d >= threshold for d in difficulty]
    share, kept = _mean(sent), curve.share_for(KEPT * curve.strong)
    prices = _price(rows, weak), _price(rows, strong)

    def saved(of: float) -> float | None:
        return None if prices[0] is None or prices[1] is None else saving(of, prices[0], prices[1])

    return PairFigures(
        weak=weak,
        strong=strong,
        rows=len(rows),
        weak_quality=curve.weak,
        strong_quality=curve.strong,
        apgr=apgr,
        cpt50=cpt50,
        cpt80=cpt80,
        threshold=threshold,
        strong_share=share,
        quality=_mean(high if hard else low for hard, (low, high) in zip(sent, outcomes, strict=True)),
        saved=saved(share),
        share_kept=kept,
        saved_kept=saved(kept),
    )


# -- what strategies would have earned


def _earned(
    seen: Sequence[Seen], known: Mapping[str, Model], notes: list[str]
) -> tuple[int, tuple[Earned, ...], tuple[Earned, ...]]:
    """Rows compared, models alone, strategies: on the rows that have outcomes of every model of which half have one."""
    counts = Counter(name for one in seen for name in one.trial.outcomes if name in known)
    names = [name for name, count in counts.items() if count * 2 >= max(counts.values())]
    rows = [one for one in seen if names and all(name in one.trial.outcomes for name in names)]
    if len(names) < 2 or len(rows) < FEWEST:
        if counts:
            notes.append(
                f"{len(rows)} prompts have outcomes of the same models that are known here ({len(names)}); to compare "
                f"strategies {FEWEST} with two models or more are needed."
            )
        return len(rows), (), ()
    alone = [_earnings(name, rows, [[name]] * len(rows)) for name in names]
    best = [[_best(one, names)] for one in rows]
    by_id = {known[name].id: name for name in names}
    strategies = []
    for strategy in Strategy:
        picks = []
        for one in rows:
            those = tuple(candidate for candidate in one.decision.candidates if candidate.model in by_id)
            decision = replay(replace(one.decision, candidates=those), strategy)
            models = decision.chain if strategy is Strategy.ENSEMBLE else decision.chain[:1]
            picks.append([by_id[model] for model in models])
        strategies.append(_earnings(strategy.value, rows, picks))
    return len(rows), (*alone, _earnings("the best for each", rows, best)), tuple(strategies)


def _best(one: Seen, names: Sequence[str]) -> str:
    """Of equal outcomes the cheapest."""

    def cost(name: str) -> float:
        expected = one.candidates[name].estimated_cost
        return float("inf") if expected is None else expected.picodollars

    return min(names, key=lambda name: (-one.trial.outcomes[name], cost(name)))


def _earnings(name: str, rows: Sequence[Seen], picks: Sequence[Sequence[str]]) -> Earned:
    """Where several answer, the mean of their outcomes, and all are paid for. Where none can, nothing."""
    costs = [one.candidates[model].estimated_cost for one, models in zip(rows, picks, strict=True) for model in models]
    priced = [cost for cost in costs if cost is not None]
    total = sum(priced, ZERO)
    chosen = Counter(model for models in picks for model in models)
    favourite, most = chosen.most_common(1)[0] if chosen else ("", 0)
    return Earned(
        name,
        _mean(_mean(one.trial.outcomes[model] for model in models) for one, models in zip(rows, picks, strict=True)),
        Money(total.picodollars * 1000 // len(rows)) if len(priced) == len(costs) else None,
        most / len(rows),
        favourite,
    )
