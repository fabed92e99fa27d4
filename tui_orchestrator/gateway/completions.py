"""POST /v1/chat/completions: a turn of the router's as OpenAI's clients know one."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from ..opening import TooDeep, from_json
from ..routing.decision import Decision
from ..routing.events import AttemptFinished, Completed, Decided, Event, Failed, FinishReason, Text, ToolCalled
from ..routing.money import Usage
from ..routing.request import Strategy
from ..routing.tools import is_cut_off
from ..routing.turn import Turn
from ..services.runtime import Runtime
from .question import Question, read
from .stopping import Stopper
from .wire import WrongRequest, call_delta, chunk, completion, told_of, turn_error, usage_json, whole

MOST_SECONDS = 900.0
"""A turn takes no longer: it is cancelled then, and what had come is paid for."""
_FINISH = {
    FinishReason.LENGTH: "length",
    FinishReason.CONTENT_FILTER: "content_filter",
    FinishReason.TOOL_CALLS: "tool_calls",
}
Said = str | ToolCalled
"""A piece of what the client is told: text, or a call of a tool."""


async def body_of(request: Request) -> object:
    """Raises WrongRequest."""
    try:
        return whole(from_json(await request.body()))
    except TooDeep as error:
        raise WrongRequest(f"The body {error}.") from None
    except ValueError:
        raise WrongRequest("The body is not JSON.") from None


def wrong(error: WrongRequest) -> JSONResponse:
    return JSONResponse(error.body, error.status)


async def complete(request: Request) -> Response:
    runtime: Runtime = request.app.state.runtime
    try:
        said, headers = await body_of(request), request.headers
        client = headers.get("x-client-name") or headers.get("user-agent", "")
        question = read(said, runtime.registry, headers.get("x-session-id", ""), client)
    except WrongRequest as error:
        return wrong(error)
    told = _Told(question)
    turn = runtime.stream(question.request)
    if question.stream:
        return await _streamed(request, turn, told)
    async with while_connected(request, turn):
        await told.until_the_end(turn)
    return told.response()


@asynccontextmanager
async def while_connected(request: Request, turn: Turn) -> AsyncIterator[None]:
    """The turn ends with it. A client that hangs up cancels its turn, and so does time."""
    async with turn, _watched(request, turn):
        yield


@asynccontextmanager
async def _watched(request: Request, turn: Turn) -> AsyncIterator[None]:

    async def watch() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        turn.cancel()

    watching = asyncio.create_task(watch())
    timer = asyncio.get_running_loop().call_later(MOST_SECONDS, turn.cancel)
    try:
        yield
    finally:
        timer.cancel()
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def _streamed(request: Request, turn: Turn, told: _Told) -> Response:
    """Until the first text nothing is sent, so that what fails before it is an error with its status."""
    try:
        async with _watched(request, turn):
            first = await told.until_the_first_word(turn)
    except BaseException:
        await turn.aclose()
        raise
    if first is None and not told.whole:
        await turn.aclose()
        return told.response()
    return StreamingResponse(
        _chunks(turn, told, first or ""),
        media_type="text/event-stream",
        headers={**told.headers(), "cache-control": "no-cache"},
    )


async def _chunks(turn: Turn, told: _Told, first: Said) -> AsyncIterator[bytes]:
    timer = asyncio.get_running_loop().call_later(MOST_SECONDS, turn.cancel)
    try:
        async with aclosing(told.chunks(turn, first)) as chunks:
            async for one in chunks:
                yield b"data: " + json.dumps(one, separators=(",", ":")).encode() + b"\n\n"
        if told.whole:
            yield b"data: [DONE]\n\n"
    finally:
        # Reached also when the client hangs up: then what had come is paid for, and no more.
        timer.cancel()
        await turn.aclose()


class _Told:
    """What a turn has told so far, for the one answer that a client gets."""

    def __init__(self, question: Question) -> None:
        self._question = question
        self._stopper = Stopper(question.stops)
        self._decision: Decision | None = None
        self._end: Completed | Failed | None = None
        self._finish = "stop"
        self._model = question.request.model or ""
        self._side_by_side = False
        """Several models answer at once, or the parts of a long prompt: what is sent is the one answer at the end."""

    def _hear(self, event: Event) -> None:
        match event:
            case Decided():
                self._decision = event.decision
                together = event.decision.strategy is Strategy.ENSEMBLE and not event.decision.pinned
                self._side_by_side = together or event.decision.division is not None
                self._model = event.decision.model or self._model
            case AttemptFinished():
                self._finish = _FINISH.get(event.finish_reason, "stop")
                self._model = event.model
            case Completed():
                self._end = event
                self._model = event.model
                if any(map(is_cut_off, event.calls)):
                    self._finish = "length"
            case Failed():
                self._end = event

    async def until_the_end(self, turn: Turn) -> None:
        async for event in turn:
            self._hear(event)

    async def until_the_first_word(self, turn: Turn) -> Said | None:
        """None: it ended without any."""
        async for event in turn:
            self._hear(event)
            if said := self._said(event):
                return said
        return None

    @property
    def whole(self) -> bool:
        """The answer has ended as it should, also where a stop of the client's ended it."""
        return self._stopper.stopped or isinstance(self._end, Completed)

    def _said(self, event: Event) -> Said:
        if self._side_by_side:
            return event.response if isinstance(event, Completed) else ""
        if isinstance(event, ToolCalled):
            return event
        return event.text if isinstance(event, Text) else ""

    def headers(self) -> dict[str, str]:
        decision = self._decision
        told = {"x-orchestrator-request-id": self._question.request.id, "x-orchestrator-model": self._model}
        if decision is not None:
            told |= {"x-orchestrator-strategy": decision.strategy_name, "x-orchestrator-reason": decision.reason}
        if isinstance(self._end, Completed):
            known = self._end.cost.amount
            told["x-orchestrator-cost-usd"] = "" if known is None else f"{known.usd:f}"
            told["x-orchestrator-cost-state"] = self._end.cost.state.value
        if self._question.ignored:
            told["x-orchestrator-ignored"] = ", ".join(self._question.ignored)
        return {name: quote(value, safe=" ,;:.()/<>=+~'!?$%&*@[]{}|") for name, value in told.items()}

    @property
    def _reason(self) -> str:
        return self._decision.reason if self._decision else ""

    def response(self) -> Response:
        end = self._end
        if isinstance(end, Failed):
            # Not to be repeated at once: the router has tried again already where that helps.
            status, body, headers = turn_error(end.error)
            return JSONResponse(body, status, headers={**self.headers(), **headers})
        assert end is not None, "a turn ends with Completed or Failed"
        text, stopped = Stopper(self._question.stops).whole(end.response)
        finish, calls = ("stop", ()) if stopped else (self._finish, end.calls)
        body = completion(end.request_id, end.model, text, calls, finish, end.usage, told_of(end, self._reason))
        return JSONResponse(body, headers=self.headers())

    async def chunks(self, turn: Turn, first: Said) -> AsyncGenerator[Mapping[str, Any], None]:
        request_id, created = self._question.request.id, int(time.time())

        def one(delta: Mapping[str, Any], finish: str | None = None) -> dict[str, Any]:
            return chunk(request_id, created, self._model, delta, finish)

        yield one({"role": "assistant", "content": ""})
        for delta in self._deltas(first):
            yield one(delta)
        while not self._stopper.stopped:
            event = await anext(turn, None)
            if event is None:
                break
            self._hear(event)
            for delta in self._deltas(self._said(event)):
                yield one(delta)
        if self._stopper.stopped:
            turn.cancel()
            await self.until_the_end(turn)
        elif text := self._stopper.rest():
            yield one({"content": text})
        for last in self._last(one({}, "stop" if self._stopper.stopped else self._finish)):
            yield last

    def _deltas(self, said: Said) -> list[dict[str, Any]]:
        if isinstance(said, str):
            text = self._stopper.more(said)
            return [{"content": text}] if text else []
        # A call ends the text before it: what was held back of that is no beginning of a stop any more.
        held = self._stopper.rest()
        return [*([{"content": held}] if held else []), call_delta(said)]

    def _last(self, closing: dict[str, Any]) -> list[dict[str, Any]]:
        end = self._end
        if isinstance(end, Failed) and not self.whole:
            # After the first text no status can be sent any more.
            return [turn_error(end.error)[1]]
        usage = end.usage if isinstance(end, Completed) else _usage_of(end)
        if isinstance(end, Completed):
            closing["orchestrator"] = told_of(end, self._reason)
        if not self._question.with_usage:
            return [closing]
        return [closing, {**closing, "choices": [], "usage": usage_json(usage)}]


def _usage_of(end: Failed | None) -> Usage | None:
    return end.attempts[-1].usage if end is not None and end.attempts else None
