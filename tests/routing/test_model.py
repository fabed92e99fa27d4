"""Finding a model by what somebody calls it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tui_orchestrator.routing.model import Registry

from .samples import model

MINI, SMALL, TWIN, OTHER = (model(id_) for id_ in ("a/mini-1", "a/small", "b/small", "b/mini-2"))
REGISTRY = replace(Registry.of([MINI, SMALL, TWIN, OTHER, model("b/mini-3"), model("b/mini-4")]), unlisted={"c": "401"})


def test_a_registry_holds_its_models_by_id_in_their_order() -> None:
    assert [one.id for one in REGISTRY] == ["a/mini-1", "a/small", "b/small", "b/mini-2", "b/mini-3", "b/mini-4"]
    assert len(REGISTRY) == 6
    assert REGISTRY["a/small"] is REGISTRY.get("a/small") is SMALL
    assert REGISTRY.get("small") is None
    assert [one in REGISTRY for one in ("a/small", "small", None)] == [True, False, False]
    plain = Registry.of([MINI])
    assert (plain.out, plain.chains) == ({}, {})
    told = Registry.of([MINI], {"a/mini-1": "disabled"}, {"cheap": ("a/mini-1",)})
    assert (told.out, told.chains) == ({"a/mini-1": "disabled"}, {"cheap": ("a/mini-1",)})


@pytest.mark.parametrize(
    ("wanted", "found"), [("a/small", [SMALL]), ("small", [SMALL, TWIN]), ("mini-1", [MINI]), ("c/gone", []), ("", [])]
)
def test_a_bare_name_may_be_that_of_several(wanted: str, found: list[object]) -> None:
    assert REGISTRY.called(wanted) == found


@pytest.mark.parametrize(("wanted", "found"), [("a/small", SMALL), ("b/small", TWIN), ("mini-1", MINI)])
def test_a_model_is_found_by_its_id_or_a_bare_name_of_its_own(wanted: str, found: object) -> None:
    assert REGISTRY.find(wanted) is found


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        ("small", "'small' is served by several providers; say a/small or b/small"),
        ("smal", "no model is called 'smal'; did you mean small or small or b/small?"),
        ("b/mini", "no model is called 'b/mini'; did you mean b/mini-4 or b/mini-3 or b/mini-2?"),
        ("zzz", "no model is called 'zzz'; `models` lists those there are"),
        ("c/mini", "no model is called 'c/mini'; no model of c is known: 401"),
    ],
)
def test_what_is_not_found_is_told_with_what_would_be_right(wanted: str, sentence: str) -> None:
    with pytest.raises(LookupError) as caught:
        REGISTRY.find(wanted)
    assert str(caught.value) == sentence
