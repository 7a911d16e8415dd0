-- What the price table makes of a request, beside what the agent says it cost.
ALTER TABLE usage ADD COLUMN calculated_usd_micros INTEGER;
UPDATE usage SET calculated_usd_micros = cost_usd_micros WHERE basis IN ('calculated', 'estimated');

-- Reports of the request, the counted one included, and what they would cost together if each counted.
ALTER TABLE usage ADD COLUMN reports INTEGER NOT NULL DEFAULT 0;
ALTER TABLE usage ADD COLUMN reports_usd_micros INTEGER NOT NULL DEFAULT 0;

CREATE INDEX usage_subagent ON usage (session, subagent) WHERE subagent IS NOT NULL;

-- Files and endpoints that reports came from, each stored once.
CREATE TABLE place (
    key INTEGER PRIMARY KEY,
    text TEXT NOT NULL UNIQUE
) STRICT;

-- Every report: the same line read again is the same report. Line 0 stands for an endpoint.
CREATE TABLE usage_report (
    usage INTEGER NOT NULL REFERENCES usage (number) ON DELETE CASCADE,
    place INTEGER NOT NULL,
    line INTEGER NOT NULL,
    source INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    tokens INTEGER NOT NULL,
    cost_usd_micros INTEGER,
    PRIMARY KEY (usage, place, line, source)
) STRICT, WITHOUT ROWID;
