"""A circuit per model: open after repeated failures, half-open after a cooldown, closed by a success. The cooldown
doubles from trial to trial, unless to try costs nothing.

Passive: it learns from real calls, from what other copies of the program saw of theirs, and from lists that were read
anyway, since a billed probe is a bill. Times are of the monotonic clock.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from .decision import Exclusion
from .errors import BeingTried, ErrorKind, OutOfTime, TurnError
from .text import spoken

FAILURES_TO_OPEN = 3
COOLDOWN_S = 30.0
LONGEST_COOLDOWN_S = 600.0
KEY_COOLDOWN_S = 120.0
UNREACHED = 2
"""Calls in a row without a connection: the model is then called unreachable, and is out when the circuit opens."""
SILENT = "the server does not answer"
RECENT = 10
DEGRADED_SHARE = 0.3

_SAID_AT_ONCE = frozenset({ErrorKind.OVERLOADED, ErrorKind.SERVER, ErrorKind.RATE_LIMITED})
"""A trial that ends so costs neither time nor money, so that the next one need not be put off for longer."""
_ANSWERED = frozenset({ErrorKind.OVERLOADED, ErrorKind.SERVER, ErrorKind.STREAM_BROKEN})
"""Somebody was there, also where no status is told."""
_USER_MUST_MEND = frozenset({ErrorKind.PERMISSION, ErrorKind.NOT_FOUND})
# What says something of the request, not of the model's health.
_NOT_ITS_FAULT = frozenset(
    {
        ErrorKind.CONTEXT_WINDOW,
        ErrorKind.CONTENT_FILTER,
        ErrorKind.BAD_REQUEST,
        ErrorKind.BUDGET_EXCEEDED,
        ErrorKind.CANCELLED,
        ErrorKind.UNRECORDED,
        ErrorKind.INTERNAL,
    }
)


class HealthState(StrEnum):
    AVAILABLE = "available"
    DEGRADED = "degraded"
    COOLING_DOWN = "cooling_down"
    UNAUTHORISED = "unauthorised"
    UNREACHABLE = "unreachable"
    DISABLED = "disabled"


FOR_THE_USER = frozenset({HealthState.UNAUTHORISED, HealthState.DISABLED})
"""To wait does not help."""


@dataclass(frozen=True, slots=True)
class Health:
    state: HealthState
    detail: str = ""
    seconds_left: float | None = None
    """Until it is tried again; None where only the user can mend it, where it may be called, or nothing is wrong."""

    @property
    def out(self) -> tuple[Exclusion, str] | None:
        """Why it may not be called now, for a candidate; None when it may."""
        if self.state is HealthState.AVAILABLE:
            return None
        left = "" if self.seconds_left is None else f", tried again in {self.seconds_left:.0f} s"
        match self.state:
            case HealthState.COOLING_DOWN:
                return Exclusion.COOLING_DOWN, f"cooling down after {self.detail}{left}"
            case HealthState.UNAUTHORISED:
                return Exclusion.UNHEALTHY, f"the key was not accepted{left}"
            case HealthState.UNREACHABLE if self.seconds_left is not None:
                return Exclusion.UNHEALTHY, f"{self.detail}{left}"
            case HealthState.DISABLED:
                return Exclusion.DISABLED, self.detail or "disabled"
            case _:
                return None


@dataclass(frozen=True, slots=True)
class SharedCircuit:
    """One circuit, as one copy of the program tells it to another."""

    name: str
    """A model's id, or of a key: whose it is, told by `provider`."""
    provider: str
    failures: int = 0
    """In a row. None at all, and never opened: it is closed."""
    opened: int = 0
    unreached: int = 0
    seconds: float = 0.0
    """Until it may be tried."""
    state: HealthState = HealthState.AVAILABLE
    why: str = ""
    tried: bool = False
    """It is being tried just now: as heard by another copy, as told by the one that tells it."""

    @property
    def closed(self) -> bool:
        return not (self.failures or self.opened or self.seconds > 0)


@dataclass(frozen=True, slots=True)
class Begun:
    """A call, from its beginning to its end."""

    number: int
    """Over all models: the later it began, the higher."""
    trial: bool
    """Of a half-open circuit. Only this one's end decides on that."""


@dataclass(slots=True)
class _Circuit:
    failures: int = 0
    """In a row."""
    opened: int = 0
    """How often in a row; one that failed at once does not count further, for the cooldown doubles with it."""
    until: float = 0.0
    why: str = ""
    state: HealthState = HealthState.AVAILABLE
    trial: Begun | None = None
    """Of this copy, under way."""
    begun: int = 0
    """The last call that had begun when it opened."""
    tried_elsewhere: bool = False
    """By another copy of the program."""
    unreached: int = 0
    """Calls in a row that found nobody there."""
    recent: deque[bool] = field(default_factory=lambda: deque(maxlen=RECENT))

    def close(self) -> None:
        self.failures = self.opened = self.unreached = 0
        self.trial, self.tried_elsewhere = None, False
        self.until = 0.0


