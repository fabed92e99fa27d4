"""A circuit per model: open after repeated failures, half-open after a cooldown, closed by a success.

Passive: it learns from real calls, and from lists that were read anyway, since a billed probe is a bill. Times are of
the monotonic clock.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum

from .decision import Exclusion
from .errors import ErrorKind, TurnError

FAILURES_TO_OPEN = 3
COOLDOWN_S = 30.0
LONGEST_COOLDOWN_S = 600.0
KEY_COOLDOWN_S = 120.0
UNREACHED = 2
"""Calls in a row without a connection: the model is then called unreachable, and is out when the circuit opens."""
RECENT = 10
DEGRADED_SHARE = 0.3

_USER_MUST_MEND = frozenset({ErrorKind.PERMISSION, ErrorKind.NOT_FOUND})
# What says something of the request, not of the model's health.
_NOT_ITS_FAULT = frozenset(
    {
        ErrorKind.CONTEXT_WINDOW,
        ErrorKind.CONTENT_FILTER,
        ErrorKind.BAD_REQUEST,
        ErrorKind.BUDGET_EXCEEDED,
        ErrorKind.CANCELLED,
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


@dataclass(slots=True)
class _Circuit:
    failures: int = 0
    """In a row."""
    opened: int = 0
    """How often in a row, for the doubling cooldown."""
    until: float = 0.0
    why: str = ""
    state: HealthState = HealthState.AVAILABLE
    probing: bool = False
    unreached: int = 0
    """Calls in a row that found nobody there."""
    recent: deque[bool] = field(default_factory=lambda: deque(maxlen=RECENT))


_AVAILABLE, _UNUSED = Health(HealthState.AVAILABLE), _Circuit()


class Circuits:
    """The health of every model and key this process has used. Not thread-safe: it lives on the event loop."""

    def __init__(self) -> None:
        self._circuits: dict[str, _Circuit] = {}

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
        if circuit.probing:
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

    def unreachable(self, provider: str, why: str, now: float, cooldown_s: float = COOLDOWN_S) -> None:
        """Nobody was there to read its list from: all its models are called unreachable until one answers or the list
        can be read, and are out for `cooldown_s`. `why` is a clean sentence."""
        self._circuits[_server_of(provider)] = _Circuit(until=now + cooldown_s, why=why)

    def begin(self, model_id: str) -> None:
        """A call starts: through a half-open circuit only this one goes until it ends."""
        circuit = self._circuits.get(model_id)
        if circuit is not None and circuit.opened:
            circuit.probing = True

    def succeeded(self, model_id: str, provider: str) -> None:
        self._circuits.pop(_key_of(provider), None)
        self.reached(provider)
        circuit = self._circuits.setdefault(model_id, _Circuit())
        circuit.recent.append(True)
        circuit.failures = circuit.opened = circuit.unreached = 0
        circuit.probing = False
        circuit.until = 0.0

    def stopped(self, model_id: str) -> None:
        """A call ended without telling anything of the model's health: cancelled, or the request's own fault."""
        if (circuit := self._circuits.get(model_id)) is not None:
            circuit.probing = False

    def failed(self, model_id: str, provider: str, error: TurnError, now: float) -> None:
        if error.status is not None:
            self.reached(provider)
        if error.kind in _NOT_ITS_FAULT:
            self.stopped(model_id)
            return
        if error.kind is ErrorKind.AUTHENTICATION:
            # The key is out, and with it all its models; of this one nothing was learned.
            self._open(self._circuits.setdefault(_key_of(provider), _Circuit()), error, now, KEY_COOLDOWN_S)
            self.stopped(model_id)
            return
        circuit = self._circuits.setdefault(model_id, _Circuit())
        circuit.recent.append(False)
        circuit.failures += 1
        circuit.unreached = circuit.unreached + 1 if error.kind is ErrorKind.CONNECTION else 0
        again = circuit.probing
        circuit.probing = False
        if error.kind is ErrorKind.RATE_LIMITED:
            # The provider said when; without a word from it the circuit counts like any other failure.
            if error.retry_after_s is not None:
                self._open(circuit, error, now, min(error.retry_after_s, LONGEST_COOLDOWN_S))
                return
        elif error.kind in _USER_MUST_MEND:
            self._open(circuit, error, now, LONGEST_COOLDOWN_S, HealthState.UNREACHABLE)
            return
        if again or circuit.failures >= FAILURES_TO_OPEN:
            circuit.opened += 1
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
            circuit.why = error.kind.value.replace("_", " ") if error.status is None else f"{error.status}"

    def forget(self) -> None:
        """Everything is tried afresh, as after a refresh that the user asked for."""
        self._circuits.clear()


def _server_of(provider: str) -> str:
    return f"server of {provider}"


def _key_of(provider: str) -> str:
    return f"key of {provider}"
