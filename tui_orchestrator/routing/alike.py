"""Whether two prompts ask the same thing in other words, told by the words alone.

Vectors find prompts that are about the same; they do not tell `convert JSON to YAML` from `convert YAML to JSON`, nor
5 km from 6. So nothing may differ here but politeness, articles, ways to ask, endings of words, a few plain synonyms,
and a clause that moved as a whole. Whatever else differs makes it another question. English is known best; in another
language nearly every difference counts, which costs hits and never gives a wrong one.
"""

from __future__ import annotations

import re

_VERBATIM = re.compile(
    r"```.*?(?:```|\Z)|~~~.*?(?:~~~|\Z)|`[^`\n]+`|\"[^\"\n]+\"|“[^”]+”|«[^»]+»|„[^“”]+[“”]|(?<!\w)'[^'\n]+'(?!\w)"
    r"|\b(?:https?|ftp|file)://\S+|[\w.+-]+@[\w-]+\.[\w.-]+|(?<!\w)[~.]{0,2}/[\w./-]+",
    re.DOTALL,
)
_WORD = re.compile(r"\.?[^\W_]+(?:['’._/-][^\W_]+)*[+#]{0,2}|[^\w\s.,;:!?()'’\"…¿¡-]|(?<![\w.])-(?=\d)")

# Ways to ask, to be put in one way. Each on lower-case text, in this order.
_WAYS = tuple(
    (re.compile(rf"\b(?:{pattern})(?!\w)"), to)
    for pattern, to in (
        (r"(?:hi|hello|hey|good (?:morning|evening|afternoon))(?: there)?(?=[,!. ])", ""),
        (r"(?:thanks|thank you|cheers)(?: (?:a lot|very much|so much|in advance))?", ""),
        (r"(?:quick|simple|just a|one) question", ""),
        (r"what[’']s", "what is"),
        (r"how[’']s", "how is"),
        (r"who[’']s", "who is"),
        (r"where[’']s", "where is"),
        (r"i[’']d", "i would"),
        (r"i[’']m", "i am"),
        (r"can[’']t|cannot", "can not"),
        (r"won[’']t", "will not"),
        (r"(is|are|was|were|do|does|did|has|have|had|could|would|should|must)n[’']t", r"\1 not"),
        (r"(?:can|could|would|will) you (?:please |kindly |maybe )?", ""),
        (r"(?:please |kindly )", ""),
        (r"i(?: am|’m|'m| was)? (?:just )?(?:wonder|wondering|curious)(?: about)?", ""),
        (r"i (?:would like|want|need|would love|wish|am trying) to (?:know|learn|understand|find out|see)", ""),
        (r"do you (?:happen to )?know|any idea|does any(?:one|body) know", ""),
        (r"(?:tell|show|teach|give) me|let me know|explain to me|help me (?:to )?understand", ""),
        (r"what (?:is|would be) the (?:best )?(?:way|method|approach) (?:to|of|for)", "how"),
        (r"(?:explain|describe) (how|why)", r"\1"),
        (r"how (?:do|can|could|would|should|might|does) (?:i|you|we|one|someone|somebody)(?: go about)?", "how"),
        (r"how to", "how"),
        (r"what (?:is|are) the reasons? (?:that|why|for|behind)|for what reason|how come|why is it that", "why"),
        (r"what (?:is|are) the differences? between (.+?) and ", r"difference \1 and "),
        (r"what differences? (?:is|are) there between (.+?) and ", r"difference \1 and "),
        (r"how (?:is|are|does|do) (.+?) (?:different|differ) from ", r"difference \1 and "),
        (r"what (?:is|are) (?:a |an |the )?meaning of (.+?)(?=[?.!]|$)", r"what \1 mean"),
        (r"what does (.+?) stand for", r"what \1 mean"),
        (r"capital city", "capital"),
        (r"in order to", "to"),
        (r"as well as", "and"),
        (r"a lot of|lots of|plenty of", "many"),
    )
)

