-- name: list_rules
-- Every version of a campaign that an event may concern: those in force, and those with runs waiting.
select c.workspace, c.id, v.version, c.name, c.state, v.definition,
       case when v.version = c.version and c.state = 'active' then 1 else 0 end,
       coalesce(c.activated_at, 0)
from campaigns c
join campaign_versions v on v.workspace = c.workspace and v.id = c.id
where c.state in ('active', 'paused')
  and (v.version = c.version
       or exists (select 1 from runs r where r.workspace = c.workspace and r.campaign = c.id
                  and r.version = v.version and r.state = 'waiting'))
order by c.workspace, c.id, v.version

-- name: list_runs [sqlite]
-- The same, by way of the index.
select profile_id, id, campaign, version, state, step, due_at, triggered_at, device, context, reason, request_id, created_at
from runs indexed by runs_by_profile
where workspace = :workspace and profile_id {in:ids text}
  and (state = 'waiting' or (state = 'sent' and triggered_at > cast(:since as bigint)))
{for_update}

-- name: list_runs
-- The waiting runs of some people, and those sent for triggers later than `since`.
select profile_id, id, campaign, version, state, step, due_at, triggered_at, device, context, reason, request_id, created_at
from runs
where workspace = :workspace and profile_id {in:ids text}
  and (state = 'waiting' or (state = 'sent' and triggered_at > cast(:since as bigint)))
{for_update}

-- name: claim_due_runs
-- Waiting runs whose time has come, that nobody else is looking at.
select workspace, profile_id, id, campaign, version, state, step, due_at, triggered_at, device, context, reason, request_id, created_at
from runs
where state = 'waiting' and due_at <= :now
order by due_at, id
limit :limit
{skip_locked}

-- name: next_due_run
-- When the next timer is due.
select min(due_at) from runs where state = 'waiting'

-- name: save_runs
-- Runs as they are now.
insert into runs (workspace, id, campaign, version, profile_id, state, step, due_at, triggered_at, device, context, reason, request_id, created_at, updated_at)
{rows: workspace text, id text, campaign text, version integer, profile_id text, state text, step text, due_at bigint, triggered_at bigint, device text, context json, reason text, request_id text, created_at bigint, updated_at bigint}
on conflict (workspace, id) do update
set profile_id = excluded.profile_id, state = excluded.state, step = excluded.step, due_at = excluded.due_at,
    triggered_at = excluded.triggered_at, device = excluded.device, context = excluded.context,
    reason = excluded.reason, updated_at = excluded.updated_at

-- name: move_runs
-- The runs of somebody who turned out to be somebody else.
update runs set profile_id = :target, updated_at = :now
where workspace = :workspace and profile_id = :source

-- name: add_refusals
-- Why triggers did not begin runs: the last time for each reason, and how often.
insert into refusals (workspace, profile_id, campaign, reason, version, at, count, saw)
{rows: workspace text, profile_id text, campaign text, reason text, version integer, at bigint, count bigint, saw json}
on conflict (workspace, profile_id, campaign, reason) do update
set version = excluded.version, at = excluded.at, count = refusals.count + excluded.count, saw = excluded.saw

-- name: count_campaigns
-- Figures of campaigns: enrolled, waiting, cancelled_by_stop, refused_….
insert into campaign_counts (workspace, campaign, name, shard, count)
{rows: workspace text, campaign text, name text, shard integer, count bigint}
on conflict (workspace, campaign, name, shard) do update set count = campaign_counts.count + excluded.count
