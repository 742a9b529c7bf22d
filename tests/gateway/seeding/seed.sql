-- name: seed_profile
-- A person.
insert into profiles (workspace, id, user_id, created_at, last_seen_at, attributes, state, devices, revision, merged_into)
values (:workspace, :id, :user_id, :created_at, :last_seen_at, :attributes, :state, :devices, 1, :merged_into)

-- name: seed_identity
-- Whose an id is.
insert into identities (workspace, kind, value, profile_id, bindings)
values (:workspace, :kind, :value, :profile_id, :bindings)

-- name: seed_known_as
-- An anonymous id of somebody known.
insert into known_as (workspace, profile_id, anonymous_id) values (:workspace, :profile_id, :anonymous_id)

-- name: seed_totals
-- How often somebody did something.
insert into aggregates (workspace, profile_id, event, count, first_at, last_at, numbers)
values (:workspace, :profile_id, :event, :count, :first_at, :last_at, '{}')

-- name: seed_event
-- A line of the log.
insert into events (workspace, message_id, profile_id, at, received_at, kind, name, anonymous_id, user_id, device, body)
values (:workspace, :message_id, :profile_id, :at, :at, :kind, :name, :anonymous_id, :user_id, :device, :body)

-- name: seed_event_name
-- An event that has occurred.
insert into event_names (workspace, name, count, first_at, last_at)
values (:workspace, :name, :count, :first_at, :last_at)

-- name: seed_event_count
-- Its occurrences in one half hour.
insert into event_counts (workspace, name, slot, shard, count) values (:workspace, :name, :slot, :shard, :count)

-- name: seed_property_type
-- The type of one property.
insert into property_types (workspace, event, property, type) values (:workspace, :event, :property, :type)

-- name: seed_reject
-- A value that was not stored.
insert into rejects (workspace, at, message_id, field, code, reason, value)
values (:workspace, :at, :message_id, 'email', 'bad_email', 'write a@b.c', 'x')

-- name: seed_run
-- A run that waits or was cancelled.
insert into runs (workspace, id, campaign, version, profile_id, state, step, due_at, triggered_at, device, context, reason, created_at, updated_at)
values (:workspace, :id, :campaign, 1, :profile_id, :state, 'send', :due_at, :at, null, '{}', :reason, :at, :at)

-- name: seed_refusal
-- Why a trigger began nothing.
insert into refusals (workspace, profile_id, campaign, reason, version, at, count, saw)
values (:workspace, :profile_id, :campaign, :reason, 1, :at, :count, '{"audience": false}')

-- name: seed_campaign_count
-- A figure of a campaign's runs.
insert into campaign_counts (workspace, campaign, name, shard, count)
values (:workspace, :campaign, :name, :shard, :count)

-- name: seed_reactions
-- What a person did with a message.
update deliveries set reactions = :reactions where workspace = :workspace and id = :id

-- name: states_in_ledger
-- How many deliveries stand in each state, counted row by row.
select state, count(*) from deliveries where workspace = :workspace group by state
