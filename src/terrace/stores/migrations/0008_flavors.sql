-- Flavors that a project has for itself, and what was said of those that it may use. memory and disk in MiB; 0: no
-- limit.

CREATE TABLE flavors (
    project TEXT NOT NULL,
    name TEXT NOT NULL,
    cpu DOUBLE PRECISION NOT NULL,
    memory BIGINT NOT NULL,
    disk BIGINT NOT NULL,
    pids BIGINT NOT NULL,
    PRIMARY KEY (project, name)
);

-- version counts what was said, of the project's own flavors too. allowed: names as JSON; none at all: whatever there is.
CREATE TABLE flavor_rules (
    project TEXT NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    allowed TEXT
);
