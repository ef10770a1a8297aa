-- name: next
SELECT COALESCE(MAX(version), 0) + 1 FROM secrets WHERE project = ? AND name = ?;

-- name: insert
INSERT INTO secrets (project, name, version, value, who, at) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (project, name, version) DO NOTHING;

-- name: empty_older
UPDATE secrets SET value = NULL WHERE project = ? AND name = ? AND version < ?;

-- name: newest
SELECT version, value FROM secrets WHERE project = ? AND name = ? AND value IS NOT NULL ORDER BY version DESC LIMIT 1;

-- name: page
SELECT name, version, who, at FROM secrets
WHERE project = ? AND name IN (
    SELECT DISTINCT name FROM secrets WHERE project = ? AND name > ? AND name >= ? AND name < ? ORDER BY name LIMIT ?)
ORDER BY name, version DESC;

-- name: names
SELECT DISTINCT name FROM secrets WHERE project = ? ORDER BY name;

-- name: delete
DELETE FROM secrets WHERE project = ? AND name = ?;

-- name: used
SELECT u.output, s.name FROM uses u JOIN stacks s ON s.id = u.stack
WHERE u.source_project = ? AND u.source = '@secrets' AND u.output >= ? AND u.output <= ? GROUP BY u.output, s.name ORDER BY u.output, s.name;

-- name: users
SELECT DISTINCT stack FROM uses WHERE source_project = ? AND source = '@secrets' AND output = ? ORDER BY stack;
