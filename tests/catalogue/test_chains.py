"""The chains that are built from the models there are."""

from __future__ import annotations

from tests.routing.samples import model, price
from tui_orchestrator.providers.chains import build


def test_of_models_that_are_alike_the_chain_takes_one_of_a_provider_it_has_not() -> None:
    one, two = model("a/one", price=price("1", "1"), ability=0.7), model("a/two", price=price("2", "2"), ability=0.8)
    stranger = model("b/three", price=price("2", "2"), ability=0.8)
    assert build([one, two, stranger], {})["mixed"] == (one.id, stranger.id)
    assert build([one, two], {})["mixed"] == (one.id, two.id)
