-- Agents' slugs, event names and models, each stored once.
CREATE TABLE label (
    key INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    text TEXT NOT NULL,
    UNIQUE (kind, text)
) STRICT;

CREATE TABLE raw (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    source INTEGER NOT NULL,
    place TEXT NOT NULL,
    demo INTEGER NOT NULL,
    body BLOB NOT NULL
) STRICT;

CREATE INDEX raw_demo ON raw (key) WHERE demo = 1;

CREATE TABLE event (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id BLOB NOT NULL UNIQUE,
    session INTEGER NOT NULL REFERENCES session (key),
    agent INTEGER NOT NULL,
    name INTEGER NOT NULL,
    kind TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    received_ms INTEGER NOT NULL,
    turn TEXT,
    subagent TEXT,
    subagent_kind TEXT,
    sources INTEGER NOT NULL,
    demo INTEGER NOT NULL,
    -- Of tool calls that ended, for the figures over all sessions.
    ok INTEGER,
    duration_ms INTEGER,
    -- The first report's payload; those of other sources are in event_raw.
    raw INTEGER,
    -- JSON, or a zstd frame of it.
    body BLOB NOT NULL
) STRICT;

CREATE INDEX event_session ON event (session);
CREATE INDEX event_agent ON event (agent);
CREATE INDEX event_name ON event (name);
CREATE INDEX event_received ON event (received_ms);
CREATE INDEX event_tool_end ON event (at_ms, ok, duration_ms) WHERE kind = 'tool_end';
CREATE INDEX event_demo ON event (seq) WHERE demo = 1;

CREATE TABLE event_raw (
    seq INTEGER NOT NULL,
    raw INTEGER NOT NULL,
    PRIMARY KEY (seq, raw)
) STRICT, WITHOUT ROWID;
