-- name: all
SELECT provider, number, started, asked, answered, why, since, restored FROM listings ORDER BY provider;

-- name: one
SELECT provider, number, started, asked, answered, why, since, restored, adopted FROM listings WHERE provider = ?;

-- name: ghosts
SELECT ghosts FROM listings WHERE provider = ?;

-- name: open
INSERT INTO listings (provider, number, started, asked, answered, why, since, restored, adopted, ghosts)
VALUES (?, 0, 0, 0, 0, '', 0, 0, '[]', ?) ON CONFLICT (provider) DO NOTHING;

-- name: holder
SELECT holder, epoch FROM leases WHERE scope = ? /* FOR UPDATE */;

-- name: next
UPDATE listings SET number = number + 1, started = ?, answered = ?, why = ?, since = ?, restored = ?, adopted = ?,
    ghosts = ?
WHERE provider = ? RETURNING number;

-- name: ask
UPDATE listings SET asked = asked + 1 WHERE provider = ? RETURNING asked;

-- name: saw
INSERT INTO sightings (provider, provider_id, number, body) VALUES (?, ?, ?, ?)
ON CONFLICT (provider, provider_id) DO UPDATE SET number = excluded.number, body = excluded.body;

-- name: forget
DELETE FROM sightings WHERE provider = ? AND number < ? AND body IS NULL;

-- name: sightings
SELECT provider_id, body FROM sightings WHERE provider = ? AND number > ? ORDER BY provider_id;
