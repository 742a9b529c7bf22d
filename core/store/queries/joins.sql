-- name: list_joins
-- Known people who were joined into others.
select user_id, target, at from joined_users where workspace = :workspace

-- name: add_joins
-- Somebody known became somebody else known.
insert into joined_users (workspace, user_id, target, at)
{rows: workspace text, user_id text, target text, at bigint}

-- name: find_names
-- Which of these ids were heard of, by kind; nothing is locked.
select i.kind, i.value
from {pairs:keys kind text, value text} as k
{join} identities i on i.workspace = :workspace and i.kind = k.kind and i.value = k.value

-- name: read_bindings
-- To whom these anonymous ids were bound, and when; nothing is locked.
select value, bindings from identities
where workspace = :workspace and kind = 'anonymous' and value {in:ids text}

-- name: copy_known_as
-- The anonymous ids of somebody who was joined are the other's, too.
insert into known_as (workspace, profile_id, anonymous_id)
select workspace, cast(:target as text), anonymous_id from known_as
where workspace = :workspace and profile_id = :source
on conflict (workspace, profile_id, anonymous_id) do nothing

-- name: drop_known_as_of
-- They are theirs no more.
delete from known_as where workspace = :workspace and profile_id = :source
