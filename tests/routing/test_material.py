"""What of a long prompt is the question, what is material, and what is asked of the parts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tui_orchestrator.routing.features import estimate_tokens
from tui_orchestrator.routing.material import Material, material_of, overhead, part_request, together_request
from tui_orchestrator.routing.request import Image, Message, Request, Shape, Split

TEXT = "The third team wrote down two doors. " * 200
SHORT = "A short remark."
ASKS = "Which rooms are named?"


@pytest.mark.parametrize(
    ("typed", "question", "text"),
    [
        # A short prompt is all question.
        (ASKS, ASKS, ""),
        # The paragraph that asks, at the beginning or at the end; the end where both do.
        (f"{ASKS}\n\n{TEXT}", ASKS, TEXT),
        (f"{TEXT}\n\n{ASKS}", ASKS, f"{TEXT}\n"),
        (f"{TEXT}\n{ASKS}\n\n", ASKS, TEXT),
        (f"Summarise this:\n{TEXT}\n{ASKS}", ASKS, f"Summarise this:\n{TEXT}"),
        (f"{SHORT}\n{TEXT}\n{ASKS}", ASKS, f"{SHORT}\n{TEXT}"),
        (f"{ASKS}\n{TEXT}\n{SHORT}", ASKS, f"{TEXT}\n{SHORT}"),
        # None asks: the first.
        (f"{SHORT}\n{TEXT}\nAnother remark.", SHORT, f"{TEXT}\nAnother remark."),
        (f"{TEXT}\n{SHORT}", SHORT, TEXT),
        (f"\n  {ASKS}\n \n{TEXT}", ASKS, TEXT),
        # Nothing is short enough to be a question.
        (TEXT, "", TEXT),
        (f"{TEXT}\n{TEXT}", "", f"{TEXT}\n{TEXT}"),
    ],
)
def test_the_question_is_the_short_paragraph_at_an_end_that_asks(typed: str, question: str, text: str) -> None:
    assert material_of(Request((Message("user", typed),))) == Material(question, text, ())


def words(tokens: int) -> str:
    """The shortest text of so many."""
    text = next(text for n in range(10_000) if estimate_tokens(text := "a " * n) >= tokens)
    assert estimate_tokens(text) == tokens
    return text


def test_a_question_has_at_most_800_tokens() -> None:
    for typed, is_question in ((words(800), True), (words(801), False)):
        found = material_of(Request((Message("user", typed),)))
        assert (found.question, found.text) == ((typed.strip(), "") if is_question else ("", typed))


@pytest.mark.parametrize(
    ("asks", "said"),
    [
        (True, "Please go through this"),
        (True, "please go through this"),
        (True, "» Explain this"),
        (True, "Ist das so?"),
        (True, "Folgendes:"),
        (True, "これは何ですか？"),
        (True, "Traduis ceci"),
        (False, "I went through this"),
        (False, "Pleased to meet you"),
    ],
)
def test_what_asks_is_known_by_its_sign_or_its_first_word(asks: bool, said: str) -> None:
    found = material_of(Request((Message("user", f"{SHORT}\n{TEXT}\n{said}"),)))
    assert found.question == (said if asks else SHORT)


FILE = "\n\nreport.txt:\n```\nroom 1\n```"


@pytest.mark.parametrize(
    ("files", "question", "text"),
    [(("report.txt",), ASKS, FILE), ((), ASKS + FILE, "")],
)
def test_a_file_is_material_where_the_request_names_one(files: tuple[str, ...], question: str, text: str) -> None:
    request = Request((Message("user", ASKS + FILE),), files=files)
    assert material_of(request) == Material(question, text, ())
    alone = Request((Message("user", FILE.strip()),), files=("report.txt",))
    assert material_of(alone) == Material("", FILE.strip(), ())


BEFORE = (Message("user", "Hello there."), Message("assistant", "a " * 100))


def test_a_short_conversation_goes_along_and_a_long_one_is_material_itself() -> None:
    hello, end = estimate_tokens("Hello there."), Message("user", f"{ASKS}\n{TEXT}")
    for said, carried in ((words(1500 - hello), True), (words(1501 - hello), False)):
        earlier = (BEFORE[0], Message("assistant", said))
        found = material_of(Request((*earlier, end)))
        assert found.question == ASKS
        assert found.carried == (earlier if carried else ())
        before = f"The conversation so far:\n\nUser: Hello there.\n\nAssistant: {said}\n\n"
        assert found.text == ("" if carried else before) + TEXT


SENT = Request(
    (*BEFORE, Message("user", f"{ASKS}\n{TEXT}", (Image("image/png", b"x"),))),
    id="r",
    system="Be brief.",
    files=("report.txt",),
    use_cache=True,
    shape=Shape(),
    split=Split.AGREED,
)
MATERIAL = material_of(SENT)


def test_what_goes_along_with_each_part_is_counted() -> None:
    said = [estimate_tokens(text) for text in ("Be brief.", ASKS, "Hello there.", "a " * 100)]
    plain = replace(SENT, messages=(*BEFORE, Message("user", ASKS)))
    assert overhead(plain, MATERIAL) == 220 + sum(said)
    pictures = (Image("image/png", b"x"),) * 2
    both = replace(SENT, messages=(*BEFORE, Message("user", ASKS, pictures)))
    one = overhead(SENT, MATERIAL) - overhead(plain, MATERIAL)
    assert one > 0
    assert overhead(both, MATERIAL) - overhead(plain, MATERIAL) == 2 * one


def test_a_part_is_asked_the_question_with_what_goes_along_and_is_not_divided_again() -> None:
    sent = part_request(SENT, MATERIAL, "room 1", 3, 12)
    *before, last = sent.messages
    assert tuple(before) == BEFORE
    frame = "I have a question about a text that is too long to be read at once, so that it comes in 12 parts."
    assert last.text.startswith(f"{frame} Below is part 3. ")
    assert last.text.endswith(f'\n\n<part number="3" of="12">\nroom 1\n</part>\n\nThe question: {ASKS}')
    assert last.images == SENT.messages[-1].images
    assert sent == replace(SENT, messages=sent.messages, files=(), use_cache=False, shape=None, split=Split.NEVER)
    unasked = part_request(SENT, replace(MATERIAL, question=""), "room 1", 1, 2)
    assert unasked.prompt.endswith("\n\nThe question: what does it say?")


@pytest.mark.parametrize(
    ("last", "wanted"),
    [(True, "Write the one answer to the question from them"), (False, "Draw them together into one, as short as")],
)
def test_the_parts_answers_are_put_together_in_their_order_and_the_last_time_in_the_shape_asked_for(
    last: bool, wanted: str
) -> None:
    sent = together_request(SENT, MATERIAL, [("1 of 2", " one\n"), ("2 of 2", "two")], last=last)
    answers = '<answer part="1 of 2">\none\n</answer>\n\n<answer part="2 of 2">\ntwo\n</answer>'
    assert wanted in sent.prompt
    assert sent.prompt.endswith(f"\n\n{answers}\n\nThe question: {ASKS}")
    shape = SENT.shape if last else None
    assert sent == replace(SENT, messages=sent.messages, files=(), use_cache=False, shape=shape, split=Split.NEVER)
    assert sent.messages[:2] == BEFORE
    assert together_request(SENT, MATERIAL, []) == together_request(SENT, MATERIAL, [], last=True)
