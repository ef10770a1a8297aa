-- name: note
INSERT INTO notes (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value;

-- name: noted
SELECT value FROM notes WHERE key = ?;

-- name: identify
INSERT INTO identity (key, value) VALUES (?, ?) ON CONFLICT (key) DO NOTHING;

-- name: identity
SELECT value FROM identity WHERE key = ?;
