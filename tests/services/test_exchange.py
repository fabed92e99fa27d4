"""A conversation goes out as a file and comes in again."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.clock import ManualClock
from tests.storage.samples import ATTEMPT
from tui_orchestrator.routing.errors import ErrorKind
from tui_orchestrator.routing.experience import Experience
from tui_orchestrator.routing.money import Cost, CostState, Money
from tui_orchestrator.routing.request import Image, Message
from tui_orchestrator.routing.telling import KILLED
from tui_orchestrator.routing.text import clean, clean_line
from tui_orchestrator.services import exporting
from tui_orchestrator.services.feedback import Feedback
from tui_orchestrator.services.importing import ImportFailed, parse, read_file
from tui_orchestrator.storage import branches
from tui_orchestrator.storage.archive import Archive
from tui_orchestrator.storage.conversations import Conversation, Conversations, Session
from tui_orchestrator.storage.database import Database
from tui_orchestrator.storage.ledger import SqliteLedger
from tui_orchestrator.storage.messages import Discarded, StoredMessage
from tui_orchestrator.storage.observations import Observations
from tui_orchestrator.storage.reports import Reports

AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
PNG = b"\x89PNG\r\n\x1a\n"


@dataclass
class Home:
    """What export and import use of a runtime: a store with its readers."""

    db: Database
    clock: ManualClock

    def __post_init__(self) -> None:
        self.archive = Archive(self.db, self.clock)
        self.conversations = Conversations(self.db, self.clock)
        reports = Reports(self.db, self.clock)
        self.feedback = Feedback(Observations(self.db), reports, Experience(), self.clock)


async def home(stack: AsyncExitStack) -> Any:
    return Home(await stack.enter_async_context(Database(None)), ManualClock())


texts = st.text(max_size=60).map(clean)
instants = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))
images = st.binary(max_size=20).map(lambda data: Image("image/png", PNG + data, "a.png"))


@st.composite
def conversations(draw: st.DrawFn) -> Conversation:
    messages: list[StoredMessage] = []
    for turn in range(draw(st.integers(0, 4))):
        request = f"r{turn}"
        pictures = tuple(draw(st.lists(images, max_size=2)))
        prompt = StoredMessage(len(messages), "user", draw(texts), "complete", draw(instants), request, "", pictures)
        # A prompt follows the last message, or begins a branch behind any other, or at the beginning.
        ends = [None, *(m.position for m in messages)]
        messages.append(replace(prompt, parent=draw(st.sampled_from([ends[-1], *ends]))))
        if draw(st.booleans()):
            state = draw(st.sampled_from(("complete", "interrupted", "failed")))
            attempt = draw(st.one_of(st.none(), st.integers(1, 9)))
            model = draw(st.one_of(st.none(), st.just("openai/gpt-6")))
            answer = StoredMessage(len(messages), "assistant", draw(texts), state, draw(instants), request)
            parent = messages[-1].position
            answer = replace(answer, thinking=draw(texts), attempt=attempt, model=model, parent=parent)
            messages.append(answer)
            if draw(st.booleans()):
                part = replace(answer, position=len(messages), text=draw(texts), request_id=f"c{turn}")
                messages.append(replace(part, parent=answer.position, continues=request))
    tags = draw(st.frozensets(st.sampled_from(("work", "client a", "日本")), max_size=3))
    session = Session(
        "0123456789",
        clean_line(draw(texts), 80),
        draw(instants),
        draw(instants),
        draw(st.sampled_from((None, "quality"))),
        draw(st.sampled_from((None, "openai/gpt-6"))),
        draw(texts),
        len(messages),
        tags,
        draw(st.booleans()),
        draw(st.sampled_from((None, "poet"))),
    )
    discarded = [Discarded(message.request_id, 9, "m", draw(texts), draw(texts), "weak") for message in messages[:1]]
    leaf = draw(st.sampled_from([m.position for m in messages])) if messages else None
    branch, aside = branches.split(messages, leaf)
    return Conversation(session, branch, tuple(discarded), aside, branches.siblings(messages))


def tree(conversation: Conversation) -> list[tuple[int, int | None]]:
    """What comparing messages leaves out."""
    return [(message.position, message.parent) for message in conversation.every]


@given(conversations())
@settings(max_examples=30, deadline=None)
def test_what_comes_in_is_what_went_out(conversation: Conversation) -> None:
    async def there_and_back() -> None:
        async with AsyncExitStack() as stack:
            here, there = await home(stack), await home(stack)
            await here.archive.take_in(conversation, "d", {})
            ledger = SqliteLedger(here.db, here.clock)
            for message in conversation.every[:2]:
                if message.role == "assistant":
                    await ledger.book(replace(ATTEMPT, request_id=message.request_id), None)
            stored = await here.conversations.get(conversation.session.id)
            assert stored == conversation
            assert tree(stored) == tree(conversation)
            written = await exporting.rendered(here, stored, "json")
            found = parse(written.encode())
            assert found.conversation == stored
            for expected in (True, False):
                session, new = await there.archive.take_in(found.conversation, found.digest, found.attempts)
                assert (session, new) == (stored.session, expected)
            assert await there.archive.count() == 1
            again = await there.conversations.get(session.id)
            assert again == stored
            assert tree(again) == tree(stored)
            assert await exporting.rendered(there, again, "json") == written
            assert await there.archive.attempts(session.id) == {}

    asyncio.run(there_and_back())


def good() -> dict[str, Any]:
    message = {"text": "hi", "created": AT.isoformat(), "request_id": "r1", "state": "complete"}
    return {
        "format": exporting.FORMAT,
        "version": 2,
        "id": "0123456789",
        "title": "Greeting",
        "created": AT.isoformat(),
        "updated": AT.isoformat(),
        "tags": ["work"],
        "messages": [
            {"role": "user", **message, "parent": None, "on_screen": True},
            {
                "role": "assistant",
                **message,
                "parent": 0,
                "on_screen": True,
                "attempts": [{"model": "m", "cost_usd": "0.1", "usage": {}}],
            },
        ],
    }


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("format",), "x", "talk.json: is no exported conversation"),
        (("version",), 3, "talk.json: version: 3 is not 2"),
        (("title",), 3, "talk.json: title: is 3, not a text"),
        (("created",), "soon", 'talk.json: created: is "soon", not an instant'),
        (("strategy",), "qualty", 'talk.json: strategy: is "qualty"; it may be cheapest'),
        (("pinned",), 1, "talk.json: pinned: is 1, neither true nor false"),
        (("tags",), ["a", " "], "talk.json: tags[1]: a tag is empty"),
        (("messages",), {}, "talk.json: messages: is an object, not a list"),
        (("messages", 0), 7, "talk.json: messages[0]: is 7, not an object"),
        (("messages", 1, "role"), "robot", 'talk.json: messages[1].role: is "robot"; it may be user, assistant'),
        (("messages", 1, "text"), None,
         "talk.json: messages[1].text: is null, not a text in quotation marks, in message 2"),
        (("messages", 0), {"role": "user", "request_id": "r", "state": "complete", "content": None},
         "talk.json: messages[0].text: is missing; there must be a text in quotation marks, in message 1"),
        (("messages", 1, "state"), None, "talk.json: messages[1].state: is missing; it may be complete"),
        (("messages", 0, "role"), "assistant", "talk.json: messages[1].request_id: has an answer already"),
        (("messages", 1, "attempt"), 0, "talk.json: messages[1].attempt: is 0, not a number of an attempt"),
        (("messages", 1, "parent"), 1, "talk.json: messages[1].parent: is 1, not the place of a message before it"),
        (("messages", 0, "images"), [{"data": "?"}], "talk.json: messages[0].images[0].data: is not base64"),
        (("messages", 0, "images"), [{"data": "aGk="}], "talk.json: messages[0].images[0].data: is no PNG"),
        (("messages", 1, "attempts", 0), 1, "talk.json: messages[1].attempts[0]: is 1, not an object"),
        (("messages", 1, "attempts", 0, "cost_usd"), "much", "attempts[0].cost_usd: is \"much\", not an amount"),
        (("messages", 1, "attempts", 0, "usage"), {"input_tokens": "4"}, "usage.input_tokens: is \"4\", not a number"),
    ],
)  # fmt: skip
def test_a_bad_file_is_one_sentence_that_says_where(
    tmp_path: Path, path: tuple[Any, ...], value: object, said: str
) -> None:
    told: Any = good()
    parse(json.dumps(told).encode())
    at = told
    for part in path[:-1]:
        at = at[part]
    at[path[-1]] = value
    (tmp_path / "talk.json").write_text(json.dumps(told))
    with pytest.raises(ImportFailed) as failed:
        read_file(tmp_path / "talk.json")
    assert said in str(failed.value)
    assert "\n" not in str(failed.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", ":1:1: is not JSON"),
        (b'{"format": \n nope}', ":2:2: is not JSON"),
        (b"\xff\xfe", ": byte 0: is not UTF-8 text"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"format": NaN}', "a number without end"),
        (b"[]", ": is no exported conversation"),
    ],
)
def test_what_is_no_json_is_told_with_the_place(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "talk.json").write_bytes(content)
    with pytest.raises(ImportFailed) as failed:
        read_file(tmp_path / "talk.json")
    assert said in str(failed.value)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["role", "text", "messages", "usage"]), inner),
    max_leaves=8,
)


@given(anything, st.sampled_from(["messages", "tags", "title", "created", "discarded", "id", "system"]))
@settings(deadline=None)
def test_no_file_does_more_than_be_refused(value: object, key: str) -> None:
    refused = ""
    try:
        parse(json.dumps({**good(), key: value}).encode())
    except ValueError as error:
        refused = str(error)
    assert not refused or refused.startswith(f": {key}")


def test_a_file_from_before_there_were_branches_is_one_conversation() -> None:
    told = {**good(), "version": 1}
    for message in told["messages"]:
        del message["parent"], message["on_screen"]
    found = parse(json.dumps(told).encode()).conversation
    assert tree(found) == [(0, None), (1, 0)]
    assert found.aside == ()


def test_hostile_text_of_a_file_is_harmless() -> None:
    told = good()
    told["title"] = "a\x1b]0;x\x07\nb"
    told["messages"][0]["text"] = "\x1b[2J\u202ehi"
    told["messages"][1]["attempts"][0]["model"] = "m\x1b[31m"
    found = parse(json.dumps(told).encode())
    assert found.conversation.session.title == "a]0;x b"
    assert found.conversation.messages[0].text == "[2Jhi"
    assert found.attempts["r1"][0]["model"] == "m[31m"


def test_a_file_with_another_kind_of_id_has_one_of_ours_and_always_the_same() -> None:
    first, second = (parse(json.dumps({**good(), "id": "../x"}).encode()) for _ in range(2))
    assert first.conversation.session.id == second.conversation.session.id
    assert len(first.conversation.session.id) == 10


async def branched(here: Any) -> Conversation:
    """Asked and answered, then asked otherwise in place of that, which is the branch on the screen."""
    talk = here.conversations.new()
    await here.conversations.keep(talk)
    for text, request, instead in (("Cats?", "r1", None), ("Dogs?", "r2", "r1")):
        await here.conversations.prompt(talk.id, Message("user", text), request, instead=instead)
        await here.conversations.answer(talk.id, request, f"About {text}", model="openai/gpt-6", attempt=1)
    return await here.conversations.get(talk.id)  # type: ignore[no-any-return]


async def test_markdown_holds_the_branch_on_the_screen_and_all_when_asked() -> None:
    async with AsyncExitStack() as stack:
        here = await home(stack)
        conversation = await branched(here)
        one = await exporting.rendered(here, conversation, "md")
        assert "About Dogs?" in one
        assert "Cats" not in one.partition("\n")[2]
        assert "- Branches: 2; this is the one on the screen" in one
        both = await exporting.rendered(here, conversation, "md", all_branches=True)
        assert both.index("## You (branch 2 of 2)\n\nDogs?") < both.index("# Branch 1 of 2")
        assert both.index("# Branch 1 of 2") < both.index("## You (branch 1 of 2)\n\nCats?") < both.index("About Cats?")


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("Here:\n\n```python\ndef sort(", "```"),
        ("~~~~ text\n~~~\nso", "~~~~"),
        ("- a list\n\n   ````md\n```\nx\n```", "````"),
        ("<!-- cut", "-->"),
        ("<pre>\n\na", "</pre>"),
    ],
)
async def test_what_an_answer_left_open_ends_with_it(text: str, end: str) -> None:
    async with AsyncExitStack() as stack:
        here = await home(stack)
        talk = here.conversations.new()
        await here.conversations.keep(talk)
        for request, answer in (("r1", text), ("r2", "Whole:\n```\nx\n```\n<!-- a --> and `b`")):
            await here.conversations.prompt(talk.id, Message("user", "Sort?"), request)
            await here.conversations.answer(talk.id, request, answer, state="interrupted", model="m", attempt=1)
        told = await exporting.rendered(here, await here.conversations.get(talk.id), "md")
        assert f"{text}\n{end}\n\n## You\n" in told
        assert told.endswith("<!-- a --> and `b`\n")


@pytest.mark.parametrize(
    ("costs", "said", "state"),
    [
        ((CostState.COMPUTED, CostState.BILLED), "cost $0.020", "computed"),
        ((CostState.COMPUTED, CostState.ESTIMATED), "cost ~$0.020", "estimated"),
        ((CostState.ESTIMATED, CostState.UNKNOWN), "cost ~$0.010+?, 1 not known", "unknown"),
        ((CostState.UNKNOWN,), "cost $?, 1 not known", "unknown"),
    ],
)
async def test_what_a_conversation_cost_is_told_with_how_sure_it_is(
    costs: tuple[CostState, ...], said: str, state: str
) -> None:
    async with AsyncExitStack() as stack:
        here = await home(stack)
        talk = here.conversations.new()
        await here.conversations.keep(talk)
        await here.conversations.prompt(talk.id, Message("user", "Cats?"), "r1")
        await here.conversations.answer(talk.id, "r1", "About cats", model="m", attempt=1)
        for number, how in enumerate(costs, 1):
            cost = Cost(None if how is CostState.UNKNOWN else Money(10**10), how)
            await SqliteLedger(here.db, here.clock).book(
                replace(ATTEMPT, session=talk.id, number=number, cost=cost), None
            )
        conversation = await here.conversations.get(talk.id)
        assert f"{said}\n" in await exporting.rendered(here, conversation, "md")
        totals = (await exporting.as_json(here, conversation))["totals"]
        assert totals["cost_state"] == state
        assert totals["estimated_costs"] == costs.count(CostState.ESTIMATED)
        assert totals["unknown_costs"] == costs.count(CostState.UNKNOWN)


async def test_of_an_attempt_that_the_program_was_killed_in_no_seconds_are_told() -> None:
    async with AsyncExitStack() as stack:
        here = await home(stack)
        conversation = await branched(here)
        killed = replace(ATTEMPT, request_id="r2", error_kind=ErrorKind.INTERNAL, error_message=KILLED, latency_s=0.0)
        await SqliteLedger(here.db, here.clock).book(killed, None)
        told = await exporting.rendered(here, conversation, "md")
        assert "1. openai/small" in told
        assert "0.0 s" not in told
        told_json = json.loads(await exporting.rendered(here, conversation, "json"))
        (attempt,) = (one for message in told_json["messages"] for one in message["attempts"])
        assert attempt["latency_s"] is None
        for seconds in (None, 0.0):
            attempt["latency_s"] = seconds
            async with AsyncExitStack() as other:
                there = await home(other)
                found = parse(json.dumps(told_json).encode())
                session, _ = await there.archive.take_in(found.conversation, found.digest, found.attempts)
                again = await there.conversations.get(session.id)
                assert "0.0 s" not in await exporting.rendered(there, again, "md")


def test_an_export_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "conversation.md"
    with pytest.raises(exporting.ExportFailed, match=r"conversation\.md cannot be written"):
        exporting.write(path, "a" * 1_000_000 + "\ud800")
    assert list(tmp_path.iterdir()) == []
    assert exporting.write(path, "whole") == path
    with pytest.raises(FileExistsError):
        exporting.write(path, "another")
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("whole", 0o600)
    with pytest.raises(exporting.ExportFailed):
        exporting.write(path, "a" * 1_000_000 + "\ud800", replace=True)
    assert path.read_text() == "whole"
