"""What words and form say of the type of a task: points beside those that every type begins with."""

from __future__ import annotations

import pytest

from tui_orchestrator.routing.cues import LEARNED_TYPES, points
from tui_orchestrator.routing.features import read
from tui_orchestrator.routing.lexicon import FOLLOW_UP, Phrases, by_word
from tui_orchestrator.routing.profile import TaskType

AT_FIRST = (
    "code 0, creative 0, simple_qa 0.2, research 0.2, conversation -0.3, reasoning -0.5, analysis -0.5, planning -0.5, "
    "long_context -3, multimodal -3"
)
"""All others: -1."""
PLAIN = "debugging -1.5, code_refactor -1.5"
"""Where nothing speaks of code, 'fix' and 'simplify' are said of other things."""


def table(said: str) -> dict[str, float]:
    return {name: float(value) for name, value in (each.split(" ") for each in said.split(", ") if each)}


def of(text: str) -> dict[str, float]:
    first = dict.fromkeys(TaskType, -1.0) | table(AT_FIRST)
    more = {kind.value: value - first[kind] for kind, value in points(read(text)).items()}
    return {name: value for name, value in more.items() if abs(value) > 1e-9}


FIVE = "xa xb xc xd xe"
FORTY = " ".join(["xa"] * 40)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (FIVE, PLAIN),
        # What is hardly anything is talk, unless a word speaks for another type.
        ("", f"conversation 4, {PLAIN}"),
        ("xa", f"conversation 2, {PLAIN}"),
        ("xa xb xc xd", f"conversation 2, {PLAIN}"),
        ("xa xb xc hello", f"conversation 5.2, {PLAIN}"),
        ("xa xb xc explain", f"research 1.9, {PLAIN}"),
        # One mention of a word of each list.
        *(
            (f"xa xb xc xd {word}", f"{said}, {PLAIN}")
            for word, said in (
                ("prove", "math 2.4"),
                ("solve", "math 1.6"),
                ("puzzle", "reasoning 2.2"),
                ("reasoning", "reasoning 1"),
                ("explain", "research 1.9"),
                ("analyze", "analysis 2"),
                ("evaluate", "evaluation 2.4"),
                ("roadmap", "planning 2.2"),
                ("poem", "creative 2.3"),
                ("write", "creative 0.7"),
                ("summarize", "summarization 3.2"),
                ("translate", "translation 3.6"),
                ("extract", "extraction 2.8"),
                ("quiz", "problem_generation 3.6"),
                ("autocomplete", "completion 3"),
                ("capital", "simple_qa 1.7"),
                ("hello", "conversation 3.2"),
                ("lol", "conversation 1"),
                ("计算", "math 2.4"),
                ("推理", "reasoning 2.2"),
                ("解释", "research 2"),
                ("分析", "analysis 2.2"),
                ("评价", "evaluation 2.4"),
                ("计划", "planning 2.4"),
                ("故事", "creative 2.4"),
                ("总结", "summarization 3.4"),
                ("翻译", "translation 3.8"),
                ("提取", "extraction 3"),
                ("出题", "problem_generation 3.6"),
                ("补全", "completion 3"),
                ("何年", "simple_qa 1.7"),
                ("你好", "conversation 3.2"),
            )
        ),
        ("xa xb xc xd python", "code 2.4, research -0.8"),
        ("xa xb xc xd json", "code 1.6"),
        ("xa xb xc xd file", "code 1.2"),
        ("xa xb xc xd sort", "code 0.8"),
        ("xa xb xc xd debug", "debugging 0.7, code_refactor -1.5"),
        ("xa xb xc xd error", "debugging -0.3, code_refactor -1.5"),
        ("xa xb xc xd refactor", "debugging -1.5, code_refactor 1.1"),
        ("xa xb xc xd optimize", "debugging -1.5, code_refactor -0.5"),
        ("xa xb xc xd 代码", "code 2.4, research -0.8"),
        ("xa xb xc xd 实现", "code 1.2"),
        ("xa xb xc xd 调试", "debugging 0.9, code_refactor -1.5"),
        ("xa xb xc xd 重构", "debugging -1.5, code_refactor 1.5"),
        # From 2 on code is no wish to understand.
        ("xa xb xc xd sort file", "code 2, research -0.8"),
        # The same word twice is one, two are two, and no type has more than 5.5.
        ("xa xb xc xd poem poem", f"creative 2.3, {PLAIN}"),
        ("xa xb xc xd poem song", f"creative 4.6, {PLAIN}"),
        ("xa xb xc xd poem song joke", f"creative 5.5, {PLAIN}"),
        # A phrase counts where all its words stand together.
        ("xa xb xc xd pros and cons", f"analysis 2, {PLAIN}"),
        ("xa xb xc xd pros and xa cons", PLAIN),
        ("xa xb xc xd fill in", f"completion 3, {PLAIN}"),
        ("xa xb xc xd tell me about", f"research 1.9, {PLAIN}"),
        ("xa xb xc xd fill", PLAIN),
        ("xa xb xc xd what can you tell xe", f"research 1.9, {PLAIN}"),
        ("xa xb xc xd what can you xe tell", PLAIN),
        ("xa xb xc xd how much xe", f"math 1.6, {PLAIN}"),
        ("xa xb xc xd you are a", f"creative 1.9, {PLAIN}"),
        # What is listed twice is one, and says nothing of what is listed after it.
        ("xa xb xc xd terraform", "code 2.4, research -0.8"),
        ("xa xb xc xd in rust", "code 2.4, research -0.8"),
        # What words say of a task besides its type is no point.
        ("xa xb xc xd manifold", PLAIN),
        # Among the first three words more, and more yet for what is commanded; where it weighs most, it counts.
        ("poem xb xc xd xe", f"creative 2.99, {PLAIN}"),
        ("xa xb poem xd xe", f"creative 2.99, {PLAIN}"),
        ("xa xb xc poem xe", f"creative 2.3, {PLAIN}"),
        ("poem xb xc xd poem", f"creative 2.99, {PLAIN}"),
        ("extract xb xc xd xe", f"extraction 4.48, {PLAIN}"),
        ("summarize xb xc xd xe", f"summarization 5.12, {PLAIN}"),
        ("autocomplete xb xc xd xe", f"completion 4.8, {PLAIN}"),
        ("refactor xb xc xd xe", "debugging -1.5, code_refactor 2.66"),
        # A word of asking further on mostly joins.
        ("who xb xc xd xe", f"simple_qa 2.21, {PLAIN}"),
        ("xa xb xc who xe", f"simple_qa 1.7, {PLAIN}"),
        ("xa xb xc xd who", f"simple_qa 0.425, {PLAIN}"),
        # In the middle, before the last 25 words, a quarter.
        (f"{FORTY[:-3]} poem {FORTY}", f"creative 2.3, {PLAIN}"),
        (f"{FORTY} poem {FORTY}", f"creative 0.575, {PLAIN}"),
        (f"{FORTY} poem {FORTY} poem", f"creative 2.3, {PLAIN}"),
        (f"{FORTY} xa poem {FORTY[: 3 * 25 - 1]}", f"creative 0.575, {PLAIN}"),
        (f"{FORTY} xa poem {FORTY[: 3 * 24 - 1]}", f"creative 2.3, {PLAIN}"),
        # The part before a hyphen, where the whole is no word of the lists.
        ("xa xb xc xd poem-like", f"creative 2.3, {PLAIN}"),
        ("xa xb xc xd fill-in", f"completion 3, {PLAIN}"),
        ("xa xb xc xd un-poem", PLAIN),
        # A question in a few words; one with options is a riddle.
        ("xa xb xc xd xe?", f"simple_qa 0.8, {PLAIN}"),
        ("xa " * 30 + "?", f"simple_qa 0.8, {PLAIN}"),
        ("xa " * 31 + "?", PLAIN),
        ("xa xb?\nA. xa\nB. xb\nC. xc", f"reasoning 3, {PLAIN}"),
        # Who greets and then asks for something wants that.
        ("hello" + " xa" * 10 + " explain", f"conversation 4.16, research 1.9, {PLAIN}"),
        ("hello" + " xa" * 11 + " explain", f"conversation 2.16, research 1.9, {PLAIN}"),
        ("hello" + " xa" * 12, f"conversation 4.16, {PLAIN}"),
        ("lol" + " xa" * 11 + " write", f"conversation 1.3, creative 0.7, {PLAIN}"),
        ("xa xa xa lol" + " xa" * 11 + " poem", f"conversation -1, creative 2.3, {PLAIN}"),
        # Code, and what goes with it.
        ("xa xb xc xd xe `a` ```b```", "code 2.2"),
        ("xa xb xc xd error ```b```", "code 2.2, debugging 4.2"),
        ("xa xb xc xd optimize ```b```", "code 2.2, code_refactor 4"),
        ("xa xb xc xd KeyError", "code 0.6, debugging 2.2"),
        ("xa xb xc xd fix KeyError", "code 0.6, debugging 5.2"),
        # Mathematics.
        ("xa xb xc xd x^2", f"math 1.2, {PLAIN}"),
        ("xa xb xc xd x^2 y^2 z^2 π", f"math 2.4, {PLAIN}"),
        ("xa xb xc xd x^2 y^2 z^2", f"math 2, {PLAIN}"),
        ("xa xb xc xd x^2 y^2 z^2 π ∑", f"math 2.4, {PLAIN}"),
        ("xa xb xc xd x^2 ```a```", "code 2.2"),
        # A question over three quantities in sixteen words; years are none.
        ("xa " * 13 + "3 4 5?", f"simple_qa 0.8, math 4, {PLAIN}"),
        ("xa " * 12 + "3 4 5?", f"simple_qa 0.8, {PLAIN}"),
        ("xa " * 14 + "3 4?", f"simple_qa 0.8, {PLAIN}"),
        ("xa " * 13 + "3 4 5", PLAIN),
        ("xa " * 13 + "3 4 1995?", f"simple_qa 0.8, {PLAIN}"),
        ("xa " * 13 + "3 4 5?\nA. xa\nB. xb\nC. xc", f"reasoning 3, {PLAIN}"),
        ("xa " * 13 + "3 4 5?\n\nA. xa", f"simple_qa 0.8, {PLAIN}"),
        # A blank.
        ("xa xb xc xd ___ xe", f"completion 2.5, {PLAIN}"),
        ("xa xb xc xd __ xe", PLAIN),
    ],
)  # fmt: skip
def test_words_and_form_speak_for_a_type_by_so_much(text: str, said: str) -> None:
    assert of(text) == pytest.approx(table(said))


def test_size_and_pictures_alone_tell_of_two_types() -> None:
    assert set(TaskType) - set(LEARNED_TYPES) == {TaskType.LONG_CONTEXT, TaskType.MULTIMODAL}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("and now", ["and", "now"]),
        ("what about what", ["what about"]),
        ("what", []),
        ("now go on", ["now", "go on"]),
        ("go along on", []),
    ],
)
def test_phrases_are_found_where_all_their_words_stand(text: str, found: list[str]) -> None:
    assert FOLLOW_UP.found(tuple(text.split())) == found


def test_whether_a_phrase_may_stand_there_is_told_by_its_first_word() -> None:
    phrases = Phrases("what_about no")
    assert [phrases.may_stand_among(words) for words in (["what"], ["about"], ["no"], [])] == [True, False, True, False]
    assert by_word((1.5, "one two"), (2.0, "three")) == {"one": 1.5, "two": 1.5, "three": 2.0}
