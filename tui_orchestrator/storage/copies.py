"""The steps of the schema that keep what copies of the program tell each other: models that fail, a server that
machines share."""

from __future__ import annotations

# When it was told, and for how many seconds from then on the circuit is open; `prober` is the copy of the program that
# is trying it. `whose` tells servers and keys of one name apart: a digest, from which neither can be read.
CIRCUITS = """
CREATE TABLE circuits (
    name TEXT NOT NULL,
    whose TEXT NOT NULL,
    provider TEXT NOT NULL,
    at TEXT NOT NULL,
    seconds REAL NOT NULL,
    failures INTEGER NOT NULL,
    opened INTEGER NOT NULL,
    unreached INTEGER NOT NULL,
    state TEXT NOT NULL,
    why TEXT NOT NULL,
    prober TEXT,
    PRIMARY KEY (name, whose)
) WITHOUT ROWID;
"""

# What is remembered of a shared server, told apart by `realm`: this store's own name there (one row), what other
# stores were last seen to have spent, and how far this one may go by itself while the server is away.
SHARED = """
CREATE TABLE shared_store (id TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE shared_seen (
    realm TEXT NOT NULL,
    store TEXT NOT NULL,
    scope TEXT NOT NULL,
    period TEXT NOT NULL,
    spent INTEGER NOT NULL,
    open INTEGER NOT NULL,
    PRIMARY KEY (realm, store, scope, period)
) WITHOUT ROWID;
CREATE TABLE shared_ceilings (
    realm TEXT NOT NULL,
    scope TEXT NOT NULL,
    period TEXT NOT NULL,
    picodollars INTEGER NOT NULL,
    granted TEXT NOT NULL,
    ends TEXT NOT NULL,
    PRIMARY KEY (realm, scope, period)
) WITHOUT ROWID;
"""
