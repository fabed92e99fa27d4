from __future__ import annotations

from dataclasses import replace

import pytest

from tui_orchestrator.routing.decision import Exclusion
from tui_orchestrator.routing.errors import (
    Authentication,
    BadRequest,
    BeingTried,
    Cancelled,
    Connection,
    ContentFilter,
    ContextWindow,
    NotFound,
    OutOfTime,
    Overloaded,
    Permission,
    RateLimited,
    Server,
    StreamBroken,
    Timeout,
    TurnError,
)
from tui_orchestrator.routing.health import (
    COOLDOWN_S,
    FAILURES_TO_OPEN,
    KEY_COOLDOWN_S,
    LONGEST_COOLDOWN_S,
    Circuits,
    Health,
    HealthState,
    SharedCircuit,
)

MODEL, SIBLING, PROVIDER = "a/x", "a/y", "a"


def fail(circuits: Circuits, error: TurnError, now: float = 0.0, times: int = 1, model: str = MODEL) -> None:
    for _ in range(times):
        circuits.failed(model, PROVIDER, error, now, circuits.begin(model))


def succeed(circuits: Circuits, model: str = MODEL) -> None:
    circuits.begin(model)
    circuits.succeeded(model, PROVIDER)


def out(circuits: Circuits, now: float, model: str = MODEL) -> bool:
    return circuits.health(model, PROVIDER, now).out is not None


def opened(at: float = 0.0) -> Circuits:
    circuits = Circuits()
    fail(circuits, Server(), at, FAILURES_TO_OPEN)
    return circuits


def test_a_model_nobody_called_is_available() -> None:
    assert Circuits().health(MODEL, PROVIDER, 0).state is HealthState.AVAILABLE


@pytest.mark.parametrize("error", [Server(), Overloaded(), Timeout(), StreamBroken(), RateLimited()])
def test_a_circuit_opens_after_three_failures_in_a_row(error: TurnError) -> None:
    circuits = Circuits()
    fail(circuits, error, times=2)
    assert not out(circuits, 0)
    fail(circuits, error)
    health = circuits.health(MODEL, PROVIDER, 10)
    assert health.state is HealthState.COOLING_DOWN
    assert health.seconds_left == COOLDOWN_S - 10
    assert health.out is not None
    assert health.out[0] is Exclusion.COOLING_DOWN
    assert "tried again in 20 s" in health.out[1]


def test_a_server_that_is_not_there_is_called_unreachable() -> None:
    circuits = Circuits()
    fail(circuits, Connection(), times=3)
    assert circuits.health(MODEL, PROVIDER, 1).state is HealthState.UNREACHABLE


def test_a_success_between_failures_starts_the_count_again() -> None:
    circuits = Circuits()
    for _ in range(4):
        fail(circuits, Server(), times=2)
        succeed(circuits)
    assert not out(circuits, 0)
    assert circuits.health(MODEL, PROVIDER, 0).state is HealthState.DEGRADED


def test_a_half_open_circuit_lets_one_through() -> None:
    circuits = opened()
    assert not out(circuits, COOLDOWN_S)
    circuits.begin(MODEL)
    assert out(circuits, COOLDOWN_S)


def test_a_success_closes_the_circuit_whole() -> None:
    circuits = opened()
    succeed(circuits)
    assert not out(circuits, 0)
    fail(circuits, Server(), times=2)
    assert not out(circuits, 0)
    fail(circuits, Server())
    assert circuits.health(MODEL, PROVIDER, 0).seconds_left == COOLDOWN_S


def test_each_failed_trial_doubles_the_cooldown_up_to_a_bound() -> None:
    circuits, now, waits = opened(), COOLDOWN_S, [COOLDOWN_S]
    for _ in range(7):
        fail(circuits, Timeout(), now)
        left = circuits.health(MODEL, PROVIDER, now).seconds_left
        assert left is not None
        waits.append(left)
        now += left
    assert waits == [30, 60, 120, 240, 480, 600, 600, 600]


