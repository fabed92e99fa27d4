"""Many prompts from a file, answered into a file, which a killed program takes up again where it was."""

from .comparing import Comparison
from .lines import BatchError, Line, line_of, read_lines
from .output import Output
from .running import Batch, Estimate, Progress

__all__ = ["Batch", "BatchError", "Comparison", "Estimate", "Line", "Output", "Progress", "line_of", "read_lines"]
