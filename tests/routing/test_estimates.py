"""What a model's reports teach about how it counts, and what they cannot."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_orchestrator.routing.budget import input_bound
from tui_orchestrator.routing.estimates import TokenEstimates
from tui_orchestrator.routing.features import estimate_tokens
from tui_orchestrator.routing.money import Usage
from tui_orchestrator.routing.profile import Mix, Profile
from tui_orchestrator.routing.profiler import profile
from tui_orchestrator.routing.prompt_size import IMAGE_TOKENS, image_tokens, input_size, pixels
from tui_orchestrator.routing.request import Image, Message, Request

MODEL = "a/model"
PROSE = "The river runs through the old town and under four stone bridges. " * 30
HAN = "这条河穿过老城，从四座石桥下流过。" * 60


def asked(text: str, *images: Image) -> Profile:
    return profile(Request((Message("user", text, images),)))


def reported(prompt: Profile, times: float, base: int = 0) -> Usage:
    return Usage(round(prompt.input_tokens * times) + base, 0)


def test_before_any_report_an_estimate_is_the_profiles() -> None:
    estimates, prompt = TokenEstimates(), asked(PROSE)
    assert estimates.input(MODEL, prompt) == prompt.input_tokens
    assert estimates.bound(MODEL, prompt) == input_bound(prompt.input_tokens)
    assert estimates.output(MODEL, PROSE, "") == estimate_tokens(PROSE)
    assert estimates.output(MODEL, "", "") == 0


@pytest.mark.parametrize("times", [0.6, 0.9, 1.35, 2.2])
def test_an_estimate_comes_near_what_a_model_reports(times: float) -> None:
    estimates, prompt = TokenEstimates(), asked(PROSE)
    for _ in range(40):
        estimates.learn(MODEL, prompt, "", "", reported(prompt, times))
    assert estimates.input(MODEL, prompt) == pytest.approx(prompt.input_tokens * times, rel=0.03)
    other = asked("A quite different text of the same alphabet, about nothing in particular. " * 20)
    assert estimates.input(MODEL, other) == pytest.approx(other.input_tokens * times, rel=0.08)
    assert estimates.input("another/model", prompt) == prompt.input_tokens


def test_each_script_is_learned_apart() -> None:
    estimates, latin, han = TokenEstimates(), asked(PROSE), asked(HAN)
    for _ in range(40):
        estimates.learn(MODEL, latin, "", "", reported(latin, 0.8))
        estimates.learn(MODEL, han, "", "", reported(han, 1.6))
    assert estimates.input(MODEL, latin) == pytest.approx(0.8 * latin.input_tokens, rel=0.05)
    assert estimates.input(MODEL, han) == pytest.approx(1.6 * han.input_tokens, rel=0.05)


def test_what_a_server_puts_before_every_prompt_is_learned_as_tokens_and_not_as_a_factor() -> None:
    estimates, small, large = TokenEstimates(), asked("Hi!"), asked(PROSE)
    for _ in range(120):
        estimates.learn(MODEL, small, "", "", reported(small, 1.0, base=300))
    assert estimates.input(MODEL, small) == pytest.approx(300 + small.input_tokens, rel=0.1)
    assert estimates.input(MODEL, large) < 1.6 * large.input_tokens + 330


@given(st.integers(1, 10**9), st.integers(0, 60))
def test_one_odd_report_moves_an_estimate_by_little_and_by_less_the_more_were_seen(odd: int, before: int) -> None:
    estimates, prompt = TokenEstimates(), asked(PROSE)
    for _ in range(before):
        estimates.learn(MODEL, prompt, "", "", reported(prompt, 1.0))
    was = estimates.input(MODEL, prompt)
    estimates.learn(MODEL, prompt, "", "", Usage(odd, 0))
    moved = abs(math.log(estimates.input(MODEL, prompt) / was))
    assert moved <= 0.5 / (2 + 0.8 * min(before, 30)) + 0.07


@given(
    st.lists(st.tuples(st.sampled_from([PROSE, HAN, "Hi!", "a,b;1,2;" * 99]), st.integers(1, 10**7)), max_size=30),
    st.sampled_from([PROSE, HAN, "Hi!", "1234;5678\n" * 200]),
)
def test_whatever_was_learned_no_less_is_reserved_than_without_it(seen: list[tuple[str, int]], text: str) -> None:
    estimates, prompt = TokenEstimates(), asked(text)
    for learned, count in seen:
        estimates.learn(MODEL, asked(learned), "", "", Usage(count, 1))
    bound = estimates.bound(MODEL, prompt)
    assert bound >= input_bound(prompt.input_tokens)
    assert bound >= estimates.input(MODEL, prompt)


def test_a_model_that_counts_more_has_more_reserved() -> None:
    estimates, prompt = TokenEstimates(), asked(PROSE)
    for _ in range(20):
        estimates.learn(MODEL, prompt, "", "", reported(prompt, 2.0))
    assert estimates.bound(MODEL, prompt) >= 2.0 * prompt.input_tokens * 1.4


def test_what_was_estimated_here_teaches_nothing() -> None:
    estimates, prompt = TokenEstimates(), asked(PROSE)
    estimates.learn(MODEL, prompt, PROSE, "", Usage(9999, 9999, source="estimated"))
    estimates.learn(MODEL, prompt, PROSE, "", Usage())
    assert estimates.input(MODEL, prompt) == prompt.input_tokens
    assert list(estimates.changed()) == []


def test_reasoning_that_is_never_shown_is_expected_of_an_answer_that_broke_off() -> None:
    estimates, prompt = TokenEstimates(), asked(PROSE)
    for _ in range(30):
        estimates.learn(
            MODEL, prompt, PROSE, "", Usage(prompt.input_tokens, 900 + estimate_tokens(PROSE), reasoning=900)
        )
    assert estimates.output(MODEL, "The river", "") == pytest.approx(900, rel=0.15)
    # Where it is shown it is counted as it came, and before the first word nothing tells how far it had got.
    assert estimates.output(MODEL, "The river", "Let me see.") < 20
    assert estimates.output(MODEL, "", "") == 0


def test_a_summary_of_reasoning_says_nothing_of_how_text_is_counted() -> None:
    estimates, prompt = TokenEstimates(), asked(PROSE)
    for _ in range(30):
        usage = Usage(prompt.input_tokens, 5000 + estimate_tokens(PROSE), reasoning=5000)
        estimates.learn(MODEL, prompt, PROSE, "In short: a river.", usage)
    assert estimates.output(MODEL, PROSE, "") == pytest.approx(estimate_tokens(PROSE), rel=0.05)


def test_what_is_kept_is_remembered_exactly_and_told_once() -> None:
    estimates, again, prompt = TokenEstimates(), TokenEstimates(), asked(PROSE + HAN)
    for count in (700, 900, 1200):
        estimates.learn(MODEL, prompt, PROSE, "", Usage(count, 500))
    kept = list(estimates.changed())
    again.remember([*kept, (MODEL, "a kind of next year", 3.0, 1.0)])
    assert again.input(MODEL, prompt) == estimates.input(MODEL, prompt)
    assert again.bound(MODEL, prompt) == estimates.bound(MODEL, prompt)
    assert list(estimates.changed()) == list(again.changed()) == []


def test_the_shares_of_a_prompt_add_up() -> None:
    picture = Image("image/png", b"")
    tokens, mix = input_size(
        Request((Message("user", PROSE + HAN + "Привет, 世界! 123;", (picture,)),), system="Be kind.")
    )
    assert tokens > IMAGE_TOKENS
    assert mix.letters + mix.signs + mix.cjk + mix.other + mix.images == pytest.approx(1)
    assert min(mix.letters, mix.signs, mix.cjk, mix.other, mix.images) > 0
    assert input_size(Request(())) == (0, Mix())


def png(width: int, height: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + width.to_bytes(4) + height.to_bytes(4) + b"\x08\x02\0\0\0"


def jpeg(width: int, height: int) -> bytes:
    exif = b"\xff\xe1" + (2 + 300).to_bytes(2) + b"\xff\xc0" * 150
    return b"\xff\xd8" + exif + b"\xff\xc2\0\x11\x08" + height.to_bytes(2) + width.to_bytes(2) + b"\x03" + b"\0" * 9


def gif(width: int, height: int) -> bytes:
    return b"GIF89a" + width.to_bytes(2, "little") + height.to_bytes(2, "little") + b"\0\0\0"


def webp(kind: bytes, payload: bytes) -> bytes:
    return b"RIFF\0\0\0\0WEBP" + kind + b"\0\0\0\0" + payload


@pytest.mark.parametrize(
    "data",
    [
        png(1024, 768),
        jpeg(1024, 768),
        gif(1024, 768),
        webp(b"VP8X", b"\0\0\0\0" + (1023).to_bytes(3, "little") + (767).to_bytes(3, "little")),
        webp(b"VP8L", b"\x2f" + (1023 | 767 << 14).to_bytes(4, "little") + b"\0" * 5),
        webp(b"VP8 ", b"\0\0\0\x9d\x01\x2a" + (1024).to_bytes(2, "little") + (768).to_bytes(2, "little")),
    ],
    ids=["png", "jpeg", "gif", "webp", "lossless webp", "lossy webp"],
)
def test_a_picture_counts_by_its_size(data: bytes) -> None:
    assert pixels(data) == (1024, 768)
    assert image_tokens(Image("image/any", data)) == round(1024 * 768 / 750)


def test_a_huge_picture_is_scaled_down_first_and_a_tiny_one_has_a_least() -> None:
    assert image_tokens(Image("image/png", png(6000, 4000))) == round(1568 * (1568 * 4000 / 6000) / 750)
    assert image_tokens(Image("image/png", png(8, 8))) == 258


@given(
    st.binary(max_size=60),
    st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a", b"RIFF\0\0\0\0WEBPVP8 "]),
)
def test_no_bytes_make_a_picture_of_no_or_of_endless_tokens(rest: bytes, head: bytes) -> None:
    assert 258 <= image_tokens(Image("image/png", head + rest)) <= 3300
