"""Prices to suppose, as a file and in a few words; what is wrong is told with file and line."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from tui_orchestrator.routing.money import Rates
from tui_orchestrator.settings.price_table import price_table


def test_prices_of_models_and_factors_of_models_and_providers(tmp_path: Path) -> None:
    file = tmp_path / "next.toml"
    file.write_text(
        '[[models]]\nid = "openai/gpt-6"\ninput_usd = 1.25\noutput_usd = "10"\ncached_input_usd = 0.125\n'
        '[[models]]\nid = "openai/mini"\ntimes = 0.5\n[providers.anthropic]\ntimes = 1.1\n'
    )
    table = price_table(str(file))
    assert table.prices["openai/gpt-6"].rates == Rates(1_250_000, 10_000_000, 125_000)
    assert table.factors == {"openai/mini": Decimal("0.5"), "anthropic": Decimal("1.1")}


def test_factors_in_a_few_words() -> None:
    assert price_table(" anthropic=0.5, openai/gpt-6=2 ").factors == {
        "anthropic": Decimal("0.5"),
        "openai/gpt-6": Decimal(2),
    }


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ('[[models]]\nid = "a/b"\n', 'p.toml:1: models."a/b": says no price; give input_usd and output_usd, or times'),
        ('[[models]]\nid = "a/b"\ninput_usd = 1\n', "output_usd is missing"),
        ('[[models]]\nid = "a/b"\ntimes = 2\ninput_usd = 1\noutput_usd = 1\n', "has both a price and `times`"),
        ("[providers.a]\ntimes = -1\n", "p.toml:2: providers.a.times: -1 is not between 0 and 1000"),
        ("[providers.a]\ntims = 1\n", "is an unknown key; did you mean times?"),
        ("price = 1\n", "those there are: models, providers"),
        ("x = = 1\n", "p.toml:1: this is not TOML"),
        ("# nothing\n", "holds no prices; give a TOML file with [[models]]"),
    ],
)
def test_what_is_wrong_is_one_sentence(tmp_path: Path, written: str, told: str) -> None:
    (tmp_path / "p.toml").write_text(written)
    with pytest.raises(ValueError, match=r".") as error:
        price_table(str(tmp_path / "p.toml"))
    assert told in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("said", ["a=x", "a=nan", "a=-1", "a=1001", "=2", "nowhere.toml"])
def test_words_that_are_no_prices_are_told(said: str) -> None:
    with pytest.raises(ValueError, match=r"NAME=FACTOR"):
        price_table(said)
