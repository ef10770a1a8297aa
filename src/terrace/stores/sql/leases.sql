-- name: acquire
INSERT INTO leases (scope, holder, epoch, expires) VALUES (?, ?, 1, clock() + ?)
ON CONFLICT (scope) DO UPDATE SET
    epoch = CASE WHEN leases.holder = excluded.holder THEN leases.epoch ELSE leases.epoch + 1 END,
    holder = excluded.holder, expires = excluded.expires
WHERE leases.holder = excluded.holder OR leases.holder = '' OR leases.expires <= clock()
RETURNING epoch, expires;

-- name: release
UPDATE leases SET holder = '', expires = 0 WHERE scope = ? AND holder = ? AND epoch = ?;

-- name: prune
DELETE FROM leases WHERE expires <= clock() AND scope LIKE 'stack:%'
    AND NOT EXISTS (SELECT 1 FROM stacks WHERE 'stack:' || stacks.id = leases.scope);
