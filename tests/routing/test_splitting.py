"""Texts cut into parts: nothing is lost, no part is too large, and cuts fall where a reader would put them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui_orchestrator.routing.features import estimate_tokens
from tui_orchestrator.routing.material import Material, material_of, part_request, together_request
from tui_orchestrator.routing.request import Message, Request, Split
from tui_orchestrator.routing.splitting import SLACK, Measured, count_of, measured, split

words = st.sampled_from(
    [
        "word ",
        "Room. ",
        "\n",
        "\n\n",
        "# Head\n",
        "def f(x):\n    return x\n",
        "```\n",
        "漢字",
        "。",
        "é",
        "👩‍👩‍👧",
        "x" * 50,
        "\r\n",
    ]
)
texts = st.one_of(st.text(max_size=400), st.lists(words, max_size=300).map("".join))


@given(texts, st.integers(4, 400))
@settings(max_examples=100, deadline=None)
def test_the_parts_put_together_are_the_text_and_none_is_too_large(text: str, limit: int) -> None:
    parts = split(text, limit)
    assert "".join(parts) == text
    assert all(parts)
    assert all(estimate_tokens(part) <= limit or len(part) == 1 for part in parts)


def test_a_text_that_fits_stays_whole() -> None:
    text = "The lamp is lit. " * 400
    assert split(text, estimate_tokens(text)) == [text]
    assert len(split(text, estimate_tokens(text) - 1)) == 2
    assert split("", 100) == []


@pytest.mark.parametrize(
    "unit", ["The lamp is lit and the door is open. ", "漢字仮名交じり文。", "x", "a,b;c{d}=e(f)\n", "👍"]
)
def test_there_are_as_many_parts_as_was_said_whatever_is_written(unit: str) -> None:
    text = unit * (300_000 // len(unit))
    parts = split(text, 5_000)
    assert len(parts) == count_of(measured(text).total, 5_000)
    sizes = [estimate_tokens(part) for part in parts]
    assert max(sizes) <= 5_000
    assert min(sizes) > 0.6 * max(sizes), "no part is left over"


def test_a_cut_falls_before_a_heading_rather_than_inside_a_paragraph() -> None:
    sections = [f"# Section {n}\n\n" + "A sentence of some length stands here. " * 30 + "\n\n" for n in range(40)]
    assert all(part.startswith("# Section") for part in split("".join(sections), 4_000))


def test_a_cut_falls_between_the_files_that_were_enclosed() -> None:
    files = [f"\n\nnotes{n}.md:\n```md\n" + "A line of notes.\n" * 200 + "```" for n in range(10)]
    for part in split("".join(files), 2_500)[1:]:
        assert part.startswith("notes")


def test_a_cut_falls_between_functions() -> None:
    function = "def area{n}(width, height):\n    whole = width * height\n\n    return whole\n\n\n"
    assert all(part.startswith("def ") for part in split("".join(function.format(n=n) for n in range(800)), 3_000))


def test_a_cut_falls_behind_a_sentence_where_there_are_no_lines() -> None:
    assert all(
        part.rstrip().endswith(".") for part in split("One more sentence stands in this long line. " * 3000, 4_000)
    )


def test_what_is_seen_as_one_character_is_not_cut() -> None:
    parts = split("e\u0301" * 20_000, 2_000)
    assert not any(part.startswith("\u0301") for part in parts)


@pytest.mark.parametrize("unit", ["The quick brown fox jumps over the lazy dog.\n", "漢字", "x"])
def test_ten_megabytes_are_cut_as_well(unit: str) -> None:
    text = unit * (10_000_000 // len(unit.encode()))
    parts = split(text, 12_000)
    assert len(parts) > 100
    assert "".join(parts) == text


def asked(text: str, *, files: tuple[str, ...] = (), earlier: tuple[Message, ...] = ()) -> Material:
    return material_of(Request((*earlier, Message("user", text)), files=files))


LONG = "The third team wrote down what it had found. " * 400


@pytest.mark.parametrize(
    ("prompt", "question"),
    [
        (f"Summarise this:\n\n{LONG}", "Summarise this:"),
        (f"{LONG}\n\nWhat was found?", "What was found?"),
        (f"A report\n\n{LONG}\n\nWhat was found?", "What was found?"),
        (f"Which rooms were seen?\n{LONG}\nThat is all.", "Which rooms were seen?"),
        (f"A report\n\n{LONG}", "A report"),
        (LONG, ""),
    ],
)
def test_the_question_is_found_at_the_end_of_the_text_that_asks(prompt: str, question: str) -> None:
    material = asked(prompt)
    assert material.question == question
    assert LONG.strip() in material.text
    assert len(material.text) + len(material.question) >= len(prompt) - 4


def test_enclosed_files_are_material_and_what_was_typed_is_the_question() -> None:
    prompt = f"Compare\n\nthe two\n\na.txt:\n```txt\n{LONG}\n```\n\nb.txt:\n```txt\nshort\n```"
    material = asked(prompt, files=("a.txt", "b.txt"))
    assert material.question == "Compare\n\nthe two"
    assert material.text.startswith("\n\na.txt:")
    assert material.text.endswith("short\n```")


def test_a_short_conversation_goes_along_and_a_long_one_is_read_in_parts() -> None:
    short = (Message("user", "Hello"), Message("assistant", "Good day"))
    assert asked(f"Summarise:\n\n{LONG}", earlier=short).carried == short
    told = asked("What was found?", earlier=(Message("user", LONG), Message("assistant", "I see")))
    assert told.carried == ()
    assert told.question == "What was found?"
    assert LONG.strip() in told.text
    assert "Assistant: I see" in told.text


def test_a_part_is_asked_the_question_and_is_never_split_again() -> None:
    request = Request((Message("user", f"Summarise:\n\n{LONG}"),), split=Split.AGREED, files=())
    material = material_of(request)
    part = part_request(request, material, "of old", 2, 3)
    assert part.prompt.count("Summarise:") == 1
    assert '<part number="2" of="3">\nof old\n</part>' in part.prompt
    joined = together_request(request, material, [("1 of 3", "yes"), ("2 of 3", "no")])
    assert '<answer part="2 of 3">\nno\n</answer>' in joined.prompt
    assert part.split is joined.split is Split.NEVER
    assert part.id == joined.id == request.id


def test_a_part_holds_at_most_its_share_with_the_slack() -> None:
    text = LONG * 20
    whole = measured(text).total
    parts = split(text, 3_000)
    assert max(map(estimate_tokens, parts)) <= whole / len(parts) * SLACK


def lengths(marks: dict[int, str]) -> list[int]:
    """Of the three parts of 420 letters, cut at 140 and 280 where there is no better place within twelve letters."""
    text = list("a" * 420)
    for at, mark in marks.items():
        text[at : at + len(mark)] = mark
    return [len(part) for part in split("".join(text), 60)]


@pytest.mark.parametrize(
    ("marks", "parts"),
    [
        ({}, [140, 140, 140]),
        # Behind a space, of two the nearer one, and of equals the first.
        ({130: " ", 145: " "}, [146, 134, 140]),
        ({134: " ", 146: " "}, [135, 145, 140]),
        ({134: " ", 144: " "}, [135, 145, 140]),
        ({126: " "}, [127, 153, 140]),
        ({125: " "}, [140, 140, 140]),
        ({151: " "}, [152, 128, 140]),
        ({152: " "}, [140, 140, 140]),
        ({130: " ", 270: " "}, [131, 140, 149]),
        # However near a lesser border is.
        ({130: ". ", 140: " "}, [132, 148, 140]),
        ({130: "\n", 138: ". "}, [131, 149, 140]),
        ({130: "\n\n", 139: "\n"}, [132, 148, 140]),
        ({130: "\n# ", 139: "\n\n"}, [131, 149, 140]),
        ({128: "\f", 139: "\n\n"}, [129, 151, 140]),
        ({130: "\n\nb:\n```", 139: "\n# "}, [132, 146, 142]),
        ({128: "。", 139: ","}, [129, 151, 140]),
        # What follows a border may lie beyond the place where a part may end.
        ({148: "\n\n" + "b" * 200 + ":\n```", 139: "\n# "}, [150, 132, 138]),
        ({148: "\n\n" + "b" * 201 + ":\n```", 139: "\n# "}, [140, 142, 138]),
        # A border that begins before the first place and ends at it.
        ({125: "\n\n", 139: " "}, [127, 153, 140]),
        # What is seen as one character goes with what it belongs to.
        ({140: "\u0301"}, [141, 139, 140]),
        ({140: "\u0301" * 3}, [143, 137, 140]),
        ({140: "\u0301" * 15}, [155, 121, 144]),
        # Sixteen characters on at most, from what is now the middle.
        ({140: "\u0301" * 20}, [157, 117, 146]),
        ({139: "\u200d\u200d"}, [142, 136, 142]),
        ({139: "\u200d"}, [141, 139, 140]),
        ({140: "\ufe0f"}, [141, 139, 140]),
        ({138: "\u200d"}, [140, 140, 140]),
        ({141: "\u0301"}, [140, 140, 140]),
    ],
)
def test_a_cut_falls_on_the_best_border_near_its_place(marks: dict[int, str], parts: list[int]) -> None:
    assert lengths(marks) == parts


@pytest.mark.parametrize(
    ("text", "limit", "parts"),
    [
        ("", 9, []),
        ("a" * 42, 10, [42]),
        ("a" * 42, 9, [14, 14, 14]),
        # A character that is more than all that may be stands alone.
        ("🙂" * 4, 4, [1, 1, 1, 1]),
        ("🙂" * 3, 1, [1, 1, 1]),
        # What is still too large is cut again in its middle.
        ("ééééé🙂🙂", 4, [3, 2, 1, 1]),
        ("🙂" * 4, 5, [2, 2]),
        ("é" + "🙂" * 20, 6, [2, 1, 2, 2, 2, 2, 1, 2, 2, 2, 1, 2]),
    ],
)
def test_parts_are_so_long(text: str, limit: int, parts: list[int]) -> None:
    assert [len(part) for part in split(text, limit)] == parts


@pytest.mark.parametrize(
    ("ends", "sums", "places"),
    [
        (
            *((10, 20, 40), (5.0, 10.0, 40.0)),
            {-1: 0, 0: 0, 2.5: 5, 5: 10, 7.5: 15, 10: 20, 25: 30, 40: 40, 41: 40},
        ),
        ((10, 20), (0.5, 1.0), {0.25: 5, 0.75: 15}),
        ((10, 20), (0.0, 5.0), {0: 0, 2.5: 15}),
        ((), (), {0: 0, 3: 0}),
    ],
)
def test_a_place_lies_behind_so_many_tokens(
    ends: tuple[int, ...], sums: tuple[float, ...], places: dict[float, int]
) -> None:
    where = Measured(ends, sums)
    assert {tokens: where.place(tokens) for tokens in places} == places
    assert where.total == (sums[-1] if sums else 0)


def test_a_text_is_measured_by_stretches() -> None:
    assert measured("a" * 100, 42) == Measured((42, 84, 100), (10, 20, 24))
    assert measured("a" * 4300).ends == (2048, 4096, 4300)
    assert measured("") == Measured((), ())


@pytest.mark.parametrize(
    ("tokens", "limit", "count"), [(100, 125, 2), (1, 100, 2), (160, 100, 2), (161, 100, 3), (5, 0, 7)]
)
def test_there_are_two_parts_at_least_and_each_has_room_to_spare(tokens: float, limit: int, count: int) -> None:
    assert count_of(tokens, limit) == count
