"""Prompts in six languages and where they must go: a table to be checked by eye.

Five models, each dearer and abler than the one before. What stands here must be true of any good estimate of a
prompt's difficulty, so an easy prompt is bounded from above and a hard one from below.
"""

from __future__ import annotations

import pytest

from tui_orchestrator.routing.decide import decide
from tui_orchestrator.routing.decision import Circumstances, Decision, Exclusion, Policy
from tui_orchestrator.routing.model import Model, Registry
from tui_orchestrator.routing.profile import Ability, Level, TaskType
from tui_orchestrator.routing.profiler import profile
from tui_orchestrator.routing.request import Image, Message, Request, Strategy

from .samples import model, price

SEES = frozenset({Ability.VISION})


def _model(id: str, input: str, output: str, ability: float, level: Level, reads: int, **more: object) -> Model:
    return model(id, price=price(input, output), ability=ability, level=level, context_window=reads, **more)


MODELS = (
    #       id         $ in   $ out  ability              reads
    _model("here/tiny", "0", "0", 0.35, Level.BASIC, 8_000, local=True, open_weights=True),
    _model("a/small", "0.1", "0.4", 0.60, Level.INTERMEDIATE, 32_000),
    _model("b/middle", "0.5", "2", 0.72, Level.ADVANCED, 128_000, open_weights=True),
    _model("a/large", "3", "15", 0.82, Level.ADVANCED, 200_000, abilities=SEES),
    _model("c/best", "15", "75", 0.92, Level.EXPERT, 1_000_000, abilities=SEES),
)
REGISTRY = Registry.of(MODELS)
SIZE = {one.name: size for size, one in enumerate(MODELS)}

CHAT, QA, TRANSLATION = TaskType.CONVERSATION, TaskType.SIMPLE_QA, TaskType.TRANSLATION
CODE, MATH, REASONING = TaskType.CODE, TaskType.MATH, TaskType.REASONING
CREATIVE, EXTRACTION, SUMMARY = TaskType.CREATIVE, TaskType.EXTRACTION, TaskType.SUMMARIZATION


def decided(prompt: str, strategy: Strategy = Strategy.BALANCED, image: bool = False) -> Decision:
    pictures = (Image("image/png", b"\x89PNG"),) if image else ()
    request = Request((Message("user", prompt, pictures),), strategy=strategy, id="r")
    return decide(request, profile(request), REGISTRY, Circumstances({}), Policy())


def size(decision: Decision) -> int:
    assert decision.model is not None
    return SIZE[decision.model.partition("/")[2]]


EASY = [
    # prompt                                                            task type    cheapest at most
    ("Hi!", {CHAT}, "small"),
    ("你好！", {CHAT}, "small"),
    ("Danke, das war alles!", {CHAT}, "middle"),
    ("What is the capital of France?", {QA}, "small"),
    ("法国的首都是哪里？", {QA}, "small"),
    ("Was ist die Hauptstadt von Frankreich?", {QA}, "small"),
    ("Quelle est la capitale de la France ?", {QA}, "small"),
    ("¿Cuál es la capital de Francia?", {QA}, "small"),
    ("フランスの首都はどこですか？", {QA}, "small"),
    ("Translate into French: good morning", {TRANSLATION}, "middle"),
    ("把这句话翻译成英文：今天天气很好。", {TRANSLATION}, "middle"),
    ("Traduce al inglés: buenos días", {TRANSLATION}, "middle"),
    ("Traduis en anglais : bonjour tout le monde", {TRANSLATION}, "middle"),
    ("次の文を英語に翻訳してください：今日は天気がいいです。", {TRANSLATION}, "middle"),
    ("find all .log files modified in the last 24 hours and delete them", {CODE}, "middle"),
    ("How do I list all files larger than 100 MB in bash?", {CODE, QA}, "middle"),
    ("用一条 shell 命令统计当前目录下的文件数量", {CODE}, "middle"),
    ("Wie finde ich mit find alle Dateien größer als 100 MB?", {CODE, QA}, "middle"),
    ("Write a Python function that merges two sorted lists", {CODE}, "large"),
    ("写一个 Python 函数，合并两个有序列表", {CODE}, "large"),
    ("Schreibe eine Python-Funktion, die zwei sortierte Listen zusammenführt", {CODE}, "large"),
    ("Escribe una función en Python que combine dos listas ordenadas", {CODE}, "large"),
    ("Écris une fonction Python qui fusionne deux listes triées", {CODE}, "large"),
    ("2つのソート済みリストをマージするPython関数を書いてください", {CODE}, "large"),
    ("Write a short poem about autumn", {CREATIVE}, "large"),
    ("写一首关于秋天的诗", {CREATIVE}, "large"),
    ("Summarize this: The meeting was moved to Monday because the room was taken.", {SUMMARY}, "middle"),
]

