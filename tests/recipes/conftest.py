from ..cli.conftest import shell
from ..library.conftest import orchestrator, servers

__all__ = ["orchestrator", "servers", "shell"]
