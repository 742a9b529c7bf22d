-- name: find_identities
-- The identities among the given ones that exist, locked.
select i.kind, i.value, i.profile_id, i.bindings
from {pairs:keys kind text, value text} as k
{join} identities i on i.workspace = :workspace and i.kind = k.kind and i.value = k.value
order by i.kind, i.value
{for_update}

-- name: add_identities
-- Identities seen for the first time; another worker may have been faster.
insert into identities (workspace, kind, value, profile_id, bindings)
{rows: workspace text, kind text, value text, profile_id text, bindings json}
on conflict (workspace, kind, value) do nothing

-- name: save_identities
-- Whose each identity is, and the bindings of anonymous ids.
insert into identities (workspace, kind, value, profile_id, bindings)
{rows: workspace text, kind text, value text, profile_id text, bindings json}
on conflict (workspace, kind, value) do update
set profile_id = excluded.profile_id, bindings = excluded.bindings

-- name: add_known_as
-- Anonymous ids that turned out to be somebody known.
insert into known_as (workspace, profile_id, anonymous_id)
{rows: workspace text, profile_id text, anonymous_id text}
on conflict (workspace, profile_id, anonymous_id) do nothing

-- name: drop_known_as
-- Forget whose an anonymous id was, before it is worked out again.
delete from known_as where workspace = :workspace and anonymous_id {in:anonymous_ids text}

-- name: lock_profiles
-- Profiles by id, locked in the order of their keys.
select id, user_id, created_at, last_seen_at, attributes, state, revision, devices, merged_into
from profiles
where workspace = :workspace and id {in:ids text}
order by id
{for_update}

-- name: add_profiles
-- Empty profiles, so that there is a row to lock.
insert into profiles (workspace, id, user_id, created_at, last_seen_at, attributes, state, revision, merged_into)
{rows: workspace text, id text, user_id text, created_at bigint, last_seen_at bigint, attributes json, state json, revision bigint, merged_into text}
on conflict (workspace, id) do nothing

-- name: save_profiles
-- Profiles whose attributes or consents changed.
insert into profiles (workspace, id, user_id, created_at, last_seen_at, attributes, state, revision, merged_into)
{rows: workspace text, id text, user_id text, created_at bigint, last_seen_at bigint, attributes json, state json, revision bigint, merged_into text}
on conflict (workspace, id) do update
set created_at = excluded.created_at, last_seen_at = excluded.last_seen_at, attributes = excluded.attributes,
    state = excluded.state, revision = excluded.revision, merged_into = excluded.merged_into

-- name: see_profiles
-- Profiles that were only heard of; they are there, and their attributes stay as they are.
insert into profiles (workspace, id, created_at, last_seen_at, attributes, state, revision)
{rows: workspace text, id text, created_at bigint, last_seen_at bigint, attributes json, state json, revision bigint}
on conflict (workspace, id) do update
set created_at = excluded.created_at, last_seen_at = excluded.last_seen_at

-- name: find_totals
-- Totals of the given events of the given people.
select a.profile_id, a.event, a.count, a.first_at, a.last_at, a.numbers
from {pairs:keys profile_id text, event text} as k
{join} aggregates a on a.workspace = :workspace and a.profile_id = k.profile_id and a.event = k.event

-- name: list_totals
-- All totals of the given people.
select profile_id, event, count, first_at, last_at, numbers
from aggregates
where workspace = :workspace and profile_id {in:ids text}

-- name: save_totals
-- Totals as they are now.
insert into aggregates (workspace, profile_id, event, count, first_at, last_at, numbers)
{rows: workspace text, profile_id text, event text, count bigint, first_at bigint, last_at bigint, numbers json}
on conflict (workspace, profile_id, event) do update
set count = excluded.count, first_at = excluded.first_at, last_at = excluded.last_at, numbers = excluded.numbers

-- name: drop_totals
-- Totals of people that were merged away or are rebuilt.
delete from aggregates where workspace = :workspace and profile_id {in:ids text}

-- name: last_heard
-- When each of these profiles was last heard of.
select id, last_seen_at from profiles where workspace = :workspace and id {in:ids text}

-- name: find_profiles
-- Profiles by id, to be looked at only.
select id, user_id, created_at, last_seen_at, attributes, state, revision, devices
from profiles where workspace = :workspace and id {in:ids text}

-- name: find_by_mobile
-- Whose number it is now.
select id from profiles
where workspace = :workspace and {mobile} = :mobile and merged_into is null
order by id limit cast(:limit as bigint)
