-- name: claim
INSERT INTO requests (actor, name, digest, at, status) VALUES (?, ?, ?, clock(), 0)
ON CONFLICT (actor, name) DO UPDATE SET digest = excluded.digest, at = excluded.at, status = 0, answer = NULL
WHERE requests.at < clock() - ? OR (requests.status = 0 AND requests.at < clock() - ?);

-- name: find
SELECT digest, status, answer FROM requests WHERE actor = ? AND name = ?;

-- name: finish
UPDATE requests SET status = ?, answer = ? WHERE actor = ? AND name = ? AND status = 0;

-- name: release
DELETE FROM requests WHERE actor = ? AND name = ? AND status = 0;

-- name: abandon
DELETE FROM requests WHERE status = 0;

-- name: prune
DELETE FROM requests WHERE at < clock() - ?;

-- name: forget
DELETE FROM requests WHERE actor = ? AND name = ?;
