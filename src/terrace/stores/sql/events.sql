-- name: number
UPDATE counters SET value = value + ? WHERE name = 'events' RETURNING value;

-- name: insert
INSERT INTO events (number, stack, at, body) VALUES (?, ?, ?, ?);

-- name: all
SELECT number, body FROM events WHERE number > ? ORDER BY number LIMIT ?;

-- name: newest
SELECT number, body FROM events WHERE number > ? ORDER BY number DESC LIMIT ?;

-- name: all_of_stack
SELECT number, body FROM events WHERE stack = ? AND number > ? ORDER BY number LIMIT ?;

-- name: newest_of_stack
SELECT number, body FROM events WHERE stack = ? AND number > ? ORDER BY number DESC LIMIT ?;

-- name: prune_count
DELETE FROM events WHERE number <= (SELECT number FROM events ORDER BY number DESC LIMIT 1 OFFSET ?);

-- name: prune_age
DELETE FROM events WHERE at < ?;

-- name: all_of_project
SELECT number, body FROM events
WHERE (stack IN (SELECT id FROM stacks WHERE project = ?) OR replace(body, ?, '') <> body) AND number > ? ORDER BY number LIMIT ?;

-- name: newest_of_project
SELECT number, body FROM events
WHERE (stack IN (SELECT id FROM stacks WHERE project = ?) OR replace(body, ?, '') <> body) AND number > ? ORDER BY number DESC LIMIT ?;

-- name: bounds
SELECT COALESCE((SELECT MIN(number) FROM events), 1), COALESCE((SELECT MAX(number) FROM events), 0);

-- name: until
number <= ?;

-- name: since
at >= ?;

-- name: of_kind
substr(body, 1, ?) = ?;

-- name: of_path
(replace(body, ?, '') <> body OR replace(body, ?, '') <> body);
