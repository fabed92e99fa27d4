"""The schema, as the steps that lead to it. A step that has been released is never changed; a new one is added."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

from . import copies, sums, talk


@dataclass(frozen=True, slots=True)
class Migration:
    name: str
    """Numbered; it is recorded by this name once it is applied."""
    sql: str

    def statements(self) -> Iterator[str]:
        # Not executescript: it would commit in the middle of the transaction.
        statement = ""
        for line in self.sql.strip().splitlines(keepends=True):
            statement += line
            if sqlite3.complete_statement(statement):
                yield statement
                statement = ""


# Money is whole picodollars, times are seconds, instants are UTC in ISO 8601 with microseconds: text that sorts.
_LEDGER = Migration(
    "0001_ledger",
    """
CREATE TABLE attempts (
    request_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    session TEXT NOT NULL,
    model TEXT NOT NULL,
    provider TEXT NOT NULL,
    strategy TEXT NOT NULL,
    task_type TEXT NOT NULL,
    cause TEXT NOT NULL,
    started TEXT NOT NULL,
    day TEXT NOT NULL,
    outcome TEXT NOT NULL,
    input_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    cached_input_tokens INTEGER NOT NULL,
    cache_write_tokens INTEGER NOT NULL,
    reasoning_tokens INTEGER NOT NULL,
    usage_source TEXT NOT NULL,
    cost INTEGER,
    cost_state TEXT NOT NULL,
    price TEXT,
    latency_s REAL NOT NULL,
    first_token_s REAL,
    tokens_per_s REAL,
    confidence REAL,
    finish_reason TEXT,
    error_kind TEXT,
    error_message TEXT NOT NULL,
    from_cache INTEGER NOT NULL,
    saved INTEGER,
    PRIMARY KEY (request_id, number)
);
CREATE INDEX attempts_started ON attempts (started, cost);
CREATE INDEX attempts_day ON attempts (day, model);
CREATE INDEX attempts_session ON attempts (session);
CREATE TABLE spend (
    scope TEXT NOT NULL,
    period TEXT NOT NULL,
    picodollars INTEGER NOT NULL,
    PRIMARY KEY (scope, period)
) WITHOUT ROWID;
CREATE TABLE reserved (
    scope TEXT NOT NULL,
    period TEXT NOT NULL,
    reservation TEXT NOT NULL,
    owner TEXT NOT NULL,
    picodollars INTEGER NOT NULL,
    since TEXT NOT NULL,
    PRIMARY KEY (scope, period, reservation)
) WITHOUT ROWID;
""",
)

_DECISIONS = Migration(
    "0002_decisions",
    """
CREATE TABLE decisions (
    request_id TEXT PRIMARY KEY,
    at TEXT NOT NULL,
    session TEXT NOT NULL,
    strategy TEXT NOT NULL,
    task_type TEXT NOT NULL,
    complexity INTEGER NOT NULL,
    model TEXT,
    reason TEXT NOT NULL,
    estimated_cost INTEGER,
    estimated_latency_s REAL,
    decision TEXT NOT NULL,
    asked TEXT NOT NULL,
    concluded TEXT,
    success INTEGER,
    answered_by TEXT,
    error_kind TEXT,
    cost INTEGER,
    cost_state TEXT,
    latency_s REAL,
    confidence REAL,
    tokens INTEGER
) WITHOUT ROWID;
CREATE INDEX decisions_at ON decisions (at);
CREATE VIEW routing_decisions AS
SELECT
    at AS timestamp,
    strategy AS objective,
    task_type,
    complexity,
    model AS selected_model,
    reason AS reasoning,
    estimated_cost / 1e12 AS estimated_cost,
    cost / 1e12 AS actual_cost,
    latency_s AS execution_time,
    estimated_latency_s AS estimated_time,
    success,
    tokens AS tokens_used
FROM decisions;
""",
)

_CONVERSATIONS = Migration("0003_conversations", talk.CONVERSATIONS)

_ANSWERS = Migration(
    "0004_answers",
    """
