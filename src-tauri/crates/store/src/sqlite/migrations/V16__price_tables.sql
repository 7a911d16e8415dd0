-- Price tables that rows were priced with, so that each cost can be explained as long as it is kept.
CREATE TABLE price_table (
    version TEXT PRIMARY KEY,
    origin TEXT NOT NULL,
    added_ms INTEGER NOT NULL,
    text TEXT NOT NULL
) STRICT;
