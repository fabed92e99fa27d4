"""Checking a finished answer by more samples of its model, a second opinion or a judge: its confidence is revised."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from . import judging
from .calling import Tried
from .cancelling import being_cancelled
from .corroboration import agree
from .decision import Candidate
from .escalation import Doubt, grey, second_opinion
from .events import Cause, Checked, Confidence, Finding, Next
from .received import Plan
from .request import Check
from .underway import Underway, revised


class Checking:
    """Of one turn. Nothing here counts against `max_attempts`: a check must not eat the last escalation."""

    def __init__(self, turn: Underway) -> None:
        self.turn = turn
        request, policy = turn.request, turn.policy
        self.check = policy.check if request.check is None else request.check
        self.samples = policy.self_consistency if request.self_consistency is None else request.self_consistency
        self.opinion: Tried | None = None
        """The second opinion, where one was given: another answer to the same prompt."""

    async def revise(self, tried: Tried, doubt: Doubt, chain: Sequence[Candidate]) -> Tried:
        """The answer with its confidence as all checks leave it. `chain`: whom the turn may go on to."""
        assert tried.confidence is not None
        # Two models may rightly call different tools; a call says by itself whether it can be carried out.
        if tried.confidence.cause is not None or self._settled(tried) or self.turn.request.uses_tools:
            return tried
        tried = await self._sample(tried)
        # A pinned model is asked and nobody else.
        if self.turn.decision.pinned or being_cancelled():
            return tried
        assert tried.confidence is not None
        doubt = replace(doubt, confidence=tried.confidence.value, spent=self.turn.spent, seconds=self.turn.elapsed_s)
        if self.check is Check.OFF or (self.check is Check.AUTO and not self._may_matter(doubt)):
            return tried
        second = self._whom(doubt, chain)
        if second is None:
            return tried
        return await (self._judge if self.check is Check.JUDGE else self._ask_second)(tried, second)

    def _settled(self, tried: Tried) -> bool:
        """An answer from the cache was checked when it was given. Where it is trusted it is not to cost anything now;
        where it is not, it is checked before the turn goes on to another model, as a live one is."""
        assert tried.confidence is not None
        trusted = tried.confidence.value >= self.turn.policy.confidence_threshold
        return tried.attempt.from_cache and trusted and self.check is Check.AUTO

    def _may_matter(self, doubt: Doubt) -> bool:
        return self.opinion is None and grey(doubt.confidence, self.turn.policy.confidence_threshold)

    def _whom(self, doubt: Doubt, chain: Sequence[Candidate]) -> Candidate | None:
        turn = self.turn
        usable = [c for c in turn.decision.candidates if c.excluded_by is None and self._ready(c)]
        return second_opinion(
            doubt,
            usable,
            chain,
            turn.policy.confidence_threshold,
            # The user's own weights, whatever the strategy: a check is to be cheap where the answer need not be.
            turn.policy.weights,
            whatever_it_is_worth=self.check is not Check.AUTO,
        )

    def _ready(self, candidate: Candidate) -> bool:
        """A judge may judge a second time; nobody is waited for longer than for any other second choice."""
        turn, asked = self.turn, candidate.model
        judges = {
            tried.attempt.model for tried in turn.checks if tried.attempt.cause is Cause.JUDGE and not tried.error
        }
        if asked not in judges and not turn.is_open(asked):
            return False
        tokens = turn.decision.profile.input_tokens + candidate.max_tokens
        wait = turn.caller.limits.wait_s(turn.registry[asked], tokens, turn.clock.monotonic())
        return wait <= turn.policy.retries.patience

    # The three ways

    async def _ask_second(self, tried: Tried, second: Candidate) -> Tried:
        given = await self._call(self.turn.plan(second.model, Cause.SECOND_OPINION))
        if given is None:
            return tried
        confidence = tried.confidence
        if given.error is None and given.confidence is not None and given.confidence.cause is None:
            self.opinion = given
            confidence = self._agreed(tried, [given])
        return await self.found(tried, Cause.SECOND_OPINION, [given], confidence)

    async def _judge(self, tried: Tried, judge: Candidate) -> Tried:
        turn = self.turn
        asked = judging.question(turn.request, tried.text)
        plan = turn.plan(judge.model, Cause.JUDGE)
        decision, candidate = judging.weighed(turn.decision, judge, plan.model, asked)
        given = await self._call(replace(plan, request=asked, decision=decision, candidate=candidate))
        if given is None:
            return tried
        confidence = tried.confidence
        if given.error is None and confidence is not None:
            confidence = judging.judged(confidence, judging.sentence(given.text), judge.model)
        return await self.found(tried, Cause.JUDGE, [given], confidence)

    async def _sample(self, tried: Tried) -> Tried:
        turn, sent = self.turn, self.turn.request.temperature
        temperature = turn.decision.temperature if sent is None else sent
        # At temperature 0 a model only repeats itself.
        if self.samples < 1 or temperature == 0 or being_cancelled():
            return tried
        before = turn.refusal
        members = await turn.granted([(tried.attempt.model, Cause.SAMPLE)] * self.samples)
        turn.refusal = before
        given = await turn.side_by_side(members)
        turn.checks += given
        if not given:
            return tried
        good = [sample for sample in given if sample.error is None]
        confidence = self._agreed(tried, good, same_model=True) if good else tried.confidence
        return await self.found(tried, Cause.SAMPLE, given, confidence)

    async def _call(self, plan: Plan) -> Tried | None:
        """None when it does not fit into a budget or cannot be written down: the answer then goes unchecked."""
        turn = self.turn
        given = await turn.attempt(plan)
        if not isinstance(given, Tried):
            return None
        turn.checks.append(given)
        turn.heed_failure(given)
        await turn.tell(given, Next.GIVE_UP)
        return given

    def _agreed(self, tried: Tried, others: Sequence[Tried], *, same_model: bool = False) -> Confidence:
        turn = self.turn
        assert tried.confidence is not None
        texts = [other.text for other in others]
        return agree(turn.request, turn.decision.profile, tried.text, tried.confidence, texts, same_model=same_model)

    async def found(self, tried: Tried, how: Cause, given: Sequence[Tried], confidence: Confidence | None) -> Tried:
        """Tells what was found, and returns the answer as it stands now. Not told of a turn that is being cancelled."""
        assert tried.confidence is not None
        assert confidence is not None
        if being_cancelled():
            return tried
        before, after = tried.confidence.value, confidence.value
        agrees = None if before == after else after > before
        numbers = tuple(one.attempt.number for one in given)
        silent = all(one.error is not None for one in given)
        finding = Finding(how, given[0].attempt.model, numbers, before, after, agrees, silent)
        findings = (*tried.attempt.findings, finding)
        tried = revised(replace(tried, confidence=confidence), findings=findings)
        attempt = tried.attempt
        await self.turn.emit(
            Checked(attempt.request_id, self.turn.clock.now(), attempt.number, attempt.model, finding, confidence)
        )
        return tried

    async def opinion_revised(self, tried: Tried) -> Tried:
        """The second opinion as an answer of its own: what it was compared with tells as much about it."""
        assert self.opinion is not None
        return await self.found(self.opinion, Cause.SECOND_OPINION, [tried], self.opinion_trusted(tried))

    def opinion_trusted(self, tried: Tried) -> Confidence:
        assert self.opinion is not None
        return self._agreed(self.opinion, [tried])
