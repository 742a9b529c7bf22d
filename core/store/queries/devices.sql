-- name: find_devices
-- The devices among the given ones that are in the directory, locked.
select id, profile_id from devices
where workspace = :workspace and id {in:ids text}
order by id
{for_update}

-- name: add_devices
-- Devices seen for the first time; another worker may have been faster.
insert into devices (workspace, id, profile_id)
{rows: workspace text, id text, profile_id text}
on conflict (workspace, id) do nothing

-- name: save_devices
-- Who holds devices now.
insert into devices (workspace, id, profile_id)
{rows: workspace text, id text, profile_id text}
on conflict (workspace, id) do update set profile_id = excluded.profile_id

-- name: drop_devices
-- Forget devices that nobody holds.
delete from devices where workspace = :workspace and id {in:ids text}

-- name: find_push_addresses
-- The push addresses among the given ones that were ever told, locked.
select key, device, at, tie, dead_at, dead_reason from push_addresses
where workspace = :workspace and key {in:keys text}
order by key
{for_update}

-- name: add_push_addresses
-- Push addresses told for the first time; another worker may have been faster.
insert into push_addresses (workspace, key, device, at, tie, dead_at, dead_reason)
{rows: workspace text, key text, device text, at bigint, tie bigint, dead_at bigint, dead_reason text}
on conflict (workspace, key) do nothing

-- name: save_push_addresses
-- Which device told each push address last, and when it died.
insert into push_addresses (workspace, key, device, at, tie, dead_at, dead_reason)
{rows: workspace text, key text, device text, at bigint, tie bigint, dead_at bigint, dead_reason text}
on conflict (workspace, key) do update
set device = excluded.device, at = excluded.at, tie = excluded.tie,
    dead_at = excluded.dead_at, dead_reason = excluded.dead_reason

-- name: page_push_addresses
-- Push addresses from a place on; nothing is locked.
select workspace, key, at, dead_at from push_addresses
where (workspace, key) > (:workspace, :key)
order by workspace, key limit :limit

-- name: drop_push_addresses
-- Forget addresses that no device has any more.
delete from push_addresses where workspace = :workspace and key {in:keys text}

-- name: find_holders
-- Which profiles hold the devices of push addresses; nothing is locked.
select a.key, a.device, d.profile_id
from push_addresses a
join devices d on d.workspace = a.workspace and d.id = a.device
where a.workspace = :workspace and a.key {in:keys text}

-- name: last_uses
-- The last that some people said with some devices, or under an anonymous id that is one.
select k.profile_id, k.device, e.at, e.message_id
from {pairs:keys profile_id text, device text} as k
{join} events e on e.workspace = :workspace and e.profile_id = k.profile_id
  and (e.device = k.device or e.anonymous_id = k.device)
where e.at = (
    select max(l.at) from events l
    where l.workspace = :workspace and l.profile_id = k.profile_id
      and (l.device = k.device or l.anonymous_id = k.device)
      and l.kind in ('track', 'page', 'screen', 'identify', 'group', 'alias')
)
and e.kind in ('track', 'page', 'screen', 'identify', 'group', 'alias')

-- name: see_profiles_with_devices
-- Profiles that were only heard of, and what their devices said; they are there.
insert into profiles (workspace, id, created_at, last_seen_at, attributes, state, revision, devices)
{rows: workspace text, id text, created_at bigint, last_seen_at bigint, attributes json, state json, revision bigint, devices json}
on conflict (workspace, id) do update
set created_at = excluded.created_at, last_seen_at = excluded.last_seen_at, devices = excluded.devices

-- name: save_devices_of_profiles [sqlite]
-- The same; a row after another, found by its first two values.
update profiles set devices = (
    select column3 from ({rows: workspace text, id text, devices json})
)
where workspace = ?1 and id = ?2

-- name: save_devices_of_profiles
-- What the devices of people said who changed otherwise too.
with r (workspace, id, devices) as ({rows: workspace text, id text, devices json})
update profiles set devices = r.devices
from r where profiles.workspace = r.workspace and profiles.id = r.id
