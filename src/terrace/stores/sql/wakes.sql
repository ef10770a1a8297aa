-- name: ring
INSERT INTO wakes (stack, mark, heeded)
SELECT id, 1, 0 FROM stacks WHERE id = ? AND EXISTS (SELECT 1 FROM engines)
ON CONFLICT (stack) DO UPDATE SET mark = wakes.mark + 1;

-- name: ring_readers
INSERT INTO wakes (stack, mark, heeded)
SELECT DISTINCT stack, 1, 0 FROM uses WHERE source_project = ? AND source = ? AND EXISTS (SELECT 1 FROM engines)
ON CONFLICT (stack) DO UPDATE SET mark = wakes.mark + 1;

-- name: unheard
SELECT w.stack, w.mark FROM wakes w JOIN leases l ON l.scope = 'stack:' || w.stack
WHERE w.mark > w.heeded AND l.holder = ?;

-- name: heed
UPDATE wakes SET heeded = ? WHERE stack = ? AND heeded < ?;

-- name: of
SELECT mark, heeded FROM wakes WHERE stack = ?;

-- name: last_event
SELECT value FROM counters WHERE name = 'events';
