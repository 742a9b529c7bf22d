-- name: find_identity
-- Whose an id is: of kind 'user' or 'anonymous'.
select profile_id, bindings from identities
where workspace = :workspace and kind = :kind and value = :value

-- name: read_profile
-- One profile, merged or not.
select id, user_id, created_at, last_seen_at, attributes, state, devices, merged_into
from profiles
where workspace = :workspace and id = :id

-- name: page_profiles
-- People by when they were last seen, newest first, from a place on.
select id, user_id, created_at, last_seen_at, attributes, state, devices from profiles
where workspace = :workspace and merged_into is null
  and (last_seen_at, id) < (:before_at, :before_id)
order by last_seen_at desc, id desc limit :limit

-- name: anonymous_ids_of
-- The anonymous ids of somebody known.
select anonymous_id from known_as
where workspace = :workspace and profile_id = :profile order by anonymous_id

-- name: visitor_ids_of
-- The anonymous id of somebody who is not known, from the log.
select anonymous_id from events
where workspace = :workspace and profile_id = :profile and anonymous_id is not null
group by anonymous_id order by anonymous_id

-- name: aggregates_of
-- What is counted of a person, by event.
select event, count, first_at, last_at from aggregates
where workspace = :workspace and profile_id = :profile order by event

-- name: page_timeline_events
-- The log of a person, newest first, from a place on.
select id, at, kind, name, device, message_id, anonymous_id, body from events
where workspace = :workspace and profile_id = :profile and (at, id) < (:before_at, :before_id)
order by at desc, id desc limit :limit

-- name: page_timeline_messages
-- The deliveries of a person as their timeline shows them, newest first, from a place on.
select id, planned_at, campaign, version, step, channel, provider, state, reason, test, device
from deliveries
where workspace = :workspace and profile_id = :profile
  and (planned_at, id) < (:before_at, :before_id)
order by planned_at desc, id desc limit :limit

-- name: page_event_names
-- The events of a workspace by name.
select name, count, first_at, last_at from event_names
where workspace = :workspace and name > :after order by name limit :limit

-- name: property_types_of
-- The types of the properties of some events.
select event, property, type from property_types
where workspace = :workspace and event {in:events text} order by event, property

-- name: event_slots
-- Occurrences of an event by half hour.
select slot, cast(sum(count) as bigint) from event_counts
where workspace = :workspace and name = :name and slot >= :first group by slot order by slot

-- name: people_since
-- How many people did something at or after an instant: each has one row of totals for it.
select count(*) from aggregates
where workspace = :workspace and event = :name and last_at >= :since

-- name: page_rejects
-- What was not stored, newest first, from a place on.
select id, at, message_id, field, code, reason, value from rejects
where workspace = :workspace and (at, id) < (:before_at, :before_id)
order by at desc, id desc limit :limit
