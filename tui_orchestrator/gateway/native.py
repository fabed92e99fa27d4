"""The router's own routes under /api/v1/orchestrator/: all it knows, not only what OpenAI's format has a place for."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from decimal import Decimal
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from .. import __version__
from ..batch import BatchError, line_of
from ..library.tasks import Task
from ..opening import TooDeep, from_json
from ..routing import request as asking
from ..routing.errors import Unrecorded
from ..routing.event_json import completed_json, decision_json, error_json, event_json, usd
from ..routing.events import Completed, Decided, Event, Failed
from ..routing.money import Cost
from ..routing.turn import Turn
from ..services.model_json import model_json
from ..services.runtime import Runtime
from ..storage.reports import PERIODS
from .batches import Batches
from .completions import while_connected
from .openapi import DESCRIPTION
from .wire import WrongRequest, turn_error, whole

ROOT = "/api/v1/orchestrator"
Handler = Callable[[Request], Coroutine[Any, Any, Response]]


def _checked(handler: Handler) -> Handler:
    async def answer(request: Request) -> Response:
        try:
            return await handler(request)
        except WrongRequest as error:
            return JSONResponse(error.body, error.status)

    return answer


def _runtime(request: Request) -> Runtime:
    runtime: Runtime = request.app.state.runtime
    return runtime


async def _object(request: Request) -> dict[str, Any]:
    try:
        said = whole(from_json(await request.body(), parse_float=Decimal))
    except TooDeep as error:
        raise WrongRequest(f"The body {error}.") from None
    except ValueError:
        raise WrongRequest("The body is not JSON.") from None
    if not isinstance(said, dict):
        raise WrongRequest("The body must be a JSON object.")
    return said


async def _asked(request: Request) -> asking.Request:
    """The keys of a batch's line, and `session`."""
    said = await _object(request)
    session = said.pop("session", "")
    if not isinstance(session, str):
        raise WrongRequest("session must be text.", "session")
    runtime = _runtime(request)
    try:
        line = line_of(said, 1, Task(""), runtime.registry, None)
        return line.task.request(runtime.registry, session)
    except (ValueError, LookupError) as error:
        raise WrongRequest(str(error.args[0])) from None


async def route(request: Request) -> Response:
    """The decision; nothing is sent."""
    return JSONResponse(decision_json(await _runtime(request).decide(await _asked(request))))


async def execute(request: Request) -> Response:
    asked = await _asked(request)
    decided, end = None, None
    turn = _runtime(request).stream(asked)
    async with while_connected(request, turn):
        async for event in turn:
            if isinstance(event, Decided):
                decided = event.decision
            elif isinstance(event, Completed | Failed):
                end = event
    if isinstance(end, Completed):
        return JSONResponse(completed_json(end, decided))
    assert end is not None, "a turn ends with Completed or Failed"
    status, body, headers = turn_error(end.error)
    told = {**body["error"], **error_json(end.error), "partial": end.partial, **_cost(end.cost)}
    return JSONResponse({"error": told}, status, headers=headers)


def _cost(cost: Cost) -> dict[str, Any]:
    return {"cost_usd": usd(cost.amount), "cost_state": cost.state.value}


async def stream(request: Request) -> Response:
    """Every event of the turn, as `ask --events` prints them, each as one of server-sent events."""
    turn = _runtime(request).stream(await _asked(request))
    return StreamingResponse(_events(turn), media_type="text/event-stream", headers={"cache-control": "no-cache"})


async def _events(turn: Turn) -> AsyncIterator[bytes]:
    async with turn:
        async for event in turn:
            yield _event(event)


def _event(event: Event) -> bytes:
    told = event_json(event)
    return f"event: {told['type']}\ndata: {json.dumps(told, separators=(',', ':'))}\n\n".encode()


async def user_analytics(request: Request) -> Response:
    """What was spent in a time, as `costs --format json`."""
    from ..services.reporting import spent
    from ..storage.reports import DIMENSIONS

    runtime = _runtime(request)
    by = _words(request, "by", DIMENSIONS, "model")
    report = await spent(runtime, by, _period(request))  # type: ignore[arg-type]  # checked against DIMENSIONS
    return JSONResponse(report.as_json(runtime.demo))


