-- name: of_project
SELECT name, cpu, memory, disk, pids FROM flavors WHERE project = ? ORDER BY name;

-- name: rule
SELECT version, allowed FROM flavor_rules WHERE project = ?;

-- name: say
INSERT INTO flavor_rules (project, version, allowed) VALUES (?, 1, ?)
ON CONFLICT (project) DO UPDATE SET version = flavor_rules.version + 1, allowed = excluded.allowed;

-- name: set
INSERT INTO flavors (project, name, cpu, memory, disk, pids) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (project, name) DO UPDATE SET cpu = excluded.cpu, memory = excluded.memory, disk = excluded.disk,
    pids = excluded.pids;

-- name: delete
DELETE FROM flavors WHERE project = ? AND name = ?;

-- name: wanted
SELECT s.name, g.light FROM stacks s JOIN generations g ON g.stack = s.id
WHERE s.project = ? AND (g.number = s.generation OR g.number = s.settled) ORDER BY s.name;

-- name: retry
UPDATE stacks SET retries = retries + 1 WHERE project = ?;

-- name: ring
INSERT INTO wakes (stack, mark, heeded)
SELECT id, 1, 0 FROM stacks WHERE project = ? AND EXISTS (SELECT 1 FROM engines)
ON CONFLICT (stack) DO UPDATE SET mark = wakes.mark + 1;
