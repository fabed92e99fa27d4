"""What others' code raises ends no more than the call, and what comes from elsewhere is not taken for it."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator

import pytest

from tui_orchestrator.routing.contained import Contained, contained, told


class Speechless(BaseException):
    def __str__(self) -> str:
        raise SystemExit(2)


@pytest.fixture
def ctrl_c_raises() -> Iterator[None]:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (SystemExit(9), "SystemExit: 9"),
        (SystemExit(), "SystemExit"),
        (GeneratorExit("no more"), "GeneratorExit: no more"),
        (BaseException("of all"), "BaseException: of all"),
        (BaseExceptionGroup("several", [SystemExit(1)]), "BaseExceptionGroup: several (1 sub-exception)"),
        (asyncio.CancelledError("by nobody"), "CancelledError: by nobody"),
        (Speechless(), "Speechless"),
    ],
)
def test_what_would_end_the_program_is_an_error_that_says_what_it_was(raised: BaseException, said: str) -> None:
    with pytest.raises(Contained) as caught, contained():
        raise raised
    assert told(caught.value) == said


@pytest.mark.parametrize("raised", [KeyError("address"), StopIteration(3)])
def test_an_ordinary_error_stays_what_it_is(raised: Exception) -> None:
    with pytest.raises(type(raised)) as caught, contained():
        raise raised
    assert caught.value is raised


async def test_a_cancellation_goes_through_and_one_that_nobody_asked_for_does_not() -> None:
    waits = asyncio.Event()

    async def call() -> None:
        with contained():
            waits.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(call())
    await waits.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await call()
    with pytest.raises(Contained, match="CancelledError"), contained():
        raise asyncio.CancelledError


@pytest.mark.usefixtures("ctrl_c_raises")
def test_ctrl_c_goes_through() -> None:
    with pytest.raises(KeyboardInterrupt), contained():
        signal.raise_signal(signal.SIGINT)


@pytest.mark.usefixtures("ctrl_c_raises")
async def test_an_interrupt_that_ctrl_c_cannot_have_raised_does_not() -> None:
    def interrupt() -> None:
        with contained():
            raise KeyboardInterrupt("mine")

    with pytest.raises(Contained, match="KeyboardInterrupt: mine"):
        await asyncio.to_thread(interrupt)
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, asyncio.Event().set)
    try:
        with pytest.raises(Contained, match="KeyboardInterrupt: mine"):
            interrupt()
    finally:
        loop.remove_signal_handler(signal.SIGINT)
