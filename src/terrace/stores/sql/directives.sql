-- name: upsert
INSERT INTO directives (stack, path, what, body) SELECT id, ?, ?, ? FROM stacks WHERE id = ?
ON CONFLICT (stack, path, what) DO UPDATE SET body = excluded.body;

-- name: delete
DELETE FROM directives WHERE path = ? AND what = ? AND stack = ?;

-- name: of_stack
SELECT body FROM directives WHERE stack = ? ORDER BY path, what;

-- name: page
SELECT body FROM directives
WHERE stack = ? AND what >= ? AND what < ? AND (? = '' OR path = ?) AND (path, what) > (?, ?)
ORDER BY path, what LIMIT ?;
