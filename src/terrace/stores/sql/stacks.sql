-- name: by_name
SELECT id, project, name, generation, settled, phase, why, since, created, updated, total, ready, failing,
    description, retries, forget
FROM stacks WHERE project = ? AND name = ?;

-- name: by_id
SELECT id, project, name, generation, settled, phase, why, since, created, updated, total, ready, failing,
    description, retries, forget
FROM stacks WHERE id = ?;

-- name: hold_by_name
SELECT id, project, name, generation, settled, phase, why, since, created, updated, total, ready, failing,
    description, retries, forget
FROM stacks WHERE project = ? AND name = ? /* FOR UPDATE */;

-- name: hold_by_id
SELECT id, project, name, generation, settled, phase, why, since, created, updated, total, ready, failing,
    description, retries, forget
FROM stacks WHERE id = ? /* FOR UPDATE */;

-- name: leased
SELECT s.id, s.project, s.name, s.generation, s.settled, s.phase, s.why, s.since, s.created, s.updated, s.total,
    s.ready, s.failing, s.description, s.retries, s.forget
FROM stacks s JOIN leases l ON l.scope = 'stack:' || s.id
WHERE s.id = ? AND l.epoch = ? AND l.holder <> '' /* FOR UPDATE */;

-- name: all
SELECT id, project, name, generation, settled, phase, why, since, created, updated, total, ready, failing,
    description, retries, forget
FROM stacks ORDER BY project, name;

-- name: of_project
SELECT id, project, name, generation, settled, phase, why, since, created, updated, total, ready, failing,
    description, retries, forget
FROM stacks WHERE project = ? ORDER BY name;

-- name: page
SELECT id, project, name, generation, settled, phase, why, since, created, updated, total, ready, failing,
    description, retries, forget
FROM stacks WHERE project = ? AND name > ? AND name >= ? AND name < ? AND (? = '' OR phase = ?) ORDER BY name LIMIT ?;

-- name: insert
INSERT INTO stacks (id, project, name, generation, settled, phase, why, since, created, updated, total, ready,
    failing, description, retries, forget)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: desire
UPDATE stacks SET generation = ?, phase = ?, why = ?, since = ?, updated = ?, description = ?, forget = ?
WHERE id = ?;

-- name: observe
UPDATE stacks SET settled = ?, phase = ?, why = ?, since = ?, total = ?, ready = ?, failing = ? WHERE id = ?;

-- name: restore
UPDATE stacks SET generation = ?, updated = ? WHERE id = ?;

-- name: bump_retries
UPDATE stacks SET retries = retries + 1 WHERE id = ?;

-- name: mark_forget
UPDATE stacks SET forget = 1 WHERE id = ?;

-- name: rename
UPDATE stacks SET name = ? WHERE id = ?;

-- name: delete
DELETE FROM stacks WHERE id = ?;
