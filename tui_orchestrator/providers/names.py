"""What a model's name alone tells: whether it chats, its generation, its date, its size.

Providers publish names and little else; these rules are checked against every name in `genai-prices` by a test.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

# Whole words of a name, between anything that is not a letter. Everything here answers with something other than text,
# answers another kind of question, or speaks another protocol than chat.
_OTHER_TRADES = re.compile(
    r"(?<![a-z])(?:"
    r"embed|embeddings?|bge|gte|e5|colbert|minilm|titan-embed|voyage|rerank|reranker|reward|"  # vectors and scores
    r"image|images|imagen|dall-e|flux|sdxl|stable-diffusion|nano-banana|seedream|gemini-omni|"  # pictures
    r"video|veo|sora|"
    r"audio|tts|stt|asr|whisper|transcribe|voice|speech|sonic|orpheus|lyria|music|voxtral|eleven|realtime|live|"
    r"moderation|guard|safeguard|shield(?:gemma)?|content-safety|decider|clef|clairic|jev|"  # classifiers
    r"search|deep-research|aqa|"  # searches that bill by the search
    r"computer-use|ui-tars|robotics|autoglm|"  # they answer with clicks
    r"ocr|distilbert|m2m\d+|indictrans\d*|translate|"
    r"ada|babbage|curie|davinci|turbo-instruct|(?:relace|morph)-[a-z0-9-]+"  # completion and patching of old
    r")(?![a-z])"
)
_RESPONSES_ONLY = re.compile(r"^(?:o\d|gpt)-.*\b(?:pro|cyber|rosalind|daybreak)\b|^o\d-pro|codex|daybreak|rosalind")
_BATCH = re.compile(r":batch$|^~")
_DATE = re.compile(
    r"[-@](?:(20\d{2})-?([01]\d)-?([0-3]\d)|([01]\d)-(20\d{2})|(\d{4}|[01]\d-[0-3]\d))(?=$|[-:.])"
    # 20251101, 2025-08-07 · 09-2025 · 2512, 0613, 05-06
)
_REVISION = re.compile(r"-00\d$")
_VERSION = re.compile(r"(\d{1,2})(?:[.-](\d{1,2})(?![a-z\d]))?(?![\dbkt])")
_SIZE = re.compile(r"(?<![a-z\d.])(?:(\d+)x)?e?(\d+(?:\.\d+)?)([bt])(?![a-z])")
_ACTIVE = re.compile(r"(?<![a-z\d])a(\d+(?:\.\d+)?)b(?![a-z])")


def bare(name: str) -> str:
    """Without the maker's prefix, in lower case: 'anthropic/Claude-Opus-5' → 'claude-opus-5'."""
    return name.lower().rsplit("/", 1)[-1]


def chats(name: str) -> bool:
    """Whether a model of this name can be asked and answers in text. Unknown names can."""
    return not (_OTHER_TRADES.search(name.lower()) or _BATCH.search(name))


def answers_chat_completions(name: str) -> bool:
    """Whether OpenAI itself serves this name at /v1/chat/completions.

    Its pro, codex and restricted models are served by the Responses API only, or to vetted customers only (the types of
    the openai SDK 3.52 list most of them outside `ChatModel`; read November 2026).
    """
    return not _RESPONSES_ONLY.search(bare(name))


class Size(NamedTuple):
    """Parameters in billions. `active` is what one token passes through in a mixture of experts."""

    total: float
    active: float


def size(name: str) -> Size | None:
    """From '8b', '8x7b', '30b-a3b', '2.4t-a95b'; None where the name does not say."""
    lower = name.lower()
    if not (found := _SIZE.search(lower)):
        return None
    experts, number, unit = found.groups()
    total = float(number) * (1000 if unit == "t" else 1) * (int(experts) if experts else 1)
    active = _ACTIVE.search(lower)
    if active:
        return Size(total, float(active[1]))
    # Two of the experts work on a token, as in Mixtral, which set this way of naming.
    return Size(total, float(number) * 2 if experts else total)


class Generation(NamedTuple):
    line: str
    """The name without its version: 'claude-opus', 'gpt-mini'."""
    version: tuple[int, ...]
    """(4, 5); empty where the name has none."""


def generation(name: str) -> Generation:
    plain = undated(bare(name))
    found = _VERSION.search(plain)
    if not found:
        return Generation(plain, ())
    # 4.20 is 4.2 to its maker, older than 4.3.
    version = tuple(int(part.rstrip("0") or "0") if i else int(part) for i, part in enumerate(found.groups("")) if part)
    rest = plain[: found.start()] + plain[found.end() :]
    return Generation(re.sub(r"[-.:_]+", "-", rest).strip("-"), version)


def undated(name: str) -> str:
    """Without date, revision, '-latest' and '-preview': what two releases of one model have in common."""
    plain = _REVISION.sub("", _DATE.sub("", name, count=1))
    return plain.removesuffix("-latest").removesuffix("-preview")


def one_of_each(names: Iterable[str]) -> list[str]:
    """Folds the releases of one model into the name to ask for: the undated one if there, else the newest date, else
    '-latest'. The order stays that of the first of each."""
    best: dict[str, str] = {}
    for name in names:
        key = undated(name.lower())
        if key not in best or _standing(name) > _standing(best[key]):
            best[key] = name
    return list(best.values())


def _standing(name: str) -> tuple[int, str]:
    lower = name.lower()
    if undated(lower) == lower:
        return (3, "")
    if date := _DATE.search(lower):
        year, month, day, early_month, late_year, short = date.groups()
        written = f"{year}{month}{day}" if year else f"{late_year}{early_month}" if late_year else f"20{short}"
        return (2, written)
    return (0, "") if lower.endswith("-latest") else (1, lower)


# Oldest generation of each family still worth offering before the provider itself has said what it serves: older ones
# are retired or announced so (deprecation pages of Anthropic, OpenAI and Google, and their SDKs; read November 2026).
_OLDEST = {
    "claude": (4, 5),
    "gpt": (5, 4),
    "chatgpt": (5, 4),
    "gemini": (2, 5),
    "gemma": (3,),
    "grok": (4,),
    "o": (9,),  # the o-series ended in gpt-5
    "deepseek": (3, 2),
    "llama": (3, 1),
    "qwen": (3,),
    "glm": (4, 7),
    "kimi": (2, 5),
}
_KEPT = 2
# For vetted customers, for those who give their prompts away, for the account that tuned them; or open weights that
# others serve.
_LIMITED = re.compile(r"mythos|cyber|rosalind|daybreak|-contributor|^ft:|^gpt-oss")


def todays(names: Iterable[str]) -> list[str]:
    """The names a provider most likely still serves, when its own list has not been read.

    Of each line the two newest generations, and none older than its family's oldest still served; none that only
    some customers get. Names without a version stay. Order is kept.
    """
    offered = [name for name in names if chats(name) and not _LIMITED.search(name)]
    lines: dict[str, set[tuple[int, ...]]] = {}
    for name in offered:
        line, version = generation(name)
        lines.setdefault(line, set()).add(version)
    newest = {line: set(sorted(versions, reverse=True)[:_KEPT]) for line, versions in lines.items()}

    def current(name: str) -> bool:
        line, version = generation(name)
        oldest = _OLDEST.get(re.split(r"[-:]", line)[0], ())
        return not version or (version in newest[line] and version >= oldest)

    return [name for name in offered if current(name)]
