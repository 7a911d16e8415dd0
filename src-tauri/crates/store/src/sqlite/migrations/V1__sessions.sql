CREATE TABLE session (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    agent TEXT NOT NULL DEFAULT '',
    project TEXT NOT NULL DEFAULT '',
    model TEXT NOT NULL DEFAULT '',
    parent TEXT,
    status TEXT NOT NULL DEFAULT 'idle',
    -- Title, project and branch in lowercase, for the text filter.
    words TEXT NOT NULL DEFAULT '',
    started_ms INTEGER NOT NULL DEFAULT 0,
    last_ms INTEGER NOT NULL DEFAULT 0,
    duration_ms INTEGER NOT NULL DEFAULT 0,
    turns INTEGER NOT NULL DEFAULT 0,
    tools INTEGER NOT NULL DEFAULT 0,
    errors INTEGER NOT NULL DEFAULT 0,
    tokens INTEGER NOT NULL DEFAULT 0,
    cost_usd_micros INTEGER NOT NULL DEFAULT 0,
    demo INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE INDEX session_started ON session (started_ms);
CREATE INDEX session_last ON session (last_ms);
CREATE INDEX session_parent ON session (parent) WHERE parent IS NOT NULL;
CREATE INDEX session_demo ON session (key) WHERE demo = 1;

-- The whole row as JSON, apart from the columns above so that sorting and filtering read little.
CREATE TABLE session_row (
    session INTEGER PRIMARY KEY REFERENCES session (key) ON DELETE CASCADE,
    row BLOB NOT NULL
) STRICT;
