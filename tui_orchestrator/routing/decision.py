"""Why these models in this order: the candidates, the decision, and all that it rested on.

A decision holds no clock and no network: weighed again from what is stored in it, it comes out the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from .budget import REFUSE, WaysOut
from .experiment import Assignment
from .money import Money
from .profile import Profile, TaskType
from .request import Check, Method, Strategy


@dataclass(frozen=True, slots=True)
class Leanings:
    """What a preference of the user's adds to a score, where it is set; on the scale of a success probability."""

    open_weights: float = 0.1
    local: float = 0.1
    default_model: float = 0.15


@dataclass(frozen=True, slots=True)
class Votes:
    """How many votes of the user it takes to outweigh what `preference` supposed before them."""

    estimate: float = 5.0
    """What the estimate counts for, against the votes on a model over all task types."""
    task: float = 1.6
    """What those two together count for, against the votes on it for this task type."""


@dataclass(frozen=True, slots=True)
class Diversity:
    """Of an ensemble's members: what their cost weighs, and what is taken from one whose kin is there already, for each
    of its kin."""

    cost: float = 0.15
    same_family: float = 0.15
    same_provider: float = 0.05


@dataclass(frozen=True, slots=True)
class Weights:
    """What counts in `balanced`, in the part of `local_first` that goes to the cloud, and in what `preference` supposes
    before there are votes; then what counts in one strategy alone."""

    quality: float = 1.0
    """Times the success probability."""
    cost: float = 0.4
    """Times a scale from 0 for free to 1 for a dollar."""
    latency: float = 0.15
    """Times a scale from 0 for at once to 1 for a minute."""
    leanings: Leanings = Leanings()
    votes: Votes = Votes()
    diversity: Diversity = Diversity()


@dataclass(frozen=True, slots=True)
class Retries:
    """Seconds; full jitter over base × 2ⁿ, at most `cap`. A longer Retry-After than `retry_after_cap` is not waited
    for: the next model is tried instead."""

    base: float = 0.5
    cap: float = 8.0
    retry_after_cap: float = 20.0
    per_model: int = 1
    """How often the same model is tried again after a failure that may pass."""
    patience: float = 1.0
    """A wait longer than this goes to the next model instead, where there is one."""
    past_filters: bool = True
    """A prompt that a content filter refuses goes to the next model."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The user's [router] settings, as far as they bear on a decision or a walk."""

    strategy: Strategy = Strategy.BALANCED
    quality_threshold: float = 0.8
    confidence_threshold: float = 0.6
    max_attempts: int = 3
    """Of a turn; what is called only to check an answer is not counted."""
    check: Check = Check.AUTO
    self_consistency: int = 0
    """Further samples of the same model that each answer is compared with."""
    verdict: Method = Method.WEIGHTED
    """How an ensemble's answers come to one."""
    prefer_local: bool = False
    prefer_opensource: bool = False
    local_max_complexity: int = 3
    max_tokens: int = 4096
    """Default for a request that names none."""
    weights: Weights = Weights()
    discrimination: float = 8.0
    """Slope of success probability over (ability − difficulty)."""
    exploration: float = 0.03
    """Largest share of `preference` turns that try a model other than the favourite."""
    max_wait_s: float = 30.0
    """A candidate rate-limited for longer is out."""
    on_exhausted: WaysOut = REFUSE
    retries: Retries = Retries()
    lean_to: str | None = None
    """A model's id or bare name, or a provider's name, that wins when it is nearly as good; never pinned."""
    baseline_model: str | None = None
    """Savings are told against it; None: the dearest model of the registry."""


class Exclusion(StrEnum):
    """Why a candidate is out."""

    DISABLED = "disabled"
    NO_KEY = "no_key"
    UNHEALTHY = "unhealthy"
    COOLING_DOWN = "cooling_down"
    CONTEXT_WINDOW = "context_window"
    MISSING_ABILITY = "missing_ability"
    OVER_BUDGET = "over_budget"
    OVER_MAX_COST = "over_max_cost"
    UNPRICED = "unpriced"
    RATE_LIMITED = "rate_limited"
    NOT_IN_CHAIN = "not_in_chain"
    RULE_IN_DOUBT = "rule_in_doubt"


