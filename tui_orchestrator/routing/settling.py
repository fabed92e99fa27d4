"""The end of an ensemble: one answer out of several, by the method that was asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from . import synthesis
from .budget import Refusal
from .calling import Tried
from .decision import Candidate
from .ensemble import Answer, Judgement, weighted
from .events import Cause, FinishReason, Next, Verdict
from .request import Method, Request
from .telling import refused, verdict
from .underway import Underway


class Settled(NamedTuple):
    verdict: Verdict
    answer: Tried
    note: str
    """Why it was not settled as asked for; '' where it was."""


class Settling:
    """Of one turn. A judge or a writer that fails, or does not fit into a budget, leaves the `weighted` verdict."""

    def __init__(self, turn: Underway) -> None:
        self.turn = turn
        self.method = turn.policy.verdict if turn.request.verdict is None else turn.request.verdict

    async def settle(self, finished: Sequence[Tried]) -> Settled:
        """Of answers that were given; at least one."""
        judgement = weighted([self._answer(tried) for tried in finished], self.turn.decision.profile)
        if len(finished) > 1:
            if self.method is Method.JUDGE:
                return await self._by_judge(finished, judgement)
            if self.method is Method.FUSE:
                return await self._fused(finished, judgement)
        return self._weighted(finished, judgement)

    def _weighted(self, finished: Sequence[Tried], judgement: Judgement, note: str = "") -> Settled:
        method = Method.VOTE if self.method is Method.VOTE else Method.WEIGHTED
        return self._told(_of(finished, judgement.winner), judgement, method, note=note)

    def _told(
        self, answer: Tried, judgement: Judgement, method: Method, *, reason: str = "", note: str = ""
    ) -> Settled:
        said = verdict(self.turn.request.id, self.turn.clock.now(), judgement)
        said = replace(said, method=method.value, winner=answer.attempt.number, reason=reason)
        return Settled(said, answer, note)

    async def _by_judge(self, finished: Sequence[Tried], judgement: Judgement) -> Settled:
        asked = synthesis.which_is_best(self.turn.request, [tried.text for tried in finished])
        given = await self._call(self._judge(finished), Cause.JUDGE, asked)
        if isinstance(given, str):
            return self._weighted(finished, judgement, f"no judge: {given}")
        self.turn.checks.append(given)
        named = None if given.error is not None else synthesis.best_of(given.text, len(finished))
        if named is None:
            why = "named no answer" if given.error is None else given.error.message
            return self._weighted(finished, judgement, f"the judge, {given.attempt.model}: {why}; by weights instead")
        place, why = named
        reason = f"{given.attempt.model}: {why}" if why else given.attempt.model
        return self._told(finished[place], judgement, Method.JUDGE, reason=reason)

    async def _fused(self, finished: Sequence[Tried], judgement: Judgement) -> Settled:
        asked = synthesis.one_from_all(self.turn.request, [tried.text for tried in finished])
        given = await self._call(self._writer(finished), Cause.SYNTHESIS, asked)
        if isinstance(given, str):
            return self._weighted(finished, judgement, f"not put together: {given}")
        self.turn.answers.append(given)
        if given.error is not None or not given.text.strip():
            why = given.error.message if given.error is not None else "nothing came"
            return self._weighted(finished, judgement, f"not put together: {why}")
        return self._told(given, judgement, Method.FUSE)

    async def _call(self, by: Candidate, cause: Cause, asked: Request) -> Tried | str:
        """A sentence where it is not made."""
        turn = self.turn
        if turn.deadline.passed:
            return turn.deadline.over().message
        plan = turn.plan(by.model, cause)
        decision, candidate = synthesis.weighed(turn.decision, by, plan.model, asked, judge=cause is Cause.JUDGE)
        plan = replace(plan, request=asked, decision=decision, candidate=candidate)
        given = await turn.attempt(plan)
        if given is None:
            return str(turn.unkept)
        if isinstance(given, Refusal):
            return refused(given).message
        await turn.tell(given, Next.GIVE_UP)
        return given

    def _writer(self, finished: Sequence[Tried]) -> Candidate:
        """The member likeliest to be right, the cheaper of two alike: it has just shown that it answers."""
        return max((self.turn.candidate(tried.attempt.model) for tried in finished), key=_likeliest)

    def _judge(self, finished: Sequence[Tried]) -> Candidate:
        """Rather not one that judges its own answer: of the others the first that is good enough by itself."""
        turn = self.turn
        others = [one for one in turn.decision.candidates if one.excluded_by is None and turn.is_open(one.model)]
        fit = [one for one in others if one.success_probability >= turn.policy.quality_threshold]
        return max(fit, key=lambda one: one.score) if fit else self._writer(finished)

    def _answer(self, tried: Tried) -> Answer:
        return Answer(
            tried.attempt.number,
            tried.attempt.model,
            tried.text,
            tried.confidence.value if tried.confidence else 0.0,
            self.turn.candidate(tried.attempt.model).success_probability,
            tried.attempt.finish_reason or FinishReason.OTHER,
        )


def _likeliest(candidate: Candidate) -> tuple[float, int]:
    cost = candidate.estimated_cost
    return candidate.success_probability, -(cost.picodollars if cost is not None else 0)


def _of(finished: Sequence[Tried], number: int) -> Tried:
    return next(tried for tried in finished if tried.attempt.number == number)
