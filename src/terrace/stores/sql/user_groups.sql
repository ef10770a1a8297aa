-- name: all
SELECT id, name, source, created FROM user_groups ORDER BY name;

-- name: by_name
SELECT id, name, source, created FROM user_groups WHERE name = ?;

-- name: insert
INSERT INTO user_groups (id, name, source, created) VALUES (?, ?, ?, ?);

-- name: delete
DELETE FROM user_groups WHERE id = ?;

-- name: members
SELECT g.user_group, u.name FROM group_members g JOIN users u ON u.id = g.member ORDER BY u.name;

-- name: members_of
SELECT g.user_group, u.name FROM group_members g JOIN users u ON u.id = g.member
WHERE g.user_group = ? ORDER BY u.name;

-- name: member_ids
SELECT member FROM group_members WHERE user_group = ?;

-- name: of_user
SELECT g.id, g.name, g.source FROM user_groups g JOIN group_members m ON m.user_group = g.id
WHERE m.member = ? ORDER BY g.name;

-- name: join
INSERT INTO group_members (user_group, member) VALUES (?, ?) ON CONFLICT (user_group, member) DO NOTHING;

-- name: leave
DELETE FROM group_members WHERE user_group = ? AND member = ?;
