-- Written in PostgreSQL's words; a dialect turns the types into those of its database.
-- Numbers of events come from a counter, not from a sequence, so that they become visible in their order.

CREATE TABLE identity (
    key TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE counters (
    name TEXT NOT NULL PRIMARY KEY,
    value BIGINT NOT NULL
);

INSERT INTO counters (name, value) VALUES ('events', 0);

CREATE TABLE stacks (
    id TEXT NOT NULL PRIMARY KEY,
    project TEXT NOT NULL,
    name TEXT NOT NULL,
    generation BIGINT NOT NULL,
    settled BIGINT NOT NULL,
    phase TEXT NOT NULL,
    why TEXT NOT NULL,
    since DOUBLE PRECISION NOT NULL,
    created DOUBLE PRECISION NOT NULL,
    updated DOUBLE PRECISION NOT NULL,
    total BIGINT NOT NULL,
    ready BIGINT NOT NULL,
    failing BIGINT NOT NULL,
    description TEXT NOT NULL,
    retries BIGINT NOT NULL,
    forget BIGINT NOT NULL,
    UNIQUE (project, name)
);

-- light: everything but graph and source, which are in content.
CREATE TABLE generations (
    stack TEXT NOT NULL REFERENCES stacks (id) ON DELETE CASCADE,
    number BIGINT NOT NULL,
    restores BIGINT NOT NULL,
    deleting BIGINT NOT NULL,
    settled DOUBLE PRECISION NOT NULL,
    failed TEXT NOT NULL,
    light BYTEA NOT NULL,
    content BYTEA NOT NULL,
    PRIMARY KEY (stack, number)
);

-- position: the path in a form that sorts as people expect. uid comes first in the key, for look-ups across stacks.
CREATE TABLE records (
    uid TEXT NOT NULL,
    incarnation BIGINT NOT NULL,
    stack TEXT NOT NULL REFERENCES stacks (id) ON DELETE CASCADE,
    path TEXT NOT NULL,
    position TEXT NOT NULL,
    provider TEXT NOT NULL,
    state TEXT NOT NULL,
    body BYTEA NOT NULL,
    PRIMARY KEY (uid, incarnation, stack)
);

CREATE INDEX records_listed ON records (stack, position);

CREATE TABLE events (
    number BIGINT NOT NULL PRIMARY KEY,
    stack TEXT NOT NULL,
    at DOUBLE PRECISION NOT NULL,
    body TEXT NOT NULL
);

CREATE INDEX events_of_stack ON events (stack, number);

CREATE TABLE ledger (
    provider TEXT NOT NULL,
    provider_id TEXT NOT NULL,
    what TEXT NOT NULL,
    uid TEXT NOT NULL,
    stack TEXT NOT NULL,
    path TEXT NOT NULL,
    kind TEXT NOT NULL,
    incarnation BIGINT NOT NULL,
    PRIMARY KEY (provider, provider_id)
);

CREATE TABLE leases (
    scope TEXT NOT NULL PRIMARY KEY,
    holder TEXT NOT NULL,
    epoch BIGINT NOT NULL,
    expires DOUBLE PRECISION NOT NULL
);

CREATE TABLE notes (
    key TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);
