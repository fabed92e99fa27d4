from __future__ import annotations

from dataclasses import replace

import pytest

from tui_orchestrator.routing.answer_key import cache_key
from tui_orchestrator.routing.model import Model
from tui_orchestrator.routing.ports import Call, Timeouts
from tui_orchestrator.routing.request import Image, Message

PICTURE = Image("image/png", b"png", "a.png")
MESSAGES = (Message("user", "hello", (PICTURE,)), Message("assistant", "hi"), Message("user", "go on"))
CALL = Call(Model("openai", "small"), MESSAGES, "be brief", 100, 0.0)
URL = "http://127.0.0.1:1234/v1"


def starting(*images: Image) -> Call:
    return replace(CALL, messages=(Message("user", "hello", images), *MESSAGES[1:]))


CHANGED = {
    "provider": (replace(CALL, model=Model("other", "small")), URL),
    "model": (replace(CALL, model=Model("openai", "large")), URL),
    "provider and model cut elsewhere": (replace(CALL, model=Model("openais", "mall")), URL),
    "server": (CALL, "http://127.0.0.1:11434/v1"),
    "no server named": (CALL, None),
    "system": (replace(CALL, system="be long"), URL),
    "no system": (replace(CALL, system=""), URL),
    "most tokens": (replace(CALL, max_tokens=101), URL),
    "temperature": (replace(CALL, temperature=0.1), URL),
    "no temperature": (replace(CALL, temperature=None), URL),
    "a message's text": (replace(CALL, messages=(*MESSAGES[:2], Message("user", "go  on"))), URL),
    "a message's role": (replace(CALL, messages=(MESSAGES[0], Message("user", "hi"), MESSAGES[2])), URL),
    "a message less": (replace(CALL, messages=MESSAGES[:2]), URL),
    "their order": (replace(CALL, messages=MESSAGES[::-1]), URL),
    "two messages as one": (replace(CALL, messages=(MESSAGES[0], Message("assistant", "higo on"))), URL),
    "an image's bytes": (starting(Image("image/png", b"gnp")), URL),
    "an image's type": (starting(Image("image/gif", b"png")), URL),
    "an image twice": (starting(PICTURE, PICTURE), URL),
    "an image moved": (
        replace(starting(), messages=(*starting().messages[:2], Message("user", "go on", (PICTURE,)))),
        URL,
    ),
}


def test_the_same_call_has_the_same_key() -> None:
    again = Call(Model("openai", "small"), MESSAGES, "be brief", 100, 0)
    assert cache_key(again, URL + "/") == cache_key(CALL, URL)


@pytest.mark.parametrize("what", CHANGED)
def test_whatever_can_change_the_answer_changes_the_key(what: str) -> None:
    others = [cache_key(*changed) for name, changed in CHANGED.items() if name != what]
    assert cache_key(*CHANGED[what]) not in [cache_key(CALL, URL), *others]


def test_what_does_not_reach_the_model_leaves_the_key_alone() -> None:
    renamed = starting(replace(PICTURE, name="b.png"))
    patient = replace(CALL, timeouts=Timeouts(total=1.0))
    assert cache_key(renamed, URL) == cache_key(patient, URL) == cache_key(CALL, URL)


def test_text_that_is_not_unicode_has_a_key_too() -> None:
    assert cache_key(replace(CALL, system="\udc80"), URL) != cache_key(replace(CALL, system="\udc81"), URL)
