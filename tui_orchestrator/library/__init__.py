"""The router as a library; `from tui_orchestrator import Orchestrator` is the way in."""

from .blocking import BlockingOrchestrator
from .functions import route_to_model, run_ensemble, run_with_fallback, synthesize_responses
from .orchestrator import Ended, Orchestrator
from .tasks import Answer, BudgetExceededError, Result, Task, TaskFailed

__all__ = [
    "Answer",
    "BlockingOrchestrator",
    "BudgetExceededError",
    "Ended",
    "Orchestrator",
    "Result",
    "Task",
    "TaskFailed",
    "route_to_model",
    "run_ensemble",
    "run_with_fallback",
    "synthesize_responses",
]
