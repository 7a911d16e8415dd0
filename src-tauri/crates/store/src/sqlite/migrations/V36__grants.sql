-- Ways in that a person gave: signed-in browsers and shared sessions. The secret itself is not here.
CREATE TABLE access_grant (
    id TEXT PRIMARY KEY,
    hash TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    label TEXT NOT NULL,
    session TEXT NOT NULL,
    unmasked INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL,
    used_ms INTEGER
) STRICT, WITHOUT ROWID;
