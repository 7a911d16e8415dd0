-- Bodies and payloads of consecutive events, compressed together. A packed row's own body is empty.
CREATE TABLE pack (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    -- Rows of it were deleted: it is to be written again without them.
    stale INTEGER NOT NULL DEFAULT 0,
    events BLOB NOT NULL,
    raws BLOB NOT NULL
) STRICT;

CREATE INDEX pack_first ON pack (first);
CREATE INDEX pack_stale ON pack (key) WHERE stale = 1;

ALTER TABLE event ADD COLUMN pack INTEGER;
ALTER TABLE raw ADD COLUMN pack INTEGER;

-- Tokens of each pack under its key: words, letters in a row, and what its events are.
DROP TABLE search;
CREATE VIRTUAL TABLE find USING fts5 (
    tokens,
    content = '',
    contentless_delete = 1,
    detail = none,
    tokenize = 'ascii'
);

DELETE FROM reindex;
UPDATE counter SET value = 0 WHERE name = 'indexed';
INSERT INTO counter (name, value) VALUES ('raws_packed', 0);
