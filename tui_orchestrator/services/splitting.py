"""Agreeing to the price of answering in parts what is too long for every model."""

from __future__ import annotations

from dataclasses import replace

from ..routing.decision import Division
from ..routing.request import Request, Split


def agreed_to(request: Request, division: Division) -> Request:
    """To be answered so, for no more than was shown."""
    limits = [limit for limit in (request.max_cost, division.ceiling) if limit is not None]
    return replace(request, split=Split.AGREED, max_cost=min(limits) if limits else None)
