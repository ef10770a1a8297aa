-- name: upsert
INSERT INTO ledger (provider, provider_id, what, uid, stack, path, kind, incarnation) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (provider, provider_id) DO UPDATE SET what = excluded.what, uid = excluded.uid,
    stack = excluded.stack, path = excluded.path, kind = excluded.kind, incarnation = excluded.incarnation;

-- name: delete
DELETE FROM ledger WHERE provider = ? AND provider_id = ?;

-- name: of_provider
SELECT provider, provider_id, what, uid, stack, path, kind, incarnation FROM ledger WHERE provider = ? ORDER BY provider_id;
