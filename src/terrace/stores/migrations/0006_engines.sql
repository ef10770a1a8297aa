-- Engines that share a database. wakes: somebody rang for a stack (mark) and its holder took it in up to heeded.
-- sightings: what the holder of a provider's lease saw; a row without a body was there once.

CREATE TABLE engines (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    roles TEXT NOT NULL,
    version BIGINT NOT NULL,
    started DOUBLE PRECISION NOT NULL,
    beat DOUBLE PRECISION NOT NULL,
    expires DOUBLE PRECISION NOT NULL,
    draining BIGINT NOT NULL,
    holds BIGINT NOT NULL
);

CREATE INDEX leases_of_holder ON leases (holder);

CREATE TABLE wakes (
    stack TEXT NOT NULL PRIMARY KEY REFERENCES stacks (id) ON DELETE CASCADE,
    mark BIGINT NOT NULL,
    heeded BIGINT NOT NULL
);

CREATE INDEX wakes_unheard ON wakes (stack) WHERE mark > heeded;

CREATE TABLE listings (
    provider TEXT NOT NULL PRIMARY KEY,
    number BIGINT NOT NULL,
    started DOUBLE PRECISION NOT NULL,
    asked BIGINT NOT NULL,
    answered BIGINT NOT NULL,
    why TEXT NOT NULL,
    since DOUBLE PRECISION NOT NULL,
    restored BIGINT NOT NULL,
    adopted TEXT NOT NULL,
    ghosts BYTEA NOT NULL
);

CREATE TABLE sightings (
    provider TEXT NOT NULL,
    provider_id TEXT NOT NULL,
    number BIGINT NOT NULL,
    body BYTEA,
    PRIMARY KEY (provider, provider_id)
);

CREATE INDEX sightings_since ON sightings (provider, number);