_AVAILABLE, _UNUSED = Health(HealthState.AVAILABLE), _Circuit()


class Circuits:
    """The health of every model and key this process has used, or has heard of. Not thread-safe: it lives on the event
    loop."""

    def __init__(self) -> None:
        self._circuits: dict[str, _Circuit] = {}
        self._providers: dict[str, str] = {}
        """Of each circuit that other copies of the program are told of."""
        self._untold: set[str] = set()
        self._unanswered: Counter[str] = Counter()
        """Calls in a row, of all models of a provider, that found nobody there."""
        self._begun = 0

    @property
    def heard_of_any(self) -> bool:
        """Where not, every model is available."""
        return bool(self._circuits)

    def health(self, model_id: str, provider: str, now: float) -> Health:
        if not self._circuits:
            return _AVAILABLE
        key = self._circuits.get(_key_of(provider))
        if key is not None and now < key.until:
            return Health(HealthState.UNAUTHORISED, key.why, key.until - now)
        server = self._circuits.get(_server_of(provider))
        if server is not None and now < server.until:
            return Health(HealthState.UNREACHABLE, server.why, server.until - now)
        circuit = self._circuits.get(model_id, _UNUSED)
        if now < circuit.until:
            return Health(circuit.state, circuit.why, circuit.until - now)
        if circuit.trial is not None or circuit.tried_elsewhere:
            return Health(HealthState.COOLING_DOWN, f"{circuit.why}; one call is trying it")
        if server is not None:
            return Health(HealthState.UNREACHABLE, server.why)
        if circuit.unreached >= UNREACHED:
            return Health(HealthState.UNREACHABLE, f"the last {circuit.unreached} calls could not reach it")
        failed = circuit.recent.count(False)
        if circuit.recent and failed / len(circuit.recent) >= DEGRADED_SHARE:
            return Health(HealthState.DEGRADED, f"{failed} of the last {len(circuit.recent)} calls failed")
        return _AVAILABLE

    def reached(self, provider: str) -> None:
        """The provider's server answered, whatever it said."""
        self._circuits.pop(_server_of(provider), None)
        self._unanswered.pop(provider, None)

    def unreachable(self, provider: str, why: str, now: float, cooldown_s: float = COOLDOWN_S) -> None:
        """Nobody was there to read its list from: all its models are called unreachable until one answers or the list
        can be read, and are out for `cooldown_s`. `why` is a clean sentence."""
        self._circuits[_server_of(provider)] = _Circuit(until=now + cooldown_s, why=why, begun=self._begun)

    def _found_nobody(self, provider: str, now: float, call: Begun) -> None:
        server = self._circuits.get(_server_of(provider))
        if server is not None and (now < server.until or call.number <= server.begun):
            return  # it says what is known already
        self._unanswered[provider] += 1
        if server is not None or self._unanswered[provider] >= FAILURES_TO_OPEN:
            opened = 1 if server is None else server.opened + 1
            self.unreachable(provider, SILENT, now, min(COOLDOWN_S * 2 ** (opened - 1), LONGEST_COOLDOWN_S))
            self._circuits[_server_of(provider)].opened = opened

    def begin(self, model_id: str) -> Begun:
        """A call starts; where it tries a half-open circuit, of all the calls of this process it alone does until it
        ends. Raises BeingTried where another one does. To be given to what tells of its end."""
        circuit = self._circuits.get(model_id)
        if circuit is not None and circuit.trial is not None:
            raise BeingTried
        self._begun += 1
        call = Begun(self._begun, trial=circuit is not None and circuit.opened > 0)
        if circuit is not None and call.trial:
            circuit.trial = call
        return call

    def tried_elsewhere(self, model_id: str) -> None:
        """Another copy of the program was quicker: this call ends as if it had not begun."""
        if (circuit := self._circuits.get(model_id)) is not None:
            circuit.trial, circuit.tried_elsewhere = None, True

    def succeeded(self, model_id: str, provider: str) -> None:
        """Also of a call that began before the circuit opened: its answer came whole after that."""
        if self._circuits.pop(_key_of(provider), None) is not None:
            self._note(_key_of(provider), provider)
        self.reached(provider)
        circuit = self._circuits.setdefault(model_id, _Circuit())
        circuit.recent.append(True)
        if circuit.failures or circuit.opened:
            self._note(model_id, provider)
        circuit.close()

    def stopped(self, model_id: str, provider: str, call: Begun) -> None:
        """A call ended without telling anything of the model's health: cancelled, or the request's own fault."""
        circuit = self._circuits.get(model_id)
        if circuit is not None and circuit.trial == call:
            circuit.trial = None
            self._note(model_id, provider)

    def failed(self, model_id: str, provider: str, error: TurnError, now: float, call: Begun) -> None:
        """Once a circuit is open only its trial keeps it so for longer: calls that were under way say no more than is
        known, unless their provider asks for a longer wait."""
        if error.status is not None or error.kind in _ANSWERED:
            self.reached(provider)
        elif error.kind is ErrorKind.CONNECTION:
            self._found_nobody(provider, now, call)
        if error.kind in _NOT_ITS_FAULT or isinstance(error, OutOfTime):
            self.stopped(model_id, provider, call)
            return
        if error.kind is ErrorKind.AUTHENTICATION:
            # The key is out, and with it all its models; of this one nothing was learned.
            self._open(self._circuits.setdefault(_key_of(provider), _Circuit()), error, now, KEY_COOLDOWN_S)
            self._note(_key_of(provider), provider)
            self.stopped(model_id, provider, call)
            return
        circuit = self._circuits.setdefault(model_id, _Circuit())
        self._note(model_id, provider)
        circuit.recent.append(False)
        circuit.failures += 1
        circuit.unreached = circuit.unreached + 1 if error.kind is ErrorKind.CONNECTION else 0
        again = circuit.trial == call
        if again:
            circuit.trial = None
        if error.kind is ErrorKind.RATE_LIMITED:
            # The provider said when; without a word from it the circuit counts like any other failure.
            if error.retry_after_s is not None:
                self._open(circuit, error, now, min(error.retry_after_s, LONGEST_COOLDOWN_S))
                return
        elif error.kind in _USER_MUST_MEND:
            self._open(circuit, error, now, LONGEST_COOLDOWN_S, HealthState.UNREACHABLE)
            return
        if again or (circuit.failures >= FAILURES_TO_OPEN and not circuit.opened):
            circuit.opened = max(1, circuit.opened) if error.kind in _SAID_AT_ONCE else circuit.opened + 1
            unreachable = error.kind is ErrorKind.CONNECTION
            state = HealthState.UNREACHABLE if unreachable else HealthState.COOLING_DOWN
            cooldown = min(COOLDOWN_S * 2 ** (circuit.opened - 1), LONGEST_COOLDOWN_S)
            self._open(circuit, error, now, cooldown, state)

    @staticmethod
    def _open(
        circuit: _Circuit,
        error: TurnError,
        now: float,
        seconds: float,
        state: HealthState = HealthState.COOLING_DOWN,
    ) -> None:
        # A shorter cooldown never overwrites a longer one.
        if now + seconds > circuit.until:
            circuit.until = now + seconds
            circuit.state = state
            circuit.why = spoken(error.kind) if error.status is None else f"{error.status}"

    def forget(self) -> None:
        """Everything is tried afresh, as after a refresh that the user asked for."""
        self._circuits.clear()
        self._unanswered.clear()
        self._untold.clear()

    # Between copies of the program

    def _note(self, name: str, provider: str) -> None:
        self._providers[name] = provider
        self._untold.add(name)

    def untold(self, now: float) -> list[SharedCircuit]:
        """What the others do not know yet. `told` once they do."""
        return [self.as_told(name, now) for name in sorted(self._untold)]

    def told(self, circuits: Sequence[SharedCircuit]) -> None:
        """What changed while it was being told is still untold."""
        for circuit in circuits:
            if replace(self.as_told(circuit.name, 0.0), seconds=0.0) == replace(circuit, seconds=0.0):
                self._untold.discard(circuit.name)

    def as_told(self, name: str, now: float) -> SharedCircuit:
        one = self._circuits.get(name, _UNUSED)
        left = max(0.0, one.until - now)
        provider = self._providers[name]
        known = one.failures, one.opened, one.unreached, left, one.state, one.why
        return SharedCircuit(name, provider, *known, tried=one.trial is not None)

    def hear(self, circuits: Sequence[SharedCircuit], now: float) -> None:
        """How they stand for all copies: those that are not among them are closed."""
        heard = {circuit.name: circuit for circuit in circuits}
        for name in {*heard, *self._providers} - self._untold:
            circuit = self._circuits.get(name)
            if circuit is not None and circuit.trial is not None:
                continue  # this copy knows best
            if name in heard:
                self._providers[name] = heard[name].provider
                self._take_over(self._circuits.setdefault(name, _Circuit()), heard[name], now)
            elif circuit is not None:
                circuit.close()

    @staticmethod
    def _take_over(circuit: _Circuit, heard: SharedCircuit, now: float) -> None:
        circuit.failures, circuit.opened, circuit.unreached = heard.failures, heard.opened, heard.unreached
        circuit.state, circuit.why, circuit.tried_elsewhere = heard.state, heard.why, heard.tried
        circuit.until = now + heard.seconds if heard.seconds > 0 else 0.0


def _server_of(provider: str) -> str:
    return f"server of {provider}"


def _key_of(provider: str) -> str:
    return f"key of {provider}"
