"""One plugin of each kind for tui-orchestrator."""

from pathlib import Path

RECIPE = Path(__file__).with_name("pros-and-cons.toml")
THEME = Path(__file__).with_name("moss.toml")