@pytest.mark.parametrize("error", [Server(status=500), Overloaded(status=503), RateLimited(status=429)], ids=repr)
def test_who_says_at_once_that_it_cannot_is_tried_again_as_soon_each_time(error: TurnError) -> None:
    circuits = opened()
    for now in (30.0, 60.0, 90.0):
        fail(circuits, error, now)
        assert circuits.health(MODEL, PROVIDER, now).seconds_left == COOLDOWN_S
    fail(circuits, Timeout(), 120.0)
    assert circuits.health(MODEL, PROVIDER, 120.0).seconds_left == 2 * COOLDOWN_S


@pytest.mark.parametrize("error", [StreamBroken(), Timeout(), Connection(), Server(), RateLimited()], ids=repr)
@pytest.mark.parametrize("burst", [3, 4, 8, 40])
def test_calls_that_fail_together_leave_it_alone_as_long_as_three_would(error: TurnError, burst: int) -> None:
    circuits = Circuits()
    calls = [circuits.begin(MODEL) for _ in range(burst)]
    for n, call in enumerate(calls):
        circuits.failed(MODEL, PROVIDER, error, n / 10, call)
    opened_at = (FAILURES_TO_OPEN - 1) / 10
    assert out(circuits, opened_at + COOLDOWN_S - 0.01)
    assert not out(circuits, opened_at + COOLDOWN_S)
    assert circuits.begin(MODEL).trial


@pytest.mark.parametrize(
    ("error", "left_s"),
    [
        (Timeout(), 20),
        (Server(status=500), 20),
        (RateLimited(status=429), 20),
        (RateLimited(status=429, retry_after_s=19.0), 20),
        (RateLimited(status=429, retry_after_s=21.0), 21),
        (RateLimited(status=429, retry_after_s=3600.0), LONGEST_COOLDOWN_S),
        (NotFound(status=404), LONGEST_COOLDOWN_S),
        (Cancelled(), 20),
        (BadRequest(status=400), 20),
    ],
    ids=repr,
)
def test_of_what_calls_under_way_end_with_while_it_is_open_a_longer_wait_alone_holds(
    error: TurnError, left_s: float
) -> None:
    circuits = Circuits()
    before = circuits.begin(MODEL)
    fail(circuits, Timeout(), times=FAILURES_TO_OPEN)
    circuits.failed(MODEL, PROVIDER, error, 10.0, before)
    assert circuits.health(MODEL, PROVIDER, 10.0).seconds_left == left_s


@pytest.mark.parametrize("error", [Timeout(), Server(status=500), Cancelled()], ids=repr)
def test_who_began_before_it_opened_does_not_end_the_trial(error: TurnError) -> None:
    circuits = Circuits()
    first, second = circuits.begin(MODEL), circuits.begin(MODEL)
    fail(circuits, Timeout(), times=FAILURES_TO_OPEN)
    circuits.failed(MODEL, PROVIDER, error, COOLDOWN_S, first)
    assert not out(circuits, COOLDOWN_S), "it is still to be tried"
    trial = circuits.begin(MODEL)
    circuits.failed(MODEL, PROVIDER, error, COOLDOWN_S, second)
    assert circuits.health(MODEL, PROVIDER, COOLDOWN_S).detail.endswith("; one call is trying it")
    with pytest.raises(BeingTried):
        circuits.begin(MODEL)
    circuits.failed(MODEL, PROVIDER, Timeout(), 40.0, trial)
    assert circuits.health(MODEL, PROVIDER, 40.0).seconds_left == 2 * COOLDOWN_S


def test_a_whole_answer_of_who_began_before_it_opened_closes_it() -> None:
    circuits = Circuits()
    calls = [circuits.begin(MODEL) for _ in range(9)]
    for call in calls[:4]:
        circuits.failed(MODEL, PROVIDER, StreamBroken(), 0.0, call)
    assert out(circuits, 0.0)
    circuits.succeeded(MODEL, PROVIDER)
    assert not out(circuits, 0.0)
    for call in calls[5:8]:
        assert not out(circuits, 0.0)
        circuits.failed(MODEL, PROVIDER, StreamBroken(), 0.0, call)
    assert circuits.health(MODEL, PROVIDER, 0.0).seconds_left == COOLDOWN_S


def test_a_trial_that_fails_after_another_call_closed_the_circuit_is_one_failure() -> None:
    circuits = opened()
    trial = circuits.begin(MODEL)
    circuits.succeeded(MODEL, PROVIDER)
    circuits.failed(MODEL, PROVIDER, Timeout(), COOLDOWN_S, trial)
    assert not out(circuits, COOLDOWN_S)
    fail(circuits, Timeout(), COOLDOWN_S, times=2)
    assert circuits.health(MODEL, PROVIDER, COOLDOWN_S).seconds_left == COOLDOWN_S


