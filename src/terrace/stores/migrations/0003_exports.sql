-- References across stacks: what a stack gives under which names, and what it reads of others. Uses name stacks, which
-- need not exist; kept is the value that was last read, NULL before the first.

CREATE TABLE exports (
    stack TEXT NOT NULL REFERENCES stacks (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    body BYTEA NOT NULL,
    PRIMARY KEY (stack, name)
);

CREATE TABLE uses (
    stack TEXT NOT NULL REFERENCES stacks (id) ON DELETE CASCADE,
    path TEXT NOT NULL,
    source_project TEXT NOT NULL,
    source TEXT NOT NULL,
    output TEXT NOT NULL,
    kept BYTEA,
    PRIMARY KEY (stack, path, source_project, source, output)
);

CREATE INDEX uses_of_source ON uses (source_project, source);