PROOFS = [
    "Prove that there are infinitely many primes congruent to 3 modulo 4",
    "Prove that every finite division ring is a field, and explain where finiteness is used",
    "证明：存在无穷多个模4余3的素数",
    "Beweise, dass die Quadratwurzel aus 2 irrational ist",
    "Démontre que la racine carrée de 2 est irrationnelle",
    "Demuestra que existen infinitos números primos",
    "√2が無理数であることを証明してください",
]


@pytest.mark.parametrize(("prompt", "types", "most"), EASY)
def test_an_easy_prompt_stays_small(prompt: str, types: set[TaskType], most: str) -> None:
    cheapest, balanced = decided(prompt, Strategy.CHEAPEST), decided(prompt, Strategy.BALANCED)
    assert cheapest.task_type in types
    assert size(cheapest) <= SIZE[most]
    # A little more quality may be worth the fraction of a cent that the next size costs.
    assert size(balanced) <= min(SIZE[most] + 1, SIZE["large"])


@pytest.mark.parametrize("prompt", PROOFS)
def test_a_proof_is_not_left_to_the_small_ones(prompt: str) -> None:
    assert decided(prompt).task_type in {MATH, REASONING}
    assert size(decided(prompt, Strategy.CHEAPEST)) >= SIZE["middle"]
    assert size(decided(prompt, Strategy.BALANCED)) >= SIZE["middle"]
    assert size(decided(prompt, Strategy.QUALITY)) >= SIZE["large"]


def test_a_proof_is_harder_than_a_greeting_in_every_language() -> None:
    greetings = ["Hi!", "你好！", "Hallo!", "Bonjour !", "¡Hola!", "こんにちは"]
    hardest_greeting = max(profile(Request((Message("user", said),))).difficulty for said in greetings)
    easiest_proof = min(profile(Request((Message("user", said),))).difficulty for said in PROOFS)
    assert hardest_greeting + 0.1 < easiest_proof


@pytest.mark.parametrize("prompt", ["What is the capital of France?", *PROOFS[:3]])
def test_quality_never_takes_a_smaller_one_than_balanced_nor_balanced_than_cheapest_of_a_plain_ladder(
    prompt: str,
) -> None:
    sizes = [size(decided(prompt, s)) for s in (Strategy.CHEAPEST, Strategy.BALANCED, Strategy.QUALITY)]
    assert sizes == sorted(sizes)


@pytest.mark.parametrize(
    ("words", "least"), [(3_000, "tiny"), (15_000, "small"), (60_000, "middle"), (160_000, "large"), (600_000, "best")]
)
def test_a_long_prompt_goes_where_it_fits(words: int, least: str) -> None:
    decision = decided("Summarize this report:\n" + "word " * words, Strategy.CHEAPEST)
    assert size(decision) >= SIZE[least]
    for candidate in decision.candidates:
        short = SIZE[candidate.model.partition("/")[2]] < SIZE[least]
        assert (candidate.excluded_by is Exclusion.CONTEXT_WINDOW) == short


@pytest.mark.parametrize("strategy", [s for s in Strategy if s is not Strategy.ENSEMBLE])
@pytest.mark.parametrize("prompt", ["What is in this picture?", "这张图片里有什么？", "Was ist auf dem Bild zu sehen?"])
def test_a_picture_goes_to_a_model_that_sees(prompt: str, strategy: Strategy) -> None:
    decision = decided(prompt, strategy, image=True)
    assert decision.model in {"a/large", "c/best"}
    assert set(decision.chain) <= {"a/large", "c/best"}
    assert Ability.VISION in decision.profile.needs


@pytest.mark.parametrize(
    "prompt",
    [
        'Extract all names and dates from this text as JSON: {"text": "Ada met Charles on 5 June 1833"}',
        "Extract the invoice number and the total as JSON with the keys number and total: Invoice 4711, total $12.50",
    ],
)
def test_a_request_for_json_is_known_as_one(prompt: str) -> None:
    decision = decided(prompt)
    assert decision.task_type in {EXTRACTION, CODE}
    assert Ability.STRUCTURED_OUTPUT in decision.profile.needs
    assert size(decision) <= SIZE["large"]
