"""Words and phrases that say of a task how much it asks and in what shape, in six languages. Hand-set; a phrase is
written with underscores."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

# Fields in which questions run deep: each mention makes a prompt harder.
_DEEP = (
    "distributed safety liveness fault_tolerance "
    "consensus byzantine paxos raft linearizability concurrency lock-free cryptographic cryptography "
    "quantum topology manifold homology cohomology galois eigenvalue eigenvalues stochastic asymptotic np-hard "
    "np-complete formal formally rigorous rigorously axiom invariant tensor hamiltonian lagrangian thermodynamic "
    "spectral measure-theoretic compiler kernel scheduler multithreaded differential_equation differential_equations "
    "bayesian posterior isomorphic homomorphism riemann hilbert banach abelian ring_homomorphism field_extension "
    "turing undecidable complexity_class amortized fault-tolerant scalable microservices statute jurisdiction "
    "verteilten verteiltes quanten topologie distribué quantique distribuido cuántica"
)
_PROOF = (
    "prove proof proofs prove_that show_that derive derivation beweise beweis zeige_dass démontrer démontre prouver "
    "montrer_que prouve demuestra demostrar demostración"
)
_STEPS = (
    "first then next finally afterwards step_by_step step-by-step steps secondly zuerst dann danach "
    "schließlich schritt d'abord "
    "ensuite puis enfin primero luego después finalmente"
)
_CONSTRAINTS = (
    "must should without at_least at_most exactly only ensure constraint constraints requirements require requires "
    "avoid except unless not_use don't_use include including support handle between no_more_than using "
    "muss müssen ohne mindestens höchstens genau doit sans au_moins exactement debe sin al_menos exactamente"
)
_EASING = "simple easy basic beginner quick hello_world for_kids einfach einfache simple facile fácil sencillo"
_DEEPENING = (
    "comprehensive comprehensively detailed thorough thoroughly in-depth in_depth advanced complex efficient "
    "optimal production production-ready edge_cases nuanced critically ausführlich umfassend détaillé approfondie "
    "detallado exhaustivo rigorous end-to-end trade-offs"
)
_SHORT = "briefly brief short one_word concise in_short kurz knapp brièvement bref court brevemente breve corto"
_LONG = (
    "essay detailed comprehensive thorough in-depth in_depth long article report chapter ausführlich aufsatz "
    "détaillé dissertation detallado ensayo at_length"
)
_STRUCTURED = (
    "json json_object json_schema jsonl yaml csv xml schema structured_output as_a_table in_a_table markdown_table "
    "tabelle tableau en_tabla tabla als_tabelle"
)


class Mark(StrEnum):
    """What words say of a task besides its type."""

    DEEP = "deep"
    PROOF = "proof"
    STEPS = "steps"
    CONSTRAINTS = "constraints"
    EASING = "easing"
    DEEPENING = "deepening"
    SHORT = "short"
    LONG = "long"
    STRUCTURED = "structured"

    # As in TaskType.
    __hash__ = str.__hash__


Marked = tuple[tuple[tuple[str, ...], Mark, str], ...]
"""Of one first word, each phrase that begins with it: the words that must follow, the mark, the phrase."""


def _marks(lists: Mapping[Mark, str]) -> Mapping[str, Marked]:
    by_first: dict[str, list[tuple[tuple[str, ...], Mark, str]]] = {}
    for mark, listed in lists.items():
        for phrase in listed.split():
            first, *rest = phrase.split("_")
            by_first.setdefault(first, []).append((tuple(rest), mark, phrase.replace("_", " ")))
    return {first: tuple(entries) for first, entries in by_first.items()}


MARKED = _marks(
    {
        Mark.DEEP: _DEEP,
        Mark.PROOF: _PROOF,
        Mark.STEPS: _STEPS,
        Mark.CONSTRAINTS: _CONSTRAINTS,
        Mark.EASING: _EASING,
        Mark.DEEPENING: _DEEPENING,
        Mark.SHORT: _SHORT,
        Mark.LONG: _LONG,
        Mark.STRUCTURED: _STRUCTURED,
    }
)


def find_marks(words: tuple[str, ...], listed: Iterable[tuple[int, Marked]]) -> dict[Mark, list[str]]:
    """What each mark was seen in, each word or phrase once, in order. `listed`: where words of MARKED stand, and its
    entry."""
    found: dict[Mark, list[str]] = {}
    for at, marked in listed:
        for rest, mark, text in marked:
            if not rest or words[at + 1 : at + 1 + len(rest)] == rest:
                seen = found.setdefault(mark, [])
                if text not in seen:
                    seen.append(text)
    return found
