-- name: seed_workspace
-- One more workspace.
insert into workspaces (id, name, created_at) values (:id, :id, 0)
