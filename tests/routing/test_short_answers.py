"""Whether two short answers state the same fact: yes, no, or not to be told."""

from __future__ import annotations

import pytest

from tui_orchestrator.routing.short_answers import is_short, same_fact


@pytest.mark.parametrize(
    ("answer", "short"),
    [
        ("Bonn", True),
        ("It is Bonn. It lies on the Rhine.", True),
        ("It is Bonn. It lies on the Rhine. So it is.", False),
        ("It is Bonn.\n\nIt lies on the Rhine.", True),
        ("是东京。是首都。", True),
        ("是东京。 。是首都。", True),
        ("是东京。是首都。是城市。", False),
        ("a" * 240, True),
        (f" {'a' * 240} ", True),
        ("a" * 241, False),
        ("`Bonn`", True),
        ("```Bonn```", False),
        ("", False),
        (" ", False),
    ],
)
def test_one_or_two_sentences_are_short(answer: str, short: bool) -> None:
    assert is_short(answer) is short


FACTS = [
    # The same words, and what they add to the prompt.
    ("What is the capital of Australia?", "The capital of Australia is Canberra.", "Canberra", True),
    ("What is the capital of Australia?", "**Canberra**", "It’s Canberra!", True),
    ("Who?", "Keating", "Hawke", False),
    ("Who?", "", "Keating", None),
    ("Who?", "the", "Keating", None),
    ("Who?", "It is not Bonn", "It is Bonn", None),
    ("Who?", "It is not Bonn", "It is not in Bonn", True),
    ("When?", "1,000", "1000.", True),
    ("When?", "In 1912", "In 1913", False),
    ("When?", "In 1912 or 1913", "In 1913", None),
    ("When?", "In 1912, in March", "In 1912, in June", False),
    # Words that change places, in a list or around others.
    ("Which?", "Bonn and Ulm", "Ulm and Bonn", True),
    ("Who beat whom?", "Bonn beat Ulm", "Ulm beat Bonn", None),
    ("Who beat whom?", "Bonn beat Ulm", "Bonn: beat Ulm", True),
    ("Which?", "Bonn, Ulm and Rome", "Ulm, Bonn and Rome", True),
    ("Which?", "Bonn, Ulm and Rome", "Ulm, Bonn, Rome", None),
    ("Which?", "Bonn, Ulm, Rome", "Ulm, Rome, Bonn", True),
    ("Which?", "Bonn Ulm", "Ulm Bonn", True),
    # What the prompt offers.
    ("Tea or coffee?", "Tea", "Coffee", False),
    ("Tea or coffee?", "Tea", "Tea, please", None),
    ("Tea or coffee?", "Tea", "Milk", False),
    ("Tea or coffee?", "Tea and coffee", "Coffee", None),
    ("Tea or coffee?", "Tea and coffee", "Milk", None),
    ("Tea or coffee?", "Tea coffee", "Coffee", None),
    # More of the same, unless it is a name or a figure more.
    ("Who?", "Paul Keating", "Keating", True),
    ("Who?", "It was Paul Keating", "Keating", True),
    ("Who?", "Keating in Bonn", "Keating", None),
    ("Who?", "Keating in a house", "Keating", True),
    ("Who?", "Keating in 1993", "Keating", True),
    ("When?", "In 1912 at Bonn", "In 1912", True),
    ("When?", "In 1912 to 1913", "In 1912", None),
    ("When?", "In 1912 and Bonn", "In 1912", None),
    # Other words: few of them, or few with a name.
    ("What?", "red", "blue", False),
    ("What?", "red paint", "blue oil", False),
    ("What?", "red", "blue oil place", None),
    ("What?", "red paint thing", "blue oil place", None),
    ("What?", "red paint Bonn", "blue oil place", False),
    ("What?", "red", "blue oil Bonn", False),
    ("What?", "red paint thing Bonn", "blue oil place", None),
    ("What?", "reddish", "red", None),
    ("What?", "red blue", "reddish oil", None),
    ("What?", "red or black", "blue", None),
    ("What?", "between red oil", "blue", None),
    # Some words in common: other names.
    ("Who?", "minister Paul Keating", "minister Bob Hawke", False),
    ("Who?", "minister Paul Adam Keating", "minister Bob Hawke", False),
    ("Who?", "minister Paul Adam John Keating", "minister Bob Hawke", None),
    ("Who?", "minister Paul Keating", "minister Paul Hawke", None),
    ("Who?", "minister Paul Keating", "minister dull dog", None),
    ("Who?", "minister grey cat", "minister dull dog", None),
    # Single letters, of which small ones and those at an apostrophe say nothing.
    ("Which vitamin?", "vitamin C", "vitamin B", False),
    ("Whose?", "Australia's", "Australia", True),
    ("Whose?", "Bonn'z, of Bonn", "Bonn", True),
    ("Which?", "it in z", "it in Z", None),
    ("Which vitamin?", "Z", "Q", False),
    ("Which?", "Z'", "Q", None),
    ("Which?", "x Bonn", "Bonn", True),
    ("Which?", "Q'Bonn", "Bonn", True),
    ("Which?", "Plan Q in Bonn", "Plan in Bonn", True),
    # Nor do words that are also names, but where they are written as such.
    ("Which vitamin?", "vitamin D", "vitamin C", False),
    ("Which vitamin?", "It is vitamin D.", "Vitamin A", False),
    ("Which vitamin?", "It is vitamin-D.", "vitamin D", True),
    ("Which one?", "a vitamin", "A vitamin", True),
    ("Which vitamin?", "A vitamin", "vitamin A", None),
    ("Which war?", "World War I", "World War II", False),
    ("Which war?", "World War I", "the first World War I", True),
    ("Who?", "Elizabeth I", "Elizabeth", True),
    ("Who?", "it is what i think I said", "it is what think said", True),
    ("When?", "in May", "in June", False),
    ("When?", "May 5", "June 5", None),
    ("When?", "It may rain", "It rain", True),
    ("Who?", "It was Will Smith", "It was John Smith", None),
    ("Who?", "Will it rain", "It rain", True),
    # Only the first sentence, and of it what stands before a remark.
    ("Where?", "Bonn. Ulm is another.", "Bonn", True),
    ("Where?", "。 。Bonn", "Bonn", True),
    ("Who?", "Keating, who lived in Bonn", "Keating", True),
    ("Who?", "Keating (of Bonn)", "Keating", True),
    ("Who?", "(Keating, who lived in Bonn", "Keating", True),
    ("Who?", "; ; Keating, who lived in Bonn", "Keating", True),
    ("Who?", "Keating, who lived in Bonn", "Hawke, who lived in Ulm", False),
    # Chinese and Japanese.
    ("哪里？", "东京", "大阪", False),
    ("哪里？", "东京和大阪", "大阪", None),
    ("首都是哪里？", "首都是东京", "东京", True),
    ("哪里？", "不是东京", "东京", None),
    ("哪里？", "东京是首都", "首都是东京", True),
    ("Who?", "Bonn", "东京", None),
    ("Where?", "in Bonn", "在东京", None),
    # Of the prompt, the last 2,000 characters.
    ("Bonn" + " " * 1996, "Keating in Bonn", "Keating", True),
    ("Bonn" + " " * 1997, "Keating in Bonn", "Keating", None),
]


@pytest.mark.parametrize(
    ("prompt", "one", "other", "same"), FACTS, ids=[f"{one} - {other}" for _, one, other, _ in FACTS]
)
def test_two_answers_state_the_same_fact_or_another(prompt: str, one: str, other: str, same: bool | None) -> None:
    assert same_fact(prompt, one, other) is same
    assert same_fact(prompt, other, one) is same
