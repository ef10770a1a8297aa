-- What is desired besides the template: sizes, counters, signals. Notes were never written.

DROP TABLE notes;

CREATE TABLE directives (
    stack TEXT NOT NULL REFERENCES stacks (id) ON DELETE CASCADE,
    path TEXT NOT NULL,
    what TEXT NOT NULL,
    body BYTEA NOT NULL,
    PRIMARY KEY (stack, path, what)
);
