-- name: all
SELECT name, title, created, maker FROM projects ORDER BY name;

-- name: by_name
SELECT name, title, created, maker FROM projects WHERE name = ?;

-- name: insert
INSERT INTO projects (name, title, created, maker) VALUES (?, ?, ?, ?);

-- name: update
UPDATE projects SET title = ? WHERE name = ?;

-- name: delete
DELETE FROM projects WHERE name = ?;

-- name: stacks
SELECT COUNT(*) FROM stacks WHERE project = ?;

-- name: members
SELECT m.project, m.kind, m.member, m.role, m.granted, m.denied, m.since, COALESCE(u.name, g.name)
FROM members m
LEFT JOIN users u ON m.kind = 'user' AND u.id = m.member
LEFT JOIN user_groups g ON m.kind = 'group' AND g.id = m.member
WHERE m.project = ? ORDER BY m.kind DESC, 8;

-- name: of_user
SELECT m.project, m.kind, m.member, m.role, m.granted, m.denied, m.since, ''
FROM members m WHERE m.kind = 'user' AND m.member = ?
UNION ALL
SELECT m.project, m.kind, m.member, m.role, m.granted, m.denied, m.since, g.name
FROM group_members i
JOIN user_groups g ON g.id = i.user_group
JOIN members m ON m.kind = 'group' AND m.member = g.id
WHERE i.member = ?;

-- name: of_group
SELECT project FROM members WHERE kind = 'group' AND member = ?;

-- name: set_member
INSERT INTO members (project, kind, member, role, granted, denied, since) VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (project, kind, member) DO UPDATE
SET role = excluded.role, granted = excluded.granted, denied = excluded.denied;

-- name: delete_member
DELETE FROM members WHERE project = ? AND kind = ? AND member = ?;

-- name: delete_memberships
DELETE FROM members WHERE kind = ? AND member = ?;

-- name: reach
SELECT project, provider, region FROM reach WHERE project = ? ORDER BY provider, region;

-- name: clear_reach
DELETE FROM reach WHERE project = ?;

-- name: insert_reach
INSERT INTO reach (project, provider, region) VALUES (?, ?, ?);