def test_calls_that_found_nobody_together_are_not_taken_for_trials_of_their_server() -> None:
    circuits = Circuits()
    early = [circuits.begin(MODEL) for _ in range(3 * FAILURES_TO_OPEN)]
    for call in early[:FAILURES_TO_OPEN]:
        circuits.failed(MODEL, PROVIDER, Connection(), 0.0, call)
    assert out(circuits, COOLDOWN_S - 1, SIBLING)
    for call in early[FAILURES_TO_OPEN:]:
        circuits.failed(MODEL, PROVIDER, Connection(), COOLDOWN_S, call)
    assert not out(circuits, COOLDOWN_S, SIBLING), "one that begins now tries it"
    fail(circuits, Connection(), COOLDOWN_S, model=SIBLING)
    assert circuits.health("a/z", PROVIDER, COOLDOWN_S).seconds_left == 2 * COOLDOWN_S


@pytest.mark.parametrize(
    "error", [Cancelled(), BadRequest(), ContextWindow(), ContentFilter(), OutOfTime(), Authentication()], ids=repr
)
def test_a_trial_that_tells_nothing_of_the_model_lets_the_next_one_try(error: TurnError) -> None:
    circuits = opened()
    call = circuits.begin(MODEL)
    assert call.trial
    circuits.failed(MODEL, PROVIDER, error, COOLDOWN_S, call)
    assert not out(circuits, COOLDOWN_S + KEY_COOLDOWN_S)
    assert circuits.begin(MODEL).trial


def test_a_shorter_cooldown_never_overwrites_a_longer_one() -> None:
    circuits = Circuits()
    fail(circuits, NotFound(status=404))
    fail(circuits, RateLimited(status=429, retry_after_s=5))
    health = circuits.health(MODEL, PROVIDER, 0)
    assert health.seconds_left == LONGEST_COOLDOWN_S
    assert (health.state, health.detail) == (HealthState.UNREACHABLE, "404")


def test_a_rate_limit_holds_for_as_long_as_the_provider_said_up_to_a_bound() -> None:
    circuits = Circuits()
    fail(circuits, RateLimited(status=429, retry_after_s=7))
    assert out(circuits, 6.9)
    assert not out(circuits, 7)
    fail(circuits, RateLimited(status=429, retry_after_s=10**6), 7)
    assert circuits.health(MODEL, PROVIDER, 7).seconds_left == LONGEST_COOLDOWN_S


def test_a_key_that_is_not_accepted_shuts_all_models_of_its_provider_and_no_others() -> None:
    circuits = Circuits()
    fail(circuits, Authentication(status=401))
    for model in (MODEL, SIBLING):
        health = circuits.health(model, PROVIDER, 1)
        assert health.state is HealthState.UNAUTHORISED
        assert health.out is not None
        assert health.out[0] is Exclusion.UNHEALTHY
    assert circuits.health("b/x", "b", 1).out is None
    assert not out(circuits, KEY_COOLDOWN_S, MODEL)
    assert not out(circuits, KEY_COOLDOWN_S, SIBLING)


def test_an_answer_from_one_model_shows_that_the_key_is_good_again() -> None:
    circuits = Circuits()
    fail(circuits, Authentication(status=401))
    succeed(circuits, SIBLING)
    assert not out(circuits, 1)


@pytest.mark.parametrize("error", [Permission(status=403), NotFound(status=404)])
def test_what_only_the_user_can_mend_shuts_the_model_alone_at_once(error: TurnError) -> None:
    circuits = Circuits()
    fail(circuits, error)
    assert circuits.health(MODEL, PROVIDER, 1).state is HealthState.UNREACHABLE
    assert not out(circuits, 1, SIBLING)


@pytest.mark.parametrize("error", [BadRequest(), ContextWindow(), ContentFilter(), Cancelled()])
def test_the_faults_of_a_request_do_not_count_against_the_model(error: TurnError) -> None:
    circuits = Circuits()
    fail(circuits, error, times=10)
    assert circuits.health(MODEL, PROVIDER, 0).state is HealthState.AVAILABLE


