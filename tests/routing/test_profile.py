"""What a prompt looks like to the profiler: tables a reader can check by eye."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tui_orchestrator.routing import features
from tui_orchestrator.routing.features import HEAD, TAIL, estimate_tokens, read
from tui_orchestrator.routing.profile import Ability, Level, Profile, TaskType
from tui_orchestrator.routing.profiler import LONG_CONTEXT_TOKENS, profile
from tui_orchestrator.routing.prompt_size import IMAGE_TOKENS
from tui_orchestrator.routing.request import Image, Message, Request
from tui_orchestrator.routing.synthesis import one_from_all

PNG = Image("image/png", b"\x89PNG")


def request(*turns: str, images: tuple[Image, ...] = (), **fields: object) -> Request:
    """Turns alternate between user and assistant; the last one is the new prompt and carries the images."""
    messages = [Message("user" if at % 2 == 0 else "assistant", text) for at, text in enumerate(turns)]
    messages[-1] = Message("user", turns[-1], images)
    return Request(tuple(messages), **fields)  # type: ignore[arg-type]


def of(*turns: str) -> Profile:
    return profile(request(*turns))


PROMPTS = [
    ("conversation", "Hi"),
    ("conversation", "Hallo, wie geht's?"),
    ("conversation", "Bonjour !"),
    ("conversation", "¡Hola!"),
    ("conversation", "你好"),
    ("conversation", "こんにちは"),
    ("conversation", "thanks, that helped"),
    ("conversation", "How are you today?"),
    ("simple_qa", "What is the capital of France?"),
    ("simple_qa", "When did the Berlin Wall fall?"),
    ("simple_qa", "How old is the Earth?"),
    ("simple_qa", "Wer hat die Zauberflöte komponiert?"),
    ("simple_qa", "Quelle est la capitale du Canada ?"),
    ("simple_qa", "¿Quién escribió Don Quijote?"),
    ("simple_qa", "法国的首都是哪里？"),
    ("simple_qa", "フランスの首都はどこですか？"),
    ("code", "Write a Python function that merges two sorted lists"),
    ("code", "How do I undo the last git commit?"),
    ("code", "Schreibe eine Funktion in Java, die eine Liste umdreht"),
    ("code", "Écris une fonction JavaScript qui inverse une chaîne"),
    ("code", "Escribe una función en Python que ordene una lista"),
    ("code", "用Python写一个快速排序函数"),
    ("code", "Pythonで素数を判定する関数を書いてください"),
    ("code", "Write an SQL query that lists the customers without an order"),
    # Shell requests name no language.
    ("code", "find all files larger than 1GB in the current directory"),
    ("code", "list all running processes sorted by memory usage"),
    ("code", "recursively delete all empty directories under /tmp"),
    ("code", "show disk usage of each subdirectory"),
    ("code", "Finde alle Dateien, die größer als 1 GB sind"),
    ("debugging", "Why does this crash? TypeError: 'NoneType' object is not iterable"),
    ("debugging", "Fix this bug:\n```python\ndef f(x):\n    return x[1\n```"),
    ("debugging", "Mein Skript wirft einen Fehler: KeyError: 'name'. Was ist falsch?"),
    ("debugging", "这段代码报错了：IndexError: list index out of range"),
    (
        "code_refactor",
        "Refactor this function to be more readable:\n```python\ndef f(a):\n    return [x for x in a]\n```",
    ),
    ("math", "Prove that there are infinitely many primes ≡ 3 mod 4"),
    ("math", "Solve x^2 - 5x + 6 = 0"),
    (
        "math",
        "A train travels 120 km in 2 hours and then 180 km in 3 hours. What is its average speed over all 5 hours?",
    ),
    ("math", "Berechne das Integral von x^2 von 0 bis 3"),
    ("math", "Calcule la dérivée de x^3 + 2x"),
    ("math", "Resuelve la ecuación 2x + 3 = 11"),
    ("math", "证明根号2是无理数"),
    ("math", "12と18の最大公約数を計算してください"),
    ("reasoning", "A riddle: I speak without a mouth and hear without ears. What am I?"),
    (
        "reasoning",
        "Which must hold if all cats are mammals?\nA. All mammals are cats\nB. Some cats bark\nC. None of them",
    ),
    ("research", "Explain how photosynthesis works"),
    ("research", "Why is the sky blue?"),
    ("research", "Erkläre mir, wie ein Transistor funktioniert"),
    ("research", "Explique-moi la relativité restreinte"),
    ("research", "Explica cómo funciona una vacuna"),
    ("research", "解释一下什么是区块链的原理"),
    ("research", "なぜ空は青いのですか、詳しく説明してください"),
    ("analysis", "Analyze the causes of the 2008 financial crisis"),
    ("analysis", "Compare renting and buying a house: pros and cons"),
    ("analysis", "Analysiere die Vor- und Nachteile der Kernenergie"),
    ("analysis", "Compare les avantages et inconvénients du télétravail"),
    ("analysis", "分析一下这两种方案的优缺点"),
    ("planning", "Plan a 5-day trip to Japan with a budget of $2000"),
    ("planning", "Suggest some names for a coffee shop"),
    ("planning", "Erstelle einen Reiseplan für drei Tage in Rom"),
    ("planning", "帮我制定一个三天的北京旅行计划"),
    ("creative", "Write a short story about a lighthouse keeper"),
    ("creative", "You are a pirate captain. Describe your ship."),
    ("creative", "Write an email to my landlord about the broken heating"),
    ("creative", "Schreibe ein Gedicht über den Herbst"),
    ("creative", "Écris un poème sur la mer"),
    ("creative", "Escribe un cuento sobre un dragón"),
    ("creative", "写一首关于春天的诗"),
    ("creative", "猫についての俳句を書いてください"),
    ("summarization", "Summarize the following article in three bullet points: The council met on Monday and …"),
    ("summarization", "Fasse diesen Text in drei Sätzen zusammen: …"),
    ("summarization", "Résume ce texte en deux phrases : …"),
    ("summarization", "Resume este texto en dos frases: …"),
    ("summarization", "请总结下面这篇文章"),
    ("summarization", "次の文章を要約してください"),
    ("translation", 'Translate "good morning" into Japanese'),
    ("translation", "Translate to French: the dog ate my homework"),
    ("translation", "Übersetze ins Englische: Der Hund schläft."),
    ("translation", "Traduis en anglais : le chat dort"),
    ("translation", "Traduce al inglés: el gato duerme"),
    ("translation", "把这句话翻译成英文：你好"),
    ("translation", "次の文を英語に翻訳してください：猫が好きです"),
    ("extraction", "Extract all names and dates from the following letter: Dear Anna, …"),
    ("extraction", "Extrahiere alle Namen aus dem folgenden Text"),
    ("extraction", "从下面的文字中提取所有日期"),
    ("evaluation", "Grade this essay from 1 to 10 and explain your score"),
    ("evaluation", "Bewerte diesen Aufsatz auf einer Skala von 1 bis 5 und begründe die Note"),
    ("problem_generation", "Create five practice problems about fractions for 5th graders"),
    ("problem_generation", "Make up three exam questions on supply and demand, with solutions"),
    ("completion", "Complete the sentence: The quick brown fox ___"),
    ("completion", "Continue the story: Once upon a time"),
]


@pytest.mark.parametrize(("task_type", "prompt"), PROMPTS)
def test_the_task_type_is_the_one_a_reader_would_name(task_type: str, prompt: str) -> None:
    assert of(prompt).task_type == task_type


DIFFICULTIES = [
    ("Hi", 0.02, 0.15, 1, 2),
    ("What is the capital of France?", 0.08, 0.25, 1, 3),
    ("Write a Python function that merges two sorted lists", 0.22, 0.38, 3, 4),
    ("Prove that there are infinitely many primes ≡ 3 mod 4", 0.50, 0.75, 6, 8),
    ("Design a distributed consensus algorithm with a formal safety proof", 0.70, 0.98, 8, 10),
]


@pytest.mark.parametrize(("prompt", "least", "most", "simplest", "hardest"), DIFFICULTIES)
def test_difficulty_and_complexity_hold_their_anchors(
    prompt: str, least: float, most: float, simplest: int, hardest: int
) -> None:
    seen = of(prompt)
    assert least <= seen.difficulty <= most
    assert simplest <= seen.complexity <= hardest


def test_each_of_these_is_harder_than_the_one_before() -> None:
    seen = [of(prompt) for prompt, *_ in DIFFICULTIES]
    assert [profile.difficulty for profile in seen] == sorted(profile.difficulty for profile in seen)
    assert [profile.level for profile in seen] == [
        *(Level.BASIC, Level.BASIC, Level.BASIC, Level.ADVANCED, Level.EXPERT),
    ]


def test_a_longer_examination_question_is_harder() -> None:
    options = "\nA. yes\nB. no\nC. maybe\nD. never"
    short = of("A patient comes in with a fever. Which?" + options)
    long_stem = of(
        "A patient comes in with a fever and a cough that has lasted for weeks. She has been abroad, works with "
        "animals and takes no medicine but aspirin. Her brother had the same last year. Which of these is the "
        "likeliest cause?" + options
    )
    assert long_stem.difficulty > short.difficulty + 0.01


def test_length_does_not_make_small_talk_harder() -> None:
    long = of("Hello! " + "It was such a lovely day and we walked along the river and talked. " * 6)
    assert long.difficulty <= of("Hello! We walked along the river and talked about things.").difficulty + 0.12


def test_evidence_says_in_words_what_pushed_the_difficulty() -> None:
    evidence = of("Prove rigorously that every finite abelian group is a product of cyclic groups").evidence
    effects = {item.feature: item.effect for item in evidence}
    assert effects["asks for a proof"] > 0.1
    assert effects["a deep subject"] > 0.1
    assert any(feature.endswith("speaks for math") and effect == 0 for feature, effect in effects.items())
    pushes = [abs(item.effect) for item in evidence if item.effect]
    assert pushes == sorted(pushes, reverse=True)


FOLLOW_UPS = [
    ("code", ("Write a Python function that reverses a list", "```python\ndef f(): ...\n```", "and now in Rust")),
    ("code", ("Write a Python function that reverses a list", "```python\ndef f(): ...\n```", "make it shorter")),
    ("translation", ("Translate 'good morning' into French", "Bonjour", "and into German?")),
    ("translation", ("Übersetze ins Englische: Der Hund", "The dog", "und jetzt auf Spanisch")),
    ("creative", ("写一首关于春天的诗", "春风……", "再写一首")),
    ("conversation", ("Write a Python function that reverses a list", "```python\n```", "thanks!")),
    ("simple_qa", ("Write a Python function that reverses a list", "```python\n```", "What is the capital of Peru?")),
]


@pytest.mark.parametrize(("task_type", "turns"), FOLLOW_UPS)
def test_a_follow_up_takes_its_type_from_the_turn_before(task_type: str, turns: tuple[str, ...]) -> None:
    assert of(*turns).task_type == task_type


OUTPUTS = [
    ("Explain entropy in one sentence", 15, 45),
    ("Write an essay of 500 words on Rome", 600, 800),
    ("Schreibe 200 Wörter über Rom", 240, 320),
    ("写一篇800字的作文", 700, 900),
    ("Give me ten ideas for a birthday party", 300, 500),
    ("Hi", 10, 100),
    ("What is the capital of France?", 20, 200),
    ("Write a detailed essay on the fall of Rome", 800, 2000),
    ("Write a haiku about autumn", 15, 40),
    ("write me three haikus about rain", 60, 100),
    ("Schreib ein Haiku über den Herbst", 15, 40),
    ("写一首关于秋天的俳句", 15, 40),
    ("Give me a slogan for a bike shop", 10, 25),
    ("Explain what a haiku is and how it differs from a tanka", 150, 800),
    ("Write a story about a poet who only writes haikus", 250, 1200),
    ("Answer in a single word: what is the capital of Peru?", 5, 12),
    ("Is 17 prime? Answer yes or no.", 10, 40),
    ("Translate into French: " + "The dog sleeps in the warm house. " * 40, 250, 500),
]


@pytest.mark.parametrize(("prompt", "least", "most"), OUTPUTS)
def test_the_expected_length_follows_what_was_asked(prompt: str, least: int, most: int) -> None:
    assert least <= of(prompt).output_tokens <= most


@pytest.mark.parametrize(
    ("length", "tokens"),
    [
        ("in 100 words", 140),
        ("in 2 sentences", 56),
        ("in two sentences", 56),
        ("in 2 paragraphs", 240),
        ("in 2 pages", 1300),
        ("in 5 bullet points", 200),
        ("in fünf Sätzen", 140),
        ("en dix phrases", 280),
        ("en 3 párrafos", 360),
    ],
)
def test_a_length_that_was_asked_for_is_expected_as_so_many_tokens(length: str, tokens: int) -> None:
    assert of(f"Entropy {length}").output_tokens == tokens


def test_no_more_is_expected_than_the_request_allows() -> None:
    assert profile(request("Write a long essay", max_tokens=50)).output_tokens == 50


def test_an_answer_that_is_gone_on_with_is_the_task_it_was_begun_for() -> None:
    prompt, said = "Prove that the square root of 2 is irrational, in detail.", "Suppose it were rational. Then"
    alone = of(prompt)
    go_on = f"Your answer was cut off. Go on exactly where it ends: {said}"
    rest = profile(request(prompt, said, go_on, continues=True))
    assert rest.task_probabilities == alone.task_probabilities
    assert (rest.difficulty, rest.evidence) == (alone.difficulty, alone.evidence)
    assert rest.input_tokens > alone.input_tokens
    assert rest.output_tokens < alone.output_tokens


def test_one_answer_from_several_is_the_task_that_was_asked_whatever_is_in_them() -> None:
    prompt, answers = "Compare Rust and Go", ["A traceback: KeyError, fix the bug in line 3.", "Go is simple. " * 40]
    alone, merged = of(prompt), profile(one_from_all(request(prompt), answers))
    assert merged.task_probabilities == alone.task_probabilities
    assert (merged.difficulty, merged.output_tokens) == (alone.difficulty, alone.output_tokens)
    assert merged.input_tokens > alone.input_tokens + 150
    assert Ability.LONG_CONTEXT in profile(one_from_all(request(prompt), ["One more. " * 1200] * 12)).needs


def test_images_need_vision_and_make_the_task_multimodal() -> None:
    seen = profile(request("What is this?", images=(PNG,)))
    assert Ability.VISION in seen.needs
    assert seen.task_type is TaskType.MULTIMODAL
    assert seen.input_tokens >= IMAGE_TOKENS


def test_an_image_earlier_in_the_conversation_still_needs_vision() -> None:
    messages = (Message("user", "Look", (PNG,)), Message("assistant", "A cat."), Message("user", "Which colour?"))
    assert Ability.VISION in profile(Request(messages)).needs


def test_a_large_input_needs_long_context() -> None:
    seen = of("Summarize this: " + "The committee met again on Tuesday. " * 6000)
    assert seen.input_tokens > LONG_CONTEXT_TOKENS
    assert Ability.LONG_CONTEXT in seen.needs
    assert seen.task_type is TaskType.LONG_CONTEXT


STRUCTURED = [
    (True, "Return the names as a JSON object"),
    (True, "List the planets in a table"),
    (True, "Gib die Antwort als JSON zurück"),
    (True, "请以JSON格式输出"),
    (False, "What is the capital of France?"),
    (False, "Write a poem about the sea"),
]


@pytest.mark.parametrize(("needed", "prompt"), STRUCTURED)
def test_json_and_tables_need_structured_output(needed: bool, prompt: str) -> None:
    assert (Ability.STRUCTURED_OUTPUT in of(prompt).needs) is needed


def test_tools_are_needed_when_the_request_brings_them() -> None:
    assert Ability.TOOLS in profile(request("Weather?", metadata={"tools": "get_weather"})).needs
    assert Ability.TOOLS not in of("Which tools do I need to hang a door?").needs


def test_the_whole_conversation_and_the_system_text_are_counted() -> None:
    alone = of("And now?").input_tokens
    long = profile(request("word " * 400, "answer " * 400, "And now?", system="Be brief. " * 100)).input_tokens
    assert long > alone + 400 + 400 + 200


def test_ten_thousand_messages_are_estimated_from_a_sample_that_comes_close() -> None:
    few = of(*["The quick brown fox jumps over the lazy dog."] * 101).input_tokens
    many = of(*["The quick brown fox jumps over the lazy dog."] * 10_001).input_tokens
    assert many == pytest.approx(few * 10_001 / 101, rel=0.02)


TOKENS = [
    # text, fewest and most tokens the tokenisers of today make of it
    ("The quick brown fox jumps over the lazy dog. " * 20, 170, 280),
    ("def merge(a, b):\n    return sorted(a + b, key=lambda x: x[0])\n" * 20, 340, 560),
    ("今天天气很好，我们去公园散步吧。" * 20, 200, 420),
    ("Die Bundesregierung hat gestern ein neues Gesetz beschlossen. " * 20, 220, 400),
    ("Правительство вчера приняло новый закон. " * 20, 200, 520),
    ("x", 1, 1),
    ("", 0, 0),
]


@pytest.mark.parametrize(("text", "fewest", "most"), TOKENS)
def test_the_token_estimate_is_of_the_right_size(text: str, fewest: int, most: int) -> None:
    assert fewest <= estimate_tokens(text) <= most


def test_a_text_too_long_to_count_is_estimated_from_samples() -> None:
    page = "The quick brown fox jumps over the lazy dog; 今天天气很好。 "
    assert estimate_tokens(page * 20_000) == pytest.approx(20_000 * estimate_tokens(page * 100) / 100, rel=0.03)


NOVELTIES = [
    (0.0, 0.2, "Write a Python function that merges two sorted lists"),
    (0.0, 0.35, "Welche Vorteile hat die Kernenergie für die Umwelt?"),
    (0.0, 0.2, "请总结下面这篇文章"),
    (0.5, 1.0, "Напиши функцию, которая объединяет два отсортированных списка"),
    (0.5, 1.0, "xkcd qwrtp zzgh bvcxz plkjh mnbvc wrtz"),
    (0.5, 1.0, "Kirjoita funktio joka yhdistää kaksi järjestettyä listaa toisiinsa nopeasti"),
]


@pytest.mark.parametrize(("least", "most", "prompt"), NOVELTIES)
def test_what_was_hardly_learned_from_is_novel(least: float, most: float, prompt: str) -> None:
    assert least <= of(prompt).novelty <= most


def test_the_evidence_calls_a_task_as_the_rest_of_the_program_does() -> None:
    request = Request((Message("user", "Say it again"),), task_type=TaskType.CODE_REFACTOR)
    assert "said to be code refactor" in [evidence.feature for evidence in profile(request).evidence]


PATHOLOGICAL = {
    "nothing": "",
    "a million spaces": " " * 1_000_000,
    "spaces before a word": " " * 1_000_000 + "hi",
    "nested brackets": "[" * 500_000 + "]" * 500_000,
    "one long line": "x" * 1_000_000,
    "open fences": "```" * 300_000,
    "blank lines": "\n" * 1_000_000,
    "lone surrogates": "\ud800" * 1000,
    "nul and escape": "\x00\x1b[2J" * 1000,
    "emoji": "🧑‍🚀" * 50_000,
}


@pytest.mark.parametrize("prompt", PATHOLOGICAL.values(), ids=PATHOLOGICAL.keys())
def test_no_prompt_is_too_strange_to_profile(prompt: str) -> None:
    seen = of(prompt)
    assert 0 <= seen.difficulty <= 1
    assert math.isclose(sum(seen.task_probabilities.values()), 1)


def test_the_words_of_a_large_prompt_are_read_at_its_two_ends_only() -> None:
    paste = "lorem ipsum " * 100_000
    seen = read(f"Summarize this text:\n{paste}\nIn three sentences, please.")
    assert len(seen.text) <= HEAD + TAIL + 1
    assert seen.words[:2] == ("summarize", "this")
    assert seen.words[-1] == "please"
    assert seen.size > 150_000


def test_the_instruction_may_stand_after_the_paste() -> None:
    paste = "The council met on Monday and spoke of the new road. " * 300
    assert of(paste + "\n\nTranslate the above into German.").task_probabilities[TaskType.TRANSLATION] > 0.5


def test_work_does_not_grow_with_the_prompt(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[int] = []
    real = features.spoken_of
    monkeypatch.setattr(features, "spoken_of", lambda text: looked_at.append(len(text)) or real(text))
    of("word " * 400_000)
    assert looked_at
    assert sum(looked_at) <= HEAD + TAIL + 1


@given(st.lists(st.text(max_size=300), min_size=1, max_size=5), st.text(max_size=100))
@example(["\ud83d", "", "```"], "\x00")
@settings(max_examples=75, deadline=None)
def test_any_conversation_has_a_profile_that_keeps_its_bounds(turns: list[str], system: str) -> None:
    asked = request(*turns, system=system)
    seen = profile(asked)
    assert math.isclose(sum(seen.task_probabilities.values()), 1)
    assert seen.task_type == max(seen.task_probabilities, key=lambda kind: seen.task_probabilities[kind])
    assert 0 <= seen.difficulty <= 1
    assert 1 <= seen.complexity <= 10
    assert 0 <= seen.novelty <= 1
    assert seen.input_tokens > 0
    assert seen.output_tokens > 0
    assert all(-1 <= item.effect <= 1 and item.feature for item in seen.evidence)
    assert profile(asked) == seen


def test_a_profile_of_no_messages_is_one_too() -> None:
    assert profile(Request(())).complexity == 1


@given(st.text(max_size=400), st.text(max_size=400))
@settings(max_examples=50, deadline=None)
def test_more_text_is_never_fewer_tokens(a: str, b: str) -> None:
    assert estimate_tokens(a + b) >= estimate_tokens(a)


def test_evidence_can_be_told_in_json() -> None:
    assert json.dumps([[item.feature, item.effect] for item in of("Prove it: \ud800").evidence])
