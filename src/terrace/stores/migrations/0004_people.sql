-- Who there is, what they may do where, by which credentials they are known again, and what they did.

CREATE TABLE users (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    source TEXT NOT NULL,
    password TEXT NOT NULL,
    admin BIGINT NOT NULL,
    disabled BIGINT NOT NULL,
    created DOUBLE PRECISION NOT NULL,
    checked DOUBLE PRECISION NOT NULL
);

CREATE TABLE user_groups (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    source TEXT NOT NULL,
    created DOUBLE PRECISION NOT NULL
);

CREATE TABLE group_members (
    user_group TEXT NOT NULL REFERENCES user_groups (id) ON DELETE CASCADE,
    member TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    PRIMARY KEY (user_group, member)
);

CREATE INDEX groups_of_member ON group_members (member);

CREATE TABLE projects (
    name TEXT NOT NULL PRIMARY KEY,
    title TEXT NOT NULL,
    created DOUBLE PRECISION NOT NULL,
    maker TEXT NOT NULL
);

-- kind: user or group; member: the id of one. granted and denied: names of rights, with a space between.
CREATE TABLE members (
    project TEXT NOT NULL REFERENCES projects (name) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    member TEXT NOT NULL,
    role TEXT NOT NULL,
    granted TEXT NOT NULL,
    denied TEXT NOT NULL,
    since DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (project, kind, member)
);

CREATE INDEX projects_of_member ON members (kind, member);

-- No rows for a project: what the settings say.
CREATE TABLE reach (
    project TEXT NOT NULL REFERENCES projects (name) ON DELETE CASCADE,
    provider TEXT NOT NULL,
    region TEXT NOT NULL,
    PRIMARY KEY (project, provider, region)
);

-- owner: NULL for a service token, which is its project's. digest: the SHA-256 of the token, which is nowhere.
CREATE TABLE credentials (
    id TEXT NOT NULL PRIMARY KEY,
    digest TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    owner TEXT REFERENCES users (id) ON DELETE CASCADE,
    project TEXT NOT NULL,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    rights TEXT NOT NULL,
    created DOUBLE PRECISION NOT NULL,
    maker TEXT NOT NULL,
    expires DOUBLE PRECISION NOT NULL,
    used DOUBLE PRECISION NOT NULL
);

CREATE INDEX credentials_of_owner ON credentials (owner);

CREATE INDEX credentials_of_project ON credentials (project);

CREATE TABLE ssh_keys (
    owner TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    body TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    created DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (owner, name)
);

-- Rows are added at the end, and never changed. digest covers the row and the digest of the row before.
CREATE TABLE audit (
    number BIGINT NOT NULL PRIMARY KEY,
    at DOUBLE PRECISION NOT NULL,
    actor TEXT NOT NULL,
    credential TEXT NOT NULL,
    source TEXT NOT NULL,
    wanted TEXT NOT NULL,
    project TEXT NOT NULL,
    subject TEXT NOT NULL,
    outcome TEXT NOT NULL,
    digest TEXT NOT NULL
);

CREATE INDEX audit_of_project ON audit (project, number);

INSERT INTO counters (name, value) VALUES ('audit', 0);
