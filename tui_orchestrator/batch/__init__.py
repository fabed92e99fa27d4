"""Many prompts from a file, answered into a file, which a killed program takes up again where it was."""

from ..library.estimating import Estimate
from .comparing import Comparison
from .left import Left, Wanted
from .lines import BatchError, Line, line_of, read_lines
from .output import BeingWritten, Output
from .running import Batch, Progress
from .underway import Phase, Underway
from .waiting import Stopped

__all__ = [
    "Batch",
    "BatchError",
    "BeingWritten",
    "Comparison",
    "Estimate",
    "Left",
    "Line",
    "Output",
    "Phase",
    "Progress",
    "Stopped",
    "Underway",
    "Wanted",
    "line_of",
    "read_lines",
]
