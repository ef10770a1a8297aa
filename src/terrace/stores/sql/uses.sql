-- name: declare
INSERT INTO uses (stack, path, source_project, source, output, kept) VALUES (?, ?, ?, ?, ?, NULL)
ON CONFLICT (stack, path, source_project, source, output) DO NOTHING;

-- name: insert
INSERT INTO uses (stack, path, source_project, source, output, kept) VALUES (?, ?, ?, ?, ?, ?);

-- name: delete
DELETE FROM uses WHERE stack = ? AND path = ? AND source_project = ? AND source = ? AND output = ?;

-- name: clear
DELETE FROM uses WHERE stack = ?;

-- name: of_stack
SELECT path, source_project, source, output, kept FROM uses WHERE stack = ?
ORDER BY path, source_project, source, output;

-- name: of_source
SELECT s.id, s.project, s.name, u.source_project, u.source, u.output FROM uses u JOIN stacks s ON s.id = u.stack
WHERE u.source_project = ? AND u.source = ?;

-- name: all
SELECT DISTINCT s.id, s.project, s.name, u.source_project, u.source, u.output
FROM uses u JOIN stacks s ON s.id = u.stack;

-- name: readers
SELECT DISTINCT stack FROM uses WHERE source_project = ? AND source = ? ORDER BY stack;
