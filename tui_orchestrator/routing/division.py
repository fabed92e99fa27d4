"""How a prompt that is too long for every model would best be answered in parts, and what that costs. Pure.

Every model that could answer, were the prompt not too long, is weighed as the one that reads the parts. How many parts
there are depends on its context: few large ones for a dear model stand against many small ones for a cheap one. What
is compared, by the user's own strategy, is the cost of all parts and of putting their answers together, the time of
both, and the lower of the two success probabilities: an answer is no better than the weaker of its two halves.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from .budget import cap_name, input_bound
from .decide import CHAIN_LENGTH, choose
from .decision import Candidate, Circumstances, Decision, Division, Exclusion
from .material import Material, material_of, overhead, part_request
from .model import Model, Registry
from .money import Money
from .profile import Ability
from .profiler import profile
from .request import Request, Split, Strategy
from .splitting import count_of, measured
from .strategies import rank
from .weighing import weigh

AT_ONCE = 4
"""Parts that are under way at the same time, where rate limits allow it."""
MOST_PARTS = 200
PART_OUTPUT = 2048
"""Most tokens of the answer to a part, but for a model that thinks before it answers."""
_WRITTEN = 4
"""An answer takes at most one token in so many of a context: a short one is there to read above all."""
_LEAST_OUTPUT = 200
"""Tokens; the answer to a part that may be no longer says too little."""
_FULL = 0.85
"""Share of a model's room that is filled: it may count more tokens than were estimated."""
_LEAST_PART = 400
"""Tokens; a part that is smaller says too little."""
_LABEL_TOKENS = 24
"""Around each part's answer."""
_WRITERS = 4
"""So many are tried beside each reader itself."""
_SAMPLE = 8000
"""Characters."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What of a request is to be read in parts."""

    material: Material
    tokens: int
    overhead: int
    """Tokens that go along with each part."""


def reading_of(request: Request) -> Reading:
    """Takes a tenth of a second for ten megabytes: then call it in a thread."""
    material = material_of(request)
    return Reading(material, math.ceil(measured(material.text).total), overhead(request, material))


def is_too_long(request: Request, decision: Decision) -> bool:
    """Whether parts may help: nobody can answer, money is not why, and of those who might somebody cannot read all."""
    if request.split is Split.NEVER or decision.model is not None or decision.refused is not None:
        return False
    if request.uses_tools or request.continues or request.judges or request.puts_together:
        return False
    return any(map(_too_short, _asked_for(decision)))


def divided(
    request: Request, decision: Decision, reading: Reading, registry: Registry, circumstances: Circumstances
) -> Decision:
    """The decision that it is too long, as one about answering it in parts. `model` stays None where nobody can."""
    strategy = Strategy.BALANCED if decision.strategy is Strategy.ENSEMBLE else decision.strategy
    weighing = _Weighing(request, replace(decision, strategy=strategy), reading, registry, circumstances)
    found = {c.model: best for c in _asked_for(decision) if _too_short(c) and (best := weighing.best(c)) is not None}
    candidates = [found[c.model][0] if c.model in found else c for c in decision.candidates]
    choice = choose(strategy, candidates, decision.profile, decision.asked, decision.seed)
    ranked = choice.ranked[:CHAIN_LENGTH]
    named = ranked[0].model if ranked else choice.wished or ""
    division = found[named][1] if named in found else None
    told = f"{division.in_words}; " if division is not None and ranked else ""
    return replace(
        decision,
        strategy=strategy,
        model=ranked[0].model if ranked else None,
        reason=decision.asked.because + told + choice.reason,
        chain=tuple(c.model for c in ranked),
        candidates=choice.candidates,
        margin=choice.margin,
        explored=choice.explored,
        refused=choice.refused,
        wished=choice.wished,
        division=division,
    )


def _sample(request: Request, decision: Decision, material: Material) -> Request:
    """What is asked of one part, of a text that begins like this one."""
    asked = part_request(request, material, material.text[:_SAMPLE], 1, 2)
    return replace(asked, task_type=decision.task_type)


def _too_short(candidate: Candidate) -> bool:
    return candidate.excluded_by is Exclusion.CONTEXT_WINDOW


