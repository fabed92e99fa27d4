"""Whether two prompts ask the same thing in other words, told by the words alone.

Vectors find prompts that are about the same; they do not tell `convert JSON to YAML` from `convert YAML to JSON`, 5 km
from 6, nor a husband from a wife. So nothing may differ here but politeness, articles, ways to ask, a few plain
synonyms, and a clause that moved as a whole. Whatever else differs makes it another question. English is known best; in
another language nearly every difference counts, which costs hits and gives no wrong one.
"""

from __future__ import annotations

import re

_VERBATIM = re.compile(
    r"```.*?(?:```|\Z)|~~~.*?(?:~~~|\Z)|`[^`\n]+`|\"[^\"\n]+\"|“[^“”]+”|«[^«»]+»|„[^„“”]+[“”]|(?<!\w)'[^'\n]+'(?!\w)"
    r"|\b(?:https?|ftp|file)://\S+|(?<![\w.+-])[\w.+-]++@[\w-]++\.[\w.-]+|(?<!\w)[~.]{0,2}/[\w./-]+",
    re.DOTALL,
)
_PUT = "\ue000"
"""Stands where something was quoted."""
_NAME = "\ue001"
"""Stands after a little word that is a name."""
_CAPITALS = re.compile(r"\b[A-Z]{2,3}\b|(?<=[^\s.?!:] )A\b")
_WORD = re.compile(rf"\.?[^\W_]+(?:['._/-][^\W_]+)*[+#]{{0,2}}{_NAME}?|{_PUT}|[^\w\s.,;:!?()'…¿¡-]|(?<![\w.])-(?=\d)")

# Ways to ask, each put in one way. On lower-case text, in this order; each ends where a word ends.
_WAYS = tuple(
    (re.compile(rf"\b(?:{pattern})(?!\w)"), to)
    for pattern, to in (
        (r"^(?:hi|hello|hey|good (?:morning|evening|afternoon))(?: there)?(?=[,!.])", ""),
        (r"^(?:a |just a )?(?:quick|simple) question", ""),
        (r"(?:thanks|thank you|cheers)(?: a lot| very much| so much| in advance)*(?=[.! ]*$)", ""),
        (r"please|kindly", ""),
        (r"(what|how|who|where|when|why|that|it|there)'s", r"\1 is"),
        (r"can't|cannot", "can not"),
        (r"won't", "will not"),
        (r"(is|are|was|were|do|does|did|has|have|had|could|would|should|must)n't", r"\1 not"),
        (r"i'(d|m)", lambda found: "i would" if found[1] == "d" else "i am"),
        (r"(?:can|could|would|will) you(?= \w)", ""),
        (r"i(?: am| was)?(?: just)? (?:wonder|wondering|curious)(?: about)?", ""),
        (r"i (?:would like|want|need|would love|am trying) to (?:know|learn|understand|find out)", ""),
        (r"do you(?: happen to)? know|any idea|does any(?:one|body) know", ""),
        (r"(?:tell|show|teach|give) me|let me know|explain to me|help me(?: to)? understand", ""),
        (r"(?:explain|describe) (how|why)", r"\1"),
        (r"what (?:is|would be) the (?:best )?(?:way|method) (?:to|of)", "how"),
        (r"how (?:do|can|could|would|should|might|does) (?:i|you|we|one|someone|somebody)(?: go about)?", "how"),
        (r"how to", "how"),
        (r"what (?:is|are) the reasons?(?: that| why| for)?|for what reason|how come|why is it that", "why"),
        (r"what (?:is|are) the differences? between (.{1,200}?) and", r"difference \1 and"),
        (r"what differences? (?:is|are) there between (.{1,200}?) and", r"difference \1 and"),
        (r"how (?:is|are|does|do) (.{1,200}?) (?:different|differ) from", r"difference \1 and"),
        (r"what is the meaning of (.{1,200}?)(?=[?.!]|$)", r"what \1 mean"),
        (r"what does (.{1,200}?) stand for", r"what \1 mean"),
        (r"capital city", "capital"),
        (r"in order to", "to"),
        (r"a few", "several"),
        (r"a little", "somewhat"),
        (r"a lot of|lots of|plenty of", "many"),
    )
)
_LEADING = re.compile(
    r"^((?:in|on|with|using|for|at|when|if|after|before|during) [^,.?!:]{1,60}), (.+?)(?<![?.!])([?.!]*+)$"
)

_LONGEST = 8_000
"""Characters: a document that was pasted is hardly put in other words."""

