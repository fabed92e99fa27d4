"""[router.weights]: what counts how much when a model is chosen."""

from __future__ import annotations

from decimal import Decimal

from ..routing.decision import Weights
from .kinds import Number
from .shape import Key, Table

_W = Weights()
_WEIGHT = Number(0, 100)
_VOTES = Number(Decimal("0.1"), 10_000, "votes")

WEIGHTS = Table(
    "What counts in `balanced`, in the cloud part of `local_first`, and in what `preference` supposes before there are "
    "votes. 0 leaves it out.",
    {
        "quality": Key(_WEIGHT, _W.quality, "Times the probability of a good answer.", "2"),
        "cost": Key(_WEIGHT, _W.cost, "Times the expected cost, on a scale from 0 for free to 1 for a dollar.", "0.8"),
        "latency": Key(
            _WEIGHT, _W.latency, "Times the expected time, on a scale from 0 for at once to 1 for a minute.", "0.3"
        ),
        "leanings": Table(
            "What a preference of yours adds where it is set, as if it were probability of a good answer.",
            {
                "open_weights": Key(
                    _WEIGHT, _W.leanings.open_weights, "For `prefer_opensource`, in every strategy.", "0.2"
                ),
                "local": Key(_WEIGHT, _W.leanings.local, "For `prefer_local`, in every strategy.", "0.2"),
                "default_model": Key(
                    _WEIGHT,
                    _W.leanings.default_model,
                    "For `default_model`, in `balanced`, `preference` and `local_first`.",
                    "0.3",
                ),
            },
        ),
        "votes": Table(
            "How soon `preference` goes by your votes.",
            {
                "estimate": Key(
                    _VOTES,
                    _W.votes.estimate,
                    "So many votes on other task types weigh as much as what is supposed before them.",
                    "20",
                ),
                "task": Key(_VOTES, _W.votes.task, "So many votes on a task type weigh as much as all of that.", "5"),
            },
        ),
        "diversity": Table(
            "What is taken from a model when the members of an `ensemble` are chosen.",
            {
                "cost": Key(_WEIGHT, _W.diversity.cost, "Times the expected cost, on the scale above.", "0.3"),
                "same_family": Key(
                    _WEIGHT, _W.diversity.same_family, "For each member of its family that is in already.", "0.3"
                ),
                "same_provider": Key(
                    _WEIGHT, _W.diversity.same_provider, "For each member of its provider that is in already.", "0.1"
                ),
            },
        ),
    },
)