MONEY_SAYS_NO = frozenset({Exclusion.OVER_BUDGET, Exclusion.OVER_MAX_COST})


@dataclass(slots=True)
class Standing:
    """How one model stands at this moment for this kind of task: what the decision needs of the live world. Not frozen
    for the reason that a Candidate is not."""

    out: tuple[Exclusion, str] | None = None
    """Kind and sentence, when it cannot be used whatever the prompt is."""
    wait_s: float = 0.0
    """How long its rate limit would keep a call waiting."""
    ability_shift: float = 0.0
    """Learned from this user, added to the model's ability for this task type."""
    first_token_s: float | None = None
    """Learned; None: the model's prior."""
    tokens_per_s: float | None = None
    wins: float = 0.0
    """This user's votes and choices for it on this task type, decayed."""
    losses: float = 0.0
    wins_overall: float = 0.0
    """The same over all task types, this one included."""
    losses_overall: float = 0.0
    cached_input: int = 0
    """Input tokens of this conversation that it can be expected to read from its cache: what it read there lately."""
    more_input: int = 0
    """Tokens it is likely to count beside the profile's estimate, learned from its reports; negative for fewer."""
    more_bound: int = 0
    """Tokens by which its input may pass the usual bound of that estimate."""
    room: Money | None = None
    """The least left among the budgets a call to it falls under; None without a cap."""
    room_scope: str = ""
    """Which budget that is: 'day', 'month provider:openai', 'request' …"""


@dataclass(slots=True)
class Candidate:
    """One model weighed for one request. A value like the others here; it is not frozen only because a frozen one takes
    ten times as long to make, and each keystroke makes one of every model."""

    model: str
    provider: str
    local: bool
    success_probability: float
    estimated_cost: Money | None
    """Expected: input estimate and expected output at list price; None: no price known."""
    cost_ceiling: Money | None
    """The most one attempt can cost, with all of max_tokens: what would be reserved."""
    estimated_latency_s: float
    score: float
    """Comparable within one decision only; higher is better."""
    max_tokens: int
    """Most output tokens an attempt may use; less than asked for where a budget is tight."""
    input_tokens: int | None = None
    """The estimated input as this model counts it; None where a decision did not yet keep it."""
    excluded_by: Exclusion | None = None
    excluded: str | None = None
    """Why it is out, in words; None for one that is in."""
    fewer: str = ""
    """Why `max_tokens` is less than what was asked for: 'could cost $0.02, the day's cap has $0.003 left'."""
    family: str = ""
    open_weights: bool = False
    ability_shift: float = 0.0
    """Learned from this user; it is part of `success_probability`."""
    wins: float = 0.0
    losses: float = 0.0
    wins_overall: float = 0.0
    losses_overall: float = 0.0

    def scored(self, score: float) -> Candidate:
        """The same with this score. Several times as fast as `replace`, and by position than by name."""
        return Candidate(
            self.model,
            self.provider,
            self.local,
            self.success_probability,
            self.estimated_cost,
            self.cost_ceiling,
            self.estimated_latency_s,
            score,
            self.max_tokens,
            self.input_tokens,
            self.excluded_by,
            self.excluded,
            self.fewer,
            self.family,
            self.open_weights,
            self.ability_shift,
            self.wins,
            self.losses,
            self.wins_overall,
            self.losses_overall,
        )


@dataclass(frozen=True, slots=True)
class Asked:
    """What a decision was to go by: with it and the candidates the same choice comes out again."""

    policy: Policy = Policy()
    chain: tuple[str, ...] = ()
    """Model ids that the user or a rule named; empty: none."""
    size: int = 3
    """Of an ensemble."""
    model: str | None = None
    """The pinned one."""
    because: str = ""
    """What a rule or an experiment had to say, put before the reason."""
    backed: bool = False
    """Where the pinned model fails, others take over."""
    goes_on: bool = False
    """An answer is continued, by the pinned model or by the chain: first the model that gave its end."""

    def unpinned(self) -> Asked:
        """As if no model had been pinned."""
        return replace(self, model=None, goes_on=self.goes_on and bool(self.chain))


