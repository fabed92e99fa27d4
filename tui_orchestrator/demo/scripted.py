"""What a demo model says: the script that fits the question, in the model's own quality, manner and point of view."""

from __future__ import annotations

import json
import re
import secrets
import time
from dataclasses import dataclass, replace
from decimal import Decimal

from ..routing.money import Usage
from .behaviour import Say
from .dialect import Completion, Question, tokens
from .roster import ROSTER, DemoModel
from .topics import Topic, language_of, topic_of, topics

MARK = "*Scripted demo answer.*"
"""Every answer begins with it, so that a cut-off one says so too."""

_VOICES = {model.name: index for index, model in enumerate(m for provider in ROSTER for m in provider.models)}
_HEDGE_BEFORE = "I'm not sure about this, but I think it might be something like the following."
_HEDGE_AFTER = (
    "I might be wrong here, and perhaps I misunderstood the question, so please check this before relying on it."
)
_FOLLOW_UP = re.compile(
    r"^\W*(and|now|but|why|how come|what about|how about|make (it|that|this)|explain (it|that|this|more)|shorter|"
    r"longer|more|continue|go on|again|in more detail|simplify|rewrite|"
    r"(do|write|show|give|translate) (it|that|this|me that))\b",
    re.IGNORECASE,
)
_SHORTER = re.compile(r"\b(short\w*|brief\w*|less|simpl\w+|tl;?dr)\b", re.IGNORECASE)
_LONGER = re.compile(r"\b(longer|detail\w*|more|elaborate|expand|deeper)\b", re.IGNORECASE)
_NUMBER = r"-?\d{1,15}(?:\.\d{1,9})?"
_SUM = re.compile(
    r"\W*+(?:what is|what's|calculate|compute|how much is|solve)?\s*"
    rf"(?P<left>{_NUMBER})\s*(?P<sign>\+|-|−|\*|×|/|÷|plus|minus|times|multiplied by|divided by)\s*(?P<right>{_NUMBER})"
    r"[\s?=.!]*",
    re.IGNORECASE,
)
_JUDGED = re.compile(r"<answer>\n(?P<answer>.*)\n</answer>\s+Is the answer right", re.DOTALL)
"""An answer that the router asks to be judged; the demo goes by whether it doubts itself."""
_BEST = re.compile(r'<answer number="(?P<number>\d+)">\n(?P<answer>.*?)\n</answer>', re.DOTALL)
_WHICH, _FROM_ALL = "Which answer is the best?", "Write the one best answer to the question"
"""Several that the router asks to be compared, or to be put together: the demo takes the longest that does not doubt
itself."""
_GO_ON = "Your answer was cut off."
"""How the request to go on with an answer begins."""
_ECHO = re.compile(
    r"\b(?:reply|respond|answer|say)(?: only| just| exactly)?(?: with)?(?: only| exactly| just)?(?: the word)?:?\s*"
    r"[\"'“](?P<words>[^\"'”]{1,80})[\"'”]",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Answer:
    text: str
    thinking: str = ""


def complete(model: DemoModel, question: Question, say: Say) -> Completion:
    """The whole answer, cut to max_tokens with the thinking counted, and its usage as counted from the text."""
    scripted = answer(model, question)
    thinking = tokens(say.thinking if say.thinking is not None else scripted.thinking if say.text is None else "")
    text = tokens(scripted.text if say.text is None else say.text)
    most = min(question.max_tokens or 2**31, model.model.max_output or 2**31)
    cut = len(thinking) + len(text) > most
    thinking = thinking[:most]
    text = text[: most - len(thinking)]
    counted = Usage(question.input_tokens, len(thinking) + len(text), reasoning=len(thinking))
    return Completion(
        id=secrets.token_hex(20),
        created=int(time.time()),
        model=model,
        question=question,
        thinking=thinking,
        text=text,
        finish=say.finish or ("length" if cut else "stop"),
        usage=say.usage or counted,
        reports_usage=say.reports_usage,
    )


def answer(model: DemoModel, question: Question) -> Answer:
    """The same for the same model and conversation, every time."""
    asked = [turn.text.strip() for turn in question.turns if turn.role == "user"] or [""]
    prompt = asked[-1]
    if prompt.startswith(_GO_ON) and len(question.turns) > 2 and len(asked) > 1:
        return _rest(model, question)
    exact = _verdict(prompt) or _from_all(prompt) or _exact(prompt)
    if exact is not None:
        return Answer(_finished(model, exact))
    before = asked[:-1]
    own = topic_of(prompt)
    earlier = next((one for one in reversed(before) if not _FOLLOW_UP.match(one)), "")
    if earlier and len(prompt) < 120 and _FOLLOW_UP.match(prompt):
        topic, opening, language = _follow_up(prompt, earlier)
    else:
        topic, opening, language = own, "", language_of(prompt)
    quality = _quality(model, prompt if opening else "")
    if topic.related and topic.matches(prompt) < 2 and not opening:
        opening = "The demo has no script for exactly this; here is a related one.\n\n"
    known = topic.languages
    if known and language not in known:
        wanted, language = language, topic.language or known[0]
        if wanted:
            opening += f"There is no {_spelt(wanted)} version in the demo; here it is in {_spelt(language)}.\n\n"
    text = opening + filled(topic, topic.section(language, quality), model, question, asked, quality)
    return Answer(_finished(model, text), topic.thinking if model.thinks else "")


def _rest(model: DemoModel, question: Question) -> Answer:
    """What was missing of its own answer; of that of another model, the part of its own from about there."""
    said = question.turns[-2].text
    whole = answer(model, replace(question, turns=question.turns[:-2])).text
    if whole.startswith(said.rstrip()):
        return Answer(whole[len(said) :])
    return Answer(whole[min(len(said), len(whole) * 3 // 4) :].partition("\n\n")[2] or whole.removeprefix(MARK))


def _verdict(prompt: str) -> str | None:
    if _WHICH in prompt and (best := _best(prompt)):
        return f"{best[0]}: it says the most, without doubt."
    asked = _JUDGED.search(prompt)
    if asked is None:
        return None
    return "WRONG: it doubts itself." if _doubts(asked["answer"]) else "RIGHT: it says what was asked, without doubt."


def _from_all(prompt: str) -> str | None:
    best = _best(prompt) if _FROM_ALL in prompt else None
    return best and best[1].removeprefix(MARK).strip()


def _best(prompt: str) -> tuple[str, str] | None:
    """Number and text."""
    several: list[tuple[str, str]] = _BEST.findall(prompt)
    sure = [one for one in several if not _doubts(one[1])] or several
    return max(sure, key=lambda one: len(one[1]), default=None)


def _doubts(said: str) -> bool:
    return _HEDGE_BEFORE in said or _HEDGE_AFTER in said


def _exact(prompt: str) -> str | None:
    """Sums and words to be repeated need no script."""
    if len(prompt) > 120:
        return None
    echo = _ECHO.search(prompt)
    if echo:
        return echo["words"]
    found = _SUM.fullmatch(prompt)
    if not found:
        return None
    left, right = Decimal(found["left"]), Decimal(found["right"])
    match found["sign"].lower():
        case "+" | "plus":
            result = left + right
        case "-" | "−" | "minus":
            result = left - right
        case "*" | "×" | "times" | "multiplied by":
            result = left * right
        case _ if right:
            result = left / right
        case _:
            return "Nothing can be divided by zero."
    return f"{found['left']} {found['sign']} {found['right']} = **{result.normalize():,f}**"


def _follow_up(prompt: str, earlier: str) -> tuple[Topic, str, str]:
    """The earlier topic again, with an opening that names it; another form of it where one is asked for."""
    topic = topic_of(earlier)
    opening = f"Following up on “{_clip(earlier)}”:\n\n"
    language = language_of(prompt) or language_of(earlier)
    reshaped = language_of(prompt) or _SHORTER.search(prompt) or _LONGER.search(prompt)
    if reshaped or not topic.lines("points"):
        return topic, opening, language
    template = topics()["follow_up"]
    sections = {**template.sections, "points": topic.sections["points"], "own": topic.sections.get("own", "")}
    follow_up = Topic("follow_up", (), 1.0, 1, "", False, "", topic.thinking, sections)
    return follow_up, opening, ""


def _quality(model: DemoModel, reshape: str) -> str:
    if reshape and _SHORTER.search(reshape):
        return "basic"
    if reshape and _LONGER.search(reshape):
        return "best"
    ability = model.model.ability
    return "basic" if ability < 0.45 else "good" if ability < 0.70 else "best"


def _finished(model: DemoModel, text: str) -> str:
    if model.manner == "hedging":
        text = f"{_HEDGE_BEFORE}\n\n{text}\n\n{_HEDGE_AFTER}"
    return f"{MARK}\n\n{text}"


def filled(topic: Topic, text: str, model: DemoModel, question: Question, asked: list[str], quality: str) -> str:
    """The section with its placeholders in braces replaced; braces in code stay as they are."""
    facts = model.model
    values = {
        "points": _points(topic, model, quality),
        "prompt": _clip(asked[-1]),
        "recall": f"You asked about “{_clip(asked[-2])}”." if len(asked) > 1 else "",
        "turns": _recalled(asked[:-1]),
        "fact": _fact(topic, asked[-1]),
        "model": facts.id,
        "note": model.note,
        "price": _price(model),
        "first_token": f"{facts.first_token_s:g}",
        "speed": f"{facts.tokens_per_s:g}",
        "window": f"{facts.context_window:,}",
    } | _measures(_given(question))
    return re.sub(r"\{([a-z_]+)\}", lambda found: values.get(found[1], found[0]), text).strip()


def _price(model: DemoModel) -> str:
    price = model.model.price
    if price is None:
        return "unknown"
    if price.free:
        return "nothing: it is local"
    per_million = [f"${Decimal(rate) / 10**6:f}" for rate in (price.rates.input, price.rates.output)]
    return f"{per_million[0]} in, {per_million[1]} out, per million tokens (made up)"


def _points(topic: Topic, model: DemoModel, quality: str) -> str:
    """Shared points, more of them the better the model, and one that is its own."""
    shared = topic.lines("points")
    own = topic.lines("own")
    keep = {"basic": 2, "good": 3}.get(quality, len(shared))
    voice = _VOICES.get(model.name, 0)
    return "\n".join((*shared[:keep], *((own[voice % len(own)],) if own else ())))


def _recalled(before: list[str]) -> str:
    if not before:
        return "This is the first thing you said to me in this conversation."
    listed = "\n".join(f"{number}. “{_clip(said)}”" for number, said in enumerate(before, 1))
    return f"So far you have asked:\n\n{listed}"


def _fact(topic: Topic, prompt: str) -> str:
    known = dict(line.split(" = ", 1) for line in topic.lines("facts"))
    place = next((place for place in known if place in prompt.lower()), None)
    if place is None:
        return "The demo knows about thirty capitals, but not this one."
    capital = known[place]
    if " " in capital and ("no capital" in capital or "share" in capital):
        return f"{capital}."
    return f"The capital of {place if place.startswith('the ') else place.title()} is **{capital}**."


def _given(question: Question) -> str:
    """The text a summary or an extraction is about: what follows the instruction, or the last answer."""
    prompt = question.turns[-1].text if question.turns else ""
    after = re.split(r":\s|\n", prompt, maxsplit=1)
    if len(after) == 2 and len(after[1].split()) > 5:
        return after[1].strip()
    answers = [turn.text.removeprefix(MARK).strip() for turn in question.turns if turn.role == "assistant"]
    return answers[-1] if answers else prompt


def _measures(text: str) -> dict[str, str]:
    text = text[:50_000]
    sentences = [" ".join(found.split()) for found in re.findall(r"[^.!?。！？]+[.!?。！？]*", text) if found.strip()]
    longest = sorted(sentences[1:], key=len, reverse=True)[:3]
    names = dict.fromkeys(re.findall(r"(?<=[a-z,;] )[A-Z][a-z]+(?: [A-Z][a-z]+)*", text))

    def listed(found: list[str]) -> str:
        return json.dumps(list(dict.fromkeys(found))[:8], ensure_ascii=False)

    return {
        "first": _clip(sentences[0], 240) if sentences else "",
        "sentences": "\n".join(f"- {_clip(one, 240)}" for one in sentences[1:] if one in longest),
        "words": str(len(text.split())),
        "sentence_count": str(len(sentences)),
        "names": listed(list(names)),
        "numbers": listed(re.findall(r"(?<![\w-])\d+(?:[.,]\d+)*(?![\w-])", text)),
        "dates": listed(re.findall(r"\b\d{4}-\d{2}-\d{2}\b", text)),
        "emails": listed(re.findall(r"(?<![\w.+-])[\w.+-]++@[\w-]+\.[\w.]+", text)),
    }


def _spelt(language: str) -> str:
    return {"sql": "SQL", "typescript": "TypeScript"}.get(language, language.capitalize())


def _clip(text: str, most: int = 72) -> str:
    line = re.sub(r"[`|“”]", "", " ".join(text.split()))
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"
