-- name: schema_version
-- The version that the database is at; 0 before the first migration.
select coalesce(max(version), 0) from schema_version

-- name: add_schema_version
-- Record a migration that has just been run.
insert into schema_version (version, name) values (:version, :name)

-- name: add_link_secret
-- Keep the secret that signs public links; the first one stays.
insert into instance (name, value) values ('link_secret', :value) on conflict (name) do nothing
