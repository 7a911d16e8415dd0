-- Secrets masked before they were stored, by rule.
CREATE TABLE masked (
    rule TEXT PRIMARY KEY,
    count INTEGER NOT NULL,
    last_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
