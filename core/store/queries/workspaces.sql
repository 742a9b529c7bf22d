-- name: list_workspaces
-- The names of all workspaces.
select id from workspaces
