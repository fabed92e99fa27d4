"""Advice on caps, on what is set aside under them, and on calls that bring nothing new."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime

from ..routing.budget import cap_name
from ..routing.events import CHECKS, Cause, Outcome
from ..routing.money import ZERO, Money
from ..storage.alerts import Refused
from .changes import Change, raise_cap, setting
from .recommendation import FEWEST, Habits, Kind, Recommendation, rounded_up, time_of, usd
from .walks import Walk, total, upper


def caps(turns: Sequence[Walk], refused: Sequence[Refused], habits: Habits) -> Iterator[Recommendation]:
    groups: dict[str, list[Refused]] = defaultdict(list)
    if not refused:
        return
    for one in refused:
        groups[one.scope].append(one)
    paid = [turn.cost for turn in turns if turn.cost]
    typical = sum(paid) / len(paid) if paid else 0.0
    for scope, hits in groups.items():
        periods: dict[str, list[Refused]] = defaultdict(list)
        for one in hits:
            periods[one.period].append(one)
        if len(hits) < 3 or (scope.startswith("day") and len(periods) < 2):
            continue
        needed = max(max(one.spent.picodollars for one in of) + len(of) * typical for of in periods.values())
        limit = rounded_up(Money(round(max(needed, max(one.cap.picodollars for one in hits) * 1.2))))
        change = raise_cap(scope, limit)
        if change is None or scope not in habits.limits or habits.limits[scope] >= limit:
            continue
        span = scope.partition(" ")[0]
        of = {"request": "turns", "session": "sessions", "day": "days", "month": "months"}.get(span, "periods")
        name = cap_name(scope)
        yield Recommendation(
            Kind.CAP,
            f"Raise {name} to {limit}, or spend less under it",
            f"It refused {len(hits)} turns in {len(periods)} {of if len(periods) > 1 else of[:-1]}; they would have "
            f"cost about {usd(len(hits) * typical)} in all.",
            ZERO,
            len(hits),
            change,
        )


def reservations(turns: Sequence[Walk], refused: Sequence[Refused], habits: Habits) -> Iterator[Recommendation]:
    """Money is set aside for all of max_tokens: where answers never use them, caps refuse what would have fitted."""
    lengths = sorted(
        step.row.output_tokens for turn in turns for step in turn.answers if step.row.outcome == Outcome.FINISHED
    )
    if len(refused) < 3 or len(lengths) < FEWEST * 2:
        return
    longest = lengths[int(0.99 * (len(lengths) - 1))]
    enough = max(256, -(-longest * 3 // 2 // 256) * 256)
    if enough * 2 > habits.max_tokens:
        return
    yield Recommendation(
        Kind.RESERVATIONS,
        f"Set aside less: at most {enough:,} output tokens an answer",
        f"99 of 100 of {len(lengths):,} answers took at most {longest:,} output tokens, but every call sets money "
        f"aside for {habits.max_tokens:,}; caps refused {len(refused)} turns meanwhile.",
        ZERO,
        len(lengths),
        setting("router.max_tokens", enough, f"ask for at most {enough:,} output tokens"),
    )


def cache(turns: Sequence[Walk], habits: Habits) -> Iterator[Recommendation]:
    """Requests that repeated an earlier one word for word within the time an answer is kept."""
    if habits.caching and habits.temperature == 0:
        return
    given: dict[tuple[str, str | None], datetime] = {}
    again: list[Walk] = []
    for turn in turns:
        end = turn.end
        if end is None or not end.digest or not end.success or turn.side_by_side:
            continue
        at, key = datetime.fromisoformat(end.at), (end.digest, end.answered_by)
        before = given.get(key)
        cached = all(step.row.from_cache for step in turn.answers)
        if before is not None and (at - before).total_seconds() <= habits.cache_ttl_s:
            if not cached:
                again.append(turn)
        else:
            given[key] = at
    if len(again) < 5:
        return
    settings: list[tuple[str, object]] = []
    if not habits.caching:
        settings.append(("cache.exact", True))
    if habits.temperature != 0:
        settings.append(("router.temperature", 0))
    needs = "answers are kept at temperature 0 only" if habits.temperature != 0 else "the cache is off"
    seconds = sum(step.row.latency_s for turn in again for step in turn.answers)
    yield Recommendation(
        Kind.CACHE,
        "Let the cache answer what was asked before",
        f"{len(again)} of {len(turns)} requests repeated an earlier one word for word and were paid for again, "
        f"{time_of(seconds)} in all; {needs}.",
        Money(sum(turn.cost for turn in again)),
        len(again),
        Change(tuple(settings), "keep answers and send temperature 0"),
    )


def retries(turns: Sequence[Walk], habits: Habits) -> Iterator[Recommendation]:
    tried = [step for turn in turns for step in turn.steps if step.row.cause == Cause.RETRY]
    worked = sum(step.row.outcome == Outcome.FINISHED for step in tried)
    if len(tried) < FEWEST or upper(worked, len(tried)) > 0.3 or not habits.retries_per_model:
        return
    vain = [step for step in tried if step.row.outcome != Outcome.FINISHED]
    yield Recommendation(
        Kind.RETRIES,
        "Do not ask the same model twice",
        f"{worked} of {len(tried)} retries gave an answer; the others took {usd(total(vain))} and "
        f"{time_of(sum(step.row.latency_s for step in vain))} before the next model was asked.",
        Money(total(vain)),
        len(tried),
        setting("router.retries.per_model", 0, "go to the next model at once"),
    )


def checks(turns: Sequence[Walk], habits: Habits) -> Iterator[Recommendation]:
    """Second opinions and judges that hardly ever changed what happened."""
    checked = [turn for turn in turns if any(step.row.cause in CHECKS for step in turn.steps)]
    changed = 0
    for turn in checked:
        first = next(place for place, step in enumerate(turn.steps) if step.row.cause in CHECKS)
        after = turn.steps[first:]
        changed += any(step.row.cause == Cause.ESCALATION for step in after) or any(step.good for step in after)
    cost = sum(step.cost for turn in checked for step in turn.steps if step.row.cause in CHECKS)
    everything = sum(turn.cost for turn in turns)
    if not habits.checking or not cost or cost * 30 < everything:
        return
    if len(checked) < FEWEST or upper(changed, len(checked)) > 0.1:
        return
    yield Recommendation(
        Kind.CHECKS,
        "Leave the checking of answers out",
        f"Answers were checked in {len(checked)} turns, for {usd(cost)} ({cost / everything:.0%} of what these "
        f"{len(turns)} turns cost); in {changed} of them it changed what happened.",
        Money(cost),
        len(checked),
        setting("router.check", "off", "let answers go by their own confidence"),
    )
