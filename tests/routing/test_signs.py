"""What a reader is told of a sign that counts for or against an answer."""

from __future__ import annotations

import pytest

from tui_orchestrator.routing.answer_features import Answer, Asked, features
from tui_orchestrator.routing.final_answer import final_answer
from tui_orchestrator.routing.signs import Sign, in_words

WHICH = "Which holds?\nA. 1 kg\nB. 2 kg\nC. 3 kg\nD. 4 kg"
FIVE, SIX = "Add 1, 2, 3, 4 and 5", "Add 1, 2, 3, 4, 5 and 6"
LONG = "It is as it is, and nobody can say anything else of it: 7 or 8."
"""Of 61 characters and more."""
CALL = "def f(text):\n    return text.upper()\n\nWhat does the following call return?\nf('abc')"

FOR, AGAINST = 1.0, -1.0
TOLD = [
    (Sign.QUESTION, FOR, "Why?", LONG, "a short, plain question"),
    (Sign.QUESTION, AGAINST, FIVE, LONG, "a long question"),
    (Sign.QUESTION, AGAINST, SIX, LONG, "a question with 6 figures"),
    (Sign.QUESTION, 0.0, FIVE, LONG, "a long question"),
    (Sign.QUESTION, 0.5, FIVE, LONG, "a short, plain question"),
    (Sign.WORKING, FOR, FIVE, LONG, ""),
    (Sign.WORKING, AGAINST, FIVE, LONG, "its working is unlike that of right answers"),
    (Sign.FIGURES, FOR, FIVE, LONG, "uses the figures of the question"),
    (Sign.FIGURES, AGAINST, FIVE, LONG, "leaves figures of the question unused"),
    *((Sign.FIGURES, weight, FIVE, "7" * 60, "") for weight in (FOR, AGAINST)),
    (Sign.FIGURES, AGAINST, FIVE, "7" * 61, "leaves figures of the question unused"),
    (Sign.SUMS, FOR, FIVE, LONG, ""),
    (Sign.SUMS, AGAINST, FIVE, "1 + 2 = 4, so 3 + 4 = 6", "a sum does not come out: 1 + 2 = 4"),
    (Sign.SUMS, AGAINST, FIVE, "1 + 2 = 3", ""),
    (Sign.RESULT, FOR, WHICH, LONG, ""),
    (Sign.RESULT, AGAINST, WHICH, "It depends.", "names none of the options"),
    (Sign.RESULT, AGAINST, WHICH, "(B)", "states no final answer"),
    (Sign.RESULT, AGAINST, "Why?", LONG, "states no final answer"),
    (Sign.DOUBT, FOR, WHICH, LONG, ""),
    (Sign.DOUBT, AGAINST, WHICH, "None of the options", "says that no option fits its result"),
    (Sign.DOUBT, AGAINST, WHICH, "But it may be", "turns and guesses in its working"),
    (Sign.REPETITION, FOR, WHICH, LONG, ""),
    (Sign.REPETITION, AGAINST, WHICH, LONG, "repeats itself"),
    (Sign.ENDING, FOR, WHICH, LONG, ""),
    (Sign.ENDING, AGAINST, WHICH, LONG, "breaks off in mid-sentence"),
    # Of an option, where one is picked that there is.
    (Sign.SUPPORT, FOR, WHICH, "(B)", "its working leads to option B"),
    (Sign.SUPPORT, AGAINST, WHICH, "(B)", "its working does not lead to option B"),
    (Sign.PICK, FOR, WHICH, "(B)", ""),
    (Sign.PICK, AGAINST, WHICH, "(B)", "picks one of the shorter options"),
    *((sign, weight, WHICH, "(H)", "") for sign in (Sign.SUPPORT, Sign.PICK) for weight in (FOR, AGAINST)),
    *((sign, weight, "Why?", LONG, "") for sign in (Sign.SUPPORT, Sign.PICK) for weight in (FOR, AGAINST)),
    (Sign.VALUE, FOR, CALL, "'ABC'", "a value that is easily predicted"),
    (Sign.VALUE, AGAINST, CALL, "'ABC'", "a value that is hard to predict"),
    (Sign.VALUE, AGAINST, CALL, "ABC'", "predicts what is no Python value"),
]


@pytest.mark.parametrize(("sign", "weight", "prompt", "answer", "told"), TOLD)
def test_a_sign_is_told_of_in_words(sign: Sign, weight: float, prompt: str, answer: str, told: str) -> None:
    asked, given, final = Asked(prompt), Answer(answer), final_answer(prompt, answer)
    assert in_words(sign, weight, features(asked, given, final), asked, given, final) == told


def test_every_sign_is_told_of() -> None:
    assert {sign for sign, *_ in TOLD} == set(Sign)