def test_forgetting_tries_everything_afresh() -> None:
    circuits = opened()
    fail(circuits, Authentication())
    circuits.forget()
    assert not out(circuits, 0)


def test_calls_that_find_nobody_read_unreachable_though_the_model_may_still_be_tried() -> None:
    circuits = Circuits()
    fail(circuits, Connection(), times=2)
    health = circuits.health(MODEL, PROVIDER, 0)
    assert (health.state, health.detail) == (HealthState.UNREACHABLE, "the last 2 calls could not reach it")
    assert health.out is None
    fail(circuits, Connection())
    assert out(circuits, COOLDOWN_S - 1)
    after = circuits.health(MODEL, PROVIDER, COOLDOWN_S)
    assert (after.state, after.out) == (HealthState.UNREACHABLE, None)
    fail(circuits, Server(), COOLDOWN_S)
    assert circuits.health(MODEL, PROVIDER, 10 * COOLDOWN_S).state is HealthState.DEGRADED


def test_a_provider_that_is_not_there_is_out_for_a_while_with_all_its_models_and_no_others() -> None:
    circuits = Circuits()
    circuits.unreachable(PROVIDER, "127.0.0.1:9 could not be reached", 0)
    for model in (MODEL, SIBLING):
        health = circuits.health(model, PROVIDER, 10)
        assert (health.state, health.seconds_left) == (HealthState.UNREACHABLE, COOLDOWN_S - 10)
        assert health.out == (Exclusion.UNHEALTHY, "127.0.0.1:9 could not be reached, tried again in 20 s")
    assert circuits.health("b/x", "b", 10).state is HealthState.AVAILABLE
    later = circuits.health(MODEL, PROVIDER, COOLDOWN_S)
    assert (later.state, later.out) == (HealthState.UNREACHABLE, None)


def test_a_server_that_answers_none_of_its_models_calls_is_out_with_those_that_were_not_tried() -> None:
    circuits = Circuits()
    for model in (MODEL, SIBLING, MODEL):
        assert not out(circuits, 0, "a/z")
        fail(circuits, Connection(), model=model)
    health = circuits.health("a/z", PROVIDER, 0)
    assert (health.state, health.detail) == (HealthState.UNREACHABLE, "the server does not answer")
    assert health.out == (Exclusion.UNHEALTHY, "the server does not answer, tried again in 30 s")
    assert not out(circuits, COOLDOWN_S, "a/z"), "one call tries it again"
    fail(circuits, Connection(), COOLDOWN_S, model="a/z")
    assert out(circuits, 3 * COOLDOWN_S - 1, SIBLING)
    assert not out(circuits, 3 * COOLDOWN_S, "a/z")
    succeed(circuits, "a/z")
    assert circuits.health(SIBLING, PROVIDER, 3 * COOLDOWN_S).detail != "the server does not answer"


def test_calls_that_found_nobody_are_forgotten_with_everything() -> None:
    circuits = Circuits()
    for name in ("a/x", "a/y"):
        fail(circuits, Connection(), model=name)
    circuits.forget()
    fail(circuits, Connection(), model="a/z")
    assert not any(out(circuits, 0, name) for name in ("a/x", "a/y", "a/z", "a/new"))
    for name in ("a/x", "a/y"):
        fail(circuits, Connection(), model=name)
    assert all(out(circuits, 0, name) for name in ("a/x", "a/y", "a/z", "a/new"))


def test_a_model_that_alone_is_not_reached_leaves_its_server_in() -> None:
    circuits = Circuits()
    for _ in range(FAILURES_TO_OPEN):
        fail(circuits, Connection())
        succeed(circuits, SIBLING)
    assert out(circuits, 1)
    assert circuits.health(SIBLING, PROVIDER, 1).state is HealthState.AVAILABLE


def test_whatever_a_provider_answers_shows_that_it_is_there() -> None:
    circuits = Circuits()
    circuits.unreachable(PROVIDER, "nobody", 0)
    fail(circuits, Connection())
    assert out(circuits, 1)
    fail(circuits, BadRequest(status=400), model=SIBLING)
    assert not out(circuits, 1)
    circuits.unreachable(PROVIDER, "nobody", 0)
    succeed(circuits, SIBLING)
    assert circuits.health(SIBLING, PROVIDER, 1).state is HealthState.AVAILABLE
    circuits.unreachable(PROVIDER, "nobody", 0)
    circuits.reached(PROVIDER)
    assert circuits.health(SIBLING, PROVIDER, 1).state is HealthState.AVAILABLE


