"""How one answer differs from another, word by word, within a bounded time."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tui_orchestrator.ui.differences import Change, difference

SAID = st.text(alphabet=st.sampled_from("ab cé.\n東京-'"), max_size=60)


def test_words_are_marked_by_what_became_of_them() -> None:
    found = difference("The capital is Paris.", "The capital is Lyon, in the south.")
    assert found.content().plain == "The capital is [-Paris-]{+Lyon, in the south+}."
    assert (found.added, found.removed) == (4, 1)
    assert not found.cut


def test_the_same_words_in_other_lines_are_the_same() -> None:
    assert [run.change for run in difference("one two", "one  two").runs] == [Change.SAME]


def test_each_character_of_a_script_without_spaces_is_a_word() -> None:
    assert difference("首都是巴黎", "首都是里昂").content().plain == "首都是[-巴黎-]{+里昂+}"


@given(SAID, SAID)
def test_what_is_new_or_the_same_is_the_whole_of_the_other_answer(base: str, other: str) -> None:
    found = difference(base, other)
    kept = "".join(run.text for run in found.runs if run.change is not Change.GONE)
    assert kept.split() == other.split()
    assert 0 <= found.shared <= 1


def test_of_one_word_said_over_and_over_only_a_beginning_is_compared() -> None:
    found = difference("the " * 5000, "the of " * 5000)
    assert found.cut
    assert sum(len(run.text.split()) for run in found.runs) < 1000


def test_nothing_differs_from_nothing() -> None:
    assert difference("", "").runs == ()
    assert difference("", "new").content().plain == "{+new+}"
