BEGIN TRANSACTION;
CREATE TABLE audit (
    number INTEGER NOT NULL PRIMARY KEY,
    at REAL NOT NULL,
    actor TEXT NOT NULL,
    credential TEXT NOT NULL,
    source TEXT NOT NULL,
    wanted TEXT NOT NULL,
    project TEXT NOT NULL,
    subject TEXT NOT NULL,
    outcome TEXT NOT NULL,
    digest TEXT NOT NULL
) STRICT;
CREATE TABLE counters (
    name TEXT NOT NULL PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT;
INSERT INTO "counters" VALUES('events',2);
INSERT INTO "counters" VALUES('audit',0);
CREATE TABLE credentials (
    id TEXT NOT NULL PRIMARY KEY,
    digest TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    owner TEXT REFERENCES users (id) ON DELETE CASCADE,
    project TEXT NOT NULL,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    rights TEXT NOT NULL,
    created REAL NOT NULL,
    maker TEXT NOT NULL,
    expires REAL NOT NULL,
    used REAL NOT NULL
) STRICT;
CREATE TABLE data_keys (
    id TEXT NOT NULL PRIMARY KEY,
    purpose TEXT NOT NULL,
    created REAL NOT NULL,
    begins REAL NOT NULL
) STRICT;
CREATE TABLE directives (
    stack TEXT NOT NULL REFERENCES stacks (id) ON DELETE CASCADE,
    path TEXT NOT NULL,
    what TEXT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (stack, path, what)
) STRICT;
INSERT INTO "directives" VALUES('default-shop','web','size',X'84A5737461636BAC64656661756C742D73686F70A470617468A3776562A477686174A473697A65A576616C756503');
CREATE TABLE engines (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    roles TEXT NOT NULL,
    version INTEGER NOT NULL,
    started REAL NOT NULL,
    beat REAL NOT NULL,
    expires REAL NOT NULL,
    draining INTEGER NOT NULL,
    holds INTEGER NOT NULL
) STRICT;
CREATE TABLE events (
    number INTEGER NOT NULL PRIMARY KEY,
    stack TEXT NOT NULL,
    at REAL NOT NULL,
    body TEXT NOT NULL
) STRICT;
INSERT INTO "events" VALUES(1,'',1000.0,'{"kind":"resource.ready","at":1000.0,"message":"first"}');
INSERT INTO "events" VALUES(2,'default-shop',1000.0,'{"kind":"two","at":1000.0,"stack":"default-shop"}');
CREATE TABLE exports (
    stack TEXT NOT NULL REFERENCES stacks (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (stack, name)
) STRICT;
INSERT INTO "exports" VALUES('default-shop','url',X'A8687474703A2F2F78');
CREATE TABLE generations (
    stack TEXT NOT NULL REFERENCES stacks (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    restores INTEGER NOT NULL,
    deleting INTEGER NOT NULL,
    settled REAL NOT NULL,
    failed TEXT NOT NULL,
    light BLOB NOT NULL,
    content BLOB NOT NULL,
    PRIMARY KEY (stack, number)
) STRICT;
INSERT INTO "generations" VALUES('default-shop',1,0,0,5.0,'',X'84A66E756D62657201A5677261706880A6736F7572636581A874656D706C617465A0A763726561746564CB408F400000000000',X'82A5677261706881A56E6F64657391DE0002A470617468A3776562A46B696E64A74D616368696E65A6736F7572636581A874656D706C617465A87765622E79616D6C');
INSERT INTO "generations" VALUES('default-reader',1,0,0,0.0,'',X'84A66E756D62657201A5677261706880A6736F7572636581A874656D706C617465A0A763726561746564CB408F400000000000',X'82A5677261706881A56E6F64657391DE0002A470617468A3776562A46B696E64A74D616368696E65A6736F7572636581A874656D706C617465A87765622E79616D6C');
INSERT INTO "generations" VALUES('default-shop',2,0,0,0.0,'',X'85A66E756D62657202A5677261706880A6736F7572636581A874656D706C617465A0A763726561746564CB408F400000000000AA706172616D657465727381A27077C70603215B978A8C97',X'82A5677261706881A56E6F64657391DE0002A470617468A3776562A46B696E64A74D616368696E65A6736F7572636581A874656D706C617465A87765622E79616D6C');
CREATE TABLE group_members (
    user_group TEXT NOT NULL REFERENCES user_groups (id) ON DELETE CASCADE,
    member TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    PRIMARY KEY (user_group, member)
) STRICT;
CREATE TABLE identity (
    key TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;
INSERT INTO "identity" VALUES('compatible_from','0005');
INSERT INTO "identity" VALUES('installation','13e3ff77b1494f4ba81a');
INSERT INTO "identity" VALUES('key-proof','218b9a8d8d9e9c9a');
CREATE TABLE leases (
    scope TEXT NOT NULL PRIMARY KEY,
    holder TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    expires REAL NOT NULL
) STRICT;
INSERT INTO "leases" VALUES('stack:default-shop','one',1,1010.0);
INSERT INTO "leases" VALUES('stack:default-reader','one',1,1010.0);
CREATE TABLE ledger (
    provider TEXT NOT NULL,
    provider_id TEXT NOT NULL,
    what TEXT NOT NULL,
    uid TEXT NOT NULL,
    stack TEXT NOT NULL,
    path TEXT NOT NULL,
    kind TEXT NOT NULL,
    incarnation INTEGER NOT NULL,
    PRIMARY KEY (provider, provider_id)
) STRICT;
INSERT INTO "ledger" VALUES('local','c1','adopted','u','s','web','Machine',0);
CREATE TABLE listings (
    provider TEXT NOT NULL PRIMARY KEY,
    number INTEGER NOT NULL,
    started REAL NOT NULL,
    asked INTEGER NOT NULL,
    answered INTEGER NOT NULL,
    why TEXT NOT NULL,
    since REAL NOT NULL,
    restored INTEGER NOT NULL,
    adopted TEXT NOT NULL,
    ghosts BLOB NOT NULL
) STRICT;
CREATE TABLE members (
    project TEXT NOT NULL REFERENCES projects (name) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    member TEXT NOT NULL,
    role TEXT NOT NULL,
    granted TEXT NOT NULL,
    denied TEXT NOT NULL,
    since REAL NOT NULL,
    PRIMARY KEY (project, kind, member)
) STRICT;
CREATE TABLE projects (
    name TEXT NOT NULL PRIMARY KEY,
    title TEXT NOT NULL,
    created REAL NOT NULL,
    maker TEXT NOT NULL
) STRICT;
CREATE TABLE quotas (
    project TEXT NOT NULL,
    resource TEXT NOT NULL,
    most INTEGER NOT NULL,
    PRIMARY KEY (project, resource)
) STRICT;
CREATE TABLE reach (
    project TEXT NOT NULL REFERENCES projects (name) ON DELETE CASCADE,
    provider TEXT NOT NULL,
    region TEXT NOT NULL,
    PRIMARY KEY (project, provider, region)
) STRICT;
CREATE TABLE records (
    uid TEXT NOT NULL,
    incarnation INTEGER NOT NULL,
    stack TEXT NOT NULL REFERENCES stacks (id) ON DELETE CASCADE,
    path TEXT NOT NULL,
    position TEXT NOT NULL,
    provider TEXT NOT NULL,
    state TEXT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (uid, incarnation, stack)
) STRICT;
INSERT INTO "records" VALUES('uid-web',1,'default-shop','web','web','','ready',X'DE0005A470617468A3776562A46B696E64A74D616368696E65A3756964A77569642D776562AB696E6361726E6174696F6E01A57374617465A57265616479');
INSERT INTO "records" VALUES('uid-g/2',1,'default-shop','g/2','g000000000002','','ready',X'DE0006A470617468A3672F32A46B696E64A74D616368696E65A3756964A77569642D672F32AB696E6361726E6174696F6E01A57374617465A57265616479A66D656D6F727981A27077C70603215B978A8C97');
INSERT INTO "records" VALUES('uid-g/10',1,'default-shop','g/10','g000000000010','','ready',X'DE0005A470617468A4672F3130A46B696E64A74D616368696E65A3756964A87569642D672F3130AB696E6361726E6174696F6E01A57374617465A57265616479');
CREATE TABLE requests (
    actor TEXT NOT NULL,
    name TEXT NOT NULL,
    digest TEXT NOT NULL,
    at REAL NOT NULL,
    status INTEGER NOT NULL,
    answer BLOB,
    PRIMARY KEY (actor, name)
) STRICT;
CREATE TABLE rotations (
    id TEXT NOT NULL PRIMARY KEY,
    started REAL NOT NULL,
    finished REAL NOT NULL,
    sealed INTEGER NOT NULL,
    place TEXT NOT NULL
) STRICT;
CREATE TABLE schema_version (version INTEGER NOT NULL) STRICT;
INSERT INTO "schema_version" VALUES(7);
CREATE TABLE secrets (
    project TEXT NOT NULL,
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    value BLOB,
    who TEXT NOT NULL,
    at REAL NOT NULL,
    PRIMARY KEY (project, name, version)
) STRICT;
CREATE TABLE sightings (
    provider TEXT NOT NULL,
    provider_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    body BLOB,
    PRIMARY KEY (provider, provider_id)
) STRICT;
CREATE TABLE ssh_keys (
    owner TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    body TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    created REAL NOT NULL,
    PRIMARY KEY (owner, name)
) STRICT;
CREATE TABLE stack_usage (
    stack TEXT NOT NULL REFERENCES stacks (id) ON DELETE CASCADE,
    resource TEXT NOT NULL,
    amount INTEGER NOT NULL,
    PRIMARY KEY (stack, resource)
) STRICT;
CREATE TABLE stacks (
    id TEXT NOT NULL PRIMARY KEY,
    project TEXT NOT NULL,
    name TEXT NOT NULL,
    generation INTEGER NOT NULL,
    settled INTEGER NOT NULL,
    phase TEXT NOT NULL,
    why TEXT NOT NULL,
    since REAL NOT NULL,
    created REAL NOT NULL,
    updated REAL NOT NULL,
    total INTEGER NOT NULL,
    ready INTEGER NOT NULL,
    failing INTEGER NOT NULL,
    description TEXT NOT NULL,
    retries INTEGER NOT NULL,
    forget INTEGER NOT NULL,
    UNIQUE (project, name)
) STRICT;
INSERT INTO "stacks" VALUES('default-shop','default','shop',2,1,'settling','',0.0,1000.0,1000.0,0,0,0,'',0,0);
INSERT INTO "stacks" VALUES('default-reader','default','reader',1,0,'settling','',0.0,1000.0,1000.0,0,0,0,'',0,0);
CREATE TABLE user_groups (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    source TEXT NOT NULL,
    created REAL NOT NULL
) STRICT;
CREATE TABLE users (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    source TEXT NOT NULL,
    password TEXT NOT NULL,
    admin INTEGER NOT NULL,
    disabled INTEGER NOT NULL,
    created REAL NOT NULL,
    checked REAL NOT NULL
) STRICT;
CREATE TABLE uses (
    stack TEXT NOT NULL REFERENCES stacks (id) ON DELETE CASCADE,
    path TEXT NOT NULL,
    source_project TEXT NOT NULL,
    source TEXT NOT NULL,
    output TEXT NOT NULL,
    kept BLOB,
    PRIMARY KEY (stack, path, source_project, source, output)
) STRICT;
INSERT INTO "uses" VALUES('default-reader','in','default','shop','url',X'A8687474703A2F2F78');
CREATE TABLE wakes (
    stack TEXT NOT NULL PRIMARY KEY REFERENCES stacks (id) ON DELETE CASCADE,
    mark INTEGER NOT NULL,
    heeded INTEGER NOT NULL
) STRICT;
CREATE TABLE wrapped_keys (
    data_key TEXT NOT NULL REFERENCES data_keys (id) ON DELETE CASCADE,
    master TEXT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (data_key, master)
) STRICT;
CREATE INDEX records_listed ON records (stack, position);
CREATE INDEX events_of_stack ON events (stack, number);
CREATE INDEX uses_of_source ON uses (source_project, source);
CREATE INDEX groups_of_member ON group_members (member);
CREATE INDEX projects_of_member ON members (kind, member);
CREATE INDEX credentials_of_owner ON credentials (owner);
CREATE INDEX credentials_of_project ON credentials (project);
CREATE INDEX audit_of_project ON audit (project, number);
CREATE INDEX leases_of_holder ON leases (holder);
CREATE INDEX wakes_unheard ON wakes (stack) WHERE mark > heeded;
CREATE INDEX sightings_since ON sightings (provider, number);
CREATE INDEX requests_at ON requests (at);
COMMIT;
