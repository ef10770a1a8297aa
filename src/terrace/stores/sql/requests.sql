-- name: claim
INSERT INTO requests (actor, name, digest, at, status) VALUES (?, ?, ?, clock(), 0)
ON CONFLICT (actor, name) DO UPDATE SET digest = excluded.digest, at = excluded.at, status = 0, answer = NULL
WHERE requests.at < clock() - ? OR (requests.status = 0 AND requests.at < clock() - ?);

-- name: find
SELECT digest, status, answer, CASE WHEN at < clock() - ? THEN 1 ELSE 0 END FROM requests WHERE actor = ? AND name = ?;

-- name: mark
UPDATE requests SET status = 1 WHERE actor = ? AND name = ? AND digest = ? AND status IN (0, 1);

-- name: renew
UPDATE requests SET at = clock() WHERE actor = ? AND name = ? AND digest = ? AND status IN (0, 1);

-- name: finish
UPDATE requests SET status = ?, answer = ? WHERE actor = ? AND name = ? AND digest = ? AND status IN (0, 1);

-- name: release
DELETE FROM requests WHERE actor = ? AND name = ? AND digest = ? AND status = 0;

-- name: refuse
DELETE FROM requests WHERE actor = ? AND name = ? AND digest = ? AND status IN (0, 1);

-- name: abandon
DELETE FROM requests WHERE status = 0;

-- name: orphan
UPDATE requests SET at = at - ? WHERE status = 1;

-- name: prune
DELETE FROM requests WHERE at < clock() - ?;

-- name: forget
DELETE FROM requests WHERE actor = ? AND name = ?;
