-- name: by_digest
SELECT c.id, c.digest, c.kind, c.owner, c.project, c.name, c.role, c.rights, c.created, c.maker, c.expires, c.used,
    u.id, u.name, u.title, u.source, u.password, u.admin, u.disabled, u.created, u.checked
FROM credentials c LEFT JOIN users u ON u.id = c.owner WHERE c.digest = ?;

-- name: by_id
SELECT id, digest, kind, owner, project, name, role, rights, created, maker, expires, used
FROM credentials WHERE id = ?;

-- name: of_owner
SELECT id, digest, kind, owner, project, name, role, rights, created, maker, expires, used
FROM credentials
WHERE owner = ? AND (? = '' OR kind = ?) AND name >= ? AND name < ? AND (created, id) > (?, ?)
ORDER BY created, id LIMIT ?;

-- name: services
SELECT id, digest, kind, owner, project, name, role, rights, created, maker, expires, used
FROM credentials
WHERE kind = 'service' AND project = ? AND (? = '' OR kind = ?) AND name >= ? AND name < ? AND (created, id) > (?, ?)
ORDER BY created, id LIMIT ?;

-- name: insert
INSERT INTO credentials (id, digest, kind, owner, project, name, role, rights, created, maker, expires, used)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: delete
DELETE FROM credentials WHERE id = ?;

-- name: delete_of_owner
DELETE FROM credentials WHERE owner = ?;

-- name: end_sessions
DELETE FROM credentials WHERE owner = ? AND kind = 'session';

-- name: delete_scoped
DELETE FROM credentials WHERE owner = ? AND project = ?;

-- name: delete_of_project
DELETE FROM credentials WHERE project = ?;

-- name: touch
UPDATE credentials SET used = ? WHERE id = ?;

-- name: prune
DELETE FROM credentials WHERE expires < ?;