CREATE TABLE answers (
    key TEXT PRIMARY KEY,
    model TEXT NOT NULL,
    text TEXT NOT NULL,
    thinking TEXT NOT NULL,
    usage TEXT NOT NULL,
    cost INTEGER,
    finish_reason TEXT NOT NULL,
    stored TEXT NOT NULL,
    hits INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX answers_stored ON answers (stored);
""",
)

_SEARCH = Migration("0005_search", talk.SEARCH)

_OPEN_CALLS = Migration(
    "0006_open_calls",
    """
CREATE TABLE open_calls (
    reservation TEXT PRIMARY KEY,
    request_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    since TEXT NOT NULL,
    picodollars INTEGER NOT NULL,
    lost TEXT NOT NULL
) WITHOUT ROWID;
""",
)

# `serial` never comes again, so that a copy of the program can ask what is new since it looked last.
_OBSERVATIONS = Migration(
    "0007_observations",
    """
CREATE TABLE observations (
    serial INTEGER PRIMARY KEY AUTOINCREMENT,
    request_id TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    sign TEXT NOT NULL,
    model TEXT NOT NULL,
    task_type TEXT NOT NULL,
    outcome REAL NOT NULL,
    weight REAL NOT NULL,
    predicted REAL NOT NULL,
    at TEXT NOT NULL,
    UNIQUE (request_id, attempt, sign)
);
""",
)

_CHECKS = Migration(
    "0008_checks",
    """
ALTER TABLE attempts ADD COLUMN reasons TEXT NOT NULL DEFAULT '[]';
ALTER TABLE attempts ADD COLUMN findings TEXT NOT NULL DEFAULT '[]';
ALTER TABLE attempts ADD COLUMN onward TEXT;
""",
)

_SESSION_TAGS = Migration("0009_session_tags", talk.SESSION_TAGS)

# What was said of money, so that it is said once: by a cap's scope and period, or by a sum's that was unusual. `cap` is
# the limit the share was of, or what was usual. The two indexes hold all that is read of a decision when advice is
# worked out, so that its JSON, which is a hundred times as long, is never touched.
_ALERTS = Migration(
    "0013_alerts",
    """
CREATE TABLE alerts (
    serial INTEGER PRIMARY KEY AUTOINCREMENT,
    scope TEXT NOT NULL,
    period TEXT NOT NULL,
    share REAL NOT NULL,
    cap INTEGER NOT NULL,
    spent INTEGER NOT NULL,
    said TEXT NOT NULL,
    UNIQUE (scope, period, share, cap)
);
CREATE TABLE refusals (
    request_id TEXT PRIMARY KEY,
    at TEXT NOT NULL,
    scope TEXT NOT NULL,
    period TEXT NOT NULL,
    cap INTEGER NOT NULL,
    spent INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX refusals_at ON refusals (at);
ALTER TABLE decisions ADD COLUMN digest TEXT;
CREATE INDEX decisions_costs ON decisions (task_type, at, cost);
CREATE INDEX decisions_ends ON decisions (at, complexity, answered_by, success, error_kind, digest);
""",
)

_SUMS = Migration("0010_sums", sums.SQL)

# `vector` is of `prompt`, as 16-bit floats of unit length, by the model `embedder`. `serial` never comes again, so that
# a copy of the program can ask what is new since it looked last.
_NEARLY = Migration(
    "0012_nearly",
    """
ALTER TABLE answers ADD COLUMN mean_logprob REAL;
ALTER TABLE answers ADD COLUMN used TEXT NOT NULL DEFAULT '';
ALTER TABLE answers ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;
UPDATE answers SET used = stored, bytes = length(CAST(text AS BLOB)) + length(CAST(thinking AS BLOB));
CREATE INDEX answers_used ON answers (used, bytes);
CREATE TABLE vectors (
    serial INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE REFERENCES answers ON DELETE CASCADE,
    context TEXT NOT NULL,
    prompt TEXT NOT NULL,
    embedder TEXT NOT NULL,
    vector BLOB NOT NULL
);
ALTER TABLE attempts ADD COLUMN recalled TEXT;
CREATE INDEX attempts_recalled ON attempts (model, saved, recalled) WHERE from_cache;
""",
)

_SHELF = Migration("0015_shelf", talk.SHELF)

# `usage_parts` holds the tokens of `routing.parts` as JSON, null where there were none. The factors are those of
# `routing.estimates`, by model and what they are about.
_TOKENS = Migration(
    "0011_tokens",
    """
ALTER TABLE attempts ADD COLUMN usage_parts TEXT;
CREATE TABLE token_factors (
    model TEXT NOT NULL,
    kind TEXT NOT NULL,
    value REAL NOT NULL,
    seen REAL NOT NULL,
    PRIMARY KEY (model, kind)
) WITHOUT ROWID;
""",
)

# All that a list of decisions is made of and searched by, so that their JSON is read of those that are shown alone; the
# decisions of a session in their order; the prompt a decision was about.
_HISTORY = Migration(
    "0016_history",
    """
CREATE INDEX decisions_history ON decisions (
    at, request_id, session, task_type, strategy, model, answered_by, estimated_cost, cost, cost_state, success,
    error_kind, concluded
);
CREATE INDEX decisions_session ON decisions (session, at);
CREATE INDEX messages_prompts ON messages (session, request_id) WHERE role = 'user';
""",
)

_BRANCHES = Migration("0017_branches", talk.BRANCHES)

_FAVOURITES = Migration(
    "0018_favourites",
    """
CREATE TABLE favourites (model TEXT PRIMARY KEY, added TEXT NOT NULL) WITHOUT ROWID;
""",
)

_CONTINUED = Migration("0019_continued", talk.CONTINUED)

_CIRCUITS = Migration("0020_circuits", copies.CIRCUITS)

# Of a turn that another program asked for through the gateway: what it calls itself, and the model it named.
_CLIENTS = Migration(
    "0021_clients",
    """
ALTER TABLE decisions ADD COLUMN client TEXT;
ALTER TABLE decisions ADD COLUMN asked_for TEXT;
CREATE INDEX decisions_clients ON decisions (at, concluded, success, tokens, cost) WHERE client IS NOT NULL;
""",
)

_SHARED = Migration("0022_shared", copies.SHARED)

# Experiments: `kind` is traffic or file, `a` and `b` are the two ways as JSON. A turn's `place` is its prompt's: those
# with the same one count once. `good` is what an expected answer or a judge said (null: nothing, or nothing sure), and
# `judge_request` the request by which the judge was asked; votes lie among the observations.
_EXPERIMENTS = Migration(
    "0023_experiments",
    """
CREATE TABLE experiments (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    a TEXT NOT NULL,
    b TEXT NOT NULL,
    share REAL NOT NULL,
    judge TEXT,
    started TEXT NOT NULL,
    stopped TEXT,
    decided TEXT
) WITHOUT ROWID;
CREATE UNIQUE INDEX experiments_running ON experiments (kind) WHERE kind = 'traffic' AND stopped IS NULL;
CREATE TABLE experiment_turns (
    experiment TEXT NOT NULL REFERENCES experiments ON DELETE CASCADE,
    request_id TEXT NOT NULL,
    place TEXT NOT NULL,
    side TEXT NOT NULL,
    at TEXT NOT NULL,
    good INTEGER,
    source TEXT,
    told TEXT,
    judge_request TEXT,
    PRIMARY KEY (experiment, request_id)
) WITHOUT ROWID;
""",
)

# Reservations whose call has not gone out. Not a column of `open_calls`: what an older version of the program leaves
# there counts as sent, as it always did.
_UNSENT = Migration(
    "0024_unsent",
    """
CREATE TABLE unsent_calls (reservation TEXT PRIMARY KEY) WITHOUT ROWID;
""",
)

_BATCHES = Migration(
    "0025_unfinished_batches",
    "CREATE TABLE unfinished_batches (output TEXT PRIMARY KEY, wanted TEXT NOT NULL, began TEXT NOT NULL);",
)

_REOPENED = Migration("0026_reopened", talk.REOPENED)

_DRAFTS = Migration("0027_drafts", talk.DRAFTS)

_CONTINUATIONS = Migration("0028_continuations", talk.CONTINUATIONS)

_OWN_WAY = Migration("0029_own_way", talk.OWN_WAY)

MIGRATIONS = (
    _LEDGER,
    _DECISIONS,
    _CONVERSATIONS,
    _ANSWERS,
    _SEARCH,
    _OPEN_CALLS,
    _OBSERVATIONS,
    _CHECKS,
    _SESSION_TAGS,
    _SUMS,
    _TOKENS,
    _NEARLY,
    _ALERTS,
    _SHELF,
    _HISTORY,
    _BRANCHES,
    _FAVOURITES,
    _CONTINUED,
    _CIRCUITS,
    _CLIENTS,
    _SHARED,
    _EXPERIMENTS,
    _UNSENT,
    _BATCHES,
    _REOPENED,
    _DRAFTS,
    _CONTINUATIONS,
    _OWN_WAY,
)
