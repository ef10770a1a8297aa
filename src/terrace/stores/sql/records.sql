-- name: upsert
INSERT INTO records (uid, incarnation, stack, path, position, provider, state, body)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (uid, incarnation, stack) DO UPDATE SET path = excluded.path, position = excluded.position,
    provider = excluded.provider, state = excluded.state, body = excluded.body;

-- name: delete
DELETE FROM records WHERE uid = ? AND incarnation = ? AND stack = ?;

-- name: all
SELECT body FROM records WHERE stack = ? ORDER BY position, path, incarnation, uid;

-- name: page
SELECT body FROM records
WHERE stack = ? AND position >= ? AND position < ? AND (path = ? OR (path >= ? AND path < ?))
    AND (position, path, incarnation, uid) > (?, ?, ?, ?)
ORDER BY position, path, incarnation, uid LIMIT ?;

-- name: known
SELECT uid, incarnation FROM records WHERE uid IN (?*);

-- name: holders
SELECT stack, body FROM records WHERE uid IN (?*) ORDER BY uid, incarnation, stack;

-- name: in_state
state = ?;

-- name: of_kind
instr(body, ?) > 0;
