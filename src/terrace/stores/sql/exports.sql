-- name: insert
INSERT INTO exports (stack, name, body) VALUES (?, ?, ?);

-- name: clear
DELETE FROM exports WHERE stack = ?;

-- name: of_stack
SELECT name, body FROM exports WHERE stack = ? ORDER BY name;

-- name: of_name
SELECT e.name, e.body FROM exports e JOIN stacks s ON s.id = e.stack WHERE s.project = ? AND s.name = ? ORDER BY e.name;

-- name: one
SELECT e.body FROM exports e JOIN stacks s ON s.id = e.stack WHERE s.project = ? AND s.name = ? AND e.name = ?;
