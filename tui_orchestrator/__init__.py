"""A console and a router for language models: the cheapest that is good enough, with reasons, costs and caps."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .library import (
        Answer,
        BlockingOrchestrator,
        BudgetExceededError,
        Orchestrator,
        Result,
        Task,
        TaskFailed,
        route_to_model,
        run_ensemble,
        run_with_fallback,
        synthesize_responses,
    )
    from .routing.events import Event
    from .routing.money import Money
    from .routing.request import Image, Message, Strategy
    from .routing.tools import Tool, ToolCall, ToolChoice, arguments_of

__version__ = "0.1.0"

__all__ = [
    "Answer",
    "BlockingOrchestrator",
    "BudgetExceededError",
    "Event",
    "Image",
    "Message",
    "Money",
    "Orchestrator",
    "Result",
    "Strategy",
    "Task",
    "TaskFailed",
    "Tool",
    "ToolCall",
    "ToolChoice",
    "__version__",
    "arguments_of",
    "route_to_model",
    "run_ensemble",
    "run_with_fallback",
    "synthesize_responses",
]

_ELSEWHERE = {
    "Event": "routing.events",
    "Image": "routing.request",
    "Message": "routing.request",
    "Money": "routing.money",
    "Strategy": "routing.request",
    "Tool": "routing.tools",
    "ToolCall": "routing.tools",
    "ToolChoice": "routing.tools",
    "arguments_of": "routing.tools",
}


def __getattr__(name: str) -> Any:
    # Imported when it is asked for: the console and the command line start without it.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_ELSEWHERE.get(name, 'library')}"), name)
