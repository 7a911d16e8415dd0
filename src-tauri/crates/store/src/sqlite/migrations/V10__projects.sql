-- Projects by what they are, not by a folder's name. `label` is the name that no other project has.
CREATE TABLE project (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    owner TEXT NOT NULL,
    label TEXT NOT NULL
) STRICT, WITHOUT ROWID;

ALTER TABLE session ADD COLUMN project_id TEXT NOT NULL DEFAULT '';

CREATE INDEX session_project ON session (project_id);