def _asked_for(decision: Decision) -> Sequence[Candidate]:
    """Those whom the user's pin leaves, or their chain."""
    asked = decision.asked
    named = asked.chain if asked.model is None else (asked.model,)
    return [c for c in decision.candidates if not named or c.model in named]


class _Weighing:
    """What is the same for all models, worked out once."""

    def __init__(
        self, request: Request, decision: Decision, reading: Reading, registry: Registry, circumstances: Circumstances
    ) -> None:
        self.decision = decision
        self.policy = decision.asked.policy
        self.asked = request.max_tokens or decision.max_tokens or self.policy.max_tokens
        self.pinned = decision.asked.model is not None
        self.reading = reading
        self.registry = registry
        self.circumstances = circumstances
        sample = _sample(request, decision, reading.material)
        sampled = profile(sample)
        # Without its length: what a model counts beside the estimate was told of the whole text, not of a part.
        likely = weigh(sample, replace(sampled, input_tokens=0), registry, _of_a_part(circumstances), self.policy)
        self.p = {one.model: one.success_probability for one in likely}
        """That the answer to one part is good: what is hard of reading all at once is not hard any more."""
        self.seconds = {one.model: one.estimated_latency_s for one in likely}
        """Of one part's answer: beside all of the text none had any room."""
        self.expected = max(1, min(sampled.output_tokens, self.asked))
        self.writers = self._writers()

    def _writers(self) -> list[Candidate]:
        """Who may put the answers together: of those who can read two of them at once the user's strategy's first."""
        able = []
        for candidate in filter(_too_short, _asked_for(self.decision)):
            model = self.registry[candidate.model]
            least = self._part_output(model) if _thinks(model) else min(_LEAST_OUTPUT, self.asked)
            if self._joint(model) >= 2 * (least + _LABEL_TOKENS):
                tokens = self.reading.overhead + 4 * self.expected
                cost = None if model.price is None else model.price.expected(tokens, self.expected)
                p, seconds = self.p[model.id], self.seconds[model.id]
                able.append(replace(candidate, estimated_cost=cost, success_probability=p, estimated_latency_s=seconds))
        return self._ranked(able)[:_WRITERS] if able else []

    def _ranked(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        chain = self.decision.asked.chain
        return rank(self.decision.strategy, candidates, self.decision.profile, self.policy, chain=chain)

    # What a model can read

    def _factor(self, model: Model) -> float:
        """What the model counts for a token that was estimated, as its reports have taught."""
        whole = max(1, self.decision.profile.input_tokens)
        return max(0.5, (whole + self.circumstances.of(model.id).more_input) / whole)

    def _part_output(self, model: Model) -> int:
        return self._at_most(model, self.asked if _thinks(model) else min(self.asked, PART_OUTPUT))

    def _at_most(self, model: Model, output: int) -> int:
        assert model.context_window is not None
        most = min(output, model.max_output or output)
        return most if _thinks(model) else min(most, model.context_window // _WRITTEN)

    def _room(self, model: Model, output: int) -> int:
        """Estimated tokens that a call with so much output can hold beside what goes along with each."""
        assert model.context_window is not None
        return int((model.context_window - output) / self._factor(model) * _FULL) - self.reading.overhead

    def _joint(self, model: Model) -> int:
        return self._room(model, self._at_most(model, self.asked))

    # What it comes to

    def best(self, reader: Candidate) -> tuple[Candidate, Division] | None:
        """With the writer that suits it best, itself among others, of those that no cap keeps out if there are such.
        None where its context holds too little."""
        own = replace(reader, success_probability=self.p[reader.model], estimated_latency_s=self.seconds[reader.model])
        plans = {writer.model: (writer, plan) for writer in (own, *self.writers) if (plan := self._plan(own, writer))}
        if not plans:
            return None
        found = {name: self._candidate(own, writer, plan) for name, (writer, plan) in plans.items()}
        capped = {name: self._in_budget(one) for name, one in found.items()}
        able = [name for name, one in capped.items() if one.excluded_by is None] or list(capped)
        chosen = self._ranked([replace(found[name], model=name) for name in able])[0].model
        return capped[chosen], plans[chosen][1]

    def _plan(self, reader: Candidate, writer: Candidate) -> Division | None:
        model, written = self.registry[reader.model], self.registry[writer.model]
        joint, output = self._joint(written), self._part_output(model)
        if not _thinks(model):
            # Two of them have to be read at once.
            output = max(min(output, _LEAST_OUTPUT), min(output, joint // 2 - _LABEL_TOKENS))
        limit, answer = self._room(model, output), output + _LABEL_TOKENS
        if limit < _LEAST_PART or joint < 2 * answer:
            return None
        parts = count_of(self.reading.tokens, limit)
        if parts > MOST_PARTS:
            return None
        joins = _joins(parts, joint // answer)
        division = Division(parts, limit, output, model.id, written.id, joint, joins, None, None, self.pinned)
        if model.price is None or written.price is None:
            return division
        size, expected = math.ceil(self.reading.tokens / parts) + self.reading.overhead, min(self.expected, output)
        likely = model.price.expected(self._counted(model, size), expected) * parts
        likely += self._joined(written, division, expected)
        most = model.price.ceiling(self._bound(model, size), output) * parts + self._joined_at_most(written, division)
        return replace(division, cost=min(likely, most), ceiling=most)

    def _counted(self, model: Model, tokens: int) -> int:
        return math.ceil(tokens * self._factor(model))

    def _bound(self, model: Model, tokens: int) -> int:
        # A little more than is reserved: parts are not of one size, and long ones are judged by samples.
        return input_bound(self._counted(model, tokens + tokens // 10))

    def _joined(self, writer: Model, division: Division, expected: int) -> Money:
        """Expected cost of putting the answers together."""
        assert writer.price is not None
        answer = expected + _LABEL_TOKENS
        joins = _joins(division.parts, max(2, division.joint_tokens // answer))
        # Each answer is read once, and each that was put together once more.
        read = (division.parts + joins - 1) * answer + joins * self.reading.overhead
        return writer.price.expected(self._counted(writer, math.ceil(read / joins)), self.expected) * joins

    def _joined_at_most(self, writer: Model, division: Division) -> Money:
        assert writer.price is not None
        answers = min(division.joint_tokens, division.parts * (division.part_output + _LABEL_TOKENS))
        output = min(self.asked, writer.max_output or self.asked)
        return writer.price.ceiling(self._bound(writer, answers + self.reading.overhead), output) * division.joins

    def _candidate(self, reader: Candidate, writer: Candidate, division: Division) -> Candidate:
        """The reader as it bears on the whole of it."""
        return replace(
            reader,
            success_probability=min(reader.success_probability, writer.success_probability),
            estimated_cost=division.cost,
            cost_ceiling=division.ceiling,
            estimated_latency_s=reader.estimated_latency_s * math.ceil(division.parts / AT_ONCE)
            + writer.estimated_latency_s,
            max_tokens=division.part_output,
            excluded_by=None,
            excluded=None,
        )

    def _in_budget(self, candidate: Candidate) -> Candidate:
        standing, most = self.circumstances.of(candidate.model), candidate.cost_ceiling
        if standing.room is None:
            return candidate
        if most is None:
            said = f"its price is not known under {cap_name(standing.room_scope)}"
            return replace(candidate, excluded_by=Exclusion.UNPRICED, excluded=said)
        if most <= standing.room:
            return candidate
        of_request = standing.room_scope == "request"
        cap = "this request may cost" if of_request else f"{cap_name(standing.room_scope)} has"
        said = f"could cost {most} in parts, {cap} {standing.room}{'' if of_request else ' left'}"
        out = Exclusion.OVER_MAX_COST if of_request else Exclusion.OVER_BUDGET
        return replace(candidate, excluded_by=out, excluded=said)


def _of_a_part(circumstances: Circumstances) -> Circumstances:
    plain = {name: replace(one, more_input=0, more_bound=0) for name, one in circumstances.standings.items()}
    return replace(circumstances, standings=plain)


def _thinks(model: Model) -> bool:
    """What it thinks counts as output, so that less of that leaves no answer."""
    return Ability.THINKING in model.abilities


def _joins(parts: int, at_once: int) -> int:
    """How often answers are put together until there is one, `at_once` of them each time."""
    joins = 0
    while parts > 1:
        parts = math.ceil(parts / at_once)
        joins += parts
    return joins
