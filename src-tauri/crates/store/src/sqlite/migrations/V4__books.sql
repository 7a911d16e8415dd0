-- Figures kept while writing, so that nothing is counted later.
CREATE TABLE counter (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO counter (name, value) VALUES ('events', 0), ('sessions', 0), ('indexed', 0);

CREATE TABLE last_hook (
    agent TEXT PRIMARY KEY,
    at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE cursor (
    path TEXT PRIMARY KEY,
    agent TEXT NOT NULL,
    inode INTEGER NOT NULL,
    offset INTEGER NOT NULL,
    lines INTEGER NOT NULL,
    size INTEGER NOT NULL,
    modified_ms INTEGER NOT NULL,
    head_hash TEXT NOT NULL,
    state TEXT NOT NULL
) STRICT;

CREATE TABLE problem (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    code TEXT NOT NULL,
    message TEXT NOT NULL,
    place TEXT NOT NULL,
    line INTEGER,
    at_ms INTEGER NOT NULL
) STRICT;

-- The same line read again is the same problem.
CREATE UNIQUE INDEX problem_line ON problem (place, line, code) WHERE line IS NOT NULL;

CREATE TABLE alert (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    at_ms INTEGER NOT NULL,
    session TEXT,
    alert TEXT NOT NULL
) STRICT;
