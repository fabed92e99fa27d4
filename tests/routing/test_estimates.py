"""What a model's reports teach about how it counts, and what they cannot."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_orchestrator.routing.budget import input_bound
from tui_orchestrator.routing.estimates import TokenEstimates
from tui_orchestrator.routing.features import estimate_tokens, script_tokens
from tui_orchestrator.routing.money import Usage
from tui_orchestrator.routing.profile import Mix, Profile, TaskType
from tui_orchestrator.routing.profiler import profile
from tui_orchestrator.routing.prompt_size import IMAGE_TOKENS, image_tokens, input_size, pixels
from tui_orchestrator.routing.request import Image, Message, Request, Shape, ToolCall
from tui_orchestrator.routing.tools import Tool, definitions

MODEL = "a/model"
PROSE = "The river runs through the old town and under four stone bridges. " * 30
WORDS = "river " * 300
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


LETTERS = Profile(TaskType.CODE, {TaskType.CODE: 1.0}, 0.4, 4, input_tokens=100, output_tokens=50)
"""A hundred tokens of nothing but letters: a report says as much of the base as of the text."""


@pytest.mark.parametrize(
    ("reports", "input", "bound"),
    [
        # Half of the weight, and the first estimate counts for two: a quarter of the way, of factor and of base.
        ([150], 100 * 1.5**0.25 + 12.5, 1.5),
        # No report is off by more than half as a logarithm, or by more tokens than were expected.
        ([100_000], 100 * math.exp(0.125) + 25, 1.5),
        # A base is never less than none.
        ([1], 100 * math.exp(-0.125), 1.5),
        # The second is weighed against the first: half a report beside the two.
        ([100, 150], 100 * 1.5**0.2 + 10, 1.5),
        # One that is off by more than an eighth, again and again, has four times that added, and not half.
        ([100_000] * 2, None, 1 + 4 * (0.125 + 0.2 * (0.5 - 0.125))),
        ([100_000, 100] * 200, None, None),
    ],
)
def test_a_report_moves_an_estimate_and_its_bound_by_so_much(
    reports: list[int], input: float | None, bound: float | None
) -> None:
    estimates = TokenEstimates()
    for count in reports:
        estimates.learn(MODEL, LETTERS, "", "", Usage(count, 0))
    comes_to = estimates.input(MODEL, LETTERS)
    assert input is None or comes_to == round(input)
    if bound is not None:
        assert estimates.bound(MODEL, LETTERS) == pytest.approx(max(150 + 64, comes_to * bound + 64), abs=2)
    assert comes_to + 64 < estimates.bound(MODEL, LETTERS) <= comes_to * 3 + 66


def test_a_base_is_learned_of_a_call_shorter_than_a_report_may_be_off() -> None:
    estimates, few = TokenEstimates(), replace(LETTERS, input_tokens=4)
    estimates.learn(MODEL, few, "", "", Usage(400, 0))
    assert estimates.input(MODEL, few) == round(4 * math.exp(0.5 / 2 * 4 / 104) + 32 / 2 * 100 / 104)


def test_however_long_a_server_errs_no_token_counts_for_more_than_four() -> None:
    often, rarely = TokenEstimates(), TokenEstimates()
    for _ in range(60):
        often.learn(MODEL, LETTERS, WORDS, "", Usage(0, 10**9))
        rarely.learn(MODEL, LETTERS, WORDS, "", Usage(0, 1))
    many = sum(script_tokens(WORDS))
    assert often.output(MODEL, WORDS, "") == round(many * math.exp(1.4))
    assert rarely.output(MODEL, WORDS, "") == round(many / math.exp(1.4))


def test_a_report_of_one_side_alone_teaches_what_that_side_says() -> None:
    read, wrote, many = TokenEstimates(), TokenEstimates(), sum(script_tokens(WORDS))
    read.learn(MODEL, LETTERS, WORDS, "", Usage(150, 0))
    assert read.output(MODEL, WORDS, "") == round(many * 1.5**0.25)
    wrote.learn(MODEL, LETTERS, WORDS, "", Usage(0, round(1.5 * many)))
    assert wrote.output(MODEL, WORDS, "") == round(many * 1.5 ** (many / (many + 100) / 2))
    assert next(base for _, kind, base, _ in wrote.changed() if kind == "base") == 0.0
    wrote.learn(MODEL, LETTERS, "", "", Usage(0, 500))
    wrote.learn(MODEL, replace(LETTERS, input_tokens=0), "", "", Usage(500, 0))
    assert wrote.output(MODEL, WORDS, "") == round(many * 1.5 ** (many / (many + 100) / 2))


def test_the_least_that_is_read_or_written_is_one_token() -> None:
    estimates = TokenEstimates()
    assert (estimates.known, estimates.output(MODEL, "a", "")) == (set(), 1)
    estimates.learn(MODEL, LETTERS, "", "", Usage(1, 0))
    assert (estimates.known, estimates.output(MODEL, "", "a")) == ({MODEL}, 1)
    assert estimates.input(MODEL, replace(LETTERS, input_tokens=1)) == 1
    assert estimates.bound(MODEL, replace(LETTERS, input_tokens=1)) == math.ceil(math.exp(-0.125) * 1.5) + 64


def test_reasoning_that_is_shown_whole_teaches_how_text_is_counted() -> None:
    estimates, many = TokenEstimates(), estimate_tokens(WORDS)
    for _ in range(60):
        estimates.learn(MODEL, LETTERS, "", WORDS, Usage(0, 2 * many))
    assert estimates.output(MODEL, WORDS, "") == pytest.approx(2 * many, rel=0.02)
    assert estimates.output(MODEL, "", WORDS) == pytest.approx(2 * many, rel=0.02)
    assert estimates.output(MODEL, WORDS, WORDS) == pytest.approx(4 * many, rel=0.02)


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
    once = TokenEstimates()
    once.learn(MODEL, prompt, PROSE, "", Usage(0, 900, reasoning=900))
    assert once.output(MODEL, "a", "") == 450
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


@pytest.mark.parametrize("count", [200, 201, 202, 450])
def test_a_long_conversation_counts_whole_and_its_last_message_for_itself(count: int) -> None:
    call = ToolCall("1", "look", '{"at": "the river"}')
    older, last = Message("assistant", PROSE, calls=(call,)), Message("user", HAN)
    tokens, mix = input_size(Request((*[older] * (count - 1), last)))
    said, han = estimate_tokens(f"{PROSE}\nlook {call.arguments}"), estimate_tokens(HAN)
    assert tokens == pytest.approx(4 * count + (count - 1) * said + han, rel=0.001)
    assert mix.cjk * tokens == pytest.approx(script_tokens(HAN)[2], rel=0.001)


def test_of_more_than_200_messages_some_are_measured_and_the_sum_is_scaled_by_their_lengths() -> None:
    digits, prose = Message("user", "12 34 " * 8), Message("user", PROSE)

    def shares(*messages: Message) -> tuple[float, float]:
        tokens, mix = input_size(Request(messages))
        return mix.signs * tokens, tokens

    exact = 100 * script_tokens(digits.text)[1] + 100 * script_tokens(PROSE)[1]
    assert shares(*[digits, prose] * 100)[0] == pytest.approx(exact, rel=0.001)
    assert shares(*[Message("user", "")] * 201) == (0, 804)
    # Every second of 200, every third of 300: of each only digits.
    for others, last in (([prose], digits), ([prose, prose], digits)):
        times = 1 + len(others) * len(PROSE) / len(digits.text)
        signs, tokens = shares(*[digits, *others] * 100, last)
        assert signs == pytest.approx((100 * times + 1) * script_tokens(digits.text)[1], rel=0.001)
        whole = (100 * times + 1) * sum(script_tokens(digits.text)) + 4 * (100 * (1 + len(others)) + 1)
        assert tokens == pytest.approx(whole, abs=1)


@pytest.mark.parametrize("count", [1, 201])
@pytest.mark.parametrize("text", [PROSE, "1;2,3. " * 90, HAN, "Привет " * 90, "Привет, 12 和 мир; hello. " * 40])
def test_each_script_has_its_share_of_a_short_and_of_a_long_conversation(text: str, count: int) -> None:
    letters, signs, cjk, other = (count * tokens for tokens in script_tokens(text))
    letters += 4 * count
    tokens, mix = input_size(Request((Message("user", text),) * count))
    whole = letters + signs + cjk + other
    assert tokens == round(whole)
    assert (mix.letters, mix.signs, mix.cjk, mix.other) == pytest.approx(
        (letters / whole, signs / whole, cjk / whole, other / whole)
    )


def test_what_goes_beside_the_messages_is_counted_too() -> None:
    plain = Request((Message("user", "Where?"),))
    tool = Tool("look", "Looks at the river.", {"type": "object", "properties": {"где": {"type": "string"}}})
    schema = {"type": "object", "properties": {"где": {"type": "string"}}}
    alone = input_size(plain)[0]
    for more, text in (
        (replace(plain, system=PROSE), PROSE),
        (replace(plain, tools=(tool,)), definitions((tool,))),
        (replace(plain, shape=Shape(schema=schema)), json.dumps(schema, ensure_ascii=False)),
    ):
        assert input_size(more)[0] - alone == pytest.approx(sum(script_tokens(text)), abs=1)
    assert input_size(replace(plain, shape=Shape()))[0] == alone


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
    assert image_tokens(Image("image/png", b"")) == IMAGE_TOKENS == 1100
    assert image_tokens(Image("image/png", png(6000, 4000))) == round(1568 * (1568 * 4000 / 6000) / 750)
    assert image_tokens(Image("image/png", png(8, 8))) == 258


@pytest.mark.parametrize(
    "head",
    [
        png(1001, 701)[:24],
        gif(1001, 701)[:10],
        gif(1001, 701).replace(b"89a", b"87a"),
        jpeg(1001, 701)[:-10],
        b"\xff\xd8" + b"\xff" * 5 + jpeg(1001, 701)[2:-10],
        b"\xff\xd8\xff\xfe\0\0" + jpeg(1001, 701)[2:-10],
        webp(b"VP8X", b"\xff\xff\xff\xff" + (1000).to_bytes(3, "little") + (700).to_bytes(3, "little")),
        webp(b"VP8L", b"\x2f" + (1000 | 700 << 14 | 0xF << 28).to_bytes(4, "little") + b"\0" * 5),
        webp(b"VP8 ", b"\0" * 6 + (1001 | 1 << 14).to_bytes(2, "little") + (701 | 3 << 14).to_bytes(2, "little")),
    ],
    ids=["png", "gif", "old gif", "jpeg", "filled jpeg", "jpeg of no length", "webp", "lossless webp", "lossy webp"],
)
def test_a_head_says_the_size_and_one_cut_by_a_byte_says_nothing(head: bytes) -> None:
    assert pixels(head) == pixels(head + b"\xff" * 9) == (1001, 701)
    if not head.startswith(b"GIF87a"):
        assert pixels(head[:-1]) is None


def test_a_jpeg_says_its_size_in_whatever_kind_of_frame_it_has() -> None:
    size = b"\0\x11\x08" + (768).to_bytes(2) + (1024).to_bytes(2)
    told = {marker for marker in range(0xFF) if pixels(b"\xff\xd8\xff" + bytes([marker]) + size) == (1024, 768)}
    assert told == set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def test_a_size_that_makes_no_sense_is_none() -> None:
    assert pixels(png(100_000, 1)) == (100_000, 1)
    assert [pixels(png(*size)) for size in ((100_001, 1), (1, 100_001), (0, 9), (9, 0))] == [None] * 4
    assert pixels(png(2**24 + 9, 9)) is pixels(png(9, 2**24 + 9)) is None
    assert pixels(webp(b"ALPH", b"\0\1" * 9)) is None
    assert image_tokens(Image("image/png", png(0, 9))) == IMAGE_TOKENS


@given(
    st.binary(max_size=60),
    st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a", b"RIFF\0\0\0\0WEBPVP8 "]),
)
def test_no_bytes_make_a_picture_of_no_or_of_endless_tokens(rest: bytes, head: bytes) -> None:
    assert 258 <= image_tokens(Image("image/png", head + rest)) <= 3300
