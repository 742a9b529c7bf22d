-- name: find_seen
-- Which of these message ids were applied already.
select message_id from events where workspace = :workspace and message_id {in:ids text}

-- name: add_events
-- The log of what was said; a message id twice is an error, for it was looked for before.
insert into events (workspace, message_id, profile_id, at, received_at, kind, name, anonymous_id, user_id, device, request_id, body)
{rows: workspace text, message_id text, profile_id text, at bigint, received_at bigint, kind text, name text, anonymous_id text, user_id text, device text, request_id text, body text}

-- name: move_events_of_profile
-- All that an anonymous profile did becomes the known person's.
update events set profile_id = :target where workspace = :workspace and profile_id = :source

-- name: move_events
-- Give single log entries another owner.
update events set profile_id = :target where id {in:ids bigint}

-- name: list_anonymous_events
-- What was said under an anonymous id alone.
select id, message_id, profile_id, at
from events
where workspace = :workspace and anonymous_id = :anonymous_id and user_id is null
order by at, id

-- name: list_bindings
-- When the given people spoke under an anonymous id, from the log.
select distinct at, user_id
from events
where workspace = :workspace and profile_id {in:profile_ids text} and anonymous_id = :anonymous_id and user_id is not null

-- name: list_alias_bindings
-- Identify and alias messages of the given people, which may name earlier anonymous ids.
select at, user_id, body
from events
where workspace = :workspace and profile_id {in:profile_ids text} and kind in ('identify', 'alias') and user_id is not null

-- name: list_log
-- Everything that the given people said, for a rebuild.
select profile_id, message_id, at, received_at, kind, name, anonymous_id, user_id, device, body
from events
where workspace = :workspace and profile_id {in:ids text} and kind not in ('merge', 'reaction')
order by at, id

-- name: list_occurrences
-- One event of some people since an instant, with what it was.
select profile_id, at, device, body
from events
where workspace = :workspace and profile_id {in:ids text} and name = :name and at >= cast(:since as bigint)

-- name: count_names
-- Event names as they are discovered.
insert into event_names (workspace, name, count, first_at, last_at)
{rows: workspace text, name text, count bigint, first_at bigint, last_at bigint}
on conflict (workspace, name) do update
set count = event_names.count + excluded.count,
    first_at = case when excluded.first_at < event_names.first_at then excluded.first_at else event_names.first_at end,
    last_at = case when excluded.last_at > event_names.last_at then excluded.last_at else event_names.last_at end

-- name: count_events
-- Occurrences by half hour.
insert into event_counts (workspace, name, slot, shard, count)
{rows: workspace text, name text, slot bigint, shard integer, count bigint}
on conflict (workspace, name, slot, shard) do update set count = event_counts.count + excluded.count

-- name: list_property_types
-- The types of event properties that their first values fixed.
select event, property, type from property_types where workspace = :workspace

-- name: list_attribute_types
-- The types of custom attributes that their first values fixed.
select name, type from attribute_types where workspace = :workspace

-- name: list_event_names
-- All event names known.
select name from event_names where workspace = :workspace

-- name: fix_property_type
-- Fix the type of a property, unless somebody was faster.
insert into property_types (workspace, event, property, type) values (:workspace, :event, :property, :type)
on conflict (workspace, event, property) do nothing

-- name: fix_attribute_type
-- Fix the type of an attribute, unless somebody was faster.
insert into attribute_types (workspace, name, type) values (:workspace, :name, :type)
on conflict (workspace, name) do nothing

-- name: add_rejects
-- What was not stored, and why (S2.12).
insert into rejects (workspace, at, message_id, field, code, reason, value)
{rows: workspace text, at bigint, message_id text, field text, code text, reason text, value text}