async def model_analytics(request: Request) -> Response:
    """How models did, as `stats --format json`."""
    from ..services.reporting import performed
    from ..storage.reports import ASPECTS

    runtime = _runtime(request)
    by = _words(request, "by", ASPECTS, "model,task")
    report = await performed(runtime, by, _period(request))  # type: ignore[arg-type]  # checked against ASPECTS
    return JSONResponse(report.as_json(runtime.demo))


def _words(request: Request, name: str, known: tuple[str, ...], default: str) -> tuple[str, ...]:
    words = tuple(request.query_params.get(name, default).split(","))
    unknown = next((word for word in words if word not in known), None)
    if unknown is not None:
        raise WrongRequest(f"{name}: {unknown!r} is none of {', '.join(known)}.", name)
    return words


def _period(request: Request) -> Any:
    said = request.query_params.get("period", "month")
    if said not in PERIODS:
        raise WrongRequest(f"period: {said!r} is none of {', '.join(PERIODS)}.", "period")
    return said


async def health(request: Request) -> Response:
    runtime = _runtime(request)
    usable = [model for model in runtime.registry if model.id not in runtime.registry.out]
    return JSONResponse(
        {
            "status": "ok" if usable else "no_models",
            "version": __version__,
            "demo": runtime.demo,
            "models": len(usable),
            "providers": sorted({model.provider for model in usable}),
        }
    )


async def capabilities(request: Request) -> Response:
    runtime = _runtime(request)
    return JSONResponse({"models": [model_json(runtime, model) for model in runtime.registry]})


async def preferences(request: Request) -> Response:
    """A vote on an answer: `{"request_id": …, "attempt": 1, "vote": "up"}`, or "down", or "none" to take it back."""
    said = await _object(request)
    votes: Mapping[str, bool | None] = {"up": True, "down": False, "none": None}
    request_id, attempt, vote = said.get("request_id"), said.get("attempt", 1), said.get("vote")
    countable = isinstance(attempt, int) and not isinstance(attempt, bool)
    if not (isinstance(request_id, str) and countable and isinstance(vote, str) and vote in votes):
        raise WrongRequest("Say request_id, attempt (a number) and vote (up, down or none).")
    runtime = _runtime(request)
    try:
        model = await runtime.feedback.vote(request_id, attempt, votes[vote])
    except LookupError as error:
        raise WrongRequest(f"{error.args[0]}.", "request_id", 404) from None
    up, down = runtime.router.experience.lesson(model, runtime.clock.now()).votes
    return JSONResponse({"model": model, "up": up, "down": down})


async def submit(request: Request) -> Response:
    """`{"lines": […], "max_cost_usd": "2.50", "at_once": 8}`: lines as `batch` reads them."""
    said = await _object(request)
    batches: Batches = request.app.state.batches
    try:
        id_ = await batches.submit(said)
    except (ValueError, LookupError, BatchError) as error:
        raise WrongRequest(str(error.args[0])) from None
    except Unrecorded as error:
        status, body, headers = turn_error(error)
        return JSONResponse(body, status, headers=headers)
    return JSONResponse({"id": id_, "status": f"{ROOT}/batch/{id_}/status"}, 202)


async def batch_status(request: Request) -> Response:
    batches: Batches = request.app.state.batches
    status = await batches.status(request.path_params["id"], with_results="results" in request.query_params)
    if status is None:
        raise WrongRequest("There is no batch with that id.", "id", 404)
    return JSONResponse(status)


async def openapi(request: Request) -> Response:
    return JSONResponse(DESCRIPTION)


ROUTES = tuple(
    Route(f"{ROOT}/{path}", _checked(handler), methods=[method])
    for method, path, handler in (
        ("POST", "chat/route", route),
        ("POST", "chat/execute", execute),
        ("POST", "chat/stream", stream),
        ("GET", "analytics/user", user_analytics),
        ("GET", "analytics/models", model_analytics),
        ("GET", "health", health),
        ("POST", "batch/submit", submit),
        ("GET", "batch/{id}/status", batch_status),
        ("GET", "models/capabilities", capabilities),
        ("POST", "preferences/update", preferences),
        ("GET", "openapi.json", openapi),
    )
)
