-- name: insert
INSERT INTO generations (stack, number, restores, deleting, settled, failed, light, content)
VALUES (?, ?, ?, ?, ?, ?, ?, ?);

-- name: one
SELECT light, content, settled, failed FROM generations WHERE stack = ? AND number = ?;

-- name: all
SELECT light, settled, failed FROM generations WHERE stack = ? ORDER BY number DESC;

-- name: deleting
SELECT deleting FROM generations WHERE stack = ? AND number = ?;

-- name: settle
UPDATE generations SET settled = ? WHERE stack = ? AND number = ? AND settled = 0;

-- name: fail
UPDATE generations SET failed = ? WHERE stack = ? AND number = ?;

-- name: crowded
SELECT s.id, s.settled FROM stacks s WHERE (SELECT COUNT(*) FROM generations g WHERE g.stack = s.id) > ?;

-- name: restoring
SELECT number, restores FROM generations WHERE stack = ?;

-- name: delete
DELETE FROM generations WHERE stack = ? AND number = ?;
