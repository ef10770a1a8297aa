-- name: number
UPDATE counters SET value = value + ? WHERE name = 'audit' RETURNING value;

-- name: counted
SELECT value FROM counters WHERE name = 'audit';

-- name: last
SELECT digest FROM audit WHERE number = ?;

-- name: insert
INSERT INTO audit (number, at, actor, credential, source, wanted, project, subject, outcome, digest)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: all
SELECT number, at, actor, credential, source, wanted, project, subject, outcome, digest
FROM audit WHERE number > ? ORDER BY number LIMIT ?;

-- name: newest
SELECT number, at, actor, credential, source, wanted, project, subject, outcome, digest
FROM audit WHERE number > ? ORDER BY number DESC LIMIT ?;

-- name: all_of_project
SELECT number, at, actor, credential, source, wanted, project, subject, outcome, digest
FROM audit WHERE project = ? AND number > ? ORDER BY number LIMIT ?;

-- name: newest_of_project
SELECT number, at, actor, credential, source, wanted, project, subject, outcome, digest
FROM audit WHERE project = ? AND number > ? ORDER BY number DESC LIMIT ?;

-- name: last_before
SELECT number, digest FROM audit
WHERE at < ? AND number < COALESCE((SELECT MIN(number) FROM audit WHERE at >= ?), 9223372036854775807)
ORDER BY number DESC LIMIT 1;

-- name: let_go
DELETE FROM audit WHERE number <= (SELECT MAX(CAST(subject AS BIGINT)) FROM audit WHERE outcome = 'anchor');
