"""Whatever a call is made for, its money is set aside first: where another copy of the program took what was left a
moment before, it is not made."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui_orchestrator.demo import Reply, Say, Script, Servers
from tui_orchestrator.routing.budget import Budgets, Cap, Hold, Refusal, Reservation
from tui_orchestrator.routing.decision import Policy, Retries
from tui_orchestrator.routing.events import AttemptStarted, Cause, Event
from tui_orchestrator.routing.money import ZERO, Money
from tui_orchestrator.routing.ports import Ledger
from tui_orchestrator.routing.request import Check, Request, Strategy
from tui_orchestrator.services.runtime import Runtime

from .conftest import ask, events_of, running
from .grammar import check
from .reading import only

DASH, PRO = "demo-gemini/lumen-dash", "demo-openai/rush-pro"
DAILY = Money.from_usd("5")
DOUBT = Say(text="I'm not sure. I might be wrong, perhaps it could be this, I don't really know, maybe. " * 5)
FINE = Script()
FAILING = Script().always(Reply(500), "lumen-dash")
GONE = Script().always(Reply(404), "lumen-dash")
WEAK = Script().always(DOUBT, "lumen-dash")

CASES: dict[Cause, tuple[Script, Request]] = {
    Cause.FIRST: (FINE, ask(model=DASH)),
    Cause.RETRY: (FAILING, ask(model=DASH)),
    Cause.FALLBACK: (GONE, ask(chain=(DASH, PRO))),
    Cause.ESCALATION: (WEAK, ask(chain=(DASH, PRO), check=Check.OFF)),
    Cause.ENSEMBLE: (FINE, ask(strategy=Strategy.ENSEMBLE, ensemble_size=2, chain=(DASH, PRO))),
    Cause.SAMPLE: (FINE, ask(model=DASH, self_consistency=2, temperature=0.7)),
    Cause.SECOND_OPINION: (FINE, ask(chain=(DASH, PRO), check=Check.SECOND_ANSWER)),
    Cause.JUDGE: (FINE, ask(chain=(DASH, PRO), check=Check.JUDGE)),
}


class OneStepBehind:
    """The ledger, where somebody else takes all the room, but for what is spared, just before a call of one cause asks
    for it."""

    def __init__(self, ledger: Ledger, servers: Servers, cause: Cause | None, spared: Money = ZERO) -> None:
        self._ledger = ledger
        self._servers = servers
        self._cause = cause
        self._spared = spared
        self.held: set[int] = set()
        """The attempts whose money was set aside."""
        self.sent_before: list[int] = []
        """How many calls had reached the servers when each was said to go out."""

    def __getattr__(self, name: str) -> object:
        return getattr(self._ledger, name)

    def note_sent(self) -> None:
        self.sent_before.append(sum(exchange.method == "POST" for exchange in self._servers.exchanges))

    async def reserve(self, hold: Hold) -> Reservation | Refusal:
        assert hold.lost is not None
        if hold.lost.cause == self._cause:
            day = next(cap for cap in hold.caps if cap.scope == "day")
            (state,) = await self._ledger.budgets([Cap("day", day.period, DAILY)])
            taken = max(ZERO, (state.left or ZERO) - self._spared)
            await self._ledger.reserve(Hold("other", 1, "p", "m", taken, (state.cap,)))
        given = await self._ledger.reserve(hold)
        if isinstance(given, Reservation):
            self.held.add(hold.attempt)
            if hold.at_once:
                self.note_sent()
        return given

    async def sent(self, reservation: Reservation) -> None:
        self.note_sent()
        await self._ledger.sent(reservation)


async def causes_of(path: Path, cause: Cause, taken: Cause | None) -> set[Cause]:
    script, request = CASES[cause]
    policy = Policy(retries=Retries(base=0, per_model=1), max_attempts=3)
    async with running(path, script, policy=policy, budgets=Budgets(daily=DAILY)) as (runtime, servers):
        ledger = OneStepBehind(runtime.router.caller.ledger, servers, taken)
        runtime.router.caller.ledger = ledger  # type: ignore[assignment]
        events = await _checked(runtime, request)
        started = only(events, AttemptStarted)
        assert {event.attempt for event in started} == ledger.held, "nothing starts without its money set aside"
        assert len(ledger.sent_before) == len(started)
        assert all(reached <= place for place, reached in enumerate(ledger.sent_before)), "said before it went out"
        (day,) = await runtime.router.caller.ledger.budgets([Cap("day", runtime.clock.today().isoformat(), DAILY)])
        assert day.spent + day.reserved <= DAILY
    return {event.cause for event in started}


async def _checked(runtime: Runtime, request: Request) -> list[Event]:
    events = await events_of(runtime, request)
    check(events)
    return events


# Parts of a prompt, whose money is set aside for all at once: test_parted.
@pytest.mark.parametrize("cause", [cause for cause in Cause if cause not in (Cause.SYNTHESIS, Cause.PART)])
async def test_a_call_of_any_cause_is_not_made_when_its_money_is_gone(tmp_path: Path, cause: Cause) -> None:
    assert cause in await causes_of(tmp_path / "free.db", cause, None), "with room there is such a call"
    assert cause not in await causes_of(tmp_path / "tight.db", cause, cause)
