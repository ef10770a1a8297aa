-- name: identify
INSERT INTO identity (key, value) VALUES (?, ?) ON CONFLICT (key) DO NOTHING;

-- name: identity
SELECT value FROM identity WHERE key = ?;

-- name: hold
SELECT value FROM identity WHERE key = 'installation' /* FOR UPDATE */;

-- name: clock
SELECT clock();
