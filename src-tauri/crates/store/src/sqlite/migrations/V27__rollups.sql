-- Figures by quarter of an hour (every zone's midnight lies on one). Of events those that are packed are counted here:
-- the fresh ones are few and read one by one.
ALTER TABLE event ADD COLUMN tool INTEGER;

CREATE TABLE event_rollup (
    slot INTEGER NOT NULL,
    agent INTEGER NOT NULL,
    project TEXT NOT NULL,
    tool INTEGER NOT NULL,
    events INTEGER NOT NULL,
    calls INTEGER NOT NULL,
    errors INTEGER NOT NULL,
    ms INTEGER NOT NULL,
    PRIMARY KEY (slot, agent, project, tool)
) STRICT, WITHOUT ROWID;

-- Calls by their duration, cut to two digits.
CREATE TABLE duration_rollup (
    slot INTEGER NOT NULL,
    agent INTEGER NOT NULL,
    project TEXT NOT NULL,
    tool INTEGER NOT NULL,
    ms INTEGER NOT NULL,
    calls INTEGER NOT NULL,
    PRIMARY KEY (slot, agent, project, tool, ms)
) STRICT, WITHOUT ROWID;

CREATE TABLE usage_rollup (
    slot INTEGER NOT NULL,
    agent TEXT NOT NULL,
    project TEXT NOT NULL,
    model TEXT NOT NULL,
    requests INTEGER NOT NULL,
    tokens INTEGER NOT NULL,
    cost_usd_micros INTEGER NOT NULL,
    PRIMARY KEY (slot, agent, project, model)
) STRICT, WITHOUT ROWID;

-- What one row counts, so that adding and taking away say the same. A view has no rows of its own.
CREATE VIEW event_share AS SELECT
    e.seq, e.session, e.pack, e.at_ms / 900000 AS slot, e.agent, s.project, coalesce(e.tool, 0) AS tool,
    e.kind = 'tool_end' AS call,
    (e.kind = 'tool_end' AND e.ok = 0) OR e.kind = 'failure' AS error,
    coalesce(e.duration_ms, 0) AS ms,
    CASE
        WHEN e.duration_ms < 100 THEN e.duration_ms
        WHEN e.duration_ms < 1000 THEN e.duration_ms / 10 * 10
        WHEN e.duration_ms < 10000 THEN e.duration_ms / 100 * 100
        WHEN e.duration_ms < 100000 THEN e.duration_ms / 1000 * 1000
        WHEN e.duration_ms < 1000000 THEN e.duration_ms / 10000 * 10000
        ELSE e.duration_ms / 100000 * 100000
    END AS cut_ms
FROM event e JOIN session s ON s.key = e.session;

CREATE TRIGGER event_packed AFTER UPDATE OF pack ON event WHEN OLD.pack IS NULL AND NEW.pack IS NOT NULL BEGIN
    INSERT INTO event_rollup SELECT slot, agent, project, tool, 1, call, error, ms FROM event_share WHERE seq = NEW.seq
        ON CONFLICT DO UPDATE SET events = events + 1, calls = calls + excluded.calls,
            errors = errors + excluded.errors, ms = ms + excluded.ms;
    INSERT INTO duration_rollup SELECT slot, agent, project, tool, cut_ms, 1 FROM event_share
        WHERE seq = NEW.seq AND cut_ms IS NOT NULL
        ON CONFLICT DO UPDATE SET calls = calls + 1;
END;

CREATE TRIGGER event_unpacked BEFORE UPDATE OF pack ON event WHEN OLD.pack IS NOT NULL AND NEW.pack IS NULL BEGIN
    INSERT INTO event_rollup SELECT slot, agent, project, tool, -1, -call, -error, -ms FROM event_share WHERE seq = OLD.seq
        ON CONFLICT DO UPDATE SET events = events - 1, calls = calls + excluded.calls,
            errors = errors + excluded.errors, ms = ms + excluded.ms;
    INSERT INTO duration_rollup SELECT slot, agent, project, tool, cut_ms, -1 FROM event_share
        WHERE seq = OLD.seq AND cut_ms IS NOT NULL
        ON CONFLICT DO UPDATE SET calls = calls - 1;
END;

CREATE TRIGGER event_deleted BEFORE DELETE ON event WHEN OLD.pack IS NOT NULL BEGIN
    INSERT INTO event_rollup SELECT slot, agent, project, tool, -1, -call, -error, -ms FROM event_share WHERE seq = OLD.seq
        ON CONFLICT DO UPDATE SET events = events - 1, calls = calls + excluded.calls,
            errors = errors + excluded.errors, ms = ms + excluded.ms;
    INSERT INTO duration_rollup SELECT slot, agent, project, tool, cut_ms, -1 FROM event_share
        WHERE seq = OLD.seq AND cut_ms IS NOT NULL
        ON CONFLICT DO UPDATE SET calls = calls - 1;
END;

CREATE TRIGGER usage_added AFTER INSERT ON usage BEGIN
    INSERT INTO usage_rollup VALUES (
            NEW.at_ms / 900000, NEW.agent, (SELECT project FROM session WHERE key = NEW.session), coalesce(NEW.model, ''), 1,
            NEW.input + NEW.output + NEW.cache_read + NEW.cache_write + NEW.cache_write_1h, coalesce(NEW.cost_usd_micros, 0))
        ON CONFLICT DO UPDATE SET requests = requests + 1, tokens = tokens + excluded.tokens,
            cost_usd_micros = cost_usd_micros + excluded.cost_usd_micros;
END;

CREATE TRIGGER usage_removed AFTER DELETE ON usage BEGIN
    INSERT INTO usage_rollup VALUES (
            OLD.at_ms / 900000, OLD.agent, (SELECT project FROM session WHERE key = OLD.session), coalesce(OLD.model, ''), -1,
            -(OLD.input + OLD.output + OLD.cache_read + OLD.cache_write + OLD.cache_write_1h), -coalesce(OLD.cost_usd_micros, 0))
        ON CONFLICT DO UPDATE SET requests = requests - 1, tokens = tokens + excluded.tokens,
            cost_usd_micros = cost_usd_micros + excluded.cost_usd_micros;
END;

CREATE TRIGGER usage_changed AFTER UPDATE OF session, agent, model, at_ms, input, output, cache_read, cache_write,
    cache_write_1h, cost_usd_micros ON usage BEGIN
    INSERT INTO usage_rollup VALUES (
            OLD.at_ms / 900000, OLD.agent, (SELECT project FROM session WHERE key = OLD.session), coalesce(OLD.model, ''), -1,
            -(OLD.input + OLD.output + OLD.cache_read + OLD.cache_write + OLD.cache_write_1h), -coalesce(OLD.cost_usd_micros, 0))
        ON CONFLICT DO UPDATE SET requests = requests - 1, tokens = tokens + excluded.tokens,
            cost_usd_micros = cost_usd_micros + excluded.cost_usd_micros;
    INSERT INTO usage_rollup VALUES (
            NEW.at_ms / 900000, NEW.agent, (SELECT project FROM session WHERE key = NEW.session), coalesce(NEW.model, ''), 1,
            NEW.input + NEW.output + NEW.cache_read + NEW.cache_write + NEW.cache_write_1h, coalesce(NEW.cost_usd_micros, 0))
        ON CONFLICT DO UPDATE SET requests = requests + 1, tokens = tokens + excluded.tokens,
            cost_usd_micros = cost_usd_micros + excluded.cost_usd_micros;
END;

-- A session learned of its project: what it counted moves there. The view and the lookups above see the old name before
-- the change and the new one after it.
CREATE TRIGGER project_left BEFORE UPDATE OF project ON session WHEN OLD.project <> NEW.project BEGIN
    INSERT INTO event_rollup
        SELECT slot, agent, project, tool, -count(*), -sum(call), -sum(error), -sum(ms) FROM event_share
        WHERE session = OLD.key AND pack IS NOT NULL GROUP BY slot, agent, project, tool
        ON CONFLICT DO UPDATE SET events = events + excluded.events, calls = calls + excluded.calls,
            errors = errors + excluded.errors, ms = ms + excluded.ms;
    INSERT INTO duration_rollup
        SELECT slot, agent, project, tool, cut_ms, -count(*) FROM event_share
        WHERE session = OLD.key AND pack IS NOT NULL AND cut_ms IS NOT NULL GROUP BY slot, agent, project, tool, cut_ms
        ON CONFLICT DO UPDATE SET calls = calls + excluded.calls;
    INSERT INTO usage_rollup
        SELECT at_ms / 900000, agent, OLD.project, coalesce(model, ''), -count(*),
            -sum(input + output + cache_read + cache_write + cache_write_1h), -sum(coalesce(cost_usd_micros, 0))
        FROM usage WHERE session = OLD.key GROUP BY 1, 2, 4
        ON CONFLICT DO UPDATE SET requests = requests + excluded.requests, tokens = tokens + excluded.tokens,
            cost_usd_micros = cost_usd_micros + excluded.cost_usd_micros;
END;

CREATE TRIGGER project_joined AFTER UPDATE OF project ON session WHEN OLD.project <> NEW.project BEGIN
    INSERT INTO event_rollup
        SELECT slot, agent, project, tool, count(*), sum(call), sum(error), sum(ms) FROM event_share
        WHERE session = NEW.key AND pack IS NOT NULL GROUP BY slot, agent, project, tool
        ON CONFLICT DO UPDATE SET events = events + excluded.events, calls = calls + excluded.calls,
            errors = errors + excluded.errors, ms = ms + excluded.ms;
    INSERT INTO duration_rollup
        SELECT slot, agent, project, tool, cut_ms, count(*) FROM event_share
        WHERE session = NEW.key AND pack IS NOT NULL AND cut_ms IS NOT NULL GROUP BY slot, agent, project, tool, cut_ms
        ON CONFLICT DO UPDATE SET calls = calls + excluded.calls;
    INSERT INTO usage_rollup
        SELECT at_ms / 900000, agent, NEW.project, coalesce(model, ''), count(*),
            sum(input + output + cache_read + cache_write + cache_write_1h), sum(coalesce(cost_usd_micros, 0))
        FROM usage WHERE session = NEW.key GROUP BY 1, 2, 4
        ON CONFLICT DO UPDATE SET requests = requests + excluded.requests, tokens = tokens + excluded.tokens,
            cost_usd_micros = cost_usd_micros + excluded.cost_usd_micros;
END;

INSERT INTO usage_rollup
    SELECT u.at_ms / 900000, u.agent, s.project, coalesce(u.model, ''), count(*),
        sum(u.input + u.output + u.cache_read + u.cache_write + u.cache_write_1h), sum(coalesce(u.cost_usd_micros, 0))
    FROM usage u JOIN session s ON s.key = u.session GROUP BY 1, 2, 3, 4;
