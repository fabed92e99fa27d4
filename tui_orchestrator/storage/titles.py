"""A short title for a conversation, made from its first prompt without asking a model."""

from __future__ import annotations

import re
import unicodedata

from tui_orchestrator.routing.text import clean_line

LONGEST_TITLE = 80
"""Characters, of one that a user gives."""
_ROOM = 60
"""Cells of one that is made here."""
_LOOKED_AT = 4_000
"""Characters: what a prompt is about stands at its beginning, and a paste may be a megabyte."""

_FENCE = re.compile(r"(?:^|\n)(?:[^\n]{1,80}:\n)?(`{3,}+|~{3,}+)[^\n]*+\n.*?(?:\n\1|\Z)", re.DOTALL)
_ADDRESS = re.compile(r"https?://(?:www\.)?([^\s/<>\"')\]]+)[^\s<>\"')\]]*")
_MARKS_BEFORE, _MARKS_BEHIND = " #>*-–—•·…,;:.!?¡¿\"'`([", " *_`\"'"
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=\S)|(?<=[。！？])|\n+")

# What people say before they say what they want, longest first within a language; matched at the beginning, again and
# again, without regard to case.
_COURTESY = re.compile(
    "(?:"
    + "|".join(
        (
            # English
            r"(?:hi|hello|hey|good (?:morning|afternoon|evening))(?: there| everyone| again)?\b"
            r"(?! there| everyone| again)(?=\s*[,!.:–—-]|\s+\S)",
            r"(?:ok(?:ay)?|so|well|now|also|and)\b(?=\s*,)",
            r"(?:thanks(?: a lot| in advance)?|thank you|please|kindly|pls|plz|let'?s)\b",
            r"sorry\b(?=\s*[,!.])",
            r"(?:can|could|would|will) you (?:please |kindly |maybe |possibly )?"
            r"(?:help me (?:to |with )?|tell me |show me |give me )?",
            r"(?:can|could|may) i (?:ask(?: you)?|get|have)\b(?: to)?",
            r"i(?:'d| would) (?:really )?(?:like|love) (?:you )?to (?:know (?:about )?)?",
            r"i (?:want|need) (?:you )?to (?:know (?:about )?)?",
            r"i(?:'m| am) (?:wondering|trying to (?:understand|find out))\b(?: (?:if|whether))?",
            r"(?:help|tell|show|give) me (?:to |with |about )?",
            r"do you know\b(?: (?:if|whether))?",
            # German
            r"(?:hallo|guten (?:tag|morgen|abend)|servus|bitte)\b",
            r"(?:kannst|könntest|würdest) du (?:mir |bitte |mal )*",
            r"(?:können|könnten|würden) sie (?:mir |bitte )*",
            r"(?:hilf|zeig|sag|gib) mir(?: bitte)?\b",
            # French
            r"(?:bonjour|salut|bonsoir|s'il (?:te|vous) pla[iî]t)\b",
            r"(?:peux-tu|pouvez-vous|pourrais-tu|pourriez-vous)\b(?: m'aider à| me)?",
            # Spanish, Italian, Portuguese
            r"(?:hola|buenos días|buenas tardes|por favor|ciao|buongiorno|per favore|olá|bom dia)\b",
            r"(?:puedes|podrías|puede|podría|puoi|potresti|você pode|você poderia)\b(?: ayudarme (?:a|con))?",
            # Chinese, Japanese
            r"你好|您好|请(?:问|你|帮我)?|(?:能|可以)(?:不能)?(?:请)?帮我|帮我|こんにちは",
        )
    )
    + r")[\s,!.:;–—，。！、]*",
    re.IGNORECASE,
)
_THANKS = re.compile(
    r"(?<![\s,;–—-])[\s,;–—-]++"
    r"(?:please|pls|plz|thanks(?: a lot| in advance)?|thank you|bitte|danke|merci|gracias)[\s.!]*+$",
    re.IGNORECASE,
)


def title_of(prompt: str) -> str:
    """One line of at most 60 cells: the first sentence that says something, without courtesy, code and Markdown.

    Of a prompt that is nothing but code, its first line; of one that is nothing but courtesy, that. Empty only where
    the prompt is.
    """
    beginning = prompt[:_LOOKED_AT]
    prose = _ADDRESS.sub(r"\1", _FENCE.sub("\n", beginning)).replace("**", "").replace("`", "")
    said = [line for line in (_bare(piece) for piece in _SENTENCE.split(prose)) if _letters(line)]
    # Where no line says much by itself, they are one sentence.
    together = _bare(clean_line(prose, _LOOKED_AT)) if said else ""
    best = next((line for line in said if _letters(line) >= 8 or _wide(line)), together)
    if not best:
        lines = (clean_line(line) for line in beginning.splitlines())
        best = next((line for line in lines if _letters(line) and not line.startswith(("```", "~~~"))), "")
        return _cut(best or clean_line(beginning))
    return _cut(best[:1].upper() + best[1:] if _plain_word(best) else best)


def _bare(piece: str) -> str:
    line = _unmarked(clean_line(piece, _LOOKED_AT))
    shorter = line
    # A courtesy may follow another: "Hi! Could you please tell me …"
    while shorter and (found := _COURTESY.match(shorter)) and found.end():
        shorter = shorter[found.end() :]
    shorter = _unmarked(_THANKS.sub("", shorter))
    return (shorter if _letters(shorter) else line).rstrip(" .,;:!…。")


def _unmarked(line: str) -> str:
    """A quotation mark at an end stays where its other half is within."""
    bare = line.lstrip(_MARKS_BEFORE)
    before, bare = line[: len(line) - len(bare)], bare.rstrip(_MARKS_BEHIND)
    if bare.count('"') % 2:
        behind = line[len(before) + len(bare) :]
        if behind.startswith('"'):
            return f'{bare}"'
        if before.endswith('"'):
            return f'"{bare}'
    return bare


def _letters(line: str) -> int:
    return sum(sign.isalnum() for sign in line[:200])


def _wide(line: str) -> bool:
    """A few signs of Chinese or Japanese say as much as a line of letters."""
    return sum(unicodedata.east_asian_width(sign) in "WF" for sign in line[:8]) >= 2


def _plain_word(line: str) -> bool:
    """Whether the first word may be written with a capital: `np.array`, `my_list` and `iPhone` may not."""
    word = re.match(r"[^\W\d_]+(?:['’-][^\W\d_]+)*(?=[\s,:;?!]|$)", line)
    return word is not None and word[0][1:] == word[0][1:].lower()


def _cut(line: str) -> str:
    """To the room there is, between words where there are any."""
    used = 0
    for place, sign in enumerate(line):
        used += 2 if unicodedata.east_asian_width(sign) in "WF" else 1
        if used > _ROOM:
            kept = line[: place - 1]
            words = kept if line[place - 1] == " " else kept.rpartition(" ")[0]
            return (words if len(words) > _ROOM // 2 else kept).rstrip(" ,;:–—-") + "…"
    return line
