-- name: data
SELECT id, purpose, created, begins FROM data_keys ORDER BY id;

-- name: wrapped
SELECT data_key, master, body FROM wrapped_keys ORDER BY data_key, master;

-- name: insert
INSERT INTO data_keys (id, purpose, created, begins) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO NOTHING;

-- name: wrap
INSERT INTO wrapped_keys (data_key, master, body) VALUES (?, ?, ?) ON CONFLICT (data_key, master) DO NOTHING;

-- name: unwrap
DELETE FROM wrapped_keys WHERE master = ?;

-- name: delete
DELETE FROM data_keys WHERE id = ?;

-- name: rotation
SELECT r.id, r.started, k.begins, r.finished, r.sealed, r.place FROM rotations r JOIN data_keys k ON k.id = r.id
ORDER BY r.started DESC, r.id DESC LIMIT 1;

-- name: rotate
INSERT INTO rotations (id, started, finished, sealed, place) VALUES (?, ?, 0, 0, '');

-- name: progress
UPDATE rotations SET place = ?, sealed = sealed + ?, finished = ? WHERE id = ? AND place = ?;

-- name: proof
UPDATE identity SET value = ? WHERE key = 'key-proof';
