-- compatible from 0005
-- Secrets, keys and quotas. Of a secret only the newest version has its value; secrets of the installation have the
-- project "".

CREATE TABLE secrets (
    project TEXT NOT NULL,
    name TEXT NOT NULL,
    version BIGINT NOT NULL,
    value BYTEA,
    who TEXT NOT NULL,
    at DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (project, name, version)
);

-- purpose: seal or digest. begins: from when on values are sealed with it, so that every server has read it by then.
CREATE TABLE data_keys (
    id TEXT NOT NULL PRIMARY KEY,
    purpose TEXT NOT NULL,
    created DOUBLE PRECISION NOT NULL,
    begins DOUBLE PRECISION NOT NULL
);

-- A data key as each master key wraps it.
CREATE TABLE wrapped_keys (
    data_key TEXT NOT NULL REFERENCES data_keys (id) ON DELETE CASCADE,
    master TEXT NOT NULL,
    body BYTEA NOT NULL,
    PRIMARY KEY (data_key, master)
);

-- How far sealing everything anew has come: the table that is being gone through, and after which row.
CREATE TABLE rotations (
    id TEXT NOT NULL PRIMARY KEY,
    started DOUBLE PRECISION NOT NULL,
    finished DOUBLE PRECISION NOT NULL,
    sealed BIGINT NOT NULL,
    place TEXT NOT NULL
);

CREATE TABLE quotas (
    project TEXT NOT NULL,
    resource TEXT NOT NULL,
    most BIGINT NOT NULL,
    PRIMARY KEY (project, resource)
);

-- What a stack holds of its project's quota.
CREATE TABLE stack_usage (
    stack TEXT NOT NULL REFERENCES stacks (id) ON DELETE CASCADE,
    resource TEXT NOT NULL,
    amount BIGINT NOT NULL,
    PRIMARY KEY (stack, resource)
);
