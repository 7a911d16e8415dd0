-- Events as narrow rows, for timeline and replay. Filled behind the commits from `event`, and made again from it at will.
CREATE TABLE track (
    session INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    mark INTEGER NOT NULL,
    class INTEGER NOT NULL,
    call INTEGER NOT NULL,
    flags INTEGER NOT NULL,
    took_ms INTEGER,
    added INTEGER NOT NULL,
    removed INTEGER NOT NULL,
    subagent TEXT,
    subagent_kind TEXT,
    tool TEXT,
    target TEXT,
    PRIMARY KEY (session, seq)
) STRICT, WITHOUT ROWID;

-- Grows with each change of a session's rows.
CREATE TABLE track_edition (
    session INTEGER PRIMARY KEY,
    edition INTEGER NOT NULL
) STRICT;

-- Events that changed after they were put on their track.
CREATE TABLE retrack (
    seq INTEGER PRIMARY KEY
) STRICT;

INSERT INTO counter (name, value) VALUES ('tracked', 0);

CREATE TRIGGER event_changed AFTER UPDATE OF body, at_ms, subagent, subagent_kind ON event BEGIN
    INSERT OR IGNORE INTO retrack (seq) VALUES (new.seq);
END;

CREATE TRIGGER event_removed AFTER DELETE ON event BEGIN
    DELETE FROM track WHERE session = old.session AND seq = old.seq;
    DELETE FROM retrack WHERE seq = old.seq;
    UPDATE track_edition SET edition = edition + 1 WHERE session = old.session;
END;

CREATE TRIGGER session_removed AFTER DELETE ON session BEGIN
    DELETE FROM track_edition WHERE session = old.key;
END;
