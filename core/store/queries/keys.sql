-- name: list_live_keys
-- The keys that are in force at :now, of every workspace.
select id, workspace, kind, scopes, hash, expires_at
from keys
where revoked_at is null and (expires_at is null or expires_at > cast(:now as bigint))

-- name: list_keys
-- A page of a workspace's keys, newest first; :before_at and :before_id are those of the last row seen.
select id, kind, name, scopes, hint, created_at, expires_at, revoked_at
from keys
where workspace = :workspace
  and (created_at < cast(:before_at as bigint) or (created_at = :before_at and id < :before_id))
order by created_at desc, id desc
limit cast(:most as bigint)

-- name: save_key
-- A new key, by its hash; one that is there already stays as it is, revoked or not.
insert into keys (id, workspace, kind, name, scopes, hash, hint, created_at, expires_at)
values (:id, :workspace, :kind, :name, :scopes, :hash, :hint, :created_at, cast(:expires_at as bigint))
on conflict do nothing

-- name: revoke_key
-- From :now on the key opens nothing; a second time changes nothing.
update keys set revoked_at = :now
where workspace = :workspace and id = :id and revoked_at is null

-- name: find_key
-- One key of a workspace.
select id, kind, name, scopes, hint, created_at, expires_at, revoked_at
from keys where workspace = :workspace and id = :id

-- name: find_link_secret
-- The secret that signs public links, made with the schema.
select value from instance where name = 'link_secret'
