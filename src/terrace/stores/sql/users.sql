-- name: page
SELECT id, name, title, source, password, admin, disabled, created, checked FROM users
WHERE name > ? AND name >= ? AND name < ? AND (? = '' OR source = ?) ORDER BY name LIMIT ?;

-- name: by_name
SELECT id, name, title, source, password, admin, disabled, created, checked FROM users WHERE name = ?;

-- name: by_id
SELECT id, name, title, source, password, admin, disabled, created, checked FROM users
WHERE id = ? /* FOR UPDATE */;

-- name: insert
INSERT INTO users (id, name, title, source, password, admin, disabled, created, checked)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: update
UPDATE users SET name = ?, title = ?, source = ?, password = ?, admin = ?, disabled = ?, checked = ? WHERE id = ?;

-- name: checked
UPDATE users SET checked = ? WHERE id = ?;

-- name: delete
DELETE FROM users WHERE id = ?;

-- name: admins
SELECT id FROM users WHERE admin = 1 AND disabled = 0 ORDER BY id /* FOR UPDATE */;

-- name: keys
SELECT owner, name, body, fingerprint, created FROM ssh_keys WHERE owner = ? ORDER BY name;

-- name: key
SELECT name FROM ssh_keys WHERE owner = ? AND name = ?;

-- name: insert_key
INSERT INTO ssh_keys (owner, name, body, fingerprint, created) VALUES (?, ?, ?, ?, ?);

-- name: delete_key
DELETE FROM ssh_keys WHERE owner = ? AND name = ?;
