"""The gateway as an ASGI application."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ..routing.errors import OrchestratorError
from ..routing.request import Strategy
from ..routing.text import clean, clean_line
from ..services.runtime import Runtime
from ..settings import load
from .batches import Batches
from .completions import complete
from .guard import Guard
from .mistakes import Mistakes
from .native import ROUTES
from .question import AUTO
from .wire import NO_MODEL, error_body


def application(
    token: str, *, config: Path | None = None, demo: bool | None = None, hosts: Sequence[str] = ()
) -> Starlette:
    """Its lifespan opens a runtime; several processes of it share one store, and so one set of caps."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with await Runtime.open(load(config), demo=demo) as runtime:
            await runtime.refresh(forget=False)
            runtime.start_background()
            app.state.runtime, app.state.batches = runtime, Batches(runtime)
            await app.state.batches.resume()
            try:
                yield
            finally:
                runtime.database.turn.leave()
                await app.state.batches.aclose()
        if sys.stderr is not None:
            with contextlib.suppress(OSError):
                sys.stderr.writelines(f"{clean(sentence)}\n" for sentence in runtime.unbooked)

    return Starlette(
        routes=[
            Route("/v1/chat/completions", complete, methods=["POST"]),
            Route("/v1/models", models),
            Route("/v1/models/{id:path}", model),
            *(Route(path, not_here, methods=["POST"]) for path in _NOT_HERE),
            Route("/health", health),
            *ROUTES,
        ],
        middleware=[Middleware(Mistakes), Middleware(Guard, token=token, hosts=tuple(hosts))],
        exception_handlers={404: _not_found, 405: _wrong_method, OrchestratorError: _trouble},
        lifespan=lifespan,
    )


_NOT_HERE = {
    "/v1/embeddings": "Embeddings are not routed: those of two models cannot be compared. Ask their provider itself.",
    "/v1/responses": "The responses format is not spoken here; set the program to chat completions.",
    "/v1/completions": "Completions without a conversation are not spoken here; set the program to chat completions.",
}


async def models(request: Request) -> Response:
    """As OpenAI lists them: the router's own choice first, then strategies, chains and every model that can be used."""
    return JSONResponse({"object": "list", "data": list(_named(request).values())})


async def model(request: Request) -> Response:
    wanted = request.path_params["id"]
    found = _named(request).get(wanted)
    if found is None:
        sentence = f"There is no model {clean_line(wanted, 120)!r} here; GET /v1/models lists them."
        return JSONResponse(error_body("invalid_request_error", sentence, "model", NO_MODEL), 404)
    return JSONResponse(found)


async def not_here(request: Request) -> Response:
    """An address of OpenAI's that a client may well try."""
    return JSONResponse(error_body("not_found", _NOT_HERE[request.url.path]), 404)


def _named(request: Request) -> dict[str, dict[str, object]]:
    runtime: Runtime = request.app.state.runtime
    registry = runtime.registry
    names = [
        (AUTO, "tui-orchestrator"),
        *((strategy.value, "strategy") for strategy in Strategy),
        *((chain, "chain") for chain in sorted(registry.chains)),
        *((model.id, model.provider) for model in registry if model.id not in registry.out),
    ]
    return {name: {"id": name, "object": "model", "created": 0, "owned_by": owner} for name, owner in names}


async def health(request: Request) -> Response:
    return JSONResponse({"status": "ok"})


async def _not_found(request: Request, error: Exception) -> Response:
    wanted = clean_line(f"{request.method} {request.url.path}", 200)
    sentence = f"There is no {wanted}; GET /api/v1/orchestrator/openapi.json tells what there is."
    return JSONResponse(error_body("not_found", sentence), 404)


async def _wrong_method(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    headers = error.headers or {}
    wanted, there = clean_line(f"{request.method} {request.url.path}", 200), headers.get("Allow", "")
    sentence = f"There is no {wanted}; ask with {there.replace('HEAD, ', '').replace(', HEAD', '')}."
    return JSONResponse(error_body("method_not_allowed", sentence), 405, headers=headers)


async def _trouble(request: Request, error: Exception) -> Response:
    return JSONResponse(error_body("store", str(error)), 503, headers={"x-should-retry": "false"})