_COUNT = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
    seventeen eighteen nineteen twenty"""
_NUMBERS = {word: str(number) for number, word in enumerate(_COUNT.split())} | {
    "dozen": "12",
    "hundred": "100",
    "thousand": "1000",
    "million": "1000000",
}

# Not in capitals, where they are names: IT, US, OR.
_POLITE = """a an the is are am be been being do does i you we me us it there this that these those of please kindly
    just also so then really actually basically simply exactly some any ok okay well"""
_EMPTY = frozenset(_POLITE.split())
_SYNONYMS = (
    ("remove", "delete", "erase"),
    ("create", "make"),
    ("explain", "describe"),
    ("fast", "quick", "rapid"),
    ("quickly", "rapidly"),
    ("fastest", "quickest"),
    ("faster", "quicker"),
    ("big", "large"),
    ("bigger", "larger"),
    ("biggest", "largest"),
    ("begin", "start"),
    ("buy", "purchase"),
    ("fix", "repair"),
    ("car", "automobile"),
    ("movie", "film"),
    ("child", "children", "kid", "kids"),
    ("picture", "photo", "photograph"),
    ("choose", "pick", "select"),
    ("verify", "check"),
    ("find", "locate"),
    ("convert", "transform"),
    ("calculate", "compute"),
    ("easy", "simple"),
    ("easiest", "simplest"),
    ("hard", "difficult"),
    ("benefit", "advantage", "pros"),
    ("drawback", "disadvantage", "cons"),
    ("reduce", "decrease", "lower"),
    ("improve", "enhance"),
    ("use", "utilize", "utilise"),
    ("try", "attempt"),
    ("need", "require"),
    ("email", "e-mail"),
    ("phone", "telephone"),
    ("doctor", "physician"),
    ("summary", "summarize"),
    ("concat", "concatenate", "join"),
    ("javascript", "js"),
    ("typescript", "ts"),
    ("golang", "go"),
    ("postgresql", "postgres"),
    ("kubernetes", "k8s"),
    ("colour", "color"),
    ("with", "using", "via"),
    ("versus", "vs"),
    ("not", "never"),
)
_NAMES = """python javascript typescript java c c++ c# rust golang ruby php perl swift kotlin scala haskell elixir
    erlang clojure julia r lua dart bash zsh fish powershell sql html css matlab fortran cobol pandas numpy
    django flask react vue angular svelte .net node.js postgresql mysql sqlite excel latex git docker kubernetes
    linux windows macos ubuntu english french german spanish italian portuguese dutch polish russian ukrainian
    chinese japanese korean arabic hebrew hindi turkish greek latin swedish norwegian danish finnish czech
    hungarian"""
_LANGUAGES = frozenset(_NAMES.split())


def _stem(word: str) -> str:
    """Without the ending of a plural, of -ing or of the third person; the tense stays."""
    if len(word) < 4 or not word.isascii() or not word.isalpha():
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("ches", "shes", "sses", "xes", "zes")):
        word = word[:-2]
    elif word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    if word.endswith("ing") and len(word) > 6:
        word = word[:-3]
        if word[-1] == word[-2] and word[-1] not in "lsz":
            word = word[:-1]
    if word.endswith(("ise", "isation")) and len(word) > 6:
        word = word.replace("isation", "ization") if word.endswith("isation") else word[:-3] + "ize"
    return word[:-1] if word.endswith("e") and len(word) > 4 else word


_SAME = {_stem(word): _stem(group[0]) for group in _SYNONYMS for word in group}


def why_not_alike(earlier: str, now: str) -> str | None:
    """What makes the two prompts different questions, in a few words; None where they ask the same."""
    if _verbatim(earlier) != _verbatim(now):
        return "what is quoted differs"
    before, after = _words(earlier), _words(now)
    if [word for word in before if word[0].isdigit()] != [word for word in after if word[0].isdigit()]:
        return "a number differs"
    if sorted(before) != sorted(after):
        odd = sorted(set(before) ^ set(after)) or sorted(word for word in before if before.count(word) > 1)
        return f"{odd[0]!r} differs"
    if not before:
        # Nothing but empty words or signs: only the very same is the same.
        return None if earlier.split() == now.split() else "there is nothing to compare"
    before, after = _without_its_language(before), _without_its_language(after)
    if any(before[at:] + before[:at] == after for at in range(max(1, len(before)))):
        return None
    return "the order differs"


def _verbatim(prompt: str) -> list[str]:
    return [" ".join(found.group().strip("`\"“”«»„'").split()) for found in _VERBATIM.finditer(prompt)]


def _words(prompt: str) -> list[str]:
    """Those that carry the meaning, in one form each."""
    text = _VERBATIM.sub(" ", prompt).replace("’", "'")
    loud = {word for word in _WORD.findall(text) if len(word) > 1 and word.isupper()}
    # A prompt in capitals names nothing by them.
    loud = set() if text.isupper() else {word.lower() for word in loud}
    text = " ".join(text.lower().split())
    for pattern, to in _WAYS:
        text = pattern.sub(to, text)
    words = [form for word in _WORD.findall(text) if (form := _form(word, word in loud))]
    # `a list in Python` is `a Python list`.
    return [
        word
        for word, following in zip(words, [*words[1:], ""], strict=True)
        if word not in ("in", "with") or following not in _LANGUAGES
    ]


def _form(word: str, loud: bool) -> str:
    """'' for a word that says nothing."""
    if word in _NUMBERS:
        return _NUMBERS[word]
    if word in _EMPTY and not loud:
        return ""
    stem = word if word in _LANGUAGES else _stem(word)
    return _SAME.get(stem, stem)


def _without_its_language(words: list[str]) -> list[str]:
    """Where only one is named it may stand anywhere: `a Python list`, `a list in Python`."""
    named = [word for word in words if word in _LANGUAGES]
    return [word for word in words if word not in _LANGUAGES] if len(named) == 1 else words