@pytest.mark.parametrize(
    ("health", "out"),
    [
        (Health(HealthState.AVAILABLE), None),
        (Health(HealthState.DEGRADED, "3 of the last 9 calls failed"), None),
        (Health(HealthState.UNREACHABLE, "nobody there"), None),
        (
            Health(HealthState.UNREACHABLE, "nobody there", 7.4),
            (Exclusion.UNHEALTHY, "nobody there, tried again in 7 s"),
        ),
        (
            Health(HealthState.COOLING_DOWN, "503", 7.0),
            (Exclusion.COOLING_DOWN, "cooling down after 503, tried again in 7 s"),
        ),
        (Health(HealthState.COOLING_DOWN, "503"), (Exclusion.COOLING_DOWN, "cooling down after 503")),
        (
            Health(HealthState.UNAUTHORISED, "401", 9.0),
            (Exclusion.UNHEALTHY, "the key was not accepted, tried again in 9 s"),
        ),
        (Health(HealthState.DISABLED), (Exclusion.DISABLED, "disabled")),
        (Health(HealthState.DISABLED, "by you"), (Exclusion.DISABLED, "by you")),
    ],
)
def test_why_a_model_is_out_is_said(health: Health, out: tuple[Exclusion, str] | None) -> None:
    assert health.out == out


@pytest.mark.parametrize(
    ("calls", "state", "detail"),
    [
        ("-++", HealthState.DEGRADED, "1 of the last 3 calls failed"),
        ("-+++", HealthState.AVAILABLE, ""),
        ("--+--+++++", HealthState.DEGRADED, "4 of the last 10 calls failed"),
        ("-+-+-+++++", HealthState.DEGRADED, "3 of the last 10 calls failed"),
        ("-+-+++++++", HealthState.AVAILABLE, ""),
        # Ten are remembered.
        ("-+-+-++++++", HealthState.AVAILABLE, ""),
        ("+-+-+-+++++", HealthState.DEGRADED, "3 of the last 10 calls failed"),
    ],
)
def test_a_model_is_degraded_while_three_in_ten_of_its_last_calls_failed(
    calls: str, state: HealthState, detail: str
) -> None:
    circuits = Circuits()
    for call in calls:
        if call == "+":
            succeed(circuits)
        else:
            fail(circuits, Server())
    assert circuits.health(MODEL, PROVIDER, 0) == Health(state, detail)


def test_another_failure_between_two_that_found_nobody_shows_that_somebody_is_there() -> None:
    circuits = Circuits()
    fail(circuits, Connection())
    fail(circuits, Server())
    fail(circuits, Connection())
    assert circuits.health(MODEL, PROVIDER, COOLDOWN_S) == Health(HealthState.DEGRADED, "3 of the last 3 calls failed")


def test_of_several_calls_one_tries_a_half_open_circuit_and_the_others_are_told_so() -> None:
    circuits = Circuits()
    assert not circuits.begin(MODEL).trial
    fail(circuits, Server(status=500), 0.0, FAILURES_TO_OPEN - 1)
    before = circuits.begin(MODEL)
    assert not before.trial
    fail(circuits, Server(status=500))
    call = circuits.begin(MODEL)
    assert call.trial
    with pytest.raises(BeingTried):
        circuits.begin(MODEL)
    circuits.stopped(MODEL, PROVIDER, before)
    trying = circuits.health(MODEL, PROVIDER, COOLDOWN_S)
    assert trying == Health(HealthState.COOLING_DOWN, "500; one call is trying it")
    circuits.stopped(SIBLING, PROVIDER, circuits.begin(SIBLING))
    circuits.stopped(MODEL, PROVIDER, call)
    assert not out(circuits, COOLDOWN_S)
    assert circuits.begin(MODEL).trial


def test_a_turn_that_had_no_time_left_says_nothing_of_the_model() -> None:
    circuits = Circuits()
    fail(circuits, OutOfTime(), times=10)
    assert circuits.health(MODEL, PROVIDER, 0) == Health(HealthState.AVAILABLE)
    assert circuits.untold(0) == []


