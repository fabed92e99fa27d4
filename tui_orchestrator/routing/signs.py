"""The features of an answer, gathered into signs that a reader can be told of."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from .answer_features import TERSE, Answer, Asked
from .final_answer import Final

_MANY_FIGURES = 6


class Sign(StrEnum):
    QUESTION = "question"
    WORKING = "working"
    FIGURES = "figures"
    SUMS = "sums"
    RESULT = "result"
    DOUBT = "doubt"
    REPETITION = "repetition"
    ENDING = "ending"
    SUPPORT = "support"
    PICK = "pick"
    VALUE = "value"


SIGNS: Mapping[str, Sign] = {
    **dict.fromkeys(("question_words", "question_figures", "question_formulas"), Sign.QUESTION),
    **dict.fromkeys(("options", "option_figures"), Sign.QUESTION),
    **dict.fromkeys(("answer_words", "sentences", "new_words"), Sign.WORKING),
    **dict.fromkeys(("answer_figures", "figure_share", "formulas"), Sign.WORKING),
    "figures_used": Sign.FIGURES,
    **dict.fromkeys(("wrong_sums", "wrong_share"), Sign.SUMS),
    **dict.fromkeys(("no_result", "announced"), Sign.RESULT),
    **dict.fromkeys(("no_option_fits", "turns", "guesses"), Sign.DOUBT),
    "repeated_words": Sign.REPETITION,
    "open_end": Sign.ENDING,
    **dict.fromkeys(("option_said", "option_reached"), Sign.SUPPORT),
    **dict.fromkeys(("option_length", "option_place"), Sign.PICK),
    **dict.fromkeys(("run_code", "run_branches", "run_text_methods", "run_input", "run_output"), Sign.VALUE),
    **dict.fromkeys(("run_text", "run_container", "run_unchanged", "run_empty", "run_no_value"), Sign.VALUE),
}
"""Every feature has one."""


def in_words(
    sign: Sign, weight: float, seen: Mapping[str, float], asked: Asked, answer: Answer, final: Final | None
) -> str:
    """Empty where the sign counts and there is nothing to say."""
    picks = final is not None and final.value in asked.options
    picked = f"option {final.value}" if final is not None else ""
    if sign in (Sign.SUPPORT, Sign.PICK) and not picks:
        return ""
    if sign is Sign.FIGURES and len(answer.whole) <= TERSE:
        return ""
    if weight > 0:
        return {
            Sign.QUESTION: "a short, plain question",
            Sign.FIGURES: "uses the figures of the question",
            Sign.SUPPORT: f"its working leads to {picked}",
            Sign.VALUE: "a value that is easily predicted",
        }.get(sign, "")
    match sign:
        case Sign.QUESTION:
            figures = len(asked.numbers)
            return f"a question with {figures} figures" if figures >= _MANY_FIGURES else "a long question"
        case Sign.WORKING:
            return "its working is unlike that of right answers"
        case Sign.FIGURES:
            return "leaves figures of the question unused"
        case Sign.SUMS:
            return f"a sum does not come out: {answer.sums.wrong[0]}" if answer.sums.wrong else ""
        case Sign.RESULT:
            return "names none of the options" if seen["no_result"] else "states no final answer"
        case Sign.DOUBT:
            return (
                "says that no option fits its result" if seen["no_option_fits"] else "turns and guesses in its working"
            )
        case Sign.REPETITION:
            return "repeats itself"
        case Sign.ENDING:
            return "breaks off in mid-sentence"
        case Sign.SUPPORT:
            return f"its working does not lead to {picked}"
        case Sign.PICK:
            return "picks one of the shorter options"
        case Sign.VALUE:
            return "predicts what is no Python value" if seen["run_no_value"] else "a value that is hard to predict"
