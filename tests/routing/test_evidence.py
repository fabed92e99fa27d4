"""What a prompt was judged by is told to whoever asks, and costs a decision nothing."""

from __future__ import annotations

from tui_orchestrator.routing.profile import Evidence, Profile, Told
from tui_orchestrator.routing.profiler import profile
from tui_orchestrator.routing.request import Message, Request
from tui_orchestrator.storage.codec import decode, encode


def test_evidence_is_worked_out_when_it_is_first_read_and_once() -> None:
    asked = []

    def tell() -> list[Evidence]:
        asked.append(1)
        return [Evidence("its length", 0.1)]

    told = Told(tell)
    assert not asked
    assert told == (Evidence("its length", 0.1),) == told[:]
    assert len(told) == 1
    assert told[0].feature == "its length"
    assert asked == [1]


def test_a_profile_is_kept_and_read_again_with_its_evidence() -> None:
    seen = profile(Request((Message("user", "Prove that there are infinitely many primes"),)))
    again = decode(Profile, encode(seen))
    assert again == seen
    assert any(one.feature == "asks for a proof" for one in again.evidence)