@dataclass(frozen=True, slots=True)
class Division:
    """How a prompt that no model can read whole is answered in parts."""

    parts: int
    part_tokens: int
    """Each part at most, as estimated before any model counts."""
    part_output: int
    """Most output tokens of the answer to a part."""
    reader: str
    """The model that is asked of each part."""
    writer: str
    """The model that puts the parts' answers together."""
    joint_tokens: int
    """Of the parts' answers what the writer can read at once."""
    joins: int
    """How often it writes, at most: more than once where it cannot read all the answers at once."""
    cost: Money | None
    """Expected; None: a price is not known."""
    ceiling: Money | None
    """The most that all of it can cost, each part asked once."""

    pinned: bool = False
    """The reader's context alone is too short: no other model may be asked."""

    @property
    def in_words(self) -> str:
        """'longer than any model's context: 4 parts with b/cheap, then put together by b/dear: about $0.02, at most
        $0.05'."""
        cost = "at unknown cost" if self.cost is None else f"about {self.cost}, at most {self.ceiling}"
        whose = f"{self.reader}'s" if self.pinned else "any model's"
        parts = f"{self.parts} parts with {self.reader}, then put together by {self.writer}"
        return f"longer than {whose} context: {parts}: {cost}"


@dataclass(frozen=True, slots=True)
class Decision:
    request_id: str
    strategy: Strategy
    model: str | None
    """None when every candidate is out; `reason` then says why."""
    reason: str
    """One sentence for people."""
    chain: tuple[str, ...]
    """The models the turn may walk, the chosen one first. For an ensemble: its members, those last that there is no
    money for, whose candidates say so."""
    profile: Profile
    candidates: tuple[Candidate, ...]
    """All that were weighed: those that are in by score, then those that are out."""
    margin: float | None = None
    """Score of the chosen one minus that of the next candidate that is in."""
    pinned: bool = False
    rule: str | None = None
    """Name of the user's rule that decided or narrowed the choice."""
    explored: bool = False
    """`preference` chose other than the favourite in order to learn."""
    refused: Exclusion | None = None
    """With `model` None: OVER_BUDGET or OVER_MAX_COST when money alone said no."""
    wished: str | None = None
    """With `refused`: who would have been chosen, were there money for it."""
    seed: int = 0
    """Of the draw that `preference` made."""
    temperature: float | None = None
    max_tokens: int | None = None
    system: str | None = None
    """What a rule or an experiment asks to be sent; None: as the request says."""
    asked: Asked = Asked()
    experiment: Assignment | None = None
    """Which of an experiment's ways the turn goes."""
    division: Division | None = None
    """Set where the prompt is too long for every model: then `model` is the one that is asked of its parts, and the
    candidates' figures are those of all parts and of putting them together."""

    @property
    def chosen(self) -> Candidate | None:
        return self.candidate(self.model) if self.model else None

    def candidate(self, model_id: str) -> Candidate | None:
        return next((c for c in self.candidates if c.model == model_id), None)

    @property
    def left_out(self) -> dict[str, str]:
        """Models of the chain that there is no money for, each with the reason: members of an ensemble."""
        found = (self.candidate(model) for model in self.chain)
        return {c.model: c.excluded or "" for c in found if c is not None and c.excluded_by in MONEY_SAYS_NO}

    @property
    def strategy_name(self) -> str:
        """What is told, booked and stored: that an answer was continued goes before the walk that takes."""
        # Looked at under another strategy, it is decided by that one.
        by_itself = self.pinned or self.strategy is Strategy.FALLBACK
        return "continue" if self.asked.goes_on and by_itself else self.strategy.value

    @property
    def task_type(self) -> TaskType:
        return self.profile.task_type


@dataclass(frozen=True, slots=True)
class Circumstances:
    """The live world as a decision sees it."""

    standings: Mapping[str, Standing] = field(default_factory=dict)
    """By model id."""
    others: Standing = field(default_factory=Standing)
    """How all those stand that are not named there."""

    def of(self, model_id: str) -> Standing:
        return self.standings.get(model_id, self.others)
