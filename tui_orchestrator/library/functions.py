"""The router in single calls, each of which opens an orchestrator for itself unless it is given one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from ..routing.decision import Decision
from ..routing.request import Method, Strategy
from .orchestrator import Orchestrator
from .tasks import Result, Task


async def route_to_model(
    task: Task | str, strategy: Strategy | str | None = None, *, orchestrator: Orchestrator | None = None
) -> Decision:
    """Which model would answer, why, and at what cost. Nothing is sent."""
    task = _task(task)
    async with _opened(orchestrator) as one:
        return await one.route(task if strategy is None else replace(task, strategy=strategy))


async def run_with_fallback(
    task: Task | str, models: Sequence[str], *, orchestrator: Orchestrator | None = None
) -> Result:
    """Asks the first, and the next where one fails or falls short. Raises as `Orchestrator.execute`, and ValueError
    without a model."""
    if not models:
        raise ValueError("there is no model to ask; name at least one")
    async with _opened(orchestrator) as one:
        return await one.execute(replace(_task(task), chain=tuple(models), strategy=Strategy.FALLBACK))


async def run_ensemble(
    task: Task | str,
    models: Sequence[str] | int = 3,
    verdict: Method | str | None = None,
    *,
    orchestrator: Orchestrator | None = None,
) -> Result:
    """Asks several at once: these, or so many of the router's choice. Raises as `Orchestrator.execute`."""
    size, named = (models, ()) if isinstance(models, int) else (None, models)
    async with _opened(orchestrator) as one:
        return await one.ensemble(task, size, models=named, verdict=verdict)


async def synthesize_responses(
    task: Task | str, responses: Sequence[str], *, orchestrator: Orchestrator | None = None
) -> Result:
    """One answer from several that are there already. Raises as `Orchestrator.execute`."""
    async with _opened(orchestrator) as one:
        return await one.synthesize(task, responses)


def _task(task: Task | str) -> Task:
    return Task(task) if isinstance(task, str) else task


@asynccontextmanager
async def _opened(orchestrator: Orchestrator | None) -> AsyncIterator[Orchestrator]:
    if orchestrator is not None:
        yield orchestrator
        return
    async with Orchestrator() as one:
        yield one