def test_a_server_that_stays_away_is_tried_ever_more_rarely_up_to_a_bound() -> None:
    circuits, now, waits = Circuits(), 0.0, []
    fail(circuits, Connection(), times=2)
    assert circuits.health(SIBLING, PROVIDER, now).out is None
    for _ in range(7):
        fail(circuits, Connection(), now, model=f"a/{len(waits)}")
        fail(circuits, Connection(), now, model="a/asked-meanwhile")
        left = circuits.health(SIBLING, PROVIDER, now).seconds_left
        assert left is not None
        waits.append(left)
        now += left
    assert waits == [30, 60, 120, 240, 480, 600, 600]
    circuits.reached(PROVIDER)
    fail(circuits, Connection(), now, times=2)
    assert circuits.health(SIBLING, PROVIDER, now).out is None


def test_a_server_whose_list_could_not_be_read_is_out_for_as_long_as_is_said() -> None:
    circuits = Circuits()
    assert not circuits.heard_of_any
    circuits.unreachable(PROVIDER, "nobody", 5.0, 7.0)
    assert circuits.heard_of_any
    assert circuits.health(MODEL, PROVIDER, 11.9).seconds_left == pytest.approx(0.1)
    assert not out(circuits, 12.0)


@pytest.mark.parametrize(
    ("error", "seconds", "state", "detail"),
    [
        (NotFound(status=404), LONGEST_COOLDOWN_S, HealthState.UNREACHABLE, "404"),
        (Permission(), LONGEST_COOLDOWN_S, HealthState.UNREACHABLE, "permission"),
        (RateLimited(retry_after_s=7.0), 7.0, HealthState.COOLING_DOWN, "rate limited"),
        (Authentication(), KEY_COOLDOWN_S, HealthState.UNAUTHORISED, "authentication"),
    ],
    ids=repr,
)
def test_one_failure_of_these_kinds_is_enough(
    error: TurnError, seconds: float, state: HealthState, detail: str
) -> None:
    circuits = Circuits()
    fail(circuits, error, 3.0)
    assert circuits.health(MODEL, PROVIDER, 3.0) == Health(state, detail, seconds)
    assert out(circuits, 3.0 + seconds - 0.001)
    assert not out(circuits, 3.0 + seconds)


# Between copies of the program


def tell(one: Circuits, other: Circuits, now: float = 0.0) -> None:
    circuits = one.untold(now)
    one.told(circuits)
    other.hear(circuits, now)


@pytest.mark.parametrize(
    ("circuit", "closed"),
    [
        (SharedCircuit(MODEL, PROVIDER), True),
        (SharedCircuit(MODEL, PROVIDER, unreached=1, why="500", tried=True), True),
        (SharedCircuit(MODEL, PROVIDER, failures=1), False),
        (SharedCircuit(MODEL, PROVIDER, opened=1), False),
        (SharedCircuit(MODEL, PROVIDER, seconds=0.1), False),
    ],
)
def test_a_circuit_is_closed_where_nothing_speaks_against_a_call(circuit: SharedCircuit, closed: bool) -> None:
    assert circuit.closed is closed


def test_what_one_copy_saw_is_told_once_and_holds_for_the_other() -> None:
    one, other = opened(10.0), Circuits()
    fail(one, Connection(), 10.0, model=SIBLING)
    fail(one, Authentication(status=401), 10.0)
    told = one.untold(15.0)
    assert told == [
        SharedCircuit(MODEL, PROVIDER, 3, 1, 0, 25.0, HealthState.COOLING_DOWN, "server"),
        SharedCircuit(SIBLING, PROVIDER, 1, 0, 1, 0.0),
        SharedCircuit("key of a", PROVIDER, 0, 0, 0, 115.0, HealthState.COOLING_DOWN, "401"),
    ]
    other.hear(told, 100.0)
    assert other.health(MODEL, PROVIDER, 100.0) == Health(HealthState.UNAUTHORISED, "401", 115.0)
    one.told(told)
    assert one.untold(15.0) == other.untold(15.0) == []
    succeed(one, SIBLING)
    assert [circuit.closed for circuit in one.untold(15.0)] == [True, True]


