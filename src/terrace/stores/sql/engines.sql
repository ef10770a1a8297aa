-- name: join
INSERT INTO engines (id, name, roles, version, started, beat, expires, draining, holds)
VALUES (?, ?, ?, ?, clock(), clock(), clock() + ?, 0, 0)
ON CONFLICT (id) DO UPDATE SET name = excluded.name, roles = excluded.roles, version = excluded.version,
    started = excluded.started, beat = excluded.beat, expires = excluded.expires, draining = 0, holds = 0;

-- name: let_go
UPDATE leases SET holder = '', expires = 0 WHERE holder = ?;

-- name: beat
UPDATE engines SET beat = clock(), expires = clock() + ?, holds = ? WHERE id = ?;

-- name: bury
DELETE FROM engines WHERE expires <= clock();

-- name: leave
DELETE FROM engines WHERE id = ?;

-- name: drain
UPDATE engines SET draining = ? WHERE id = ?;

-- name: members
SELECT id, name, roles, version, started, beat, expires, draining, holds FROM engines ORDER BY name, id;

-- name: now
SELECT clock();

-- name: stacks
SELECT COUNT(*) FROM stacks;

-- name: held
SELECT COUNT(*) FROM leases l JOIN engines e ON e.id = l.holder WHERE l.scope LIKE 'stack:%';

-- name: free
SELECT s.id FROM stacks s LEFT JOIN leases l ON l.scope = 'stack:' || s.id
WHERE l.scope IS NULL OR NOT EXISTS (SELECT 1 FROM engines e WHERE e.id = l.holder)
ORDER BY s.id LIMIT ?;

-- name: open
INSERT INTO leases (scope, holder, epoch, expires) VALUES (?, ?, ?, ?) ON CONFLICT (scope) DO NOTHING;

-- name: locked
SELECT scope, holder, epoch FROM leases WHERE scope IN (?*) ORDER BY scope /* FOR UPDATE */;

-- name: alive
SELECT id FROM engines;

-- name: take
UPDATE leases SET holder = ?, epoch = ?, expires = 0 WHERE scope = ?;

-- name: give
UPDATE leases SET holder = '', expires = 0 WHERE scope = ? AND holder = ? AND epoch = ?;

-- name: whose
SELECT stack FROM records WHERE uid = ? LIMIT 1;
