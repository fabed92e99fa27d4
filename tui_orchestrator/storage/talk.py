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