_COUNT = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
    seventeen eighteen nineteen twenty"""
_NUMBERS = {word: str(number) for number, word in enumerate(_COUNT.split())} | {"dozen": "12"}

_EMPTY = frozenset(("a", "an", "the", "do", "does", "there", "really", "actually", "basically", "ok", "okay"))
_LITTLE = _EMPTY | {"it", "us", "or", "who", "in", "on", "no", "so", "am", "is", "as", "at", "all", "may"}
"""In capitals these are names: IT, US, the A of a vitamin."""
_SYNONYMS = (
    ("is", "are", "am"),
    ("has", "have"),
    ("remove", "delete", "erase"),
    ("removing", "deleting", "erasing"),
    ("create", "make"),
    ("creating", "making"),
    ("created", "made"),
    ("explain", "describe"),
    ("fast", "quick"),
    ("fastest", "quickest"),
    ("faster", "quicker"),
    ("big", "large"),
    ("bigger", "larger"),
    ("biggest", "largest"),
    ("begin", "start"),
    ("buy", "purchase"),
    ("buying", "purchasing"),
    ("fix", "repair"),
    ("car", "automobile"),
    ("movie", "film"),
    ("movies", "films"),
    ("children", "kids"),
    ("picture", "photo", "photograph"),
    ("choose", "select"),
    ("verify", "check"),
    ("find", "locate"),
    ("convert", "transform"),
    ("calculate", "compute"),
    ("easy", "simple"),
    ("easiest", "simplest"),
    ("hard", "difficult"),
    ("hardest", "difficultest"),
    ("benefits", "advantages", "pros"),
    ("drawbacks", "disadvantages", "cons"),
    ("reduce", "decrease"),
    ("improve", "enhance"),
    ("improving", "enhancing"),
    ("use", "utilize"),
    ("try", "attempt"),
    ("need", "require"),
    ("email", "e-mail"),
    ("phone", "telephone"),
    ("doctor", "physician"),
    ("ill", "sick"),
    ("rich", "wealthy"),
    ("clothes", "clothing"),
    ("error", "mistake"),
    ("concatenate", "join", "concat"),
    ("javascript", "js"),
    ("typescript", "ts"),
    ("golang", "go"),
    ("postgresql", "postgres"),
    ("kubernetes", "k8s"),
    ("color", "colour"),
    ("colors", "colours"),
    ("favorite", "favourite"),
    ("center", "centre"),
    ("with", "using"),
    ("versus", "vs"),
)
_IN = "in "
_SAME = {word: group[0] for group in _SYNONYMS for word in group}
_NAMES = """python javascript typescript java c c++ c# rust golang ruby php perl swift kotlin scala haskell elixir
    erlang clojure julia r lua dart bash zsh fish powershell sql html css matlab fortran cobol pandas numpy
    django flask react vue angular svelte .net node.js postgresql mysql sqlite excel latex git docker
    kubernetes linux windows macos ubuntu english french german spanish italian portuguese dutch polish
    russian ukrainian chinese japanese korean arabic hebrew hindi turkish greek latin swedish norwegian danish
    finnish czech hungarian"""
_LANGUAGES = frozenset(_NAMES.split())


def why_not_alike(earlier: str, now: str) -> str | None:
    """What makes the two prompts different questions, in a few words; None where they ask the same."""
    if earlier == now:
        return None
    if max(len(earlier), len(now)) > _LONGEST:
        return "they are too long to be compared"
    if _verbatim(earlier) != _verbatim(now):
        return "what is quoted differs"
    before, after = _words(earlier), _words(now)
    if not before and not after:
        return "there is nothing to compare"
    odd = sorted(set(map(_bare, before)) ^ set(map(_bare, after)))
    if odd or len(before) != len(after):
        return f"{odd[0]!r} differs" if odd else "a word stands there more often"
    if any(word.startswith(_IN) for word in (*before, *after)):
        before, after = _without_its_language(before), _without_its_language(after)
    return None if _order(before) == _order(after) else "the order differs"


def _verbatim(prompt: str) -> list[str]:
    """Word for word, space for space: in code both count."""
    return [found.group().strip("\"“”«»„'") for found in _VERBATIM.finditer(prompt)]


def _words(prompt: str) -> list[str]:
    """Those that carry the meaning, in order, each in one form; `in Python` is one of them, marked."""
    text = " ".join(_VERBATIM.sub(f" {_PUT} ", prompt).replace("’", "'").split())
    text = (text if text.isupper() else _CAPITALS.sub(_marked, text)).lower()
    for pattern, to in _WAYS:
        text = pattern.sub(to, text).strip(" ,!")
    text = _LEADING.sub(r"\2 \1\3", re.sub(r"^([\w.+#]+): (.+)$", r"in \1, \2", text))
    words: list[str] = []
    for said in _WORD.findall(text):
        if said in _EMPTY:
            continue
        word = _NUMBERS.get(said) or _SAME.get(said, said)
        if word in _LANGUAGES and words and words[-1] in ("in", "with"):
            words[-1] = _IN + word
        else:
            words.append(word)
    return words


def _marked(found: re.Match[str]) -> str:
    """As it is, or as a name that no little word is like."""
    word = found[0]
    return f"{word}{_NAME}" if word.lower() in _LITTLE else word


def _bare(word: str) -> str:
    return word.removeprefix(_IN)


def _order(words: list[str]) -> list[str]:
    """`is` alone may move: `how tall is it`, `tell me how tall it is`."""
    return [_bare(word) for word in words if word != "is"]


def _without_its_language(words: list[str]) -> list[str]:
    """`a list in Python` is `a Python list`: where only one language is named, it may stand anywhere."""
    named = [word for word in words if _bare(word) in _LANGUAGES]
    return [word for word in words if word not in named] if len(named) == 1 else words
