"""[personas.NAME]: ways to be answered."""

from __future__ import annotations

from collections.abc import Callable

from tui_orchestrator.routing.request import Strategy
from tui_orchestrator.settings import Persona, Settings

Load = Callable[..., Settings]
Problems = Callable[..., list[str]]


def test_a_persona_is_read_with_all_its_defaults(loaded: Load) -> None:
    settings = loaded(
        '[personas.reviewer]\nsystem = "Name the line."\nstrategy = "quality"\nmodel = "openai/gpt-6"\n'
        'temperature = 0.2\nmax_tokens = 900\ntags = ["Work ", "code"]\n[personas.poet]\ntemperature = 1\n'
    )
    assert settings.personas == {
        "reviewer": Persona(
            "reviewer",
            "Name the line.",
            Strategy.QUALITY,
            "openai/gpt-6",
            0.2,
            900,
            frozenset({"work", "code"}),
        ),
        "poet": Persona("poet", temperature=1.0),
    }


def test_what_is_wrong_of_a_persona_is_told_with_its_line_and_what_would_be_right(problems: Problems) -> None:
    for written, line, said in (
        ('stratgy = "quality"', 2, "strategy"),
        ('strategy = "qualty"', 2, "quality"),
        ("temperature = 3", 2, "3 is above 2"),
        ('tags = ["   "]', 2, "the text is empty"),
        ('tags = ["' + "x" * 50 + '"]', 2, "longer than 40 characters"),
        ("", 1, "changes nothing; give it one of system, strategy, model"),
    ):
        told = problems(f"[personas.reviewer]\n{written}\n")
        assert any(f":{line}: personas.reviewer" in problem and said in problem for problem in told), told
