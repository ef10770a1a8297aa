-- name: page_light
SELECT stack, number, light FROM generations WHERE (stack, number) > (?, ?) ORDER BY stack, number LIMIT ?;

-- name: put_light
UPDATE generations SET light = ? WHERE stack = ? AND number = ? AND light = ?;

-- name: page_content
SELECT stack, number, content FROM generations WHERE (stack, number) > (?, ?) ORDER BY stack, number LIMIT ?;

-- name: put_content
UPDATE generations SET content = ? WHERE stack = ? AND number = ? AND content = ?;

-- name: page_records
SELECT uid, incarnation, stack, body FROM records WHERE (uid, incarnation, stack) > (?, ?, ?)
ORDER BY uid, incarnation, stack LIMIT ?;

-- name: put_records
UPDATE records SET body = ? WHERE uid = ? AND incarnation = ? AND stack = ? AND body = ?;

-- name: page_directives
SELECT stack, path, what, body FROM directives WHERE (stack, path, what) > (?, ?, ?) ORDER BY stack, path, what LIMIT ?;

-- name: put_directives
UPDATE directives SET body = ? WHERE stack = ? AND path = ? AND what = ? AND body = ?;

-- name: page_exports
SELECT stack, name, body FROM exports WHERE (stack, name) > (?, ?) ORDER BY stack, name LIMIT ?;

-- name: put_exports
UPDATE exports SET body = ? WHERE stack = ? AND name = ? AND body = ?;

-- name: page_uses
SELECT stack, path, source_project, source, output, kept FROM uses
WHERE (stack, path, source_project, source, output) > (?, ?, ?, ?, ?) AND kept IS NOT NULL
ORDER BY stack, path, source_project, source, output LIMIT ?;

-- name: put_uses
UPDATE uses SET kept = ? WHERE stack = ? AND path = ? AND source_project = ? AND source = ? AND output = ? AND kept = ?;

-- name: page_secrets
SELECT project, name, version, value FROM secrets WHERE (project, name, version) > (?, ?, ?) AND value IS NOT NULL
ORDER BY project, name, version LIMIT ?;

-- name: put_secrets
UPDATE secrets SET value = ? WHERE project = ? AND name = ? AND version = ? AND value = ?;

-- name: page_sightings
SELECT provider, provider_id, body FROM sightings WHERE (provider, provider_id) > (?, ?) AND body IS NOT NULL
ORDER BY provider, provider_id LIMIT ?;

-- name: put_sightings
UPDATE sightings SET body = ? WHERE provider = ? AND provider_id = ? AND body = ?;

-- name: page_ghosts
SELECT provider, ghosts FROM listings WHERE provider > ? ORDER BY provider LIMIT ?;

-- name: put_ghosts
UPDATE listings SET ghosts = ? WHERE provider = ? AND ghosts = ?;
