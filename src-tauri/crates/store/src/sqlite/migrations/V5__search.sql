CREATE VIRTUAL TABLE search USING fts5 (
    text,
    content = '',
    contentless_delete = 1,
    tokenize = 'unicode61 remove_diacritics 2'
);

-- Events that changed after they were indexed.
CREATE TABLE reindex (
    seq INTEGER PRIMARY KEY
) STRICT;
