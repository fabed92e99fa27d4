"""A strategy: every cent has to buy a better chance."""

from math import log1p

from tui_orchestrator.plugins import Option

PRICE_OF_A_CHANCE = 0.1


def worth(option: Option) -> float:
    """The best chance for what it costs."""
    if option.cost_usd is None:
        return option.p - 10.0
    return option.p - PRICE_OF_A_CHANCE * log1p(1000 * option.cost_usd)
