"""What an experiment has found: of each way its turns, outcomes and cost, and one sentence. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ..routing.errors import ErrorKind
from ..routing.experiment import SIDES, Arm, Experiment, Side
from ..routing.money import NOTHING, Cost, Money
from ..routing.sequential import ALPHA, Interval, Outcome, Reading, drawn, paired, rate_interval
from ..storage.experiments import Kept, Opinion, Record, Taken

_NOT_ITS_FAULT = frozenset({ErrorKind.CANCELLED, ErrorKind.BUDGET_EXCEEDED, ErrorKind.NO_CANDIDATE})
_VOTE = "vote"


@dataclass(frozen=True, slots=True)
class ArmFigures:
    side: Side
    arm: Arm
    turns: int = 0
    """Prompts, however often each was asked."""
    outcomes: int = 0
    good: int = 0
    cost: Cost = NOTHING
    """Of all its turns, without what a judge cost."""
    seconds: float | None = None
    """Mean time of a turn."""

    @property
    def rate(self) -> float | None:
        return self.good / self.outcomes if self.outcomes else None

    @property
    def interval(self) -> Interval:
        return rate_interval(self.good, self.outcomes)

    @property
    def per_turn(self) -> Money | None:
        if self.cost.amount is None or not self.turns:
            return None
        return Money(self.cost.amount.picodollars // self.turns)


@dataclass(frozen=True, slots=True)
class Findings:
    kept: Kept
    a: ArmFigures
    b: ArmFigures
    reading: Reading
    judging: Cost = NOTHING
    unsure: int = 0
    """Answers the judge could not tell about, or that cannot be compared with the expected one."""

    @property
    def experiment(self) -> Experiment:
        return self.kept.experiment

    @property
    def decided(self) -> bool:
        return self.reading.decided_after is not None

    @property
    def difference(self) -> float | None:
        """The rate of B less that of A."""
        return None if self.a.rate is None or self.b.rate is None else self.b.rate - self.a.rate

    @property
    def interval(self) -> Interval | None:
        """Of the difference."""
        seen, interval = self.difference, self.reading.interval
        return None if seen is None else Interval(min(interval.low, seen), max(interval.high, seen))

    @property
    def times(self) -> float | None:
        """What a turn of B costs, in turns of A."""
        one, other = self.a.per_turn, self.b.per_turn
        return other.picodollars / one.picodollars if one and other is not None else None

    @property
    def state(self) -> str:
        if self.kept.stopped is not None:
            return "stopped"
        return "decided" if self.decided else "running"


def find(kept: Kept, record: Record) -> Findings:
    opinions: dict[str, list[Opinion]] = {}
    for opinion in record.opinions:
        opinions.setdefault(opinion.request_id, []).append(opinion)
    first: dict[str, Taken] = {}
    for turn in record.turns:
        first.setdefault(f"{turn.place}\n{turn.side}", turn)
    known = [
        (at, turn, good)
        for turn in first.values()
        if (found := _outcome(turn, opinions.get(turn.request_id, ()))) is not None
        for at, good in (found,)
    ]
    known.sort(key=lambda one: one[0])
    a, b = (_figures(side, kept.experiment, list(first.values()), known, record) for side in SIDES)
    unsure = sum(turn.told is not None and turn.good is None for turn in first.values())
    return Findings(kept, a, b, _reading(kept, known), record.judging, unsure)


def _outcome(turn: Taken, opinions: Sequence[Opinion]) -> tuple[datetime, bool] | None:
    """What came of a turn and when that was known: a vote before all else, then that it was asked again, then what an
    expected answer or a judge says. No answer at all is a bad one, unless you or a cap ended it."""
    votes = [one for one in opinions if one.sign == _VOTE]
    if votes:
        return votes[-1].at, votes[-1].good
    again = [one for one in opinions if not one.good]
    if again:
        return again[0].at, False
    if turn.good is not None and turn.told is not None:
        return turn.told, turn.good
    failed = turn.success is False and turn.error_kind not in _NOT_ITS_FAULT
    return (turn.concluded, False) if failed and turn.concluded is not None else None


def _figures(
    side: Side,
    experiment: Experiment,
    turns: Sequence[Taken],
    known: Sequence[tuple[datetime, Taken, bool]],
    record: Record,
) -> ArmFigures:
    its = [turn for turn in turns if turn.side == side]
    outcomes = [good for _, turn, good in known if turn.side == side]
    seconds = [turn.latency_s for turn in its if turn.success and turn.latency_s is not None]
    return ArmFigures(
        side,
        experiment.arm(side),
        len(its),
        len(outcomes),
        sum(outcomes),
        record.costs[side],
        sum(seconds) / len(seconds) if seconds else None,
    )


def _reading(kept: Kept, known: Sequence[tuple[datetime, Taken, bool]]) -> Reading:
    if kept.kind == "traffic":
        return drawn([Outcome(turn.side, good) for _, turn, good in known], kept.experiment.share)
    both: dict[str, dict[Side, bool]] = {}
    pairs: list[tuple[bool, bool]] = []
    for _, turn, good in known:
        sides = both.setdefault(turn.place, {})
        sides[turn.side] = good
        if len(sides) == len(SIDES):
            pairs.append((sides["a"], sides["b"]))
    return paired(pairs)


# -- for people


def sentence(findings: Findings) -> str:
    """'B is better by 12 points (95 % sure); a turn of it costs 1.8 times as much.'"""
    difference, reading = findings.difference, findings.reading
    if difference is None:
        return f"Nothing is known yet: {_wanted(findings)}."
    if reading.better is None and findings.kept.stopped is not None:
        return f"Not decided: {_so_far(difference)}. More {_what(findings)} would tell."
    if reading.better is None:
        return f"Not decided yet: {_so_far(difference)}; {_more(findings)}."
    sure = f"{1 - ALPHA:.0%} sure".replace("%", " %")
    better, points = reading.better, points_of(difference if reading.better == "b" else -difference)
    return f"{better.upper()} is better by {points} ({sure}); {_costs(findings, better)}."


def points_of(share: float) -> str:
    """'12 points'"""
    points = round(share * 100)
    return f"{points} point{'' if abs(points) == 1 else 's'}"


def _so_far(difference: float) -> str:
    points = round(difference * 100)
    if not points:
        return "so far there is no difference"
    return f"so far {'B' if points > 0 else 'A'} is ahead by {points_of(abs(difference))}"


def _more(findings: Findings) -> str:
    what, more = _what(findings), findings.reading.more
    if more is None:
        few = findings.reading.count < 10
        return f"too few {what} to tell how many it will take" if few else f"a great many more {what} at this rate"
    return f"about {more:,} more {what} at this rate"


def _what(findings: Findings) -> str:
    if findings.kept.kind == "file":
        return "prompts"
    return "outcomes" if findings.experiment.judge else "votes"


def _wanted(findings: Findings) -> str:
    if findings.kept.kind == "file":
        return "no prompt was answered both ways"
    for figures in (findings.a, findings.b):
        if not figures.turns:
            return f"no turn went to {figures.side.upper()}"
    if findings.experiment.judge:
        return "the judge has not told of both"
    return "vote on the answers you get"


def _costs(findings: Findings, side: Side) -> str:
    times = findings.times
    if times is None:
        one, other = (findings.a, findings.b) if side == "b" else (findings.b, findings.a)
        return f"a turn of it costs {_per_turn(other)}, of the other {_per_turn(one)}"
    ratio = times if side == "b" else 1 / times if times else 0.0
    if abs(ratio - 1) < 0.05:
        return "a turn of it costs as much"
    return f"a turn of it costs {f'{ratio:.2g}' if ratio < 10 else f'{ratio:,.0f}'} times as much"


def _per_turn(figures: ArmFigures) -> str:
    return "$?" if figures.per_turn is None else str(figures.per_turn)


def interval_in_words(interval: Interval | None) -> str:
    """'3 to 21 points'"""
    if interval is None:
        return ""
    return f"{round(interval.low * 100):+d} to {round(interval.high * 100):+d} points".replace("-", "−")
