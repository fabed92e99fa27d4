"""The steps of the schema that keep what was said: sessions, messages, what is searched, tags, branches."""

from __future__ import annotations

CONVERSATIONS = """
CREATE TABLE sessions (
    id TEXT PRIMARY KEY,
    title TEXT NOT NULL,
    created TEXT NOT NULL,
    updated TEXT NOT NULL,
    strategy TEXT,
    model TEXT,
    system TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX sessions_updated ON sessions (updated);
CREATE TABLE messages (
    id INTEGER PRIMARY KEY,
    session TEXT NOT NULL REFERENCES sessions ON DELETE CASCADE,
    position INTEGER NOT NULL,
    parent INTEGER REFERENCES messages ON DELETE CASCADE,
    role TEXT NOT NULL,
    text TEXT NOT NULL,
    thinking TEXT NOT NULL,
    request_id TEXT NOT NULL,
    attempt INTEGER,
    model TEXT,
    state TEXT NOT NULL,
    created TEXT NOT NULL
);
CREATE INDEX messages_session ON messages (session, position);
CREATE INDEX messages_parent ON messages (parent);
CREATE UNIQUE INDEX messages_answer ON messages (session, request_id) WHERE role = 'assistant';
CREATE TABLE images (
    message INTEGER NOT NULL REFERENCES messages ON DELETE CASCADE,
    position INTEGER NOT NULL,
    media_type TEXT NOT NULL,
    name TEXT NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (message, position)
);
CREATE TABLE discarded (
    session TEXT NOT NULL REFERENCES sessions ON DELETE CASCADE,
    request_id TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    model TEXT NOT NULL,
    text TEXT NOT NULL,
    thinking TEXT NOT NULL,
    why TEXT NOT NULL,
    PRIMARY KEY (session, request_id, attempt)
);
CREATE TABLE drafts (
    session TEXT PRIMARY KEY,
    text TEXT NOT NULL,
    updated TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE prompts (
    id INTEGER PRIMARY KEY,
    text TEXT NOT NULL,
    at TEXT NOT NULL
);
"""

# Three-letter pieces rather than words, so that LIKE '%part of a word%' uses the index and Chinese is found too.
SEARCH = """
CREATE VIRTUAL TABLE messages_text USING fts5 (
    text, content = 'messages', content_rowid = 'id', tokenize = 'trigram', detail = 'none'
);
INSERT INTO messages_text (rowid, text) SELECT id, text FROM messages;
CREATE TRIGGER messages_text_added AFTER INSERT ON messages BEGIN
    INSERT INTO messages_text (rowid, text) VALUES (NEW.id, NEW.text);
END;
CREATE TRIGGER messages_text_removed AFTER DELETE ON messages BEGIN
    INSERT INTO messages_text (messages_text, rowid, text) VALUES ('delete', OLD.id, OLD.text);
END;
CREATE TRIGGER messages_text_changed AFTER UPDATE OF text ON messages BEGIN
    INSERT INTO messages_text (messages_text, rowid, text) VALUES ('delete', OLD.id, OLD.text);
    INSERT INTO messages_text (rowid, text) VALUES (NEW.id, NEW.text);
END;
"""

SESSION_TAGS = """
CREATE TABLE session_tags (
    session TEXT NOT NULL REFERENCES sessions ON DELETE CASCADE,
    tag TEXT NOT NULL,
    PRIMARY KEY (session, tag)
) WITHOUT ROWID;
"""

# `origin` is the session a copy was made of, `imported` the digest of the file a session came from. What its attempts
# cost elsewhere is kept beside it: the ledger holds only what was spent here.
SHELF = """
ALTER TABLE sessions ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN persona TEXT;
ALTER TABLE sessions ADD COLUMN origin TEXT;
ALTER TABLE sessions ADD COLUMN imported TEXT;
ALTER TABLE sessions ADD COLUMN deleted TEXT;
CREATE INDEX sessions_shelved ON sessions (pinned, updated) WHERE deleted IS NULL;
CREATE INDEX sessions_deleted ON sessions (deleted) WHERE deleted IS NOT NULL;
CREATE INDEX sessions_imported ON sessions (imported) WHERE imported IS NOT NULL;
CREATE INDEX session_tags_tag ON session_tags (tag);
CREATE INDEX messages_models ON messages (session, model) WHERE role = 'assistant';
CREATE TABLE imported_attempts (
    session TEXT NOT NULL REFERENCES sessions ON DELETE CASCADE,
    request_id TEXT NOT NULL,
    attempts TEXT NOT NULL,
    PRIMARY KEY (session, request_id)
) WITHOUT ROWID;
"""

# The position of the last message of the branch that was turned to; null: the message that came last.
BRANCHES = "ALTER TABLE sessions ADD COLUMN leaf INTEGER;"

# Of a part of an answer that had been cut off, the request of the answer's first part.
CONTINUED = "ALTER TABLE messages ADD COLUMN continues TEXT;"

