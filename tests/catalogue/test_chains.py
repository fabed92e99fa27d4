"""The chains that are built from the models there are."""

from __future__ import annotations

from typing import Any

import pytest

from tests.routing.samples import model, price
from tui_orchestrator.providers.chains import build
from tui_orchestrator.routing.model import Model
from tui_orchestrator.routing.money import FREE
from tui_orchestrator.routing.profile import Level


def at(id: str, usd: str | None, ability: float = 0.7, **more: Any) -> Model:
    """Input and output cost the same."""
    return model(id, price=None if usd is None else price(usd, usd), ability=ability, **more)


def test_of_models_that_are_alike_the_chain_takes_one_of_a_provider_it_has_not() -> None:
    one, two = at("a/one", "1"), at("a/two", "2", 0.8)
    stranger = at("b/three", "2", 0.8)
    assert build([one, two, stranger], {})["mixed"] == (one.id, stranger.id)
    assert build([one, two], {})["mixed"] == (one.id, two.id)


@pytest.mark.parametrize(
    ("stranger", "taken"),
    [
        (at("b/less-able", "4", 0.785), True),
        (at("b/abler", "4.5", 0.815), True),
        (at("b/as-dear", "5", 0.8), True),
        (at("b/not-able-enough", "4", 0.77), False),
        (at("b/much-abler", "4.5", 0.83), False),
        (at("b/dearer", "5.01", 0.8), False),
        (at("b/maker/resold", "4", 0.8), False),
        (at("b/unpriced", None, 0.8), False),
        (at("b/basic", "4", 0.8, level=Level.BASIC), False),
    ],
)
def test_how_much_alike_they_must_be(stranger: Model, taken: bool) -> None:
    first, second = at("a/one", "1"), at("a/two", "4", 0.8)
    assert build([first, second, stranger], {})["mixed"] == (first.id, stranger.id if taken else second.id)


def test_of_several_strangers_the_cheapest_then_the_ablest_is_taken() -> None:
    first, second = at("a/one", "1"), at("a/two", "4", 0.8)
    strangers = [at("b/x", "4.5", 0.8), at("c/y", "4.2", 0.79), at("d/z", "4.2", 0.8), at("e/z", "4.2", 0.8)]
    assert build([first, second, *strangers], {})["mixed"] == (first.id, "d/z")


@pytest.mark.parametrize(
    ("models", "chain"),
    [
        # Each abler than the one before by a step at least, however dear.
        ([at("a/1", "1", 0.5), at("a/2", "2", 0.54), at("a/3", "3", 0.57), at("a/4", "4", 0.59)], "1 2 4"),
        ([at("a/1", "1", 0.8), at("a/2", "2", 0.7)], "1"),
        # Of those that cost the same: the ablest, the maker's own, the newest, the first by name.
        ([at("a/1", "1", 0.6), at("a/2", "1", 0.7)], "2"),
        ([at("a/m/2", "1"), at("a/3", "1")], "3"),
        ([at("a/gpt-5", "1"), at("a/gpt-6", "1"), at("a/gpt-6.1", "1")], "gpt-6.1"),
        ([at("a/y", "1"), at("a/x", "1")], "x"),
        # Three parts of input to one of output.
        ([model("a/in", price=price("2", "1")), model("a/out", price=price("1", "3"))], "out"),
        ([model("a/in", price=price("2", "1"), ability=0.8), model("a/out", price=price("1", "3"))], "out in"),
        # Of a long one the ends stay, and in between what lies evenly.
        (
            [at("a/1", "1", 0.5), at("a/2", "2", 0.55), at("a/3", "3", 0.6), at("a/4", "4", 0.7), at("a/5", "5", 0.8)],
            "1 3 4 5",
        ),
        (
            [at("a/1", "1", 0.5), at("a/2", "2", 0.6), at("a/3", "3", 0.7), at("a/4", "4", 0.75), at("a/5", "5", 0.8)],
            "1 2 3 5",
        ),
    ],
)
def test_a_makers_chain_climbs_in_steps(models: list[Model], chain: str) -> None:
    assert build(models, {"a": "openai"})["openai"] == tuple(f"a/{name}" for name in chain.split())


def test_which_models_come_into_a_chain() -> None:
    kinds = {"a": "openai", "b": "anthropic", "c": "gemini", "r": "openrouter"}
    sold, resold = at("b/claude-opus-5-5", "1"), at("r/anthropic/claude-opus-5.5", "0.5")
    dated = at("r/anthropic/claude-opus-5.5-20261101", "0.5")
    gift, basic = at("a/gift:free", "0"), at("a/small", "0.1", 0.3, level=Level.BASIC)
    unpriced, other = at("a/unpriced", None, 0.9), at("c/gemini-4", "2", 0.8)
    chains = build([sold, resold, dated, gift, basic, unpriced, other], kinds)
    assert chains == {
        "mixed": (sold.id, other.id),
        "anthropic": (sold.id,),
        "gemini": (other.id,),
        "fast": (unpriced.id, other.id, sold.id),
    }
    assert build([resold], kinds) == {"mixed": (resold.id,), "fast": (resold.id,)}
    assert build([basic], kinds) == {"fast": (basic.id,)}, "the quickest there is, where none is able"
    assert build([gift], kinds) == {}


def test_local_models_climb_from_the_quickest_whatever_their_level() -> None:
    def here(name: str, ability: float, tokens_per_s: float, **more: Any) -> Model:
        known = {"price": FREE, "local": True, "level": Level.BASIC, "tokens_per_s": tokens_per_s}
        return model(f"ollama/{name}", ability=ability, **(known | more))

    small, middle, large = here("small", 0.4, 100), here("middle", 0.45, 50), here("large", 0.6, 10)
    waiting = here("waiting", 0.55, 100, first_token_s=40.0)
    chains = build([large, waiting, middle, small], {"ollama": "openai-compatible"})
    assert chains["local"] == (small.id, middle.id, large.id)
    assert chains["mixed"] == (large.id,)
    assert chains["fast"] == (large.id, waiting.id)


def test_the_fast_chain_is_the_four_that_answer_soonest() -> None:
    def quick(name: str, first_token_s: float, tokens_per_s: float, ability: float = 0.7, usd: str = "1") -> Model:
        return at(f"a/{name}", usd, ability, first_token_s=first_token_s, tokens_per_s=tokens_per_s)

    models = [
        quick("late", 9, 300),
        quick("slow", 0.5, 30),
        quick("dear", 1, 100, usd="2"),
        quick("plain", 1, 100),
        quick("abler", 1, 100, 0.8),
        quick("just-able", 2, 300, 0.5),
        quick("unable", 0.1, 300, 0.49),
    ]
    assert build(models, {})["fast"] == ("a/just-able", "a/abler", "a/plain", "a/dear")
