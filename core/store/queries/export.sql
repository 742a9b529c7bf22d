-- name: export_profiles
-- Everybody in a workspace who has not become somebody else.
select id, user_id, created_at, last_seen_at, attributes, state
from profiles where workspace = :workspace and merged_into is null order by id

-- name: export_totals
-- All totals in a workspace.
select profile_id, event, count, first_at, last_at, numbers
from aggregates where workspace = :workspace order by profile_id, event

-- name: export_events
-- Whose each message in the log is; merges are told by `merged_into`.
select profile_id, message_id from events where workspace = :workspace and kind not in ('merge', 'reaction') order by message_id

-- name: export_rejects
-- All that was not stored.
select message_id, field, code, value from rejects where workspace = :workspace order by id

-- name: drill_unfinished
-- Runs that wait and deliveries that are on their way.
select (select count(*) from runs where workspace = :workspace and state = 'waiting')
     + (select count(*) from deliveries where workspace = :workspace and state in ('planned', 'held', 'claimed', 'handed'))

-- name: drill_deliveries
-- All deliveries, as far as a judge needs them.
select id, campaign, promise, state, resends from deliveries where workspace = :workspace

-- name: drill_counters
-- Deliveries by state, as the counters have them.
select name, sum(count) from delivery_counts where workspace = :workspace and kind = 'state' group by name

-- name: drill_events
-- How many events were counted.
select sum(count) from aggregates where workspace = :workspace