_FIRST = (
    "(SELECT id FROM messages WHERE session = {row}.session AND request_id = {row}.continues AND role = 'assistant')"
)
_MORE = """CASE role WHEN 'user' THEN '' ELSE COALESCE((
    SELECT group_concat(piece, '') FROM (
        SELECT
            CASE WHEN model IS lag(model, 1, messages.model) OVER (ORDER BY position) THEN ''
            ELSE char(10, 10) END || text AS piece
        FROM messages AS more
        WHERE session = messages.session AND continues = messages.request_id AND text <> ''{but}
        ORDER BY position
    )
), '') END"""
_PUT = "INSERT INTO messages_text (rowid, text) SELECT id, text FROM messages_whole WHERE id"
_TAKE = "INSERT INTO messages_text (messages_text, rowid, text) SELECT 'delete', id, text FROM messages_whole WHERE id"

# `note` is what was said under an answer when its turn ended, `files` the names of those that went with a prompt. An
# answer that was continued is searched as one: the index holds all of it under its first part. What stood there before
# a part is added is told without that part, since triggers before an insert also run where it becomes an update.
REOPENED = f"""
ALTER TABLE attempts ADD COLUMN error_status INTEGER;
ALTER TABLE messages ADD COLUMN note TEXT NOT NULL DEFAULT '';
ALTER TABLE messages ADD COLUMN files TEXT NOT NULL DEFAULT '[]';
CREATE INDEX messages_continues ON messages (session, continues, position) WHERE continues IS NOT NULL;
CREATE VIEW messages_whole AS
SELECT id, session, position, role, request_id, created, text || {_MORE.format(but="")} AS text
FROM messages WHERE continues IS NULL;
DROP TRIGGER messages_text_added;
DROP TRIGGER messages_text_removed;
DROP TRIGGER messages_text_changed;
DROP TABLE messages_text;
CREATE VIRTUAL TABLE messages_text USING fts5 (
    text, content = 'messages_whole', content_rowid = 'id', tokenize = 'trigram', detail = 'none'
);
INSERT INTO messages_text (rowid, text) SELECT id, text FROM messages_whole;
CREATE TRIGGER messages_text_added AFTER INSERT ON messages WHEN NEW.continues IS NULL BEGIN
    {_PUT} = NEW.id;
END;
CREATE TRIGGER messages_text_joined AFTER INSERT ON messages WHEN NEW.continues IS NOT NULL BEGIN
    INSERT INTO messages_text (messages_text, rowid, text)
    SELECT 'delete', id, text || {_MORE.format(but=" AND more.id <> NEW.id")}
    FROM messages WHERE id = {_FIRST.format(row="NEW")};
    {_PUT} = {_FIRST.format(row="NEW")};
END;
CREATE TRIGGER messages_text_changes BEFORE UPDATE OF text, model ON messages BEGIN
    {_TAKE} = COALESCE({_FIRST.format(row="OLD")}, OLD.id);
END;
CREATE TRIGGER messages_text_changed AFTER UPDATE OF text, model ON messages BEGIN
    {_PUT} = COALESCE({_FIRST.format(row="NEW")}, NEW.id);
END;
CREATE TRIGGER messages_text_goes BEFORE DELETE ON messages BEGIN
    {_TAKE} = COALESCE({_FIRST.format(row="OLD")}, OLD.id);
END;
CREATE TRIGGER messages_text_gone AFTER DELETE ON messages WHEN OLD.continues IS NOT NULL BEGIN
    {_PUT} = {_FIRST.format(row="OLD")};
END;
"""

# Of a draft, and of an earlier prompt that is being edited beside it, `folds` tells which parts stood folded. How much
# a note matters was read from its words before.
DRAFTS = """
ALTER TABLE drafts ADD COLUMN folds TEXT;
CREATE TABLE edits (
    session TEXT PRIMARY KEY REFERENCES sessions ON DELETE CASCADE,
    instead TEXT NOT NULL,
    text TEXT NOT NULL,
    folds TEXT
) WITHOUT ROWID;
ALTER TABLE messages ADD COLUMN weight TEXT NOT NULL DEFAULT 'information';
UPDATE messages SET weight =
    CASE WHEN note LIKE 'Cancelled.%' OR note = 'Nothing more came.' THEN 'warning' ELSE 'error' END
WHERE note <> '' AND (state <> 'complete' OR note = 'Nothing more came.');
"""

# Whether a session's strategy and model go before its persona's. Null: they may be what the persona brought along.
OWN_WAY = "ALTER TABLE sessions ADD COLUMN own_way INTEGER;"

# Turns that continue an answer stood under the strategy that they walk by.
CONTINUATIONS = """
UPDATE decisions SET strategy = 'continue'
WHERE strategy = 'fallback' AND json_valid(decision) AND json_extract(decision, '$.asked.goes_on') = 1;
UPDATE attempts SET strategy = 'continue'
WHERE strategy = 'fallback' AND request_id IN (SELECT request_id FROM decisions WHERE strategy = 'continue');
"""