def test_what_changed_while_it_was_told_is_still_untold() -> None:
    circuits = Circuits()
    fail(circuits, Server())
    before = circuits.untold(0)
    fail(circuits, Server())
    circuits.told(before)
    assert [circuit.failures for circuit in circuits.untold(0)] == [2]


def test_a_circuit_that_the_others_do_not_have_is_closed_unless_it_is_news() -> None:
    circuits, other = opened(), Circuits()
    other.hear([], 0)
    assert not other.heard_of_any
    circuits.hear([], 0)
    assert out(circuits, 0), "nobody was told of it yet"
    tell(circuits, other)
    circuits.hear([], 0)
    assert not out(circuits, 0)
    assert not circuits.begin(MODEL).trial
    assert out(other, 0)


def test_a_trial_of_another_copy_keeps_this_one_from_trying_and_its_own_is_not_disturbed() -> None:
    circuits = Circuits()
    tried = SharedCircuit(MODEL, PROVIDER, 3, 1, 0, 0.0, HealthState.COOLING_DOWN, "500", tried=True)
    circuits.hear([tried], 5.0)
    assert circuits.health(MODEL, PROVIDER, 5.0) == Health(HealthState.COOLING_DOWN, "500; one call is trying it")
    circuits.hear([replace(tried, tried=False)], 5.0)
    assert not out(circuits, 0.0)
    assert circuits.begin(MODEL).trial
    circuits.hear([], 5.0)
    with pytest.raises(BeingTried):
        circuits.begin(MODEL)
    circuits.tried_elsewhere(MODEL)
    assert circuits.health(MODEL, PROVIDER, 5.0).detail == "500; one call is trying it"
    circuits.hear([replace(tried, tried=False, seconds=9.0)], 5.0)
    assert circuits.health(MODEL, PROVIDER, 5.0).seconds_left == 9.0
    circuits.hear([], 5.0)
    assert circuits.health(MODEL, PROVIDER, 5.0) == Health(HealthState.AVAILABLE)


def test_a_trial_of_ones_own_does_not_keep_the_others_from_being_heard() -> None:
    circuits = opened()
    circuits.told(circuits.untold(0))
    circuits.begin(MODEL)
    own = SharedCircuit(MODEL, PROVIDER)
    others = [SharedCircuit(f"a/{n}", PROVIDER, 3, 1, 0, 0.5, HealthState.COOLING_DOWN, "500") for n in range(12)]
    circuits.hear([own, *others], 5.0)
    assert {circuits.health(one.name, PROVIDER, 5.4).state for one in others} == {HealthState.COOLING_DOWN}
    assert not any(out(circuits, 5.5, one.name) for one in others)


def test_calls_under_way_that_fail_after_another_copy_opened_it_are_no_trials() -> None:
    one, other = Circuits(), Circuits()
    calls = [other.begin(MODEL) for _ in range(8)]
    fail(one, Timeout(), times=FAILURES_TO_OPEN)
    tell(one, other)
    for call in calls:
        other.failed(MODEL, PROVIDER, Timeout(), 5.0, call)
    assert other.health(MODEL, PROVIDER, 5.0).seconds_left == COOLDOWN_S - 5
    assert [(told.opened, told.tried) for told in other.untold(5.0)] == [(1, False)]
    assert other.begin(MODEL).trial
    assert [(told.opened, told.tried) for told in other.untold(COOLDOWN_S)] == [(1, True)]


def test_a_trial_that_is_over_without_telling_anything_is_told() -> None:
    circuits = opened()
    circuits.told(circuits.untold(0))
    before = Circuits().begin(MODEL)
    circuits.stopped(MODEL, PROVIDER, before)
    assert circuits.untold(0) == []
    circuits.stopped(MODEL, PROVIDER, circuits.begin(MODEL))
    assert [circuit.name for circuit in circuits.untold(0)] == [MODEL]


def test_a_success_is_told_where_it_closes_something_and_forgetting_tells_nothing() -> None:
    circuits = Circuits()
    succeed(circuits)
    assert circuits.untold(0) == []
    fail(circuits, Server())
    circuits.told(circuits.untold(0))
    succeed(circuits)
    assert circuits.untold(0) == [SharedCircuit(MODEL, PROVIDER)]
    circuits.forget()
    assert (circuits.untold(0), circuits.heard_of_any) == ([], False)
