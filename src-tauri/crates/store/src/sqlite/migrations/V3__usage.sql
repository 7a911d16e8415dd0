CREATE TABLE usage (
    number INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    session INTEGER NOT NULL REFERENCES session (key),
    agent TEXT NOT NULL,
    subagent TEXT,
    model TEXT,
    at_ms INTEGER NOT NULL,
    input INTEGER NOT NULL,
    output INTEGER NOT NULL,
    cache_read INTEGER NOT NULL,
    cache_write INTEGER NOT NULL,
    cache_write_1h INTEGER NOT NULL,
    reasoning INTEGER NOT NULL,
    cost_usd_micros INTEGER,
    basis TEXT NOT NULL,
    web_searches INTEGER NOT NULL,
    fast INTEGER NOT NULL,
    geo TEXT,
    tier TEXT,
    reported_usd_micros INTEGER,
    sidechain INTEGER NOT NULL,
    source INTEGER NOT NULL,
    place TEXT,
    price_model TEXT,
    price_date TEXT NOT NULL,
    demo INTEGER NOT NULL
) STRICT;

CREATE INDEX usage_at ON usage (at_ms);
CREATE INDEX usage_session ON usage (session);
CREATE INDEX usage_demo ON usage (number) WHERE demo = 1;
