-- What became of each alert at each sink.
CREATE TABLE delivery (
    alert TEXT NOT NULL REFERENCES alert (key) ON DELETE CASCADE,
    sink TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    state TEXT NOT NULL,
    delivery TEXT NOT NULL,
    PRIMARY KEY (alert, sink)
) STRICT, WITHOUT ROWID;

CREATE INDEX delivery_at ON delivery (at_ms);
CREATE INDEX delivery_open ON delivery (state) WHERE state <> 'delivered';

-- Silence about one thing: `all`, `rule/ID`, `session/ID`, `alert/KEY`.
CREATE TABLE snooze (
    target TEXT PRIMARY KEY,
    until_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- When something that runs by schedule ran last: `digest/daily`.
CREATE TABLE mark (
    name TEXT PRIMARY KEY,
    at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
