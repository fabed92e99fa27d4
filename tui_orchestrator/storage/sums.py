"""Sums that are kept beside the attempts, so that no report has to read a million rows.

`day_sums` has a row for every mix of day, provider, model, task, strategy, cause, outcome, state of the cost, cache and
size that occurred; `session_sums` the same for sessions, with fewer columns to tell apart. Triggers keep both in the
transaction that writes the attempt, whoever writes it, so that they can never disagree with the rows.
"""

from __future__ import annotations

DAY_KEYS = (
    "day", "model", "provider", "task_type", "strategy", "cause", "outcome", "cost_state", "from_cache", "size",
)  # fmt: skip
SESSION_KEYS = ("session", "day", "cause", "outcome", "cost_state", "from_cache")

SIZES = (32_000, 100_000, 128_000, 199_999, 200_000, 256_000, 272_000, 512_000, 524_288)
"""`size` is the largest of these that the input of the attempt is over, or 0: where the tiers of the prices in
genai-prices 0.2.3 begin (November 2026), so that sums of tokens can be priced exactly at any of those prices."""

_SIZE = " ".join(f"WHEN input_tokens > {size} THEN {size}" for size in reversed(SIZES))

# Microseconds: whole numbers add up to the same sum in any order.
SUMMED = {
    "attempts": "1",
    "input_tokens": "{row}.input_tokens",
    "plain_input_tokens": "MAX(0, {row}.input_tokens - {row}.cached_input_tokens - {row}.cache_write_tokens)",
    "cached_input_tokens": "{row}.cached_input_tokens",
    "cache_write_tokens": "{row}.cache_write_tokens",
    "output_tokens": "{row}.output_tokens",
    "plain_output_tokens": "MAX(0, {row}.output_tokens - {row}.reasoning_tokens)",
    "reasoning_tokens": "{row}.reasoning_tokens",
    "cost": "COALESCE({row}.cost, 0)",
    "saved": "COALESCE({row}.saved, 0)",
    "latency_us": "CAST(ROUND({row}.latency_s * 1000000) AS INTEGER)",
    "retried": "COALESCE({row}.followed_by = 'retry', 0)",
    "fell_back": "COALESCE({row}.followed_by = 'fallback', 0)",
    "escalated": "COALESCE({row}.followed_by = 'escalation', 0)",
}


def as_summed(row: str) -> str:
    """What an attempt adds to each of the sums, as SQL columns of their names."""
    return ", ".join(f"{value.format(row=row)} AS {name}" for name, value in SUMMED.items())


def _table(name: str, keys: tuple[str, ...]) -> str:
    columns = [f"{key} {'INTEGER' if key in ('from_cache', 'size') else 'TEXT'} NOT NULL" for key in keys]
    columns += [f"{column} INTEGER NOT NULL" for column in SUMMED]
    return f"CREATE TABLE {name} ({', '.join(columns)}, PRIMARY KEY ({', '.join(keys)})) WITHOUT ROWID;\n"


def _filled(name: str, keys: tuple[str, ...]) -> str:
    grouped, sums = ", ".join(keys), ", ".join(f"SUM({value.format(row='attempts')})" for value in SUMMED.values())
    return f"INSERT INTO {name} SELECT {grouped}, {sums} FROM attempts GROUP BY {grouped};\n"


def _added(name: str, keys: tuple[str, ...], row: str, sign: str) -> str:
    values = [f"{row}.{key}" for key in keys] + [f"{sign}{value.format(row=row)}" for value in SUMMED.values()]
    changes = ", ".join(f"{column} = {column} + excluded.{column}" for column in SUMMED)
    return f"INSERT INTO {name} VALUES ({', '.join(values)}) ON CONFLICT DO UPDATE SET {changes};\n"


def _moved(row: str, sign: str = "") -> str:
    return _added("day_sums", DAY_KEYS, row, sign) + _added("session_sums", SESSION_KEYS, row, sign)


_KEPT = ", ".join(
    sorted(
        {*DAY_KEYS, *SESSION_KEYS, "cached_input_tokens", "cache_write_tokens", "cost", "followed_by", "input_tokens",
         "latency_s", "output_tokens", "reasoning_tokens", "saved"} - {"size"}
    )
)  # fmt: skip
_CHECKS = "('second_opinion', 'sample', 'judge')"

# `followed_by`: how the turn went on from the attempt: retry, fallback or escalation; NULL where it did not. A retry
# and a fallback are told by the attempt that comes next; an escalation, which may be to an answer that is there
# already, by what is written into `onward` when the turn ends.
SQL = f"""
ALTER TABLE attempts ADD COLUMN followed_by TEXT;
ALTER TABLE attempts ADD COLUMN size INTEGER GENERATED ALWAYS AS (CASE {_SIZE} ELSE 0 END) VIRTUAL;
UPDATE attempts SET followed_by = gone_on.cause FROM (
    SELECT request_id, cause, (
        SELECT MAX(number) FROM attempts AS before WHERE before.request_id = after.request_id
        AND before.number < after.number AND before.cause NOT IN {_CHECKS}
    ) AS number FROM attempts AS after WHERE cause IN ('retry', 'fallback')
) AS gone_on WHERE attempts.request_id = gone_on.request_id AND attempts.number = gone_on.number;
UPDATE attempts SET followed_by = 'escalation' WHERE json_extract(onward, '$.taken') = 1;
{_table("day_sums", DAY_KEYS)}{_table("session_sums", SESSION_KEYS)}
{_filled("day_sums", DAY_KEYS)}{_filled("session_sums", SESSION_KEYS)}
CREATE TRIGGER attempts_summed AFTER INSERT ON attempts BEGIN
    {_moved("NEW")}
END;
CREATE TRIGGER attempts_summed_anew AFTER UPDATE OF {_KEPT} ON attempts BEGIN
    {_moved("OLD", "-")}{_moved("NEW")}
END;
CREATE TRIGGER attempts_unsummed AFTER DELETE ON attempts BEGIN
    {_moved("OLD", "-")}
END;
CREATE TRIGGER attempts_gone_on AFTER INSERT ON attempts WHEN NEW.cause IN ('retry', 'fallback') BEGIN
    UPDATE attempts SET followed_by = NEW.cause WHERE request_id = NEW.request_id AND number = (
        SELECT MAX(number) FROM attempts
        WHERE request_id = NEW.request_id AND number < NEW.number AND cause NOT IN {_CHECKS}
    );
END;
CREATE TRIGGER attempts_escalated AFTER UPDATE OF onward ON attempts WHEN json_extract(NEW.onward, '$.taken') = 1 BEGIN
    UPDATE attempts SET followed_by = 'escalation' WHERE request_id = NEW.request_id AND number = NEW.number;
END;
DROP INDEX attempts_day;
CREATE INDEX attempts_day ON attempts (day, started);
CREATE INDEX attempts_model ON attempts (model, started);
CREATE INDEX attempts_large ON attempts (input_tokens, day) WHERE input_tokens > {SIZES[0]};
CREATE INDEX attempts_timing ON attempts (
    day, model, task_type, provider, strategy, latency_s, first_token_s, tokens_per_s, confidence
) WHERE outcome = 'finished' AND from_cache = 0;
CREATE INDEX observations_votes ON observations (request_id, attempt, outcome) WHERE sign = 'vote' AND weight > 0;
"""
