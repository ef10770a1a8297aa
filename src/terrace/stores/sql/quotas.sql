-- name: limits
SELECT resource, most FROM quotas WHERE project = ? ORDER BY resource;

-- name: limit
INSERT INTO quotas (project, resource, most) VALUES (?, ?, ?)
ON CONFLICT (project, resource) DO UPDATE SET most = excluded.most;

-- name: unlimit
DELETE FROM quotas WHERE project = ? AND resource = ?;

-- name: used
SELECT u.resource, CAST(SUM(u.amount) AS BIGINT) FROM stack_usage u JOIN stacks s ON s.id = u.stack
WHERE s.project = ? GROUP BY u.resource;

-- name: stacks
SELECT COUNT(*) FROM stacks WHERE project = ?;

-- name: of_stack
SELECT resource, amount FROM stack_usage WHERE stack = ?;

-- name: of_project
SELECT u.stack, u.resource, u.amount FROM stack_usage u JOIN stacks s ON s.id = u.stack WHERE s.project = ?;

-- name: hold
INSERT INTO stack_usage (stack, resource, amount) VALUES (?, ?, ?)
ON CONFLICT (stack, resource) DO UPDATE SET amount = excluded.amount;

-- name: clear
DELETE FROM stack_usage WHERE stack = ?;

-- name: projects
SELECT project FROM quotas UNION SELECT project FROM stacks ORDER BY project;
